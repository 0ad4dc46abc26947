"""Patterned recurrences: checked, completed and expanded.

https://learn.microsoft.com/graph/api/resources/patternedrecurrence
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.microsoft.times import FOREVER, day_of, find_zone, local_ms

HORIZON = timedelta(days=20 * 366)  # no rule is followed further
MAX_COUNT = 999  # the most occurrences of a numbered range in Exchange
TYPES = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
NO_DATE = "0001-01-01"
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Occurrence:
    """One occurrence: its wall-clock start in the series' zone, and both ends in milliseconds."""

    start: datetime
    start_ms: int
    end_ms: int


def completed(value: Any, first: date, zone_name: str) -> dict[str, Any]:
    """The recurrence as it is kept and read back; 400 for one that cannot be."""
    if not isinstance(value, dict) or set(value) - {"pattern", "range"} - {n for n in value if "@odata" in n}:
        raise errors.unreadable("The property 'recurrence' must have a pattern and a range.")
    pattern, span = value.get("pattern"), value.get("range")
    if not isinstance(pattern, dict) or not isinstance(span, dict):
        raise errors.invalid("A recurrence needs a pattern and a range.")
    result = {"pattern": _pattern(pattern), "range": _range(span, first, zone_name)}
    if next(_starts(_key(result), datetime.combine(first, time())), None) is None:
        raise errors.invalid("The recurrence has no occurrence.")
    return result


def occurrences(body: dict[str, Any], after_ms: int, before_ms: int) -> Iterator[Occurrence]:
    """Those of a stored series that end after `after_ms` and start before `before_ms`, in order; exceptions too."""
    first, last = (datetime.fromisoformat(body[name]["dateTime"]) for name in ("start", "end"))
    tz = zone_of(body)
    length = local_ms(last, tz) - local_ms(first, tz)
    for start in _starts(_key(body["recurrence"]), first):
        begin = local_ms(start, tz)
        # An all-day occurrence lasts whole days by the calendar, which hides a change of the clocks.
        end = local_ms(start + (last - first), tz) if body["isAllDay"] else begin + length
        if begin >= before_ms:
            return
        if end > after_ms:
            yield Occurrence(start, begin, end)


def last_end_ms(body: dict[str, Any]) -> int:
    """When the last occurrence is over, or FOREVER."""
    if body["recurrence"]["range"]["type"] == "noEnd":
        return FOREVER
    return max(each.end_ms for each in occurrences(body, -FOREVER, FOREVER))


def zone_of(body: dict[str, Any]) -> ZoneInfo:
    """The zone in which an event's wall clocks are to be read; whole days are the same everywhere, so UTC."""
    return ZoneInfo("Etc/UTC") if body["isAllDay"] else cast(ZoneInfo, find_zone(body["start"]["timeZone"]))


def _pattern(pattern: dict[str, Any]) -> dict[str, Any]:
    kind = pattern.get("type")
    if kind not in TYPES:
        raise errors.invalid("The recurrence pattern's type is missing or unknown.")
    days = pattern.get("daysOfWeek") or []
    if not isinstance(days, list) or any(str(day).lower() not in DAYS for day in days):
        raise errors.invalid("daysOfWeek must be a list of days.")
    week, index = str(pattern.get("firstDayOfWeek") or "sunday").lower(), str(pattern.get("index") or "first")
    if week not in DAYS or index not in INDEXES:
        raise errors.invalid("firstDayOfWeek or index is unknown.")
    if kind in ("weekly", "relativeMonthly", "relativeYearly") and not days:
        raise errors.invalid("The recurrence pattern needs daysOfWeek.")
    result = {
        "type": kind,
        "interval": _number(pattern, "interval", 1, 99, 1),
        "month": _number(pattern, "month", 0, 12, 0),
        "dayOfMonth": _number(pattern, "dayOfMonth", 0, 31, 0),
        "daysOfWeek": [day.lower() for day in days],
        "firstDayOfWeek": week,
        "index": index,
    }
    if kind.endswith("Yearly") and not result["month"] or kind.startswith("absolute") and not result["dayOfMonth"]:
        raise errors.invalid("The recurrence pattern needs a month or a dayOfMonth.")
    if kind == "absoluteYearly" and result["dayOfMonth"] > LONGEST[result["month"] - 1]:
        raise errors.invalid("There is no such day.")
    return result


