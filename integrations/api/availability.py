"""`/availability`: when technicians are busy, by their visits and by what their own calendars block. Only when."""

import datetime as dt
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import validation_error
from fieldcamp.api.examples import example
from fieldcamp.api.pagination import (
    choice_parameter,
    decode_cursor,
    encode_cursor,
    instant_parameter,
    list_name,
    page_limit,
    truth_parameter,
)
from fieldcamp.api.parameters import CURSOR, LIMIT, choice, instant, truth
from fieldcamp.api.serializers import InstantField
from fieldcamp.api.views import ApiView, ok
from fieldcamp.workspace.busy import BLOCKED, VISIT, BusyTime, Position, busy_times
from fieldcamp.workspace.models import Member
from integrations.calendar.window import window_at
from integrations.selectors.availability import CalendarsReading, CalendarsState, readings

MOST_TECHNICIANS = 100
KINDS = [VISIT, BLOCKED]
LONGEST = dt.timedelta(days=100)
_EXAMPLE = {
    "technicianId": "mem_01HZX2Q8YV3D1G0N3WJ2P7K9MF",
    "start": "2026-05-30T13:00:00Z",
    "end": "2026-05-30T14:00:00Z",
    "kind": VISIT,
    "visitId": "vis_01HZX2Q8YV3D1G0N3WJ2P7K9MD",
    "allDay": False,
}


@extend_schema_serializer(component_name="Availability", examples=[example(_EXAMPLE)])
class AvailabilitySerializer(serializers.Serializer):
    """A time at which a technician is busy, cut to the range that was asked for."""

    technicianId = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    kind = serializers.ChoiceField(KINDS, help_text="`blocked`: by the technician's own calendar.")
    visitId = serializers.CharField(required=False, help_text="Only where it is a visit.")
    allDay = serializers.BooleanField(help_text="Whole days of the calendar's time zone.")


@extend_schema_serializer(component_name="AvailabilityOfTechnician")
class TechnicianCalendarsSerializer(serializers.Serializer):
    """How far the blocked times of one technician can be trusted."""

    technicianId = serializers.CharField()
    calendars = serializers.ChoiceField(
        list(CalendarsState),
        help_text="`read`: all of their calendars were read when it was tried last. `not_read`: at least one is not "
        "read at the moment, or never was; what is not listed need not be free. `none`: no calendar is connected for "
        "busy times, so that only visits are known.",
    )
    asOf = serializers.DateTimeField(allow_null=True, help_text="The oldest last reading of their calendars.")


@extend_schema_serializer(component_name="AvailabilityMeta")
class AvailabilityMetaSerializer(serializers.Serializer):
    request_id = serializers.CharField()
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()
    asOf = serializers.DateTimeField(
        allow_null=True,
        help_text="The oldest last reading of all calendars of these technicians; null where one was never read, or "
        "none is connected.",
    )
    calendarsFrom = serializers.DateTimeField(help_text="Before this time calendars are not read: only visits show.")
    calendarsTo = serializers.DateTimeField(help_text="From this time on calendars are not read: only visits show.")
    technicians = TechnicianCalendarsSerializer(many=True)


