"""The form that moves a visit: by dragging it, and from its panel."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from fieldcamp.workspace.models import Member, Visit
from integrations.admin.agenda_page import UNASSIGNED, minutes_of

FIRST, LAST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
_MINUTE = dt.timedelta(minutes=1)
_MOST_MINUTES = 31 * 24 * 60
_NO_DAY = _("Choose a day from 2000 to 2099.")


class MoveForm(DeskForm):
    """`version` is that of the visit as it was seen, `seen` says which overlaps were. Times are the company's. What is
    as it was is not touched: a visit that is given to somebody else keeps its seconds."""

    day = forms.DateField(
        label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"], error_messages={"required": _NO_DAY, "invalid": _NO_DAY},
    )  # fmt: skip
    time = forms.TimeField(
        label=_("Starts at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), input_formats=["%H:%M"],
        error_messages=dict.fromkeys(("required", "invalid"), _("Choose a time, such as 08:30.")),
    )  # fmt: skip
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=1,
        max_value=_MOST_MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    technician = forms.ChoiceField(
        label=_("Technician"),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose one of the technicians, or nobody.")),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    def __init__(self, *args: Any, visit: Visit, technicians: Sequence[Member], **kwargs: Any):
        super().__init__(*args, initial=_as_it_is(visit), **kwargs)
        self.visit = visit
        offered = [(member.pk, str(member)) for member in technicians]
        if visit.technician_id and visit.technician_id not in dict(offered):
            offered.append((visit.technician_id, str(visit.technician)))
        self.offer("technician", [(UNASSIGNED, _("Nobody")), *offered])

    def clean_day(self) -> dt.date:
        day: dt.date = self.cleaned_data["day"]
        if not FIRST <= day < LAST:
            raise forms.ValidationError(_NO_DAY)
        return day

    def clean(self) -> dict[str, Any]:
        """Reads day and time together, where they are new. A time that a change of the clock leaves out or has twice is
        refused with a sentence."""
        cleaned = super().clean()
        if {"day", "time"} <= {*cleaned} and {"day", "time"} & {*self.changed_data}:
            try:
                cleaned["start"] = from_current_timezone(dt.datetime.combine(cleaned["day"], cleaned["time"]))
            except forms.ValidationError as error:
                self.add_error("time", error)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """Returns what `move_visit` takes."""
        cleaned, changes = self.cleaned_data, dict[str, Any]()
        start = cleaned.get("start")
        if start is not None:
            changes["scheduled_start"] = start
        if "minutes" in self.changed_data:
            begins = start or self.visit.scheduled_start
            changes["scheduled_end"] = begins + cleaned["minutes"] * _MINUTE
        if "technician" in self.changed_data:
            chosen = cleaned["technician"]
            changes["technician_id"] = None if chosen == UNASSIGNED else chosen
        return changes


def _as_it_is(visit: Visit) -> dict[str, Any]:
    local = timezone.localtime(visit.scheduled_start) if visit.scheduled_start else None
    return {
        "day": local.date() if local else None,
        "time": local.time().replace(second=0, microsecond=0) if local else None,
        "minutes": minutes_of(visit),
        "technician": visit.technician_id or UNASSIGNED,
        "version": visit.version,
    }