def _range(span: dict[str, Any], first: date, zone_name: str) -> dict[str, Any]:
    kind = span.get("type")
    if kind not in ("endDate", "noEnd", "numbered"):
        raise errors.invalid("The recurrence range's type is missing or unknown.")
    if day_of(span.get("startDate")) != first:
        raise errors.invalid("The recurrence range's startDate must be the date of the event's start.")
    end, count = NO_DATE, 0
    if kind == "endDate":
        day = day_of(span.get("endDate"))
        if day is None or day < first:
            raise errors.invalid("The recurrence range's endDate is missing or lies before its startDate.")
        end = day.isoformat()
    elif kind == "numbered":
        count = _number(span, "numberOfOccurrences", 1, MAX_COUNT, None)
    name = span.get("recurrenceTimeZone") or zone_name
    if find_zone(str(name)) is None:
        raise errors.unknown_zone(name)
    return {
        "type": kind,
        "startDate": first.isoformat(),
        "endDate": end,
        "recurrenceTimeZone": name,
        "numberOfOccurrences": count,
    }


def _number(values: dict[str, Any], name: str, low: int, high: int, default: int | None) -> int:
    value = values.get(name)
    if value is None and default is not None:
        return default
    if type(value) is not int or not low <= value <= high:
        raise errors.invalid(f"The recurrence's {name} must be a number from {low} to {high}.")
    return value


def _key(recurrence: dict[str, Any]) -> tuple[Any, ...]:
    pattern, span = recurrence["pattern"], recurrence["range"]
    fields = (pattern["type"], pattern["interval"], pattern["month"], pattern["dayOfMonth"])
    days = (tuple(pattern["daysOfWeek"]), pattern["firstDayOfWeek"], pattern["index"])
    return (*fields, *days, span["type"], span["endDate"], span["numberOfOccurrences"])


def _starts(key: tuple[Any, ...], first: datetime) -> Iterator[datetime]:
    return iter(_rule(key, first))


@lru_cache(maxsize=256)
def _rule(key: tuple[Any, ...], first: datetime) -> Any:
    kind, interval, month, day, names, week, index, ending, end, count = key
    days = [weekday(DAYS.index(name)) for name in names]
    parts: dict[str, Any] = {"daily": {}, "weekly": {"byweekday": days}}.get(kind, {})
    if kind.startswith("absolute"):
        # A month too short for the day has the event on its last day.
        parts = {"bymonthday": tuple(range(min(day, 28), day + 1)), "bysetpos": -1}
    elif kind.startswith("relative"):
        parts = {"byweekday": days, "bysetpos": INDEXES[index]}
    if kind.endswith("Yearly"):
        parts["bymonth"] = month
    freq: Any = {"daily": DAILY, "weekly": WEEKLY}.get(kind, YEARLY if kind.endswith("Yearly") else MONTHLY)
    until = first + HORIZON
    if ending == "endDate":
        until = min(until, datetime.combine(date.fromisoformat(end), time.max))
    whole = rrule(freq, dtstart=first, interval=interval, wkst=DAYS.index(week), until=until, cache=True, **parts)
    return whole if ending != "numbered" else _First(whole, count)


class _First:
    """The first `count` of a rule, iterable more than once."""

    def __init__(self, rule: rrule, count: int) -> None:
        self._rule, self._count = rule, count

    def __iter__(self) -> Iterator[datetime]:
        return islice(iter(self._rule), self._count)