class AvailabilityView(ApiView):
    tag = "Visits"
    enveloped = True
    meta_class = AvailabilityMetaSerializer
    required_scopes = {"GET": "visits:read"}

    @extend_schema(
        operation_id="list_availability",
        summary="List when technicians are busy",
        parameters=[
            OpenApiParameter(
                "technicianId", str, required=True, many=True, description="Repeatable: several technicians, at most "
                f"{MOST_TECHNICIANS}.",
            ),
            instant("from", "The beginning of the range.", required=True),
            instant("to", f"Its end, which is outside; at most {LONGEST.days} days later.", required=True),
            choice("kind", KINDS),
            truth("allDay", "Only whole days, or only what is none."),
            CURSOR,
            LIMIT,
        ],
        responses=AvailabilitySerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """When technicians are busy between two times, in the order of the beginnings: scheduled visits that are not
        cancelled, and what their own calendars block, of which nothing but the time is told.

        Who is not listed at a time is free as far as FieldCamp knows: `meta` says for each technician whether their
        calendars are read, and how old that is."""
        start, end = _range(request)
        members = self._members(request)
        technicians = [member.pk for member in members]
        kinds, all_day = choice_parameter(request, "kind", KINDS), truth_parameter(request, "allDay")
        filters = {"of": technicians, "from": start, "to": end, "kinds": kinds, "all_day": all_day}
        name = list_name(request.path, self.workspace.pk, filters)
        cursor, limit = request.query_params.get("cursor"), page_limit(request)
        rows = busy_times(
            technicians=technicians,
            start=start,
            end=end,
            limit=limit + 1,
            after=None if cursor is None else _position(decode_cursor(name, cursor)),
            kinds=kinds,
            all_day=all_day,
        )
        more = encode_cursor(name, _cursor(rows[limit - 1])) if len(rows) > limit else None
        data = [_busy(row, start, end) for row in rows[:limit]]
        return ok(request, data, next_cursor=more, limit=limit, **_meta(readings(members)))

    def _members(self, request: Request) -> list[Member]:
        """Returns the people who are asked for, each once."""
        ids = list(dict.fromkeys(request.query_params.getlist("technicianId")))
        if not ids:
            raise validation_error({"technicianId": ["Say whose time: the id of a team member, several by repeating."]})
        if len(ids) > MOST_TECHNICIANS:
            raise validation_error({"technicianId": [f"At most {MOST_TECHNICIANS} technicians at once."]})
        found = Member.objects.filter(workspace=self.workspace).in_bulk(ids)
        if unknown := [text for text in ids if text not in found]:
            raise validation_error({"technicianId": [f"There is no such team member: {text}." for text in unknown]})
        return [found[text] for text in ids]


def _range(request: Request) -> tuple[dt.datetime, dt.datetime]:
    start, end = (instant_parameter(request, name) for name in ("from", "to"))
    if start is None or end is None:
        missing = [name for name, value in (("from", start), ("to", end)) if value is None]
        raise validation_error({name: ["This time is required, such as 2026-11-22T08:00:00Z."] for name in missing})
    if end <= start:
        raise validation_error({"to": ["Must be after `from`."]})
    if end - start > LONGEST:
        raise validation_error({"to": [f"At most {LONGEST.days} days after `from`. Ask for the rest separately."]})
    return start, end


def _position(values: list[Any]) -> Position:
    start, kind, row = values
    return Position(dt.datetime.fromisoformat(start), kind, row)


def _cursor(busy: BusyTime) -> list[str | int]:
    start, kind, row = busy.position
    return [start.isoformat(), kind, row]


def _busy(busy: BusyTime, start: dt.datetime, end: dt.datetime) -> dict[str, Any]:
    moment = InstantField().to_representation
    return {
        "technicianId": busy.technician_id,
        "start": moment(max(busy.start, start)),
        "end": moment(min(busy.end, end)),
        "kind": busy.kind,
        **({"visitId": busy.visit_id} if busy.visit_id else {}),
        "allDay": busy.all_day,
    }


def _meta(found: list[CalendarsReading]) -> dict[str, Any]:
    moment = InstantField().to_representation
    connected = [reading for reading in found if reading.state != CalendarsState.NONE]
    times = [reading.as_of for reading in connected]
    known = [time for time in times if time]
    window = window_at(timezone.now())
    return {
        "asOf": moment(min(known)) if known and len(known) == len(times) else None,
        "calendarsFrom": moment(window.start),
        "calendarsTo": moment(window.end),
        "technicians": [
            {
                "technicianId": reading.member_id,
                "calendars": reading.state,
                "asOf": moment(reading.as_of) if reading.as_of else None,
            }
            for reading in found
        ],
    }
