"""What is told of a visit whose account, calendar or time has not come: one after the other in one company, each
followed by what the next step says."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from fieldcamp.workspace import services
from fieldcamp.workspace.models import Visit
from fieldcamp.workspace.team import update_member
from integrations.accounts.acting import KeyActor
from integrations.accounts.disconnecting import disconnect
from integrations.accounts.state import mark_needs_permission
from integrations.ledger.problems import open_problem
from integrations.models import Connection, DirtyRow, Link, Stream, SyncJob, VendorOutage, WorkspaceIntegration
from integrations.records import instant
from integrations.services.connections import pause, resume, set_up, take_grant
from integrations.services.jobs import trigger_sync
from integrations.services.problems.answering import answer
from integrations.services.sync_state.reasons import Explanation, RecordState
from integrations.services.sync_state.states import SyncStateRow, sync_state
from tests.faketime import ProcessClock
from tests.integrations.engine import finish
from tests.integrations.sync.memory import NAME, MemoryVendor
from tests.integrations.sync.people import Person

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """A company, a technician's account, one visit of theirs, and what syncs them."""

    account: Connection
    person: Person
    vendor: MemoryVendor
    clock: ProcessClock
    visit: Visit
    sync: Callable[..., SyncJob]
    edits: int = 0
    kept: list[Any] = field(default_factory=list)

    @property
    def accounts(self) -> Any:
        return Connection.objects.filter(pk=self.account.pk)

    @property
    def schedule(self) -> Any:
        return WorkspaceIntegration.objects.filter(integration=NAME)

    def edit(self) -> None:
        """Gives the visit something to wait for."""
        self.edits += 1
        services.update_visit(
            workspace=self.visit.workspace, visit_id=self.visit.pk, changes={"title": f"Leak {self.edits}"}
        )

    def told(self) -> Explanation:
        [row] = sync_state(self.visit)
        return row.explanation

    def connect_again(self) -> None:
        self.vendor._revoked.clear()
        account, tokens = self.person.granted(self.vendor, "dana")
        take_grant(workspace=self.visit.workspace, integration=NAME, account=account, tokens=tokens, user=None)
        self.account.refresh_from_db()

    def set_up_again(self) -> None:
        self.account.refresh_from_db()
        main = self.person.main
        set_up(connection=self.account, member=self.visit.technician, target_container_id=main, busy_container_ids=[])

    def set_active(self, active: bool) -> None:
        member = self.visit.technician
        update_member(workspace=member.workspace, member_id=member.pk, by=None, changes={"is_active": active})


Step = Callable[[World], Any]


def nothing(world: World) -> None:
    """The next sync is all that it takes."""


def plant_outage(world: World) -> None:
    VendorOutage.objects.create(integration=NAME, began_at=timezone.now())


def pause_after_failures(world: World) -> None:
    world.accounts.update(state="paused", paused_by_person=False, state_reason="Paused after 5 failed syncs in a row.")


def refuse_access(world: World) -> None:
    world.vendor.revoke(world.account.account_name)
    world.sync()


def limit(world: World) -> None:
    world.vendor.fault("status", status=429, headers={"Retry-After": "100"}, path="/memory/")
    world.sync()


def fail(world: World) -> None:
    world.vendor.fault("status", status=503, path="/memory/", times=50)
    world.sync()


def start(world: World) -> None:
    world.kept.append(trigger_sync(workspace=world.visit.workspace, integration=NAME, triggered_by="api", actor="test"))


def begin(world: World) -> None:
    start(world)
    SyncJob.objects.filter(pk=world.kept[-1].pk).update(started_at=timezone.now())


def end(world: World) -> None:
    job = world.kept.pop()
    SyncJob.objects.filter(pk=job.pk).update(started_at=None)
    finish(job)


def give_up_a_write(world: World) -> None:
    DirtyRow.objects.filter(record_id=world.visit.pk).delete()
    sent = {"verb": "update", "fields": {}, "at": instant(timezone.now())}
    Link.objects.filter(record_id=world.visit.pk).update(intent=sent, parked=True)


def lose_role(world: World) -> None:
    world.vendor.read_only.add(world.person.main)
    world.sync()


def miss_the_schedule(world: World) -> None:
    world.schedule.update(next_sync_at=timezone.now() - dt.timedelta(hours=1))


