"""How a job ends: its status, from what its accounts have come to, and its errors, each told once."""

import datetime as dt

import pytest

from integrations.jobs.finishing import MAX_ERRORS, finish, status_of
from integrations.ledger.problems import open_problem
from integrations.models import JobItem, JobPart, JobStatus, SyncJob
from integrations.queue.lease import Lease, LeaseLost
from tests.integrations import build
from tests.integrations.build import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(minutes=1)


@pytest.fixture
def connection():
    return build.connection(build.workspace())


def ending(connection, *, error: dict | None = None, status: str = "done", **fields) -> tuple[SyncJob, Lease]:
    """A job that a worker has just finished with."""
    job = build.job(connection.workspace, started_at=NOW, **fields)
    lease = Lease.claim(job.pk)
    JobPart.objects.create(job=job, connection=connection, status=status, error=error)
    job.refresh_from_db()
    return job, lease


def said(connection, code: str) -> dict:
    return {"code": code, "message": "…", "occurred_at": "2026-11-22T08:01:00Z", "connection_id": connection.pk}


def told(job: SyncJob) -> list[tuple[str, dict | None]]:
    return [(error["code"], error.get("record")) for error in job.errors]


def test_an_account_and_its_problem_are_one_error(connection):
    open_problem(connection, "NEEDS_RECONNECT", "Reconnect.", now=LATER)
    job, lease = ending(connection, error=said(connection, "NEEDS_RECONNECT"), status="failed")
    finish(job, lease, JobStatus.FAILED)
    assert told(job) == [("NEEDS_RECONNECT", None)]


def test_another_account_with_the_same_trouble_is_another_error(connection):
    other = build.connection(connection.workspace)
    open_problem(other, "NEEDS_RECONNECT", "Reconnect.", now=LATER)
    job, lease = ending(connection, error=said(connection, "NEEDS_RECONNECT"), status="failed")
    JobPart.objects.create(job=job, connection=other, status="failed")
    finish(job, lease, JobStatus.FAILED)
    assert {error["connection_id"] for error in job.errors} == {connection.pk, other.pk}


def test_a_record_with_the_same_code_as_its_account_is_an_error_of_its_own(connection):
    open_problem(connection, "CONFLICT", "Moved.", now=LATER, kind="visit", record_id="vis_1")
    job, lease = ending(connection, error=said(connection, "CONFLICT"), status="failed")
    finish(job, lease, JobStatus.FAILED)
    assert told(job) == [("CONFLICT", None), ("CONFLICT", {"kind": "visit", "id": "vis_1"})]


def test_a_hold_and_a_calendar_are_no_records(connection):
    for kind in ("hold", "stream"):
        open_problem(connection, "CONFIRMATION_NEEDED", "…", now=LATER, kind=kind, record_id=f"{kind}_1")
    job, lease = ending(connection, status="held")
    finish(job, lease, JobStatus.NEEDS_CONFIRMATION)
    assert told(job) == [("CONFIRMATION_NEEDED", None)] * 2


def test_only_what_is_open_is_among_the_errors_and_what_still_waits_comes_last(connection):
    elsewhere = build.connection(build.workspace("Other Inc."))
    uninvolved = build.connection(connection.workspace)
    for where in (elsewhere, uninvolved):
        open_problem(where, "CONFLICT", "Not ours.", now=LATER, kind="visit", record_id="vis_1")
    open_problem(connection, "CONFLICT", "Before.", now=NOW - dt.timedelta(1), kind="visit", record_id="vis_2")
    open_problem(connection, "CONFLICT", "Now.", now=LATER, kind="visit", record_id="vis_1")
    open_problem(connection, "EVENT_REMOVED", "To know.", now=LATER, kind="visit", record_id="vis_3", notice=True)
    solved = open_problem(connection, "CONFLICT", "Solved.", now=LATER, kind="visit", record_id="vis_4")
    solved.resolved_at = LATER
    solved.save()
    job, lease = ending(connection)
    finish(job, lease, JobStatus.SUCCEEDED)
    assert [error["message"] for error in job.errors] == ["Now.", "Before."]


def test_of_very_many_errors_the_newest_are_told(connection):
    for number in range(MAX_ERRORS + 5):
        at = LATER + dt.timedelta(seconds=number)
        open_problem(connection, "CONFLICT", "…", now=at, kind="visit", record_id=f"vis_{number}")
    job, lease = ending(connection)
    finish(job, lease, JobStatus.SUCCEEDED)
    assert [record["id"] for _, record in told(job)] == [f"vis_{number}" for number in range(54, 4, -1)]


def test_counts_that_do_not_add_up_are_no_success(connection):
    job, lease = ending(connection, pushed=2)
    JobItem.objects.create(job=job, connection=connection, kind="visit", key="vis_1", outcome="pushed")
    finish(job, lease, JobStatus.SUCCEEDED)
    assert job.status == JobStatus.FAILED


def test_a_refused_record_makes_a_success_a_partial_one(connection):
    job, lease = ending(connection, failed=1)
    JobItem.objects.create(job=job, connection=connection, kind="visit", key="vis_1", outcome="failed")
    finish(job, lease, JobStatus.SUCCEEDED)
    assert job.status == JobStatus.PARTIAL


def test_who_has_lost_the_job_does_not_close_it(connection):
    job, lease = ending(connection)
    SyncJob.objects.filter(pk=job.pk).update(lease_owner="somebody else")
    with pytest.raises(LeaseLost):
        finish(job, lease, JobStatus.SUCCEEDED)
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (JobStatus.RUNNING, None)
    connection.refresh_from_db()
    assert connection.last_synced_at is None


def test_a_finished_job_is_done_with(connection):
    job, lease = ending(connection, run_after=None, stage="push")
    finish(job, lease, JobStatus.SUCCEEDED)
    assert (job.lease_owner, job.lease_until, job.stage, job.run_after) == ("", None, "", None)
    assert job.finished_at is not None


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], "failed"),
        (["done"], "succeeded"),
        (["done", "done"], "succeeded"),
        (["failed"], "failed"),
        (["failed", "failed"], "failed"),
        (["done", "failed"], "partial"),
        (["held"], "needs_confirmation"),
        (["done", "held"], "needs_confirmation"),
        (["held", "failed"], "needs_confirmation"),
    ],
)
def test_what_a_job_has_come_to(parts, status):
    assert status_of([JobPart(status=part) for part in parts]) == status
