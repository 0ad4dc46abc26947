"""A company with accounts that are due before the schedule's time, and what happens to them."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import Change
from integrations.jobs import schedule
from integrations.models import (
    ConnectionState,
    DirtyRow,
    JobPart,
    JobStatus,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.push.dispatching import take_pushed
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def company():
    workspace = build.workspace()
    planned(workspace)
    return workspace


def planned(workspace, integration=GOOGLE, **fields):
    row = schedule.integration_of(workspace, integration)
    values = {"next_sync_at": NOW + 20 * MINUTE} | fields
    WorkspaceIntegration.objects.filter(pk=row.pk).update(**values)


def account(company, state=ConnectionState.ACTIVE, **fields) -> Stream:
    connection = build.connection(company, state, **fields)
    return Stream.objects.create(
        connection=connection, container_id="primary", is_target=True, first_synced_at=NOW - 60 * MINUTE
    )


def save(stream: Stream, at: dt.datetime, *, actor: str = "Dana", record: str = "vis_1", first=None) -> None:
    change = Change.objects.create(
        workspace=stream.connection.workspace, kind="visit", record_id=record, version=1, action="updated", actor=actor
    )
    row, _ = DirtyRow.objects.update_or_create(
        stream=stream, kind="visit", record_id=record, defaults={"seq": change.seq, "changed_at": at}
    )
    DirtyRow.objects.filter(pk=row.pk).update(at=first or at)


def run(
    job: SyncJob, at: dt.datetime, status: str = JobPart.Status.DONE, job_status=JobStatus.SUCCEEDED, begun=False,
    **fields,
):  # fmt: skip
    """Runs a job without doing anything, and ends it."""
    if not begun:
        take_pushed(job, at)
    SyncJob.objects.filter(pk=job.pk).update(
        status=job_status, started_at=at, finished_at=at + SECOND, lease_owner="", **fields
    )
    job.parts.update(status=status, direction="bidirectional")
    job.refresh_from_db()
    schedule.after_job(job, at + SECOND)