# Name → (state, reason, what the sentence and the next step have in them), what happens, and what mends it.
SITUATIONS: dict[str, tuple[tuple[str, str, str, str], Step, Step]] = {
    "saved, and the schedule is off": (
        ("pending", "waits_for_sync", "is not in Memory yet", "within two minutes"),
        lambda world: world.schedule.update(interval_minutes=0),
        lambda world: world.schedule.update(interval_minutes=30),
    ),
    "saved, and nothing is synced by itself": (
        ("held", "by_hand_only", "Nothing is synced by schedule here.", "Start a sync."),
        lambda world: world.schedule.update(interval_minutes=0, sync_on_save=False),
        lambda world: world.schedule.update(interval_minutes=30, sync_on_save=True),
    ),
    "sent, and it could not be found out whether it was taken": (
        ("held", "write_unresolved", "has not said whether", "Edit the record"), give_up_a_write,
        lambda world: world.edit(),
    ),
    "a sync is about to begin": (
        ("pending", "sync_queued", "A sync is about to begin.", "has ended"), start, end),
    "a sync is running": (
        ("pending", "sync_running", "A sync is running since 0", "has ended"), begin, end),
    "nobody works": (
        ("problem", "no_worker", "no worker runs", "manage.py worker"), miss_the_schedule,
        lambda world: world.schedule.update(next_sync_at=timezone.now() + dt.timedelta(hours=1)),
    ),
    "paused by a person": (
        ("held", "paused", "is paused, and is not synced by itself", "Resume it at"),
        lambda world: pause(connection=world.account, user=None),
        lambda world: resume(connection=world.account, user=None),
    ),
    "paused after failures": (
        ("held", "paused_after_failures", "Paused after 5 failed syncs", "See what is wrong"), pause_after_failures,
        lambda world: resume(connection=world.account, user=None),
    ),
    "refused access": (
        ("problem", "needs_reconnect", "does not let FieldCamp into dana@memory.test any more", "Connect it again at"),
        refuse_access, World.connect_again,
    ),
    "without a permission": (
        ("problem", "needs_permission", "without a permission", "every box ticked"),
        lambda world: mark_needs_permission(world.account, "Tick the box.", mail=False), World.connect_again,
    ),
    "of somebody who is not active any more": (
        ("problem", "member_inactive", "Dana is not active any more", "make the person active again"),
        lambda world: world.set_active(False), lambda world: world.set_active(True),
    ),
    "being left": (
        ("excluded", "leaving", "is being left", "Nothing to do"),
        lambda world: world.accounts.update(leaving={"disconnect": False}),
        lambda world: world.accounts.update(leaving=None),
    ),
    "a calendar that may only be read": (
        ("problem", "calendar_unavailable", "may only read the calendar", "Give the account access again"), lose_role,
        lambda world: world.vendor.read_only.clear(),
    ),
    "read only by choice": (
        ("excluded", "only_read", "only reads in this account", "choose another direction"),
        lambda world: Stream.objects.update(direction="pull"),
        lambda world: Stream.objects.update(direction="two_way"),
    ),
    "its vendor fails for everybody": (
        ("pending", "vendor_outage", "does not answer for many of its customers", "by itself"), plant_outage,
        lambda world: VendorOutage.objects.all().delete(),
    ),
    "asked to wait": (
        ("pending", "rate_limited", "has asked to be left alone until", "by itself"), limit,
        lambda world: world.clock.move(110),
    ),
    "its vendor fails": (
        ("pending", "provider_unavailable", "It is not answering properly", "tried again by itself"), fail,
        lambda world: world.vendor.heal(),
    ),
    "after a failure": (
        ("pending", "backs_off", "starts none before", "a sync that you start tries it at once"),
        lambda world: world.accounts.update(backs_off_until=timezone.now() + dt.timedelta(minutes=10)), nothing,
    ),
    "an app that is set up wrongly": (
        ("problem", "misconfigured", "The secret is wrong.", "site's own credentials"),
        lambda world: open_problem(world.account, "MISCONFIGURED", "The secret is wrong.", now=timezone.now()), nothing,
    ),
    "disconnected": (
        ("not_connected", "disconnected", "was disconnected from Memory on 22 November 2026", "Connect it again at"),
        lambda world: disconnect(connection=world.account, user=None),
        lambda world: (world.connect_again(), world.set_up_again()),
    ),
}  # fmt: skip


