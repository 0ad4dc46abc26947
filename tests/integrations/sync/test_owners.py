"""What becomes of a visit when the owner of the calendar does something to its event, at every vendor alike.

The table in docs/calendars.md says it to people: `ACTS` is that table, each row tried on a visit of its own.
"""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.errors import ProblemCode
from integrations.models import Hold, Problem
from tests.integrations.sync.people import Event, Person

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[3] / "docs" / "calendars.md"
HOUR = dt.timedelta(hours=1)
FOLLOWED, PUT_BACK, FLAGGED, LEFT_ALONE, QUESTION = "followed", "put back", "flagged", "left alone", "a question"
Act = Callable[[Person, Event], None]


def own_moved(person: Person, event: Event) -> None:
    person.move(person.make_series(event, 3)[0].id, event.start + 3 * HOUR)


def other_moved(person: Person, event: Event) -> None:
    person.move(person.make_series(event, 3)[1].id, event.start + dt.timedelta(days=8))


def own_removed(person: Person, event: Event) -> None:
    person.delete(person.make_series(event, 3)[0].id)


def other_removed(person: Person, event: Event) -> None:
    person.delete(person.make_series(event, 3)[1].id)


def series_moved(person: Person, event: Event) -> None:
    person.make_series(event, 3)
    person.move(event.id, event.start + 2 * HOUR)


def raw(google: dict, outlook: dict) -> Act:
    """Sets fields that only the vendor knows."""
    return lambda person, event: person.edit(event.id, **(google if person.vendor == "google" else outlook))


GUEST = "kim@elsewhere.test"
ACTS: dict[str, tuple[str, Act]] = {
    "moved": (FOLLOWED, lambda person, event: person.move(event.id, event.start + 5 * HOUR)),
    "made longer or shorter": (FOLLOWED, lambda person, event: person.move(event.id, event.start, 3)),
    "moved by more than 30 days": (
        QUESTION,
        lambda person, event: person.move(event.id, event.start + dt.timedelta(days=40)),
    ),
    "moved into the past": (QUESTION, lambda person, event: person.move(event.id, event.start - dt.timedelta(days=9))),
    "made longer than 24 hours": (QUESTION, lambda person, event: person.move(event.id, event.start, 30)),
    "made an event of whole days": (PUT_BACK, lambda person, event: person.make_days(event, 1)),
    "made an event of several whole days": (PUT_BACK, lambda person, event: person.make_days(event, 3)),
    "made zero minutes long": (PUT_BACK, lambda person, event: person.move(event.id, event.start, 0)),
    "renamed": (PUT_BACK, lambda person, event: person.rename(event.id, "Renamed")),
    "moved to another place": (PUT_BACK, raw({"location": "Elsewhere"}, {"location": {"displayName": "Elsewhere"}})),
    "removed": (FLAGGED, lambda person, event: person.delete(event.id)),
    "made a series": (PUT_BACK, lambda person, event: person.make_series(event, 3) and None),
    "made a series, which is moved": (FOLLOWED, series_moved),
    "made a series, and the visit's own occurrence moved": (FOLLOWED, own_moved),
    "made a series, and another occurrence moved": (PUT_BACK, other_moved),
    "made a series, and the visit's own occurrence removed": (FLAGGED, own_removed),
    "made a series, and another occurrence removed": (PUT_BACK, other_removed),
    "shown as free": (LEFT_ALONE, raw({"transparency": "transparent"}, {"showAs": "free"})),
    "made private": (LEFT_ALONE, raw({"visibility": "private"}, {"sensitivity": "private"})),
    "another reminder": (
        LEFT_ALONE,
        raw({"reminders": {"useDefault": False}}, {"isReminderOn": False, "reminderMinutesBeforeStart": 5}),
    ),
    "a colour or a category": (LEFT_ALONE, raw({"colorId": "5"}, {"categories": ["Red category"]})),
    "guests": (
        LEFT_ALONE,
        raw({"attendees": [{"email": GUEST}]}, {"attendees": [{"emailAddress": {"address": GUEST}}]}),
    ),
    "marked as tentative or important": (LEFT_ALONE, raw({"status": "tentative"}, {"importance": "high"})),
    "a file or a video call": (
        LEFT_ALONE,
        raw({"attachments": [{"fileUrl": "https://drive.test/1"}]}, {"isOnlineMeeting": True}),
    ),
    "notes": (LEFT_ALONE, lambda person, event: person.type(event, below="\ngate code 99")),
}


def table() -> dict[str, str]:
    """What docs/calendars.md says of each act."""
    rows = re.findall(r"(?m)^\| ([^|]+?) \| \*\*([^|*]+)\*\* \|", DOCS.read_text())
    return {act.partition(" (")[0]: outcome for act, outcome in rows}


def test_the_table_for_people_is_the_one_that_is_tried():
    tried = {act: outcome for act, (outcome, _) in ACTS.items()}
    beyond = {"copied": LEFT_ALONE, "moved to another calendar": FLAGGED, "brought back out of the trash": PUT_BACK}
    assert table() == tried | beyond


def was(outcome: str, before: Visit, after: Visit, event: Event | None) -> bool:
    """Tells whether that is what became of it."""
    problems = set(Problem.objects.open().filter(record_id=after.pk).values_list("code", flat=True))
    same = (after.scheduled_start, after.scheduled_end) == (before.scheduled_start, before.scheduled_end)
    if outcome == FLAGGED:
        return problems == {ProblemCode.EVENT_REMOVED} and event is None and same
    if event is None or event.raw.get("recurrence"):
        return False
    if outcome == QUESTION:
        return problems == {ProblemCode.CONFLICT} and same
    agrees = event.start == after.scheduled_start and event.title == f"{after.title} · Kim Reed" and not problems
    return agrees and same == (outcome != FOLLOWED)


def test_each_act_of_an_owner(google, outlook, person, dana, sync, make_visits):
    visits = dict(zip(ACTS, make_visits(dana.member, len(ACTS)), strict=True))
    sync()
    events = person.ours()
    for act, (_, do) in ACTS.items():
        do(person, events[visits[act].pk])
    touched = {event.id: event.tag for event in person.events()}
    sync()
    now = person.ours()
    wrong = [
        act
        for act, (outcome, _) in ACTS.items()
        if not was(outcome, visits[act], Visit.objects.get(pk=visits[act].pk), now.get(visits[act].pk))
        or (outcome == LEFT_ALONE and now[visits[act].pk].tag != touched[now[visits[act].pk].id])
    ]
    assert wrong == []
    flagged = [act for act, (outcome, _) in ACTS.items() if outcome == FLAGGED]
    assert len(person.events()) == len(ACTS) - len(flagged)  # no occurrence and no copy is left
    assert not BlockedTime.objects.exists() and not Hold.objects.exists()
    assert sync().pushed == 0
    assert sync(mode="full").pushed == len(flagged)
    for mode in ("full", "incremental"):
        job = sync(mode=mode)
        assert (job.pulled, job.pushed) == (0, 0)
    assert len(person.events()) == len(ACTS) and len(person.ours()) == len(ACTS)
    assert not BlockedTime.objects.exists()
