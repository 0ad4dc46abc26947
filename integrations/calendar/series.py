"""When a series takes place: its rules, worked out inside the window. Pure; no event's text comes here.

https://datatracker.ietf.org/doc/html/rfc5545#section-3.8.5.3
"""

import contextlib
import datetime as dt
import re
import zoneinfo
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import icalendar
import recurring_ical_events

from integrations.calendar.further_dates import further_dates
from integrations.calendar.listed_dates import listed_days, near_dates
from integrations.calendar.steps import no_further_than
from integrations.records import Window, instant, is_day, parse_instant

MOST_A_DAY = 48  # a person's events do not; working such a rule out would only keep everybody waiting
MOST_STEPS = 45_000  # a tenth of a second
STEPS_A_DATE = 25  # what a date of a list takes, by the same measure
MOST_LISTED = MOST_STEPS // STEPS_A_DATE
_UNKNOWN_ZONES = ("", "UTC")  # of a day: whoever wrote it had none in mind
_RULE_PARTS = {
    "FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY",
    "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST",
}  # fmt: skip
_UNITS = {
    "SECONDLY": dt.timedelta(seconds=1), "MINUTELY": dt.timedelta(minutes=1), "HOURLY": dt.timedelta(hours=1),
    "DAILY": dt.timedelta(days=1), "WEEKLY": dt.timedelta(weeks=1),
}  # fmt: skip
_MARGIN = dt.timedelta(days=9)  # a week's rule begins with the week, and zones are a day apart
_OFTEN = re.compile("HOURLY|MINUTELY|SECONDLY|BYHOUR|BYMINUTE|BYSECOND|^RDATE", re.IGNORECASE)
# A period that may last for more than a week.
_LASTING = re.compile(r"/P(?!T(\d{1,2}H)?(\d{1,4}M)?(\d{1,5}S)?(,|$))", re.IGNORECASE)
Times = tuple[str, str]  # start and end, as instants or as days


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The times of a series. Not `understood`: its rules could not be read in full, and these block rather too much."""

    times: list[Times]
    understood: bool = True


def home_of(event: dict[str, Any], company: zoneinfo.ZoneInfo) -> zoneinfo.ZoneInfo:
    """Returns the zone in which the event is meant: its own, or its calendar's, else the company's."""
    name = str(event.get("zone") or "")
    if is_day(str(event["start"])) and name in _UNKNOWN_ZONES:
        return company
    try:
        return zoneinfo.ZoneInfo(name) if name else company
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return company


def series_key(event: Mapping[str, Any]) -> Hashable:
    """Returns what of an event says when its series takes place."""
    return (event["start"], event["end"], event.get("zone"), tuple(event["recurrence"]))


def occurrences(
    event: dict[str, Any],
    excluded: Collection[str],
    window: Window,
    company: zoneinfo.ZoneInfo,
    ready: Mapping[Hashable, Occurrences] | None = None,
) -> Occurrences:
    """Returns the series' own occurrences in the window, without those that an exception stands for. `ready` are those
    that were worked out before, in the same window, by `series_key`."""
    found = (ready or {}).get(series_key(event)) or worked_out(event, window, company)
    return Occurrences([times for times in found.times if times[0] not in excluded], found.understood)


def worked_out(event: dict[str, Any], window: Window, company: zoneinfo.ZoneInfo) -> Occurrences:
    """Returns all occurrences of the series in the window. It takes as long as some tenths of a second."""
    home, rules = home_of(event, company), list(event["recurrence"])
    once = Occurrences([(event["start"], event["end"])])

    def as_it_says() -> Occurrences:
        lines, possible = near_dates(rules, window, MOST_LISTED)
        found = _worked_out(event, lines, window, home) if lines else once
        return replace(found, understood=found.understood and possible)

    def as_far_as_known() -> Occurrences:
        return _worked_out(event, _known_parts(near_dates(rules, window, MOST_LISTED)[0]), window, home)

    def each_day() -> Occurrences:
        days = _whole_days(event, rules, window)
        return _worked_out(days, _each_day(event, rules, window), window, home)

    for attempt in (as_it_says, as_far_as_known, each_day):
        with contextlib.suppress(Exception):  # a rule that no library understands must not stop the other events
            found = attempt()
            return replace(found, understood=found.understood and attempt is as_it_says)
    return replace(once, understood=False)


def _known_parts(rules: list[str]) -> list[str]:
    """Returns the rules without what the standard does not know, or leaves out: what takes days off a series
    (`EXRULE`) and cannot be followed does not."""
    kept = []
    too_many = _steps_of(rules, "EXDATE") > MOST_STEPS
    for line in rules:
        name, _, value = line.partition(":")
        if name.upper().startswith("RRULE"):
            parts = [part for part in value.split(";") if part.partition("=")[0].strip().upper() in _RULE_PARTS]
            kept.append(f"{name}:{';'.join(parts)}")
        elif not name.upper().startswith("EX") or (
            name.upper().startswith("EXDATE") and not too_many and _read([line])
        ):
            kept.append(line)
    return kept


def _steps_of(rules: list[str], *names: str) -> int:
    """Returns what lists of dates take, in steps of a rule."""
    return STEPS_A_DATE * sum(line.count(",") + 1 for line in rules if line.upper().startswith(names))


def _read(lines: list[str]) -> dict[str, Any]:
    """Returns the properties of these lines; none where one of them cannot be parsed, which the library passes over."""
    parsed = icalendar.Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""]))
    return {} if parsed.errors else {name: parsed[name] for name in ("RRULE", "RDATE", "EXDATE") if name in parsed}


def _whole_days(event: dict[str, Any], rules: list[str], window: Window) -> dict[str, Any]:
    """Returns the event as long as a day, if it may take place more than once in one, and from the first day on that a
    list of dates has."""
    if not is_day(event["start"]) and any(_OFTEN.search(line) for line in rules):
        a_day_later = instant(parse_instant(event["start"]) + dt.timedelta(days=1))
        event = {**event, "end": max(event["end"], a_day_later)}
    if dates := listed_days(rules, window):
        event = _moved(event, min(0, (dates[0] - dt.date.fromisoformat(event["start"][:10])).days - 1))
    return event


def _moved(event: dict[str, Any], days: int) -> dict[str, Any]:
    def moved(text: str) -> str:
        if is_day(text):
            return (dt.date.fromisoformat(text) + dt.timedelta(days=days)).isoformat()
        return instant(parse_instant(text) + dt.timedelta(days=days))

    return {**event, "start": moved(event["start"]), "end": moved(event["end"])} if days else event


def _each_day(event: dict[str, Any], rules: list[str], window: Window) -> list[str]:
    """Returns a rule for what cannot be worked out: each day, as long as the series says that it lasts."""
    repeated = [line.partition(":")[2].split(";") for line in rules if not line.upper().startswith(("RDATE", "EX"))]
    ends = [[part.upper() for part in parts if part.upper().startswith("UNTIL=")][:1] for parts in repeated]
    ends += [_last_day(line, window, day=is_day(event["start"])) for line in rules if line.upper().startswith("RDATE")]
    until = [max(end[0] for end in ends)] if ends and all(ends) else []
    return [f"RRULE:{';'.join(['FREQ=DAILY', *until])}"]


def _last_day(line: str, window: Window, *, day: bool) -> list[str]:
    """Returns the end of a list of dates, in whatever zone they are said; nothing where that cannot be told."""
    if not (dates := listed_days([line], window)) or _LASTING.search(line):
        return []
    last = dates[1] + dt.timedelta(days=9 if "/P" in line.upper() else 1)
    return [f"UNTIL={last:%Y%m%d}" + ("" if day else "T235959Z")]


def _worked_out(event: dict[str, Any], rules: list[str], window: Window, home: zoneinfo.ZoneInfo) -> Occurrences:
    day = is_day(event["start"])

    def local(text: str) -> dt.date | dt.datetime:
        return dt.date.fromisoformat(text) if is_day(text) else parse_instant(text).astimezone(home)

    steps = MOST_STEPS - _steps_of(rules, "RDATE", "EXDATE")
    if steps < 0:
        raise ValueError("It has more dates than anybody waits for.")
    read = _read(rules)
    found = _each(read.get("RRULE"))
    if not (found or "RDATE" in read) or not all(rule.get("FREQ") for rule in found):
        raise ValueError("What cannot be parsed is passed over by the library.")
    if any(line.upper().startswith("EXRULE") for line in rules):
        raise ValueError("The library does not know these.")
    if any(_a_day(rule) > MOST_A_DAY for rule in found):
        raise ValueError("It takes place too often.")
    first, last = local(event["start"]), local(event["end"])
    if set(read) <= {"RRULE", "EXDATE"} and len(found) == 1:
        ahead = _ahead(first, last - first, found[0], window)
        first, last = first + ahead, last + ahead
    component = icalendar.Event()
    component.add("uid", "series")
    component.add("dtstart", first)
    component.add("dtend", last)
    for name, value in read.items():
        component[name] = value
    calendar = icalendar.Calendar()
    calendar.add_component(component)
    own, understood = further_dates(read.get("RDATE"), home)
    # The library looks at where a date begins alone, when that lasts longer than the others.
    before = max((end - begin for begin, end in own.items()), default=dt.timedelta(0))
    with no_further_than(window.end.date() + dt.timedelta(days=2), steps):
        taking_place = recurring_ical_events.of(calendar).between(window.start - before, window.end)
    # Each lasts exactly as long as the first, whatever the clocks do meanwhile; a date may say how long it lasts.
    length = parse_instant(event["end"]) - parse_instant(event["start"])
    times: list[Times] = []
    for occurrence in taking_place:
        start, end = occurrence["DTSTART"].dt, occurrence["DTEND"].dt
        if day:
            times.append((start.isoformat(), end.isoformat()))
            continue
        begins = start.astimezone(dt.UTC)
        ends = own.get(begins, begins + length)
        if ends > window.start or begins >= window.start:
            times.append((instant(begins), instant(ends)))
    return Occurrences(times, understood or day)


def _each(rules: Any) -> list[dict[str, Any]]:
    return rules if isinstance(rules, list) else [rules] if rules else []


def _ahead(first: Any, length: dt.timedelta, rule: dict[str, Any], window: Window) -> dt.timedelta:
    """Returns how far the series may be begun later and be the same in the window: whole turns of a rule that does not
    count, as the clock on the wall shows them. A series of many years is not followed from its first day on."""
    unit = _UNITS.get(str(rule["FREQ"][0]).upper())
    day = not isinstance(first, dt.datetime)
    if unit is None or "COUNT" in rule or (day and unit < dt.timedelta(days=1)):
        return dt.timedelta(0)
    step = unit * int((rule.get("INTERVAL") or [1])[0])
    begun = dt.datetime.combine(first, dt.time()) if day else first.replace(tzinfo=None)
    turns = (window.start.replace(tzinfo=None) - length - _MARGIN - begun) // step
    while turns > 0 and not day and not _shown(first + turns * step):
        turns -= 1
    return max(turns, 0) * step


def _shown(time: dt.datetime) -> bool:
    """Returns whether the clock shows this time at all on that day: not so in the hour that is left out in spring."""
    return time.astimezone(dt.UTC).astimezone(time.tzinfo).replace(tzinfo=None) == time.replace(tzinfo=None)


def _a_day(rule: dict[str, Any]) -> int:
    """Returns how often a rule may take place in a day, at most."""
    often = {"SECONDLY": 86_400, "MINUTELY": 1_440, "HOURLY": 24}.get(str((rule.get("FREQ") or ["?"])[0]).upper(), 1)
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        often *= max(1, len(rule.get(name) or ()))
    return often
