"""Who gets which mail, and where a company's notices are said beside the mails."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.services.chat import SPOKEN
from integrations.views.forms.base import ChoicesForm

_NO_SUCH = {"invalid_choice": _("One of these mails is no choice of yours. Load the page again.")}


class MailsForm(ChoicesForm):
    """`on` is what is ticked, `was` what was ticked when the page was made."""

    on = forms.MultipleChoiceField(required=False, error_messages=_NO_SUCH)
    was = forms.MultipleChoiceField(required=False, error_messages=_NO_SUCH)

    def __init__(self, *args: Any, cells: Sequence[tuple[str, Any]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in ("on", "was"):
            self.fields[name].choices = cells  # type: ignore[attr-defined]


class ChatForm(ChoicesForm):
    url = forms.CharField(
        label=_("Address of the incoming webhook"),
        max_length=2048,
        widget=forms.URLInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": _("https://hooks.slack.com/services/…"),
                "aria-describedby": "chat-hint",
            }
        ),
        error_messages={
            "required": _("Enter the address that your chat has given you."),
            "max_length": _("The address is too long: 2,048 characters at most."),
        },
    )


class ChatKindsForm(ChoicesForm):
    kinds = forms.MultipleChoiceField(
        label=_("What is said there"),
        required=False,
        choices=[(kind.name, kind.label) for kind in SPOKEN],
        error_messages={"invalid_choice": _("There is no such notice to choose.")},
    )


class WeekForm(ChoicesForm):
    """Which week: the one of the last mail, or this one up to now."""

    week = forms.ChoiceField(
        required=False, choices=[("last", _("Last week")), ("this", _("This week so far"))],
        error_messages={"invalid_choice": _("Choose last week or this one.")},
    )  # fmt: skip

    def running(self) -> bool:
        return self.is_valid() and self.cleaned_data["week"] == "this"
