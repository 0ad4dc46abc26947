"""Triggering and cancelling: one job in flight, whoever asks and however many at once."""

import datetime as dt

import pytest

from integrations.models import ConnectionState, SyncJob
from integrations.queue import enqueue
from integrations.services import jobs
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW


def trigger(workspace, **fields):
    return jobs.trigger_sync(workspace=workspace, integration=GOOGLE, triggered_by="api", actor="key_1", **fields)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([], "never_connected"),
        (["setup"], "never_connected"),
        (["disconnected"], "disconnected"),
        (["disconnected", "needs_permission"], "needs_permission"),
        (["needs_permission", "needs_reconnect"], "needs_reconnect"),
        (["needs_reconnect", "active"], None),
        (["paused"], None),
    ],
)
def test_a_trigger_needs_one_usable_connection(states, reason):
    workspace = build.workspace()
    build.connection(build.workspace("another's connection does not count"))
    for state in states:
        build.connection(workspace, ConnectionState(state))
    if reason is None:
        assert trigger(workspace).status == "queued"
        return
    with pytest.raises(jobs.NotConnected) as refusal:
        trigger(workspace)
    assert refusal.value.reason == reason
    assert refusal.value.connect_url.endswith("/admin/integrations/connect/google-calendar/")
    assert not SyncJob.objects.exists()


@pytest.mark.django_db
def test_a_narrowed_trigger_needs_that_connection():
    workspace = build.workspace()
    build.connection(workspace)
    broken = build.connection(workspace, ConnectionState.NEEDS_RECONNECT)
    with pytest.raises(jobs.NotConnected) as refusal:
        trigger(workspace, connection=broken)
    assert refusal.value.reason == "needs_reconnect"


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["queued", "running"])
def test_one_job_in_flight(status):
    workspace = build.workspace()
    build.connection(workspace)
    running = build.job(workspace, status)
    with pytest.raises(jobs.SyncInProgress) as refusal:
        trigger(workspace)
    assert refusal.value.job == running


@pytest.mark.django_db
def test_a_job_of_another_integration_or_company_is_not_in_the_way():
    workspace, other = build.workspace(), build.workspace("Other Inc.")
    build.connection(workspace)
    build.job(workspace, "running", integration="outlook_calendar")
    build.job(other, "running")
    assert trigger(workspace).status == "queued"


@pytest.mark.django_db
def test_who_is_in_the_way_is_the_integrations_own_job():
    workspace, other = build.workspace(), build.workspace("Other Inc.")
    build.connection(workspace)
    build.job(other, "running")
    build.job(workspace, "running", integration="outlook_calendar")
    mine = build.job(workspace, "running")
    with pytest.raises(jobs.SyncInProgress) as refusal:
        trigger(workspace)
    assert refusal.value.job == mine


@pytest.mark.django_db
def test_a_job_that_ends_while_it_is_in_the_way_gives_way(monkeypatch):
    """Between the insertion that it has stopped and the look at it."""
    workspace = build.workspace()
    build.connection(workspace)
    build.job(workspace, "running")
    look = enqueue.active_job

    def just_ended(*which):
        SyncJob.objects.filter(status="running").update(status="succeeded")
        return look(*which)

    monkeypatch.setattr(enqueue, "active_job", just_ended)
    job = enqueue.create_job(workspace=workspace, integration="google_calendar", triggered_by="api", actor="key")
    assert SyncJob.objects.get(status="queued") == job


@pytest.mark.django_db(transaction=True)
def test_the_constraint_decides_where_the_look_beforehand_was_too_early(monkeypatch):
    workspace = build.workspace()
    build.connection(workspace)
    winner = build.job(workspace)
    answers = iter([None, winner])
    monkeypatch.setattr(jobs, "active_job", lambda *_: next(answers))
    with pytest.raises(jobs.SyncInProgress) as refusal:
        trigger(workspace)
    assert refusal.value.job == winner
    assert SyncJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_at_once_one_wins(in_parallel):
    workspace = build.workspace()
    build.connection(workspace)

    def ask(_number: int) -> str | jobs.SyncInProgress:
        try:
            return trigger(workspace).pk
        except jobs.SyncInProgress as refusal:
            return refusal

    outcomes = in_parallel(16, ask)
    job = SyncJob.objects.get()
    assert outcomes.count(job.pk) == 1
    assert {refusal.job.pk for refusal in outcomes if not isinstance(refusal, str)} == {job.pk}
    assert len(outcomes) == 16


@pytest.mark.django_db(transaction=True)
def test_a_dead_queue_costs_no_answer(monkeypatch):
    workspace = build.workspace()
    build.connection(workspace)

    def dead(*_args, **_kwargs):
        raise ConnectionError("the queue is away")

    monkeypatch.setattr("integrations.queue.ring.async_task", dead)
    assert trigger(workspace).status == "queued"
    assert SyncJob.objects.get().rung_at is not None


@pytest.mark.django_db
def test_cancelling_what_has_not_started_ends_it_at_once():
    workspace = build.workspace()
    build.connection(workspace)
    job = jobs.cancel_job(job=build.job(workspace), actor="key_1")
    assert (job.status, job.finished_at is not None) == ("cancelled", True)
    assert trigger(workspace).status == "queued"


@pytest.mark.django_db
def test_cancelling_what_runs_asks_it_to_stop():
    workspace = build.workspace()
    running = build.job(workspace, "running", started_at=NOW, lease_owner="worker", lease_until=NOW)
    first = jobs.cancel_job(job=running, actor="key_1").cancel_requested_at
    assert first is not None
    assert jobs.cancel_job(job=running, actor="key_1").cancel_requested_at == first
    assert running.status == "running"


@pytest.mark.django_db
def test_cancelling_what_was_begun_and_waits_is_left_to_its_worker():
    """What it has done is counted before it ends."""
    begun = build.job(build.workspace(), "queued", started_at=NOW, run_after=NOW + dt.timedelta(minutes=1))
    cancelled = jobs.cancel_job(job=begun, actor="key_1")
    assert (cancelled.status, cancelled.finished_at, cancelled.run_after) == ("queued", None, None)
    assert cancelled.cancel_requested_at is not None


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["succeeded", "partial", "failed", "needs_confirmation", "cancelled"])
def test_what_is_over_cannot_be_cancelled(status):
    job = build.job(build.workspace(), status, finished_at=NOW)
    with pytest.raises(jobs.JobFinished):
        jobs.cancel_job(job=job, actor="key_1")
    job.refresh_from_db()
    assert (job.status, job.cancel_requested_at) == (status, None)
