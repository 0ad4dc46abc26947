"""Who may work on a job, and until when: told by the clock alone."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import Visit
from integrations.jobs import runner, slices, sweeper
from integrations.models import JobItem, JobStatus, Link, SyncJob
from integrations.queue.lease import Lease, LeaseLost
from integrations.services.jobs import cancel_job, trigger_sync
from tests.integrations import build
from tests.integrations.engine import abandoned, finish
from tests.integrations.sync.test_faults import Killed, agree

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(clock) -> SyncJob:
    return build.job(build.workspace(), created_at=clock.now)


def put_off(job: SyncJob, clock, seconds: float) -> None:
    SyncJob.objects.filter(pk=job.pk).update(run_after=clock.now + dt.timedelta(seconds=seconds))


def test_a_job_that_is_put_off_is_claimed_when_its_time_has_come(job, clock):
    put_off(job, clock, 60)
    assert Lease.claim(job.pk) is None
    clock.move(59)
    assert Lease.claim(job.pk) is None
    clock.move(2)
    assert Lease.claim(job.pk)
    job.refresh_from_db()
    assert (job.status, job.run_after, job.attempts) == (JobStatus.RUNNING, None, 1)


def test_a_job_between_two_slices_is_claimed_when_its_time_has_come(job, clock):
    Lease.claim(job.pk).let_go(run_after=clock.now + dt.timedelta(seconds=60))
    assert Lease.claim(job.pk) is None
    clock.move(59)  # longer than a lease, which nobody has now
    assert Lease.claim(job.pk) is None
    clock.move(2)
    assert Lease.claim(job.pk)


def test_a_lease_that_has_run_out_is_taken_over_whatever_the_job_was_put_off_to(job, clock):
    lease = Lease.claim(job.pk)
    put_off(job, clock, 3600)
    clock.move(29)
    assert Lease.claim(job.pk) is None
    clock.move(2)
    assert Lease.claim(job.pk)
    with pytest.raises(LeaseLost):
        lease.assert_held()


def test_one_job_has_one_worker(job):
    assert Lease.claim(job.pk)
    assert Lease.claim(job.pk) is None


def test_a_claim_and_a_lease_are_of_one_job(job, clock):
    other = build.job(build.workspace(), created_at=clock.now)
    lease = Lease.claim(job.pk)
    other.refresh_from_db()
    assert (other.status, other.lease_owner, other.started_at) == (JobStatus.QUEUED, "", None)
    theirs = Lease(other.pk, lease.owner)
    with pytest.raises(LeaseLost, match=other.pk):
        theirs.assert_held()
    assert not theirs.let_go(status=JobStatus.FAILED)
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING
    assert job.heartbeat_at == job.started_at is not None


@pytest.mark.parametrize("status", ["succeeded", "partial", "failed", "needs_confirmation", "cancelled"])
def test_a_job_that_is_over_is_claimed_by_nobody(status, clock):
    job = build.job(build.workspace(), status, lease_until=clock.now - dt.timedelta(hours=1))
    assert Lease.claim(job.pk) is None


def test_a_lease_without_a_heartbeat_is_lost_even_where_nobody_else_has_claimed_it(job, clock):
    lease = Lease.claim(job.pk)
    clock.move(29)
    lease.assert_held()
    beaten = SyncJob.objects.values_list("heartbeat_at", flat=True).get(pk=job.pk)
    assert abs((clock.now - beaten).total_seconds()) < 1
    clock.move(31)
    before = SyncJob.objects.values().get(pk=job.pk)
    with pytest.raises(LeaseLost):
        lease.assert_held()
    assert SyncJob.objects.values().get(pk=job.pk) == before


def test_each_heartbeat_keeps_the_lease_for_thirty_seconds_more(job, clock, heartbeat):
    with Lease.claim(job.pk) as lease:
        clock.move(300)
        lease.assert_held()
        heartbeat.stop()
        clock.move(31)
        with pytest.raises(LeaseLost):
            lease.assert_held()


def test_what_was_lost_is_not_given_up_again(job, clock):
    """A worker that wakes does not free the job of the one that took it over."""
    late = Lease.claim(job.pk)
    clock.move(31)
    assert Lease.claim(job.pk)
    assert not late.let_go(status=JobStatus.FAILED)
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING and job.lease_owner


def test_the_first_start_stays_the_start(job, clock):
    Lease.claim(job.pk)
    job.refresh_from_db()
    started = job.started_at
    assert started is not None
    clock.move(31)
    Lease.claim(job.pk)
    job.refresh_from_db()
    assert (job.started_at, job.attempts) == (started, 2)


@pytest.mark.slow
def test_a_worker_that_is_paused_for_too_long_writes_no_row_and_makes_no_call_after_it_wakes(
    dana, google, vendors, sync, make_visits, workspace, clock, heartbeat, monkeypatch
):
    """Stopped as by SIGSTOP while the provider answers its second batch. Nobody else has taken the job meanwhile."""
    make_visits(dana.member, 70)
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    send = vendors.adapter.send
    seen = {}

    def paused(request, **kwargs):
        answer = send(request, **kwargs)
        if google.batch in request.url and not seen:
            heartbeat.stop()
            clock.move(31)
            seen["then"] = (state(job), len(vendors.requests()))
        return answer

    monkeypatch.setattr(vendors.adapter, "send", paused)
    runner.run(job.pk)
    assert (state(job), len(vendors.requests())) == seen["then"]
    monkeypatch.setattr(vendors.adapter, "send", send)
    heartbeat.stopped = False
    abandoned(job)
    job = finish(job)
    assert (job.status, job.pushed) == (JobStatus.SUCCEEDED, 70)
    assert agree(google, Visit.objects.all())


def test_a_call_is_not_repeated_once_somebody_else_has_the_job(dana, google, vendors, workspace, monkeypatch):
    """The pause between two attempts is long enough to lose it."""
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    vendors.forget_requests()
    vendors.fault("status", status=503, times=5)
    send = vendors.adapter.send

    def taken_over(request, **kwargs):
        SyncJob.objects.filter(pk=job.pk).update(lease_owner="somebody else")
        return send(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", taken_over)
    runner.run(job.pk)
    assert len(vendors.requests()) == 1
    job.refresh_from_db()
    assert (job.status, job.lease_owner) == (JobStatus.RUNNING, "somebody else")


def state(job: SyncJob) -> tuple:
    return (
        SyncJob.objects.filter(pk=job.pk).values("status", "pushed", "done", "stage", "lease_owner").get(),
        list(JobItem.objects.values()),
        list(Link.objects.order_by("pk").values()),
    )


def test_a_slow_answer_of_the_provider_costs_no_lease(dana, google, vendors, make_visits, workspace, clock):
    """The heartbeat renews it meanwhile: three answers of ten seconds each, and one worker all along."""
    make_visits(dana.member, 3)
    vendors.fault("delay", seconds=10, path=google.api, times=3)
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    before = clock.now
    runner.run(job.pk)
    assert (clock.now - before).total_seconds() > 20
    job.refresh_from_db()
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 1)


def test_a_heartbeat_that_cannot_write_is_made_up_for_before_the_next_call(
    dana, google, vendors, make_visits, workspace, clock, heartbeat
):
    """Each call asks how long the lease still holds, and renews it itself where that is less than a call may take."""
    heartbeat.stop()
    make_visits(dana.member, 3)
    vendors.fault("delay", seconds=11, path=google.api, times=3)
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    runner.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 1)


def test_a_cancelled_job_that_waits_is_woken_to_end(dana, google, workspace, clock, quiet_queue):
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    Lease.claim(job.pk).let_go(run_after=clock.now + dt.timedelta(seconds=70))
    cancel_job(job=job, actor="test")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_job_whose_worker_dies_five_times_is_given_up(dana, google, vendors, workspace, clock, monkeypatch):
    def deadly(request, **kwargs):
        raise Killed

    monkeypatch.setattr(vendors.adapter, "send", deadly)
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    for attempt in range(1, 6):
        with pytest.raises(Killed):
            runner.run(job.pk)
        job.refresh_from_db()
        assert (job.status, job.attempts) == (JobStatus.RUNNING, attempt)
        abandoned(job)
    assert job.status == JobStatus.FAILED
    sweeper.sweep(clock.now)
    assert Lease.claim(job.pk) is None


@pytest.mark.slow
def test_slices_are_no_failed_attempts(dana, google, make_visits, workspace, monkeypatch):
    """A first sync of many slices is not given up as one whose worker dies each time."""
    make_visits(dana.member, 60)
    monkeypatch.setattr(slices, "SLICE", -1.0)  # every step is the last of its slice
    job = trigger_sync(workspace=workspace, integration="google_calendar", triggered_by="api", actor="test")
    taken = 0
    while job.in_flight:
        runner.run(job.pk)
        job.refresh_from_db()
        taken += 1
        assert job.attempts <= 1
    assert taken > sweeper.MAX_ATTEMPTS
    assert job.status == JobStatus.SUCCEEDED
