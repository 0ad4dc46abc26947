"""The sample accounts, what is in their calendars, and thousands of events on request."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fieldcamp.sandbox.google.calendars import Calendar, Calendars, base32hex
from fieldcamp.sandbox.google.events import Events
from fieldcamp.sandbox.google.store import INSERT
from fieldcamp.sandbox.google.times import to_ms, write_utc
from fieldcamp.sandbox.people import JOBS, PEOPLE, STREETS
from fieldcamp.sandbox.push.sender import Noted

EMPTY_PRIMARIES = ("dana@google.test", "lee@google.test")
TIME_ZONE = "America/New_York"


def fill(calendars: Calendars, events: Events, seed: str) -> None:
    """Makes the accounts and, unless it is "empty", a few events around today."""
    for n, (name, given, surname) in enumerate(PEOPLE, 1):
        email = f"{name}@google.test"
        row = (email, f"1{n:020d}", given, surname)
        events.state.execute("INSERT INTO g_accounts (email, sub, given_name, family_name) VALUES (?, ?, ?, ?)", *row)
        primary = calendars.create(email, email, {"summary": email, "timeZone": TIME_ZONE})
        family_id = f"c_{base32hex(f'family {email}', 52)}@group.calendar.google.com"
        family = calendars.create(email, family_id, {"summary": "Family", "timeZone": TIME_ZONE})
        if seed != "empty":
            _personal(events, primary, family)


def _personal(events: Events, primary: Calendar, family: Calendar) -> None:
    today = datetime.fromtimestamp(events.state.now(), primary.zone).date()
    monday = today - timedelta(days=today.weekday())
    _add(events, family, "Dinner with the neighbours", _hours(today + timedelta(days=4), 18, 2))
    if primary.id in EMPTY_PRIMARIES:
        return
    if primary.id == "ravi@google.test":
        for n, text in enumerate(("Dentist", "School meeting", "Car service", "Gym", "Call with the bank"), 1):
            _add(events, primary, text, _hours(today + timedelta(days=n), 8 + n, 1))
        return
    guests = [{"email": "coach@club.test"}, {"email": primary.id, "responseStatus": "declined"}]
    _add(events, primary, "Gym", _hours(monday, 7, 1) | {"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO"]})
    _add(events, primary, "Club evening", _hours(today + timedelta(days=2), 19, 2) | {"attendees": guests})
    _add(events, primary, "Parcel arrives", _hours(today + timedelta(days=1), 12, 2) | {"transparency": "transparent"})
    _add(events, primary, "Birthday of a friend", _days(today + timedelta(days=6), 1))
    away = {"eventType": "outOfOffice", "outOfOfficeProperties": {"autoDeclineMode": "declineNone"}}
    _add(events, primary, "Away", _hours(today + timedelta(days=9), 13, 4) | away)


def _add(events: Events, cal: Calendar, summary: str, rest: dict[str, Any]) -> None:
    event_id = base32hex(f"seed {cal.id} {summary}")
    events.insert(cal, {"id": event_id, "summary": summary, **rest}, cal.owner)


def _hours(day: date, hour: int, length: int) -> dict[str, Any]:
    start = datetime.combine(day, time(hour))
    ends = (("start", start), ("end", start + timedelta(hours=length)))
    return {name: {"dateTime": moment.isoformat(), "timeZone": TIME_ZONE} for name, moment in ends}


def _days(day: date, length: int) -> dict[str, Any]:
    return {"start": {"date": day.isoformat()}, "end": {"date": (day + timedelta(days=length)).isoformat()}}


def bulk(calendars: Calendars, events: Events, account: str, count: int) -> None:
    """So many visits in the account's main calendar, spread over half a year on either side of today."""
    cal = calendars.find(account, "primary")
    with events.state.transaction():
        events.state.executemany(INSERT, _visits(cal, count, events.state.now()))
        events.state.execute(
            "UPDATE g_calendars SET change = change + ?, updated_us = (SELECT max(updated_us) FROM g_events"
            " WHERE cal = g_calendars.n) WHERE n = ? AND ? > 0",
            count,
            cal.n,
            count,
        )
        events.state.note(Noted("google", f"events {cal.n}", rows=count))


def _visits(cal: Calendar, count: int, now: float) -> Iterator[tuple[Any, ...]]:
    # Rows are made here and not by Events.insert: a hundred thousand are wanted within seconds.
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first_us = max(cal.updated_us + 1, int(now * 1_000_000))
    created = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    person = {"email": cal.id}
    for n in range(count):
        change = cal.change + n + 1
        start = today + timedelta(days=n * 360 // count - 180, hours=12 + n % 9, minutes=30 * (n % 2))
        end = start + timedelta(minutes=(30, 60, 90)[n % 3])
        event_id = base32hex(f"bulk {cal.id} {change}")
        body = {
            "id": event_id,
            "iCalUID": f"{event_id}@google.com",
            "created": created,
            "creator": person,
            "organizer": person,
            "eventType": "default",
            "summary": f"{JOBS[n % 7]} #{n + 1}",
            "location": f"{100 + n % 900} {STREETS[n % 7]}",
            "status": "confirmed",
            "start": {"dateTime": write_utc(start), "timeZone": TIME_ZONE},
            "end": {"dateTime": write_utc(end), "timeZone": TIME_ZONE},
            "reminders": {"useDefault": True},
            "sequence": 0,
        }
        times = (to_ms(start), to_ms(end))
        text = json.dumps(body, separators=(",", ":"))
        stamps = (change, change, first_us + n)
        yield (cal.n, event_id, *stamps, "confirmed", None, None, *times, 0, "default", body["iCalUID"], text)
