"""How often an integration is synced by itself."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.admin.intervals import CHOICES, every
from integrations.services.schedule import CHOOSE_INTERVAL
from integrations.views.forms.base import ChoicesForm


class ScheduleForm(ChoicesForm):
    """The page offers what is usual; any other number of minutes is for the service to judge. `by_itself`: what it says
    of leaving it to whether the vendor tells of changes; "" where that is not offered."""

    minutes = forms.IntegerField(
        label=_("Sync by itself"),
        widget=forms.Select,
        error_messages={"required": CHOOSE_INTERVAL, "invalid": CHOOSE_INTERVAL},
    )

    on_save = forms.TypedChoiceField(
        label=_("What is saved in FieldCamp"),
        choices=[("at_once", _("is synced at once")), ("by_schedule", _("waits for the schedule"))],
        coerce=lambda chosen: chosen == "at_once",
        empty_value=None,
        required=False,
    )

    approval = forms.TypedChoiceField(
        label=_("Syncs that an API key starts"),
        choices=[("free", _("need nobody’s approval")), ("approved", _("need a plan that somebody else has approved"))],
        coerce=lambda chosen: chosen == "approved",
        empty_value=None,
        required=False,
    )

    def __init__(self, *args: Any, initial: dict[str, Any], by_itself: str = "", **kwargs: Any):
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["minutes"].required = not by_itself
        stored = initial["minutes"]
        numbers = sorted({*CHOICES} if stored is None else {*CHOICES, stored}, key=lambda number: number or 10_000)
        self.offer("minutes", [(number, _label(number)) for number in numbers], by_itself or None)


def _label(minutes: int) -> str:
    return every(minutes) if minutes else gettext("off: {words}").format(words=every(0))
