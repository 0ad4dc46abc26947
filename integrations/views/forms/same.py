"""What is sent by the page that answers many questions at once."""

from django import forms
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm

_LARGEST = 2**63 - 1


class PairsField(forms.MultipleChoiceField):
    """Boxes whose values the service knows: a pair that is none any more is left out there."""

    def valid_value(self, value: str) -> bool:
        return ":" in value and "\x00" not in value


class PairsForm(DeskForm):
    """The pairs that are the same, each as the question's id, a colon and the id there."""

    pair = PairsField(
        label=_("Pairs"),
        error_messages={
            "required": _("Tick at least one pair."),
            "invalid_choice": _("This is no pair of the page. Load the page again."),
        },
    )

    @property
    def chosen(self) -> dict[str, str]:
        """Returns the ids there by the questions' ids."""
        return dict(value.split(":", 1) for value in self.cleaned_data["pair"])


class TakeBackForm(DeskForm):
    """Which answer is taken back."""

    entry = forms.IntegerField(min_value=1, max_value=_LARGEST)
