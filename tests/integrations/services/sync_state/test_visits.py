"""Visits in the situations that they may be in, planted side by side in one company: each has the right reason, and
what the next step says brings it into step."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace import services
from fieldcamp.workspace.models import Member, Visit
from fieldcamp.workspace.team import update_member
from integrations.accounts.acting import KeyActor
from integrations.models import DirtyRow, Link, Problem, SyncJob
from integrations.services.decisions import ignore, unignore
from integrations.services.observe import observe_pending
from integrations.services.problems.answering import answer
from integrations.services.removed_events import leave_removed
from integrations.services.sync_state.states import SyncStateRow, sync_state, sync_states
from tests.integrations.engine import finish
from tests.integrations.sync.people import Person

pytestmark = pytest.mark.django_db
OLGA = KeyActor("olga")


@dataclass
class World:
    """A company with a connected technician and one who is not, between two of whose syncs things happen to a visit."""

    dana: Member
    robin: Member
    gus: Member
    person: Person
    tomorrow: dt.datetime

    def edit(self, visit: Visit, **changes: Any) -> None:
        services.update_visit(workspace=visit.workspace, visit_id=visit.pk, changes=changes)
        visit.refresh_from_db()

    def move(self, visit: Visit, days: float) -> None:
        start = timezone.now() + dt.timedelta(days=days)
        self.edit(visit, scheduled_start=start, scheduled_end=start + dt.timedelta(hours=1))

    def move_event(self, visit: Visit, days: float) -> None:
        self.person.move(self.person.ours()[visit.pk].id, timezone.now() + dt.timedelta(days=days))

    def remove_event(self, visit: Visit) -> None:
        self.person.delete(self.person.ours()[visit.pk].id)

    def problem(self, visit: Visit) -> Problem:
        return Problem.objects.open().get(record_id=visit.pk)

    def answer(self, visit: Visit, choice: str) -> None:
        answer(problem=self.problem(visit), choice=choice, values={}, user=OLGA)


Step = Callable[[World, Visit], Any]


def nothing(world: World, visit: Visit) -> None:
    """Nothing happens."""


@dataclass(frozen=True)
class Planted:
    """What happens to a visit: before it is synced first, after that, and after the second sync. Then what is told of
    it (state, reason, and what its sentence and its next step have in them), and what is done about it: None where
    nothing can be."""

    told: tuple[str, str, str, str]
    first: Step = nothing
    then: Step = nothing
    last: Step = nothing
    cure: Step | None = nothing


def refused_then(step: Step) -> dict[str, Step]:
    """A visit whose event is made between the two syncs, and refused."""
    return {"first": lambda world, visit: world.edit(visit, technician_id=None),
            "then": lambda world, visit: world.edit(visit, technician_id=world.dana.pk), "last": step}  # fmt: skip


def end_at_midnight(world: World, visit: Visit) -> None:
    end = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=30)
    world.edit(visit, scheduled_start=end - dt.timedelta(hours=1), scheduled_end=end)


def give_to_who_leaves(world: World, visit: Visit) -> None:
    world.edit(visit, technician_id=world.gus.pk)
    update_member(workspace=visit.workspace, member_id=world.gus.pk, by=None, changes={"is_active": False})


def leave(world: World, visit: Visit) -> None:
    leave_removed(problem=world.problem(visit), user=OLGA)


def take_back(world: World, visit: Visit) -> None:
    unignore(problem=world.problem(visit), user=OLGA)
    world.edit(visit, title="Shorter")


REASSIGN = {"cure": lambda world, visit: world.edit(visit, technician_id=world.dana.pk)}
SITUATIONS: dict[str, Planted] = {
    "in step": Planted(("synced", "", "", "")),
    "cancelled": Planted(
        ("excluded", "cancelled", "is cancelled", "create a new visit"),
        then=lambda world, visit: world.edit(visit, visit_status="cancelled"), cure=None,
    ),
    "without a time": Planted(
        ("excluded", "unscheduled", "has no time yet", "Give it a start"),
        then=lambda world, visit: world.edit(visit, scheduled_start=None, scheduled_end=None),
        cure=lambda world, visit: world.move(visit, 2),
    ),
    "of nobody": Planted(
        ("excluded", "no_technician", "Nobody is assigned", "Assign a technician"),
        then=lambda world, visit: world.edit(visit, technician_id=None), **REASSIGN,
    ),
    "of somebody without an account": Planted(
        ("not_connected", "technician_not_connected", "Robin", "give the visit to somebody who has"),
        then=lambda world, visit: world.edit(visit, technician_id=world.robin.pk), **REASSIGN,
    ),
    "of somebody who has left": Planted(
        ("not_connected", "technician_not_connected", "Gus", "Gus is not active any more"),
        then=give_to_who_leaves, **REASSIGN,
    ),
    "over since a midnight": Planted(
        ("excluded", "too_old", "It ended 31 days ago; visits are synced 30 days back.", "give it its new time"),
        first=end_at_midnight, cure=lambda world, visit: world.move(visit, 3),
    ),
    "long over": Planted(
        ("excluded", "too_old", "It ended 41 days ago; visits are synced 30 days back.", "give it its new time"),
        first=lambda world, visit: world.move(visit, -41 - 1 / 24), cure=lambda world, visit: world.move(visit, 3),
    ),
    "far ahead": Planted(
        ("excluded", "too_far_ahead", "It starts in 200 days; visits are synced 180 days ahead.", "from 12 December"),
        first=lambda world, visit: world.move(visit, 200), cure=lambda world, visit: world.move(visit, 4),
    ),
    "deleted": Planted(
        ("excluded", "deleted", "was deleted in FieldCamp on 22 November 2026", "Nothing to do"),
        then=lambda world, visit: services.delete_visit(workspace=visit.workspace, visit_id=visit.pk), cure=None,
    ),
    "new since the last sync": Planted(
        ("pending", "waits_for_sync", "not in Memory yet; it was saved less than a minute ago", "within two minutes"),
        first=lambda world, visit: world.edit(visit, technician_id=None),
        last=lambda world, visit: world.edit(visit, technician_id=world.dana.pk),
    ),
    "edited since the last sync": Planted(
        ("pending", "waits_for_sync", "The last change of the visit, saved less than", "start a sync"),
        last=lambda world, visit: world.edit(visit, title="Boiler"),
    ),
    "cancelled since the last sync": Planted(
        ("pending", "waits_for_sync", "is cancelled, and cancelled visits are in no calendar. Its calendar event is "
         "still in Memory", "start a sync"),
        last=lambda world, visit: world.edit(visit, visit_status="cancelled"), cure=None,
    ),
    "moved there, and seen": Planted(
        ("pending", "waits_for_sync", "A change made in Memory, seen less than", "The next sync comes at 08:"),
        last=lambda world, visit: world.move_event(visit, 9),
    ),
    "moved on both sides": Planted(
        ("problem", "conflict", "Moved in FieldCamp and in the calendar", "Choose which side is right"),
        then=lambda world, visit: (world.move(visit, 5), world.move_event(visit, 6)),
        cure=lambda world, visit: world.answer(visit, "keep_fieldcamp"),
    ),
    "about to be asked": Planted(
        ("problem", "conflict", "changed in FieldCamp and at the other side", "Choose which side is right"),
        last=lambda world, visit: (world.move(visit, 5), world.move_event(visit, 6)),
        cure=lambda world, visit: None,
    ),
    "moved far": Planted(
        ("problem", "moved_far", "Moved by 39 days in the calendar", "Take it, and the visit moves"),
        then=lambda world, visit: world.move_event(visit, 41),
        cure=lambda world, visit: world.answer(visit, "keep_provider"),
    ),
    "removed there": Planted(
        ("problem", "event_removed", "Its event was removed in the calendar", "Put its event back"),
        then=World.remove_event, cure=lambda world, visit: world.answer(visit, "put_back"),
    ),
    "removed there, and left so": Planted(
        ("excluded", "left_removed", "somebody chose to leave it so", "Edit the visit"),
        then=World.remove_event, last=leave, cure=lambda world, visit: world.edit(visit, title="Again"),
    ),
    "removed there, and edited since": Planted(
        ("pending", "edited_since", "is not in Memory yet", "the next sync looks at it again"),
        then=World.remove_event, last=lambda world, visit: world.edit(visit, title="Again"),
    ),
    "refused": Planted(
        ("problem", "record_rejected", "It does not accept this.", "as soon as it is edited"),
        **refused_then(nothing), cure=lambda world, visit: world.edit(visit, title="Shorter"),
    ),
    "refused, and ignored": Planted(
        ("excluded", "ignored", "Somebody chose on 22 November 2026 to leave it", "unignore"),
        **refused_then(lambda world, visit: ignore(problem=world.problem(visit), user=OLGA)), cure=take_back,
    ),
    "refused, and edited since": Planted(
        ("pending", "edited_since", "“It does not accept this.”", "the next sync looks at it again"),
        **refused_then(lambda world, visit: world.edit(visit, title="Shorter")),
    ),
    "refused, ignored, and edited since": Planted(
        ("pending", "waits_for_sync", "is not in Memory yet", "within two minutes"),
        **refused_then(lambda world, visit: (
            ignore(problem=world.problem(visit), user=OLGA), world.edit(visit, title="Shorter"))),
    ),
    "changed behind the sync's back": Planted(
        ("held", "full_sync_needed", "the next one passes over it", "Start a full sync"),
        last=lambda world, visit: (
            world.edit(visit, title="Other"), DirtyRow.objects.filter(record_id=visit.pk).delete()),
    ),
}  # fmt: skip


@pytest.fixture
def world(connect, make_technician, person, memory) -> World:
    dana = connect(policy="ask", busy=False).member
    robin, gus = make_technician(first_name="Robin"), make_technician(first_name="Gus")
    return World(dana, robin, gus, person, timezone.now() + dt.timedelta(days=1))


@pytest.mark.slow
def test_each_visit_has_its_reason_and_its_way_out(world, workspace, sync, make_visits, memory, clock):
    visits = dict(zip(SITUATIONS, make_visits(world.dana, len(SITUATIONS)), strict=True))
    for step in ("first", "then", "last"):
        for name, planted in SITUATIONS.items():
            getattr(planted, step)(world, visits[name])
        if step == "then":
            refused = sum(name.startswith("refused") for name in SITUATIONS)
            memory.fault("status", status=400, path=world.person.creates, times=refused)
        if step != "last":
            sync()
            clock.move(1)
    observe_pending(workspace, "memory_calendar")  # somebody reads the change feed
    with CaptureQueriesContext(database) as queries:
        states = sync_states(workspace.pk, "visit", [visit.pk for visit in visits.values()])
    for name, planted in SITUATIONS.items():
        [row] = states[visits[name].pk]
        assert_told(name, row, planted.told)
    with CaptureQueriesContext(database) as of_one:
        sync_state(visits["in step"])
    assert len(queries) == len(of_one)

    for name, planted in SITUATIONS.items():
        if planted.cure:
            planted.cure(world, visits[name])
    for job in SyncJob.objects.in_flight():  # that an answer has made
        finish(job)
    sync()
    sync("full")
    for name, planted in SITUATIONS.items():
        [row] = sync_state(visits[name])
        cured = {"about to be asked": "problem"}.get(name, "synced") if planted.cure else "excluded"
        assert row.explanation.state == cured, (name, row)


def assert_told(name: str, row: SyncStateRow, expected: tuple[str, str, str, str]) -> None:
    told = row.explanation
    state, reason, sentence, next_step = expected
    assert (name, told.state, told.reason) == (name, state, reason), told
    assert sentence in told.sentence and next_step in told.next_step, (name, told)
    if state != "synced":
        assert told.sentence.strip() and told.next_step.strip() and told.sentence[-1] in ".”", (name, told)


def test_one_that_cannot_be_explained_spoils_no_others(world, workspace, sync, make_visits):
    broken, fine = make_visits(world.dana, 2)
    sync()
    Link.objects.filter(record_id=broken.pk).update(seen=["no", "fields"])
    states = sync_states(workspace.pk, "visit", [broken.pk, fine.pk, "vis_nobody"])
    assert states.keys() == {broken.pk, fine.pk}
    [row] = states[broken.pk]
    assert (row.explanation.state, row.explanation.reason) == ("problem", "internal_error")
    assert states[fine.pk][0].explanation.state == "synced"
