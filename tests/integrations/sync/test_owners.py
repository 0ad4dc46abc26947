"""What becomes of a visit when the owner of the calendar does something to its event, at every vendor alike.

The table in docs/calendars.md says it to people: `ACTS` is that table, each row tried on a visit of its own.
"""

import contextlib
import datetime as dt
import itertools
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.accounts.clients import open_remote
from integrations.errors import ProblemCode
from integrations.models import Hold, Problem
from integrations.services import decisions
from tests.integrations.engine import finish
from tests.integrations.sync.outlook import Outlook
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


@pytest.mark.slow
def test_each_act_of_an_owner_at_google(google, person, dana, sync, make_visits):
    each_act(person, dana, sync, make_visits)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dana", "quirky"])  # whose listings have series without their master, and rows twice
def test_each_act_of_an_owner_at_outlook(outlook, vendors, connect, sync, make_visits, name):
    each_act(Outlook(vendors, name), connect(name), sync, make_visits)


def each_act(person: Person, dana, sync, make_visits) -> None:
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


@pytest.mark.slow
def test_one_act_after_the_other(google, outlook, person, dana, sync, make_visits):
    """Two acts between syncs, a sample of all pairs: each visit has one event at its time, or a problem names it."""
    pairs = random.Random(7).sample([*itertools.permutations(ACTS, 2)], 24)
    visits = make_visits(dana.member, len(pairs))
    sync()
    events = person.ours()
    for visit, pair in zip(visits, pairs, strict=True):
        for act in pair:
            with contextlib.suppress(AssertionError):  # what is gone, or a series by now, is refused some acts
                ACTS[act][1](person, events[visit.pk])
    sync()
    assert quiet_after(sync, "incremental") and not BlockedTime.objects.exists() and not Hold.objects.exists()
    named = set(Problem.objects.open().values_list("record_id", flat=True))
    now = person.ours()
    for visit, pair in zip(visits, pairs, strict=True):
        visit.refresh_from_db()
        event = now.get(visit.pk)
        right = (
            event is not None and event.start == visit.scheduled_start and event.title == f"{visit.title} · Kim Reed"
        )
        assert visit.pk in named or (right and not event.raw.get("recurrence")), pair
    assert len(person.events()) == len(now)
    sync(mode="full")
    assert quiet_after(sync, "full", "incremental")
    assert len(person.events()) == len(person.ours()) == len(visits)


def quiet_after(sync, *modes: str) -> bool:
    return all((job.pulled, job.pushed) == (0, 0) for job in (sync(mode=mode) for mode in modes))


@pytest.mark.slow
def test_the_rest_of_a_series_that_was_split_is_taken_away(memory, person, dana, sync, make_visits, vendors):
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk]
    there = vendors.events(person.account, person.main)
    whole = there[event.id]
    later = {
        "start": "2026-12-07T09:00:00Z",
        "end": "2026-12-07T10:00:00Z",
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"],
    }
    rest = replace(whole, id=f"{event.id}_R20261207T090000", fields={**whole.fields, **later})  # as Google names it
    vendors.put(there, replace(whole, fields={**whole.fields, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=1"]}))
    vendors.put(there, rest)
    sync()
    assert [each.id for each in person.events()] == [event.id] and not there[event.id].fields["recurrence"]
    assert not BlockedTime.objects.exists() and not Problem.objects.open().exists()
    assert quiet_after(sync, "full", "incremental")


def question_of(visit: Visit) -> Problem:
    return Problem.objects.open().get(record_id=visit.pk)


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["remote", "local"])
def test_a_move_that_is_far_waits_for_an_answer(memory, person, dana, sync, make_visits, admin_user, choice):
    [visit] = make_visits(dana.member, 1)
    sync()
    there = visit.scheduled_start + dt.timedelta(days=400)
    person.move(person.ours()[visit.pk].id, there)
    for mode in ("incremental", "full", "incremental"):
        assert sync(mode=mode).pushed == 0
        assert question_of(visit).message.startswith("Moved by 400 days")
        assert person.ours()[visit.pk].start == there
    assert Visit.objects.get(pk=visit.pk).scheduled_start == visit.scheduled_start
    job = decisions.resolve_conflict(link=question_of(visit).link, choice=choice, user=admin_user)
    assert finish(job).status == "succeeded"
    right = there if choice == "remote" else visit.scheduled_start
    assert Visit.objects.get(pk=visit.pk).scheduled_start == right == person.ours()[visit.pk].start
    assert not Problem.objects.open().exists()
    for mode in ("full", "incremental"):
        job = sync(mode=mode)
        assert (job.pulled, job.pushed) == (0, 0)


@pytest.mark.slow
def test_a_far_move_is_over_when_either_side_moves_again(memory, person, dana, sync, make_visits):
    back, edited = make_visits(dana.member, 2)
    sync()
    for visit in (back, edited):
        person.move(person.ours()[visit.pk].id, visit.scheduled_start + dt.timedelta(days=40))
    sync()
    person.move(person.ours()[back.pk].id, back.scheduled_start + HOUR)
    Visit.objects.filter(pk=edited.pk).update(
        scheduled_start=edited.scheduled_start + HOUR, scheduled_end=edited.scheduled_end + HOUR
    )
    sync()
    for visit in (back, edited):
        assert Visit.objects.get(pk=visit.pk).scheduled_start == visit.scheduled_start + HOUR
        assert person.ours()[visit.pk].start == visit.scheduled_start + HOUR
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_what_is_copied_moved_to_another_calendar_or_restored(google, outlook, person, dana, sync, make_visits):
    copied, again, anew, elsewhere = make_visits(dana.member, 4)
    sync()
    events = person.ours()
    person.copy(events[copied.pk], copied.scheduled_start + dt.timedelta(days=3))
    for visit in (again, anew):
        person.delete(events[visit.pk].id)
    if person.vendor == "google":
        family = next(one.id for one in open_remote(dana).containers() if one.writable and not one.primary)
        person.call("POST", f"/{events[elsewhere.pk].id}/move", params={"destination": family})
    sync()
    assert BlockedTime.objects.count() == 1  # the copy
    flagged = {again.pk, anew.pk, *([elsewhere.pk] if person.vendor == "google" else [])}
    assert set(Problem.objects.open().values_list("record_id", flat=True)) == flagged
    Visit.objects.filter(pk=anew.pk).update(title="Retitled")
    sync()
    for visit in (again, anew):
        person.restore(events[visit.pk])
    sync()
    assert BlockedTime.objects.count() == 1
    sync(mode="full")
    assert [sync(mode=mode).pushed for mode in ("full", "incremental")] == [0, 0]
    ours = [event for event in person.events() if event.id != events[copied.pk].id and event.visit_id == copied.pk]
    assert len(ours) == 1 and len(person.events()) == 5
    assert BlockedTime.objects.count() == 1 and not Problem.objects.open().exists()
