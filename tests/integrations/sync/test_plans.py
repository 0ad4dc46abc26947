"""Plans of a calendar: made without a trace, applied as they were made, or not at all."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.accounts.acting import KeyActor
from integrations.jobs import dry_run, runner
from integrations.jobs.applying import GONE, GONE_SINCE, ApplyingSlice
from integrations.jobs.dry_run import LONGEST_LOOK
from integrations.jobs.planning import TOO_MUCH
from integrations.jobs.schedule import dispatch_due
from integrations.jobs.slices import SLICE
from integrations.ledger.plans import LIVES
from integrations.ledger.run_state import EXPECTED
from integrations.models import Connection, JobPart, JobStatus, Link, Plan, SyncJob
from integrations.services.jobs import NotConnected, cancel_job, trigger_sync
from integrations.services.leaving import LeaveChoices, leave
from integrations.services.plans import PlanExpired, PlanMoved
from tests.faketime import process_clock
from tests.integrations.engine import abandoned, counts, finish
from tests.integrations.planned import applied, begun, does, everything, planned
from tests.killing import Killed

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

NOTHING = {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.fixture
def histories(dana, person, sync, make_visits):
    """Five visits in the calendar, one moved there, one edited here, one removed here, one as it was, and one moved
    there and edited here; a new one, and a new event."""
    visits = make_visits(dana.member, 5)
    sync()
    events = person.ours()
    person.move(events[visits[0].pk].id, visits[0].scheduled_start + dt.timedelta(minutes=30))
    Visit.objects.filter(pk=visits[1].pk).update(title="Two leaks")
    Visit.objects.filter(pk=visits[2].pk).update(visit_status="cancelled")
    person.move(events[visits[4].pk].id, visits[4].scheduled_start + dt.timedelta(minutes=30))
    Visit.objects.filter(pk=visits[4].pk).update(title="Two drips")
    new = make_visits(dana.member, 1, title="New")
    person.add("Dentist", visits[0].scheduled_start + dt.timedelta(days=3))
    return [*visits, *new]


DOES = [
    ("fieldcamp", "create", "block"), ("fieldcamp", "update", "visit"), ("fieldcamp", "update", "visit"),
    ("provider", "create", "visit"), ("provider", "delete", "visit"), ("provider", "update", "visit"),
    ("provider", "update", "visit"),
]  # fmt: skip


@pytest.mark.engine
def test_a_plan_leaves_no_trace_and_is_applied_exactly(histories, person, sync):
    moved, edited, cancelled, untouched, both, new = histories
    before, there = everything(), person.events()
    plan = planned(sync)
    assert (everything(), person.events()) == (before, there)
    assert does(plan) == DOES
    rows = {(row.side, row.action, row.record_id): row for row in plan.operations.all()}
    assert rows["provider", "update", edited.pk].fields["title"] == ["Leak 1 · Kim Reed", "Two leaks · Kim Reed"]
    assert rows["fieldcamp", "update", moved.pk].fields["start"][0] == "2026-11-23T09:00:00Z"
    assert set(rows["fieldcamp", "update", both.pk].fields) == {"start", "end"}
    assert set(rows["provider", "update", both.pk].fields) == {"title", "text"}
    assert set(plan.operations.get(side="fieldcamp", action="create").fields) == {"start", "end", "busy"}
    assert plan.counts["operations"] == 7 and plan.counts["provider"] == {"create": 1, "update": 2, "delete": 1}
    assert sum(plan.counts["fieldcamp"].values()) == 3
    job = applied(plan)
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, {**NOTHING, "pulled": 2, "pushed": 4})
    assert set(person.ours()) == {moved.pk, edited.pk, untouched.pk, both.pk, new.pk}
    assert person.ours()[both.pk].title == "Two drips · Kim Reed"
    assert Visit.objects.get(pk=moved.pk).scheduled_start == moved.scheduled_start + dt.timedelta(minutes=30)
    assert BlockedTime.objects.count() == 1
    assert counts(sync()) == NOTHING and cancelled.pk not in person.ours()
    plan.refresh_from_db()
    assert begun(plan) == job  # however often


@pytest.mark.slow
def test_what_was_saved_since_is_told_at_once(histories, person, sync, make_visits, dana):
    plan = planned(sync)
    Visit.objects.filter(pk=histories[3].pk).update(title="Another title")
    [late] = make_visits(dana.member, 1, title="Late")
    before = everything()
    with pytest.raises(PlanMoved) as refused:
        begun(plan)
    assert set(refused.value.changed) == {histories[3].pk, late.pk}
    assert everything() == before and not SyncJob.objects.in_flight().exists()


THERE = {
    "moved": lambda person, event: person.move(event.id, event.start + dt.timedelta(hours=2)),
    "removed": lambda person, event: person.delete(event.id),
    "added": lambda person, event: person.add("School", event.start + dt.timedelta(days=5)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("what", "which"), [("moved", 1), ("moved", 3), ("removed", 1), ("added", 3)])
def test_what_has_moved_there_since_keeps_all_from_being_written(histories, person, sync, what, which, dana):
    plan = planned(sync)
    event = person.ours()[histories[which].pk]
    THERE[what](person, event)
    before, there, failures = everything(), person.events(), Connection.objects.get(pk=dana.pk).failures
    job = applied(plan)
    assert (job.status, counts(job)) == (JobStatus.FAILED, NOTHING)
    [error] = job.errors
    assert error["code"] == "PRECONDITION_FAILED"
    changed = error["details"]["changed"]
    assert changed["count"] == len(changed["ids"]) == 1
    assert what == "added" or changed["ids"] == [histories[which].pk]
    assert (everything(), person.events()) == (before, there)
    assert Connection.objects.get(pk=dana.pk).failures == failures
    assert sync().status == JobStatus.SUCCEEDED


@pytest.mark.slow
def test_what_moves_after_that_is_left_and_the_job_is_partial(histories, person, sync, monkeypatch):
    plan = planned(sync)
    checked = ApplyingSlice._changed

    def then_it_moves(self, *args):
        changed = checked(self, *args)
        if event := person.ours().get(histories[2].pk):
            person.move(event.id, event.start + dt.timedelta(hours=3))
        Visit.objects.filter(pk=histories[1].pk).update(title="Three leaks")
        return changed

    monkeypatch.setattr(ApplyingSlice, "_changed", then_it_moves)
    job = applied(plan)
    monkeypatch.undo()
    assert (job.status, job.pulled, job.pushed, job.failed) == (JobStatus.PARTIAL, 2, 2, 0)
    assert job.errors[0]["details"]["changed"] == {"count": 2, "ids": [histories[1].pk, histories[2].pk]}
    assert person.ours()[histories[1].pk].title == "Leak 1 · Kim Reed"
    assert histories[2].pk in person.ours()
    sync()
    assert person.ours()[histories[1].pk].title == "Three leaks · Kim Reed"
    assert histories[2].pk not in person.ours() and counts(sync()) == NOTHING


@pytest.mark.slow
def test_a_plan_is_good_for_an_hour_and_for_what_is_connected(histories, sync, dana, person):
    plan = planned(sync)
    process_clock().reach(plan.expires_at - dt.timedelta(seconds=1))
    Connection.objects.filter(pk=dana.pk).update(state="disconnected")
    with pytest.raises(NotConnected):
        begun(plan)
    Connection.objects.filter(pk=dana.pk).update(state="active")
    process_clock().reach(plan.made_at + LIVES)
    with pytest.raises(PlanExpired):
        begun(plan)
    assert not SyncJob.objects.in_flight().exists()


@pytest.mark.slow
@pytest.mark.parametrize(("call", "after"), [(2, True), (3, False), (4, True)])
def test_a_kill_on_the_way_makes_each_operation_once(histories, person, vendors, sync, call, after):
    plan, calls = planned(sync), iter(range(1, 1_000))

    def deadly(path, send):
        if next(calls) != call:
            return send()
        if after:
            send()
        raise Killed

    job, undo = begun(plan), vendors.around(deadly)
    try:
        runner.run(job.pk)
    except Killed:
        abandoned(job)
    undo()
    job = finish(job)
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, {**NOTHING, "pulled": 2, "pushed": 4})
    assert person.ours()[histories[4].pk].title == "Two drips · Kim Reed"
    assert len(person.ours()) == 5 == len({event.id for event in person.ours().values()})
    assert not Link.objects.with_intent().exists() and counts(sync()) == NOTHING


@pytest.mark.slow
def test_a_plan_that_is_erased_on_the_way_is_told_to_be_half_done(dana, connect, vendors, sync, make_visits):
    for connection in (dana, connect("lee")):
        make_visits(connection.member, 1)
    plan = planned(sync)

    def deadly(path, send):
        if JobPart.objects.filter(job=job, status="done").exists():  # the next account has begun
            raise Killed
        return send()

    job, undo = begun(plan), vendors.around(deadly)
    with pytest.raises(Killed):
        runner.run(job.pk)
    abandoned(job)
    undo()
    Plan.objects.all().delete()  # as an erasure does
    job = finish(job)
    assert (job.status, job.pushed, job.errors[0]["message"]) == (JobStatus.PARTIAL, 1, GONE_SINCE)
    assert sorted(job.parts.values_list("status", flat=True)) == ["done", "failed"]
    assert counts(sync()) == {**NOTHING, "pushed": 1}


@pytest.mark.slow
def test_a_plan_that_is_erased_before_anything_is_done_is_told_so(histories, person, sync):
    job, there = begun(planned(sync)), person.events()
    Plan.objects.all().delete()
    job = finish(job)
    assert (job.status, counts(job), job.errors[0]["message"]) == (JobStatus.FAILED, NOTHING, GONE)
    assert person.events() == there


@pytest.mark.slow
def test_a_full_dry_run_and_an_expired_cursor(histories, person, vendors, sync, people):
    vendors.fault("expire_cursor", path=people.listing)
    before = everything()
    plan = planned(sync)
    full = planned(sync, mode="full")
    assert does(plan) == does(full) == DOES and everything() == before
    assert applied(full).status == JobStatus.SUCCEEDED


@pytest.mark.slow
def test_removals_that_would_be_held_are_told_and_held(dana, person, sync, make_visits):
    make_visits(dana.member, 12)
    sync()
    for event in person.events():
        person.delete(event.id)
    before = everything()
    plan = planned(sync)
    assert plan.counts["held"] == 12 and plan.counts["operations"] == 0 and everything() == before
    assert applied(plan).status == JobStatus.NEEDS_CONFIRMATION


@pytest.mark.slow
def test_an_account_that_cannot_be_read_fails_alone_and_stays_as_it_is(dana, connect, person, sync, make_visits):
    make_visits(dana.member, 2)
    other = connect("lee")
    make_visits(other.member, 1)
    person.vendors.revoke(person.address("lee"))
    before = everything()
    job = sync(dry_run=True)
    assert job.status == JobStatus.PLANNED and [error["code"] for error in job.errors] == ["NEEDS_RECONNECT"]
    # That an access has ended is true, whoever asks: the token endpoint's word is final.
    told = ("Connection", "Problem", "AuditEntry", "AuditChain", "WebhookEvent")  # and webhooks are told of it
    assert {**everything(), **dict.fromkeys(told)} == {**before, **dict.fromkeys(told)}
    plan = Plan.objects.get(job=job)
    assert plan.counts["operations"] == 2
    job = applied(plan)
    assert job.pushed == 2 and job.status in (JobStatus.PARTIAL, JobStatus.SUCCEEDED)  # it may have left by then


def test_a_dry_run_waits_for_its_turn_and_ends_when_cancelled(dana, sync, make_visits):
    make_visits(dana.member, 1)
    job = trigger_sync(
        workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test", dry_run=True
    )
    SyncJob.objects.filter(pk=job.pk).update(started_at=process_clock().now, cancel_requested_at=process_clock().now)
    job = finish(job)
    assert job.status == JobStatus.CANCELLED and not Plan.objects.exists()


def waiting(vendors, *seconds):
    """Has the next calls take so long."""
    times = iter(seconds)

    def slow(path, send):
        process_clock().move(next(times, 0))
        return send()

    return vendors.around(slow)


def dry_run_of(dana) -> SyncJob:
    return trigger_sync(
        workspace=dana.workspace, integration=dana.integration, triggered_by="api", actor="test", dry_run=True
    )


@pytest.mark.slow
def test_looking_at_accounts_is_done_in_slices(dana, connect, vendors, sync, make_visits):
    make_visits(dana.member, 1)
    make_visits(connect("lee").member, 1)
    job, undo = dry_run_of(dana), waiting(vendors, SLICE + 1)
    runner.run(job.pk)
    job.refresh_from_db()
    assert sorted(job.parts.values_list("status", flat=True)) == ["done", "waiting"] and job.in_flight
    assert finish(job).status == JobStatus.PLANNED
    undo()
    job, undo = begun(Plan.objects.get(job=job)), waiting(vendors, SLICE + 1)
    runner.run(job.pk)
    undo()
    assert sum(progress.keys() - {EXPECTED} != set() for progress in job.parts.values_list("progress", flat=True)) == 1
    assert counts(finish(job)) == {**NOTHING, "pushed": 2}


@pytest.mark.slow
def test_an_account_that_is_asked_for_too_long_is_told_of(dana, connect, vendors, make_visits):
    for connection in (dana, connect("lee")):
        make_visits(connection.member, 1)
    job, undo = dry_run_of(dana), waiting(vendors, LONGEST_LOOK + 1)
    job = finish(job)
    undo()
    [error] = job.errors
    assert job.status == JobStatus.PLANNED and error["message"].endswith(TOO_MUCH)
    assert Plan.objects.get(job=job).counts["operations"] == 1


@pytest.mark.slow
def test_an_account_that_waits_for_others_is_looked_at_in_the_next_slice(dana, vendors, make_visits, monkeypatch):
    class Busy:
        """A lock that others have for long."""

        def __enter__(self):
            process_clock().move(LONGEST_LOOK)

        def __exit__(self, *_error):
            pass

    make_visits(dana.member, 1)
    job = dry_run_of(dana)
    with monkeypatch.context() as patch:
        patch.setattr(dry_run, "_one_at_a_time", Busy())
        runner.run(job.pk)
    job.refresh_from_db()
    assert job.in_flight and not job.parts.filter(status="failed").exists()
    assert finish(job).status == JobStatus.PLANNED


@pytest.mark.slow
def test_an_account_that_is_left_meanwhile_is_left_by_a_job_of_its_own(histories, person, sync, dana, monkeypatch):
    plan = planned(sync)
    checked = ApplyingSlice._changed

    def then_it_is_left(self, *args):
        leave(connection=dana, choices=LeaveChoices(remove_events=True), user=KeyActor("test"), disconnecting=True)
        return checked(self, *args)

    monkeypatch.setattr(ApplyingSlice, "_changed", then_it_is_left)
    job = applied(plan)
    monkeypatch.undo()
    assert (job.status, job.errors[0]["details"]["changed"]["count"]) == (JobStatus.PARTIAL, 6)
    assert len(person.ours()) == 5 and Connection.objects.get(pk=dana.pk).leaving
    dispatch_due(process_clock().now)
    finish(SyncJob.objects.in_flight().get())
    left = Connection.objects.get(pk=dana.pk)
    assert (left.state, left.state_reason) == ("disconnected", "Disconnected by test.")  # nothing stays there


@pytest.mark.slow
@pytest.mark.parametrize("of", ["making", "applying"])
def test_who_cancels_a_plan_does_not_take_back_that_the_account_is_left(histories, sync, dana, of):
    plan = planned(sync, connection=dana)
    job = begun(plan) if of == "applying" else trigger_sync(
        workspace=dana.workspace, integration=dana.integration, connection=dana, triggered_by="api", actor="test",
        dry_run=True,
    )  # fmt: skip
    leave(connection=dana, choices=LeaveChoices(remove_events=True), user=KeyActor("test"), disconnecting=True)
    cancel_job(job=job, actor="test")
    assert Connection.objects.get(pk=dana.pk).leaving


@pytest.mark.slow
def test_a_record_that_is_refused_is_not_told_to_have_moved(histories, person, vendors, sync):
    plan = planned(sync)
    vendors.fault("status", path=person.creates, method="POST", status=400, times=1)
    job = applied(plan)
    assert (job.status, job.pushed, job.failed) == (JobStatus.PARTIAL, 3, 1)
    assert [error["code"] for error in job.errors] == ["RECORD_REJECTED"]
