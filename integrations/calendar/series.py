"""When a series takes place: its rules, worked out inside the window. Pure; no event's text comes here.

https://datatracker.ietf.org/doc/html/rfc5545#section-3.8.5.3
"""

import contextlib
import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import icalendar
import recurring_ical_events

from integrations.records import Window, instant, is_day, parse_instant

MOST_A_DAY = 48  # a person's events do not; working such a rule out would only keep everybody waiting
_UNKNOWN_ZONES = ("", "UTC")  # of a day: whoever wrote it had none in mind
_RULE_PARTS = {
    "FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY",
    "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST",
}  # fmt: skip
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


def occurrences(
    event: dict[str, Any], excluded: Collection[str], window: Window, company: zoneinfo.ZoneInfo
) -> Occurrences:
    """Returns the series' own occurrences in the window, without those that an exception stands for."""
    home, rules = home_of(event, company), list(event["recurrence"])
    attempts = ((rules, True), (_known_parts(rules), False), (_each_day(event, rules, home), False))
    for lines, understood in attempts:
        with contextlib.suppress(Exception):  # a rule that no library understands must not stop the other events
            return Occurrences(list(_worked_out(event, lines, excluded, window, home)), understood)
    first = (event["start"], event["end"])
    return Occurrences([] if first[0] in excluded else [first], understood=False)


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


def _each_day(event: dict[str, Any], rules: list[str], home: zoneinfo.ZoneInfo) -> list[str]:
    """Returns a rule for what cannot be worked out: each day, as long as the series says that it lasts."""
    until = [part for line in rules for part in line.partition(":")[2].split(";") if part.upper().startswith("UNTIL=")]
    return [f"RRULE:{';'.join(['FREQ=DAILY', *until[:1]])}"]


def _worked_out(
    event: dict[str, Any], rules: list[str], excluded: Collection[str], window: Window, home: zoneinfo.ZoneInfo
) -> Iterator[Times]:
    day = is_day(event["start"])

    def local(text: str) -> dt.date | dt.datetime:
        return dt.date.fromisoformat(text) if is_day(text) else parse_instant(text).astimezone(home)

    component = icalendar.Event()
    component.add("uid", "series")
    component.add("dtstart", local(event["start"]))
    component.add("dtend", local(event["end"]))
    parsed = icalendar.Event.from_ical("\r\n".join(["BEGIN:VEVENT", *rules, "END:VEVENT", ""]))
    read = {name: parsed[name] for name in ("RRULE", "RDATE", "EXDATE", "EXRULE") if name in parsed}
    found = _each(read.get("RRULE"))
    if parsed.errors or not (found or "RDATE" in read) or not all(rule.get("FREQ") for rule in found):
        raise ValueError("What cannot be parsed is passed over by the library.")
    if any(_a_day(rule) > MOST_A_DAY for rule in found):
        raise ValueError("It takes place too often.")
    for name, value in read.items():
        component[name] = value
    calendar = icalendar.Calendar()
    calendar.add_component(component)
    for occurrence in recurring_ical_events.of(calendar).between(window.start, window.end):
        start = occurrence["DTSTART"].dt
        if day:
            times = (start.isoformat(), occurrence["DTEND"].dt.isoformat())
        else:
            # Each lasts exactly as long as the first, whatever the clocks do meanwhile.
            length = parse_instant(event["end"]) - parse_instant(event["start"])
            times = (instant(start), instant(start.astimezone(dt.UTC) + length))
        if times[0] not in excluded:
            yield times


def _each(rules: Any) -> list[dict[str, Any]]:
    return rules if isinstance(rules, list) else [rules] if rules else []


def _a_day(rule: dict[str, Any]) -> int:
    """Returns how often a rule may take place in a day, at most."""
    often = {"SECONDLY": 86_400, "MINUTELY": 1_440, "HOURLY": 24}.get(str((rule.get("FREQ") or ["?"])[0]).upper(), 1)
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        often *= max(1, len(rule.get(name) or ()))
    return often
