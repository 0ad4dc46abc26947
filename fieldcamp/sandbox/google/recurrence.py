"""Expands a recurring event into its occurrences: RRULE, RDATE, EXDATE, EXRULE of RFC 5545."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from fieldcamp.sandbox.google.times import FOREVER, midnight_ms, read_date, read_utc, to_ms, zone

HORIZON = timedelta(days=20 * 366)  # no rule is followed further: one that never matches must end somewhere
MAX_COUNT = 10_000
MAX_LINES = 200
MAX_RULES = 4
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class BadRecurrence(ValueError):
    """The lines are not a rule this calendar can follow."""


@dataclass(frozen=True)
class Occurrence:
    """One occurrence: its start as a date or in the event's zone, and both ends in milliseconds."""

    start: date | datetime
    start_ms: int
    end_ms: int

    @property
    def suffix(self) -> str:
        """What follows the series' id in the instance's id: the start in UTC, or the day."""
        if isinstance(self.start, datetime):
            return self.start.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        return self.start.strftime("%Y%m%d")


def occurrences(body: dict[str, Any], tz: ZoneInfo, after_ms: int, before_ms: int) -> Iterator[Occurrence]:
    """Those that end after `after_ms` and start before `before_ms`, in order."""
    all_day = "date" in body["start"]
    place = tz if all_day else (zone(body["start"].get("timeZone", "")) or tz)
    first, length = _first_and_length(body, place)
    for naive in _rules(tuple(body["recurrence"]), first, all_day, place.key):
        if all_day:
            start: date | datetime = naive.date()
            begin = midnight_ms(naive.date(), place)
            end = midnight_ms(naive.date() + length, place)
        else:
            start = naive.replace(tzinfo=place)
            begin = to_ms(start)
            end = begin + length // timedelta(milliseconds=1)
        if begin >= before_ms:
            return
        if end > after_ms:
            yield Occurrence(start, begin, end)


def last_end_ms(body: dict[str, Any], tz: ZoneInfo) -> int:
    """When the last occurrence is over, or FOREVER."""
    if any("COUNT=" not in line and "UNTIL=" not in line for line in _lines(body, "RRULE")):
        return FOREVER
    return max(occurrence.end_ms for occurrence in occurrences(body, tz, -FOREVER, FOREVER))


def check(body: dict[str, Any], tz: ZoneInfo) -> None:
    """Raises BadRecurrence when the lines cannot be followed or lead nowhere."""
    lines = body["recurrence"]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines) or len(lines) > MAX_LINES:
        raise BadRecurrence("recurrence must be a list of lines.")
    if next(occurrences(body, tz, -FOREVER, FOREVER), None) is None:
        raise BadRecurrence("The rule has no occurrence.")


def _lines(body: dict[str, Any], name: str) -> list[str]:
    return [line.upper() for line in body["recurrence"] if re.match(rf"{name}[:;]", line, re.IGNORECASE)]


def _first_and_length(body: dict[str, Any], tz: ZoneInfo) -> tuple[datetime, timedelta]:
    start, end = body["start"], body["end"]
    if "date" in start:
        first, last = read_date(start["date"]), read_date(end["date"])
        return datetime.combine(first, time()), last - first
    begin, stop = read_utc(start["dateTime"]), read_utc(end["dateTime"])
    return begin.astimezone(tz).replace(tzinfo=None), stop - begin


@lru_cache(maxsize=128)
def _ruleset(lines: tuple[str, ...], first: datetime, all_day: bool, place: str) -> rruleset:
    tz = ZoneInfo(place)
    if sum(re.match(r"(RRULE|EXRULE)\b", line, re.IGNORECASE) is not None for line in lines) > MAX_RULES:
        raise BadRecurrence("There are too many rules.")
    result = rruleset(cache=True)
    found = False
    for line in lines:
        name, _, value = line.partition(":")
        name, _, options = name.partition(";")
        name = name.upper()
        if name == "RRULE":
            result.rrule(_rule(value, first, all_day, tz))
            found = True
        elif name == "EXRULE":
            result.exrule(_rule(value, first, all_day, tz))
        elif name in ("RDATE", "EXDATE"):
            add = result.rdate if name == "RDATE" else result.exdate
            for text in value.split(","):
                add(_listed(text.strip(), options, first, tz))
            found = found or name == "RDATE"
        else:
            raise BadRecurrence(f"{name[:20]} lines are not allowed.")
    if not found:
        raise BadRecurrence("There is no RRULE.")
    return result


