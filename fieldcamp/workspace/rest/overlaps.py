"""`warnings[]` beside a visit that was saved: what else its technician is busy with at that time."""

import datetime as dt
import zoneinfo
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from fieldcamp.api.serializers import InstantField
from fieldcamp.workspace.busy import BLOCKED, VISIT, BusyTime, overlaps_of
from fieldcamp.workspace.models import Visit

CODES = {BLOCKED: "OVERLAPS_BLOCKED_TIME", VISIT: "OVERLAPS_VISIT"}
_WHAT = {
    BLOCKED: "This time is blocked in the technician's own calendar",
    VISIT: "The technician has another visit",
}
_REMEDY = "The visit was saved all the same: move one of the two, or give it to somebody else."


@extend_schema_serializer(component_name="VisitWarning")
class VisitWarningSerializer(serializers.Serializer):
    """Something that the visit was saved in spite of."""

    code = serializers.ChoiceField(list(CODES.values()))
    message = serializers.CharField(help_text="For people; times are in the company's zone.")
    start = serializers.DateTimeField(help_text="When what is overlapped begins.")
    end = serializers.DateTimeField(help_text="When what is overlapped ends.")
    visitId = serializers.CharField(required=False, help_text="The other visit; absent where the time is blocked.")


def warnings_of(visit: Visit) -> list[dict[str, Any]]:
    """Returns the visit's overlaps, the earliest first: [{code, message, start, end, visitId?}]. Two queries, none for
    a visit that takes nobody's time."""
    return [_warning(busy, visit) for busy in overlaps_of(visit)]


def _warning(busy: BusyTime, visit: Visit) -> dict[str, Any]:
    moment = InstantField().to_representation
    times = {"start": moment(busy.start), "end": moment(busy.end)}
    message = f"{_WHAT[busy.kind]} {_spoken(busy, visit.workspace.timezone)}. {_REMEDY}"
    other = {"visitId": busy.visit_id} if busy.visit_id else {}
    return {"code": CODES[busy.kind], "message": message, **times, **other}


def _spoken(busy: BusyTime, zone: str) -> str:
    """Says when, in the company's zone; whole days by their dates, which belong to no zone."""
    if busy.days:
        first, last = busy.days
        return f"all day on {first}" if first == last else f"all day from {first} to {last}"
    start, end = (moment.astimezone(zoneinfo.ZoneInfo(zone)) for moment in (busy.start, busy.end))
    until = f"{end:%H:%M}" if start.date() == end.date() else _written(end)
    return f"from {_written(start)} to {until} ({zone})"


def _written(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
