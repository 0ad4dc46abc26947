"""The sample accounts, what is in their calendars, and thousands of events on request."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fieldcamp.sandbox.microsoft import ids, traits
from fieldcamp.sandbox.microsoft.calendars import Account, Calendar, Calendars
from fieldcamp.sandbox.microsoft.events import Events
from fieldcamp.sandbox.microsoft.store import INSERT
from fieldcamp.sandbox.microsoft.times import to_ms, zone
from fieldcamp.sandbox.people import JOBS, PEOPLE, STREETS
from fieldcamp.sandbox.push.sender import Noted

SPECIAL = (
    ("nomailbox", "Nora", "Mailless", traits.NO_MAILBOX),
    ("policy", "Paula", "Policy", traits.POLICY),
    ("mfa", "Milo", "Factor", traits.MFA),
    ("approval", "Ada", "Approval", traits.APPROVAL),
    ("strict", "Stan", "Strict", traits.STRICT),
    ("quirky", "Quentin", "Quirk", traits.QUIRKY),
)
EMPTY_DEFAULTS = ("dana@outlook.test", "lee@outlook.test")
OF_EACH = ("subject", "location", "locations", "start", "end", "endZone")  # in which bulk events differ
WINDOWS_ZONE = "Eastern Standard Time"


def fill(calendars: Calendars, events: Events, seed: str) -> None:
    """Makes the accounts and, unless it is "empty", a few events around today."""
    for name, given, surname, trait in (*((*person, "") for person in PEOPLE), *SPECIAL):
        account = calendars.add_account(f"{name}@outlook.test", given, surname, trait)
        main = calendars.create(account, "Calendar", default=True)
        birthdays = calendars.create(account, "Birthdays", can_edit=False)
        family = calendars.create(account, "Family")
        if seed != "empty" and not trait:
            _personal(calendars, events, main, family)
            _birthday(events, birthdays)


def _personal(calendars: Calendars, events: Events, main: Calendar, family: Calendar) -> None:
    today = datetime.fromtimestamp(events.state.now(), zone(WINDOWS_ZONE)).date()
    monday = today - timedelta(days=today.weekday())
    _add(events, family, "Dinner with the neighbours", _hours(today + timedelta(days=4), 18, 2))
    if main.account in EMPTY_DEFAULTS:
        return
    if main.account == "ravi@outlook.test":
        for n, text in enumerate(("Dentist", "School meeting", "Car service", "Gym", "Call with the bank"), 1):
            _add(events, main, text, _hours(today + timedelta(days=n), 8 + n, 1))
        return
    weekly = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}
    span = {"type": "noEnd", "startDate": monday.isoformat()}
    _add(events, main, "Gym", _hours(monday, 7, 1) | {"recurrence": {"pattern": weekly, "range": span}})
    coach = {"name": "Coach", "address": "coach@club.test"}
    _add(events, main, "Club evening", _hours(today + timedelta(days=2), 19, 2) | {"showAs": "tentative"}, coach)
    _add(events, main, "Parcel arrives", _hours(today + timedelta(days=1), 12, 2) | {"showAs": "free"})
    _add(events, main, "Holiday", _days(today + timedelta(days=6), 1))
    _add(events, main, "Doctor", _hours(today + timedelta(days=3), 9, 1) | {"sensitivity": "private"})
    _add(events, main, "Away", _hours(today + timedelta(days=9), 13, 4) | {"showAs": "oof"})


def _birthday(events: Events, birthdays: Calendar) -> None:
    """Exchange writes into this calendar, its owner cannot."""
    today = datetime.fromtimestamp(events.state.now(), zone(WINDOWS_ZONE)).date()
    payload = {"subject": "Birthday of a friend", "showAs": "free"} | _days(today + timedelta(days=6), 1)
    events.create(birthdays, payload, ids.digest(f"seed {birthdays.id}"), by_exchange=True)


def _add(
    events: Events, cal: Calendar, subject: str, rest: dict[str, Any], organizer: dict[str, str] | None = None
) -> None:
    events.create(cal, {"subject": subject, **rest}, ids.digest(f"seed {cal.id} {subject}"), organizer)


def _hours(day: date, hour: int, length: int) -> dict[str, Any]:
    start = datetime.combine(day, time(hour))
    ends = (("start", start), ("end", start + timedelta(hours=length)))
    return {name: {"dateTime": moment.isoformat(), "timeZone": WINDOWS_ZONE} for name, moment in ends}


def _days(day: date, length: int) -> dict[str, Any]:
    ends = (("start", day), ("end", day + timedelta(days=length)))
    times = {name: {"dateTime": f"{moment}T00:00:00", "timeZone": WINDOWS_ZONE} for name, moment in ends}
    return {"isAllDay": True, **times}


def bulk(events: Events, account: Account, count: int) -> None:
    """So many visits in the account's own calendar, spread over half a year on either side of today."""
    cal = events.calendars.default(account.email)
    with events.state.transaction():
        first_us = max(int(events.state.now() * 1_000_000), int(events.calendars.tick(cal)[1]) + 1)
        cal = events.calendars.default(account.email)
        start = datetime.fromtimestamp(events.state.now(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        sample = events.sample(cal, {"subject": "", **_hours(start.date(), 9, 1)})
        pattern = {name: value for name, value in sample.items() if name not in OF_EACH}
        cores: list[bytes] = []
        visits = _visits(cal, account, count, start, first_us, pattern)
        events.state.executemany(INSERT, _remembering(visits, cores))
        events.state.execute(
            "UPDATE m_calendars SET change = change + ?, written_us = ? WHERE n = ?", count, first_us + count, cal.n
        )
        for core in cores:
            events.state.note(Noted("microsoft", f"events {cal.n}", ("bulk", core)))


def _remembering(rows: Iterator[tuple[Any, ...]], cores: list[bytes]) -> Iterator[tuple[Any, ...]]:
    """The rows as they pass by, of which the events' cores are kept."""
    for row in rows:
        cores.append(row[1])
        yield row


def _visits(
    cal: Calendar, account: Account, count: int, today: datetime, first_us: int, pattern: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    # Rows are made here and not by Events.create, and what they share is written once: a hundred thousand are wanted
    # within seconds.
    shared = json.dumps(pattern, separators=(",", ":"))[:-1]
    for n in range(count):
        change = cal.change + n + 1
        start = today + timedelta(days=n * 360 // count - 180, hours=12 + n % 9, minutes=30 * (n % 2))
        end = start + timedelta(minutes=(30, 60, 90)[n % 3])
        core = ids.digest(f"bulk {cal.id} {change}")
        place = {"displayName": f"{100 + n % 900} {STREETS[n % 7]}", "locationType": "default"}
        own = {
            "subject": f"{JOBS[n % 7]} #{n + 1}",
            "location": place,
            "locations": [place],
            "start": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "end": {"dateTime": f"{end:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "endZone": "UTC",
            "created_us": first_us + n,
            "iCalUId": f"040000008200E00074C5B7101A82E00800000000{core.hex().upper()}",
        }
        times = (change, first_us + n, to_ms(start), to_ms(end))
        text = f"{shared},{json.dumps(own, separators=(',', ':'))[1:]}"
        yield (cal.n, core, "single", None, None, *times, 0, account.mailbox, None, text)