def _rules(lines: tuple[str, ...], first: datetime, all_day: bool, place: str) -> Iterator[datetime]:
    try:
        yield from islice(_ruleset(lines, first, all_day, place), MAX_COUNT)
    except BadRecurrence:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError) as error:
        raise BadRecurrence(str(error)) from None


def _rule(text: str, first: datetime, all_day: bool, tz: ZoneInfo) -> Any:
    parts = dict(part.split("=", 1) for part in text.upper().split(";") if part)
    if parts.get("FREQ") not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise BadRecurrence("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY.")
    # Finer parts would let one rule name thousands of moments a day.
    if any(name in parts for name in ("BYHOUR", "BYMINUTE", "BYSECOND", "BYEASTER")):
        raise BadRecurrence("Only days can be chosen by a rule.")
    if not 1 <= int(parts.get("INTERVAL", "1")) <= 1000:
        raise BadRecurrence("INTERVAL is out of range.")
    if "BYMONTH" in parts and "BYMONTHDAY" in parts:
        # dateutil would look for the 30th of February until the year 9999.
        months, days = ([int(n) for n in parts[name].split(",")] for name in ("BYMONTH", "BYMONTHDAY"))
        if not any(abs(day) <= LONGEST[month - 1] for month in months for day in days):
            raise BadRecurrence("There is no such day.")
    until = _until(parts.pop("UNTIL"), first, all_day, tz) if "UNTIL" in parts else None
    count = parts.pop("COUNT", None)
    rest = ";".join(f"{name}={value}" for name, value in parts.items())
    horizon = first + HORIZON
    rule = cast(rrule, rrulestr(rest, dtstart=first)).replace(until=min(until, horizon) if until else horizon)
    if count is None:
        return rule
    if until is not None or not 1 <= int(count) <= MAX_COUNT:
        raise BadRecurrence("COUNT is out of range or stands beside UNTIL.")
    return _Counted(rule, int(count))


class _Counted:
    """The first `count` of a rule, iterable more than once."""

    def __init__(self, rule: rrule, count: int) -> None:
        self._rule, self._count = rule, count

    def __iter__(self) -> Iterator[datetime]:
        return islice(iter(self._rule), self._count)


def _until(text: str, first: datetime, all_day: bool, tz: ZoneInfo) -> datetime:
    moment = _moment(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(tz).replace(tzinfo=None)
    if all_day or len(text) > 8:
        return moment
    return moment.replace(hour=first.hour, minute=first.minute, second=first.second)


def _listed(text: str, options: str, first: datetime, tz: ZoneInfo) -> datetime:
    moment = _moment(text)
    if len(text) == 8:
        return moment.replace(hour=first.hour, minute=first.minute, second=first.second)
    named = re.search(r"TZID=([^;]+)", options, re.IGNORECASE)
    if moment.tzinfo is None and named:
        own = zone(named[1])
        if own is None:
            raise BadRecurrence("The time zone of a line is unknown.")
        moment = moment.replace(tzinfo=own)
    return moment.astimezone(tz).replace(tzinfo=None) if moment.tzinfo else moment


def _moment(text: str) -> datetime:
    for pattern in ("%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"):
        try:
            moment = datetime.strptime(text.upper(), pattern)  # noqa: DTZ007  a rule's wall-clock time
        except ValueError:
            continue
        return moment.replace(tzinfo=UTC) if pattern.endswith("Z") else moment
    raise BadRecurrence("A line has a time that is no time.")
