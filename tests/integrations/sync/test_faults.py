"""Whatever happens on the way: both sides agree in the end, no event twice, no edit lost, the counts add up."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.jobs import runner
from integrations.models import Connection, ConnectionState, JobStatus, Link, Problem
from integrations.services.jobs import NotConnected, trigger_sync
from tests.integrations.engine import abandoned, counts, finish
from tests.killing import Killed

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def killed_at_call(vendors, people):
    """Kills the worker at the n-th call to the provider, before it is sent or after it was carried out; gives back
    what ends that."""

    def arm(number: int, after: bool):
        calls = iter(range(1, 10_000))

        def deadly(path, send):
            if people.api not in path or next(calls) != number:
                return send()
            if after:
                send()
            raise Killed

        return vendors.around(deadly)

    return arm


def agree(person, visits) -> bool:
    events = {pk: event.start for pk, event in person.ours().items()}
    return events == {visit.pk: visit.scheduled_start for visit in visits}


@pytest.fixture
def survive_a_kill(dana, person, sync, make_visits, workspace, killed_at_call):
    """Kills the worker at this call of a job, and sees that the next loses and doubles nothing."""

    def survive(call: int, after: bool) -> None:
        visits = make_visits(dana.member, 70)
        sync()
        moved = visits[:60]
        for visit in moved:
            visit.scheduled_start += dt.timedelta(minutes=30)
            visit.scheduled_end += dt.timedelta(minutes=30)
        Visit.objects.bulk_update(moved, ["scheduled_start", "scheduled_end"])
        visits += make_visits(dana.member, 70, title="Later")
        job = trigger_sync(workspace=workspace, integration=person.integration, triggered_by="api", actor="test")
        disarm = killed_at_call(call, after)
        try:
            runner.run(job.pk)
        except Killed:
            abandoned(job)
        disarm()
        job = finish(job)
        assert job.status == JobStatus.SUCCEEDED
        assert counts(job) == {"pulled": 0, "pushed": 130, "skipped": 0, "failed": 0}
        assert agree(person, visits)
        assert not Link.objects.filter(intent__isnull=False).exists()
        assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}

    return survive


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_kill_at_any_call_loses_and_doubles_nothing(survive_a_kill, call, after):
    survive_a_kill(call, after)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_nor_does_a_kill_at_a_vendors_first_batch(survive_a_kill, outlook, after):
    survive_a_kill(2, after)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drop_after_commit", "drop", "truncate"])
def test_a_lost_answer_is_resolved_by_looking(dana, person, vendors, sync, make_visits, kind):
    sync()
    visits = make_visits(dana.member, 60)
    vendors.fault(kind, path=person.batch_path, times=1)
    job = sync()
    assert counts(job) == {"pulled": 0, "pushed": 60, "skipped": 0, "failed": 0}
    assert agree(person, visits)


@pytest.mark.slow
def test_a_provider_that_stays_away_costs_nothing(dana, person, vendors, sync, make_visits):
    visits = make_visits(dana.member, 60)
    vendors.fault("status", status=503, times=1000)
    job = sync()
    assert job.status == JobStatus.FAILED
    assert job.errors[0]["code"] == "PROVIDER_UNAVAILABLE"
    vendors.heal()
    assert sync().status == JobStatus.SUCCEEDED
    assert agree(person, visits)
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_single_failures_in_a_batch_are_tried_again_alone(dana, person, vendors, sync, make_visits):
    sync()
    visits = make_visits(dana.member, 50)
    vendors.fault("status", path=person.creates, method="POST", status=503, times=3)
    job = sync()
    assert counts(job) == {"pulled": 0, "pushed": 50, "skipped": 0, "failed": 0}
    assert agree(person, visits)


def test_a_refused_record_is_parked_and_the_rest_goes_on(dana, person, vendors, sync, make_visits):
    sync()
    visits = make_visits(dana.member, 50)
    vendors.fault("status", path=person.creates, method="POST", status=400, times=1)
    job = sync()
    assert counts(job) == {"pulled": 0, "pushed": 49, "skipped": 0, "failed": 1}
    assert job.status == JobStatus.PARTIAL
    assert job.errors[0]["code"] == "RECORD_REJECTED"
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}
    [parked] = Link.objects.filter(parked=True)
    visit = Visit.objects.get(pk=parked.record_id)
    visit.title = "Shorter"
    visit.save()
    assert counts(sync()) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}
    assert agree(person, visits)
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_an_expired_cursor_forces_a_full_sync_and_says_so(dana, person, vendors, sync, make_visits):
    visits = make_visits(dana.member, 12)
    private = person.add("Dentist", visits[0].scheduled_start)
    sync()
    assert BlockedTime.objects.count() == 1
    vendors.fault("expire_cursor")
    moved = person.ours()[visits[0].pk]
    person.move(moved.id, visits[0].scheduled_start + dt.timedelta(days=1))
    person.delete(private.id)
    job = sync()
    assert job.status == JobStatus.SUCCEEDED
    assert [error["code"] for error in job.errors] == ["FULL_SYNC_FORCED"]
    assert counts(job) == {"pulled": 2, "pushed": 0, "skipped": 11, "failed": 0}
    visits[0].refresh_from_db()
    assert agree(person, visits)
    assert not BlockedTime.objects.exists()
    assert sync().errors == []


@pytest.mark.slow
def test_a_revoked_account_fails_alone(dana, connect, person, vendors, sync, make_visits, workspace):
    lee = connect("lee")
    visits = make_visits(dana.member, 3)
    make_visits(lee.member, 3)
    vendors.revoke(person.address("lee"))
    job = sync()
    assert job.status == JobStatus.PARTIAL
    assert job.errors[0]["code"] == "NEEDS_RECONNECT"
    assert job.errors[0]["connection_id"] == lee.pk
    assert agree(person, visits)
    assert Connection.objects.get(pk=lee.pk).state == ConnectionState.NEEDS_RECONNECT
    assert sync().status == JobStatus.SUCCEEDED
    vendors.revoke()
    assert sync().status == JobStatus.FAILED
    with pytest.raises(NotConnected) as refusal:
        sync()
    assert refusal.value.reason == "needs_reconnect"


def test_a_short_wait_is_slept_out_and_a_long_one_leaves_the_account_out(dana, person, vendors, sync, make_visits):
    visits = make_visits(dana.member, 3)
    vendors.fault("status", status=429, headers={"Retry-After": "2"}, path=person.batch_path)
    assert sync().status == JobStatus.SUCCEEDED
    assert agree(person, visits)
    vendors.fault("status", status=429, headers={"Retry-After": "7200"}, times=10)
    job = sync()
    assert job.status == JobStatus.FAILED
    assert job.errors[0]["code"] == "RATE_LIMITED"
    assert Connection.objects.get().retry_at is not None
    vendors.forget_requests()
    assert sync().status == JobStatus.FAILED
    assert vendors.requests() == []


@pytest.fixture
def at_the_next_batch(vendors, person):
    """Does something right before the next batch is sent."""

    def arm(act) -> None:
        def first(path, send):
            if person.batch in path:
                disarm()
                act()
            return send()

        disarm = vendors.around(first)

    return arm


@pytest.mark.slow
def test_an_edit_made_while_the_sync_runs_stays_dirty(dana, person, sync, make_visits, at_the_next_batch):
    [visit] = make_visits(dana.member, 1)
    sync()
    Visit.objects.filter(pk=visit.pk).update(title="First edit")
    at_the_next_batch(lambda: Visit.objects.filter(pk=visit.pk).update(title="Second edit"))
    sync()
    assert sync().pushed == 1
    assert person.ours()[visit.pk].title.startswith("Second edit")


def test_an_edit_in_the_calendar_while_the_sync_runs_is_not_overwritten(
    dana, person, sync, make_visits, at_the_next_batch
):
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk]
    theirs = visit.scheduled_start + dt.timedelta(hours=9)
    Visit.objects.filter(pk=visit.pk).update(title="New title")
    at_the_next_batch(lambda: person.move(event.id, theirs))
    assert counts(sync()) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}
    visit.refresh_from_db()
    assert visit.scheduled_start == theirs
    assert person.ours()[visit.pk].title.startswith("New title")


@pytest.mark.slow
def test_the_vendors_own_quota_slows_a_sync_down_and_nothing_more(
    dana, google, person, vendors, sync, make_visits, workspace, clock
):
    sync()
    vendors.throttle(True)
    visits = make_visits(dana.member, 700)
    job = trigger_sync(workspace=workspace, integration=person.integration, triggered_by="api", actor="test")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING and job.lease_owner == ""
    assert 500 <= job.pushed <= 600
    assert job.run_after is not None
    clock.move((job.run_after - clock.now).total_seconds() - 1)
    vendors.forget_requests()
    runner.run(job.pk)
    assert vendors.requests() == []  # not before its time
    job = finish(job)
    assert job.status == JobStatus.SUCCEEDED
    assert counts(job) == {"pulled": 0, "pushed": 700, "skipped": 0, "failed": 0}
    vendors.throttle(False)
    assert agree(person, visits)