@pytest.fixture
def world(connect, person, memory, sync, make_visits, clock) -> World:
    account = connect(busy=False)
    visit = make_visits(account.member, 1)[0]
    return World(account, person, memory, clock, visit, sync)


def assert_told(name: str, told: Explanation, expected: tuple[str, str, str, str]) -> None:
    state, reason, sentence, next_step = expected
    assert (name, told.state, told.reason) == (name, state, reason), told
    assert sentence in told.sentence and next_step in told.next_step, (name, told)


@pytest.mark.slow
def test_each_account_has_its_reason_and_its_way_out(world):
    first = world.told()
    assert_told("before the first sync", first, ("pending", "first_sync", "The first sync of dana@", "Start a sync."))
    world.sync()
    for name, (expected, plant, mend) in SITUATIONS.items():
        assert world.told().state is RecordState.SYNCED, (name, world.told())
        world.edit()
        plant(world)
        told = world.told()
        assert_told(name, told, expected)
        if told.state is RecordState.PROBLEM and told.reason not in ("no_worker",):
            assert told.problem_ids, name
        mend(world)
        world.account.refresh_from_db()
        world.sync()


def test_a_visit_that_is_in_step_says_when_it_was_written_and_taken_over(world, person, sync):
    sync()
    [row] = sync_state(world.visit)
    event = person.ours()[world.visit.pk]
    assert (row.remote_id, row.connection_id, row.place) == (event.id, world.account.pk, "Calendar")
    assert row.last_pushed_at and row.last_pulled_at is None
    person.move(event.id, timezone.now() + dt.timedelta(days=2))
    sync()
    [moved] = sync_state(world.visit)
    assert moved.last_pushed_at == row.last_pushed_at and moved.last_pulled_at > row.last_pushed_at
    assert moved.explanation == Explanation(RecordState.SYNCED)


@pytest.mark.slow
def test_a_visit_that_changes_hands_is_told_of_both_calendars(world, connect, sync):
    robin = connect("robin", busy=False)
    sync()
    services.update_visit(
        workspace=world.visit.workspace, visit_id=world.visit.pk, changes={"technician_id": robin.member_id}
    )
    world.visit.refresh_from_db()

    def told() -> dict[str | None, SyncStateRow]:
        return {row.connection_id: row for row in sync_state(world.visit)}

    assert set(told()) == {world.account.pk, robin.pk}
    left, comes = told()[world.account.pk], told()[robin.pk]
    assert "belongs into another calendar now" in left.explanation.sentence and left.remote_id
    assert "not in Memory yet" in comes.explanation.sentence and comes.remote_id is None
    sync()
    assert {pk: row.explanation.state for pk, row in told().items()} == {robin.pk: "synced"}


@pytest.mark.slow
def test_removals_that_wait_for_somebody(world, person, sync, make_visits, workspace):
    visits = make_visits(world.account.member, 11)
    sync()
    for visit in visits[:6]:
        person.delete(person.ours()[visit.pk].id)
    assert sync().status == "needs_confirmation"
    [row] = sync_state(visits[0])
    told = row.explanation
    assert_told(
        "held",
        told,
        ("held", "removal_held", "6 of 12 were gone at once", "Put back, what is missing there is made again"),
    )
    [held] = {problem for visit in visits[:6] for problem in sync_state(visit)[0].explanation.problem_ids}
    assert sync_state(visits[9])[0].explanation.state is RecordState.SYNCED
    problem = workspace.problems.get(pk=held)
    finish(answer(problem=problem, choice="put_back", values={}, user=KeyActor("olga")).job)
    assert {sync_state(visit)[0].explanation.state for visit in visits} == {RecordState.SYNCED}


def test_a_company_without_any_account(workspace, make_visits, make_technician, memory):
    visit = make_visits(make_technician(first_name="Dana"), 1)[0]
    rows = sync_state(visit)
    assert len(rows) > 1 and {row.connection_id for row in rows} == {None}
    assert {row.explanation.state for row in rows} == {RecordState.NOT_CONNECTED}
    assert all("Dana" in row.explanation.sentence and "http" in row.explanation.next_step for row in rows)
