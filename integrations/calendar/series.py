"""When a series takes place: its rules, worked out inside the window. Pure; no event's text comes here.

https://datatracker.ietf.org/doc/html/rfc5545#section-3.8.5.3
"""

import contextlib
import datetime as dt
import re
import zoneinfo
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import icalendar
import recurring_ical_events

from integrations.calendar.steps import no_further_than
from integrations.records import Window, instant, is_day, parse_instant

MOST_A_DAY = 48  # a person's events do not; working such a rule out would only keep everybody waiting
MOST_STEPS = 45_000  # a tenth of a second
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
_OFTEN = re.compile("HOURLY|MINUTELY|SECONDLY|BYHOUR|BYMINUTE|BYSECOND", re.IGNORECASE)
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
    attempts = (
        (event, rules, True),
        (event, _known_parts(rules), False),
        (_whole_days(event, rules), _each_day(event, rules, home), False),
    )
    for attempt, lines, understood in attempts:
        with contextlib.suppress(Exception):  # a rule that no library understands must not stop the other events
            return Occurrences(list(_worked_out(attempt, lines, window, home)), understood)
    return Occurrences([(event["start"], event["end"])], understood=False)


def _known_parts(rules: list[str]) -> list[str]:
    """Returns the rules without what the standard does not know."""
    kept = []
    for line in rules:
        name, _, value = line.partition(":")
        if name.upper().startswith(("RRULE", "EXRULE")):
            parts = [part for part in value.split(";") if part.partition("=")[0].strip().upper() in _RULE_PARTS]
            line = f"{name}:{';'.join(parts)}"
        kept.append(line)
    return kept


def _whole_days(event: dict[str, Any], rules: list[str]) -> dict[str, Any]:
    """Returns the event as long as a day, if it may take place more than once in one."""
    if is_day(event["start"]) or not any(_OFTEN.search(line) for line in rules):
        return event
    a_day_later = instant(parse_instant(event["start"]) + dt.timedelta(days=1))
    return {**event, "end": max(event["end"], a_day_later)}


def _each_day(event: dict[str, Any], rules: list[str], home: zoneinfo.ZoneInfo) -> list[str]:
    """Returns a rule for what cannot be worked out: each day, as long as the series says that it lasts."""
    until = [part for line in rules for part in line.partition(":")[2].split(";") if part.upper().startswith("UNTIL=")]
    return [f"RRULE:{';'.join(['FREQ=DAILY', *until[:1]])}"]


def _worked_out(event: dict[str, Any], rules: list[str], window: Window, home: zoneinfo.ZoneInfo) -> Iterator[Times]:
    day = is_day(event["start"])

    def local(text: str) -> dt.date | dt.datetime:
        return dt.date.fromisoformat(text) if is_day(text) else parse_instant(text).astimezone(home)

    component = icalendar.Event()
    component.add("uid", "series")
    parsed = icalendar.Event.from_ical("\r\n".join(["BEGIN:VEVENT", *rules, "END:VEVENT", ""]))
    read = {name: parsed[name] for name in ("RRULE", "RDATE", "EXDATE", "EXRULE") if name in parsed}
    found = _each(read.get("RRULE"))
    if parsed.errors or not (found or "RDATE" in read) or not all(rule.get("FREQ") for rule in found):
        raise ValueError("What cannot be parsed is passed over by the library.")
    if any(_a_day(rule) > MOST_A_DAY for rule in found):
        raise ValueError("It takes place too often.")
    first, last = local(event["start"]), local(event["end"])
    if set(read) <= {"RRULE", "EXDATE"} and len(found) == 1:
        ahead = _ahead(first, last - first, found[0], window)
        first, last = first + ahead, last + ahead
    component.add("dtstart", first)
    component.add("dtend", last)
    for name, value in read.items():
        component[name] = value
    calendar = icalendar.Calendar()
    calendar.add_component(component)
    with no_further_than(window.end.date() + dt.timedelta(days=2), MOST_STEPS):
        taking_place = recurring_ical_events.of(calendar).between(window.start, window.end)
    for occurrence in taking_place:
        start = occurrence["DTSTART"].dt
        if day:
            yield start.isoformat(), occurrence["DTEND"].dt.isoformat()
        else:
            # Each lasts exactly as long as the first, whatever the clocks do meanwhile.
            length = parse_instant(event["end"]) - parse_instant(event["start"])
            yield instant(start), instant(start.astimezone(dt.UTC) + length)


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
