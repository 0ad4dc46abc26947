"""No job is lost: not to a bell that nobody heard, not to a worker that died, not to one that dies each time."""

import datetime as dt

import pytest

from integrations.jobs import sweeper
from integrations.models import JobPart, Problem, SyncJob, WorkspaceIntegration
from tests.integrations import build
from tests.integrations.build import NOW

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def rung(monkeypatch):
    """The ids of the jobs that were rung for, instead of tasks in a queue."""
    ids: list[str] = []
    monkeypatch.setattr(sweeper, "ring", ids.append)
    return ids


def leased(until, **fields):
    defaults = {"status": "running", "started_at": NOW, "lease_owner": "cluster-aworker-1", "lease_until": until}
    return build.job(build.workspace(), **(defaults | fields))


def test_an_expired_lease_is_freed_and_rung_for(rung):
    dead, alive = leased(NOW - SECOND, attempts=4), leased(NOW + SECOND)
    sweeper.sweep(NOW)
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.status, dead.lease_owner, dead.lease_until, dead.rung_at) == ("queued", "", None, NOW)
    assert (alive.status, alive.lease_owner) == ("running", "cluster-aworker-1")
    assert rung == [dead.pk]


def test_a_lease_that_was_renewed_meanwhile_is_left_alone(rung):
    job = leased(NOW - SECOND)
    SyncJob.objects.update(lease_until=NOW + 30 * SECOND)
    assert not sweeper._free(job, NOW)
    assert rung == []
    job.refresh_from_db()
    assert job.status == "running"


def test_a_job_that_kills_its_worker_each_time_ends_as_failed(rung):
    job = leased(NOW - SECOND, attempts=sweeper.MAX_ATTEMPTS)
    connection = build.connection(job.workspace)
    JobPart.objects.create(job=job, connection=connection, status="running")
    sweeper.sweep(NOW)
    job.refresh_from_db()
    assert (job.status, job.finished_at, job.lease_owner) == ("failed", NOW, "")
    assert job.errors == [
        {
            "code": "INTERNAL_ERROR",
            "message": sweeper.GAVE_UP,
            "occurred_at": "2026-11-22T08:00:00Z",
            "connection_id": None,
        }
    ]
    assert job.parts.get().status == "failed"
    assert rung == []
    assert Problem.objects.get(resolved_at=None).code == "INTERNAL_ERROR"
    assert WorkspaceIntegration.objects.get(workspace=job.workspace).failures == 1
    # The next one in flight is possible again, and its giving up makes no second problem out of the same.
    again = leased(NOW - SECOND, attempts=9)
    SyncJob.objects.filter(pk=again.pk).update(workspace=job.workspace)
    sweeper.sweep(NOW)
    assert Problem.objects.filter(workspace=job.workspace).count() == 1


@pytest.mark.parametrize(
    ("fields", "rings"),
    [
        ({"rung_at": None}, True),
        ({"rung_at": NOW - 29 * SECOND}, False),
        ({"rung_at": NOW - 31 * SECOND}, True),
        ({"rung_at": NOW - 60 * SECOND, "run_after": NOW + 5 * SECOND}, False),
        ({"rung_at": NOW - 10 * SECOND, "run_after": NOW - SECOND}, True),
        ({"rung_at": None, "status": "running", "started_at": NOW}, True),
        ({"rung_at": None, "status": "succeeded"}, False),
    ],
)
def test_it_rings_again_for_what_nobody_took(rung, fields, rings):
    job = build.job(build.workspace(), **fields)
    sweeper.sweep(NOW)
    assert rung == ([job.pk] if rings else [])
    sweeper.sweep(NOW + SECOND)
    assert len(rung) == int(rings)


def test_it_does_not_make_a_long_queue_longer(rung, queue, monkeypatch):
    monkeypatch.setattr(sweeper, "LONG_QUEUE", 2)
    job = build.job(build.workspace())
    for _ in range(2):
        queue.enqueue("a task that waits")
    sweeper.sweep(NOW)
    assert rung == []
    queue.purge_queue()
    sweeper.sweep(NOW)
    assert rung == [job.pk]


def test_a_queued_job_that_was_to_be_cancelled_ends(rung):
    job = build.job(build.workspace(), cancel_requested_at=NOW - SECOND)
    sweeper.sweep(NOW)
    job.refresh_from_db()
    assert (job.status, job.finished_at) == ("cancelled", NOW)
    assert rung == []


def test_a_job_that_was_begun_and_is_to_be_cancelled_ends_by_its_own_worker(rung):
    """What it has done is counted by the run's end; here it would be forgotten."""
    job = build.job(build.workspace(), cancel_requested_at=NOW - SECOND, started_at=NOW - SECOND, rung_at=NOW)
    sweeper.sweep(NOW)
    job.refresh_from_db()
    assert (job.status, job.finished_at) == ("queued", None)


def test_two_supervisors_ring_once_for_each(monkeypatch):
    """The second comes while the first still rings."""
    jobs = [build.job(build.workspace(name)) for name in ("one", "two", "three")]
    ids: list[str] = []

    def ring(job_id: str) -> None:
        ids.append(job_id)
        if len(ids) == 1:
            sweeper.sweep(NOW)

    monkeypatch.setattr(sweeper, "ring", ring)
    sweeper.sweep(NOW)
    assert sorted(ids) == sorted(job.pk for job in jobs)


def test_a_job_that_came_alive_again_is_not_given_up(rung):
    job = leased(NOW - SECOND, attempts=sweeper.MAX_ATTEMPTS)
    SyncJob.objects.update(lease_until=NOW + 30 * SECOND)
    sweeper._give_up(job, NOW)
    job.refresh_from_db()
    assert job.status == "running"
    assert not Problem.objects.exists() and not WorkspaceIntegration.objects.exists()


def test_a_dry_run_that_is_given_up_is_no_problem_of_the_company(rung):
    job = leased(NOW - SECOND, attempts=sweeper.MAX_ATTEMPTS, dry_run=True)
    sweeper.sweep(NOW)
    job.refresh_from_db()
    assert (job.status, job.errors[0]["message"]) == ("failed", sweeper.GAVE_UP)
    assert not Problem.objects.exists()


def test_one_companys_lost_job_is_not_told_to_another(rung):
    theirs = build.workspace("Other Inc.")
    old = Problem.objects.create(
        workspace=theirs, integration=build.GOOGLE, code="INTERNAL_ERROR", message="Theirs.", occurred_at=NOW - SECOND
    )
    ours = leased(NOW - SECOND, attempts=sweeper.MAX_ATTEMPTS)
    sweeper.sweep(NOW)
    old.refresh_from_db()
    assert old.occurred_at == NOW - SECOND
    assert Problem.objects.get(workspace=ours.workspace).message == sweeper.GAVE_UP


def test_the_jobs_of_a_killed_cluster_are_given_back_at_once(rung):
    mine, other = leased(NOW + 20 * SECOND), leased(NOW + 20 * SECOND, lease_owner="cluster-bworker-9")
    assert sweeper.free_leases_of("cluster-a", NOW) == 1
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, other.status) == ("queued", "running")
    assert rung == [mine.pk]
