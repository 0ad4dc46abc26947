"""Query parameters of the list methods, read strictly."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.event_types import TYPES
from fieldcamp.sandbox.google.times import parse_datetime, to_ms, zone

MAX_PAGE = 2500
NOT_WITH_SYNC_TOKEN = (
    *("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax"),
    "updatedMin",
)


@dataclass(frozen=True)
class ListParams:
    """events.list as it was asked. Times in milliseconds."""

    single: bool
    show_deleted: bool | None
    show_hidden: bool
    order: str | None
    q: str | None
    uid: str | None
    types: tuple[str, ...]
    private: tuple[tuple[str, str], ...]
    shared: tuple[tuple[str, str], ...]
    time_min: int | None
    time_max: int | None
    updated_min: int | None
    tz: ZoneInfo | None
    max_attendees: int | None
    max_results: int
    page_token: str | None
    sync_token: str | None

    def lasting(self) -> list[Any]:
        """What must be the same in an incremental list as in the first one."""
        return [self.single, sorted(self.types), self.show_hidden]

    def filters(self) -> list[Any]:
        """What must be the same on every page."""
        times = [self.time_min, self.time_max, self.updated_min]
        return [
            *self.lasting(),
            bool(self.show_deleted),
            self.order,
            self.q,
            self.uid,
            self.private,
            self.shared,
            times,
        ]


def list_params(query: MultiDict) -> ListParams:
    """Reads the parameters of events.list; 400 for what does not parse or does not go together."""
    time_min, time_max = time_window(query)
    order = query.get("orderBy")
    if order not in (None, "startTime", "updated"):
        raise errors.bad_parameter("orderBy", order)
    types = tuple(query.getlist("eventTypes"))
    for kind in types:
        if kind not in TYPES:
            raise errors.bad_parameter("eventTypes", kind)
    params = ListParams(
        single=flag(query, "singleEvents") or False,
        show_deleted=flag(query, "showDeleted"),
        show_hidden=flag(query, "showHiddenInvitations") or False,
        order=order,
        q=query.get("q") or None,
        uid=query.get("iCalUID"),
        types=types,
        private=_constraints(query, "privateExtendedProperty"),
        shared=_constraints(query, "sharedExtendedProperty"),
        time_min=time_min,
        time_max=time_max,
        updated_min=_time(query, "updatedMin"),
        tz=time_zone(query),
        max_attendees=number(query, "maxAttendees", None, 2000),
        max_results=number(query, "maxResults", 250, MAX_PAGE) or 250,
        page_token=query.get("pageToken") or None,
        sync_token=query.get("syncToken") or None,
    )
    if params.order == "startTime" and not params.single:
        raise errors.bad_request("The requested ordering is not available for the particular query.")
    if params.sync_token is not None:
        for name in NOT_WITH_SYNC_TOKEN:
            if name in query:
                raise errors.invalid(f"The parameter {name} cannot be combined with syncToken.", name)
        if params.show_deleted is False:
            raise errors.invalid("showDeleted cannot be false when syncToken is given.", "showDeleted")
    return params


def time_window(query: MultiDict) -> tuple[int | None, int | None]:
    """timeMin and timeMax."""
    time_min, time_max = _time(query, "timeMin"), _time(query, "timeMax")
    if time_min is not None and time_max is not None and time_min >= time_max:
        raise errors.empty_range("timeMax")
    return time_min, time_max


def flag(query: MultiDict, name: str) -> bool | None:
    """A boolean parameter, or None when it was not given."""
    value = query.get(name)
    if value is None:
        return None
    if value.lower() not in ("true", "false"):
        raise errors.bad_parameter(name, value)
    return bool(value.lower() == "true")


def number(query: MultiDict, name: str, usual: int | None, cap: int) -> int | None:
    """A positive whole number; a larger one than `cap` counts as `cap`."""
    value = query.get(name)
    if value is None:
        return usual
    if not value.isascii() or not value.isdecimal() or len(value) > 10 or int(value) < 1:
        raise errors.bad_parameter(name, value)
    return min(int(value), cap)


def time_zone(query: MultiDict) -> ZoneInfo | None:
    """The zone in which times are wanted."""
    name = query.get("timeZone")
    if name is None:
        return None
    place = zone(name)
    if place is None:
        raise errors.bad_parameter("timeZone", name)
    return place


def _time(query: MultiDict, name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    # A "+" that was not percent-encoded arrives as a space: Google refuses that, too.
    moment = parse_datetime(value)
    if moment is None:
        raise errors.bad_request()
    return to_ms(moment)


def _constraints(query: MultiDict, name: str) -> tuple[tuple[str, str], ...]:
    result = []
    for text in query.getlist(name):
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise errors.bad_parameter(name, text)
        result.append((key, value))
    return tuple(result)
