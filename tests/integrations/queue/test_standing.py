"""What a worker learns by one read before each call: whether the job is still its own, for how long, and wanted."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations.models import JobStatus, SyncJob
from integrations.queue.lease import LEASE, Lease

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def job(workspace) -> SyncJob:
    return SyncJob.objects.create(
        workspace=workspace, integration="google_calendar", triggered_by="api", created_at=timezone.now()
    )


@pytest.fixture
def lease(job) -> Lease:
    return Lease.claim(job.pk)


def test_ones_own_job(lease):
    assert lease.standing(dt.timedelta(0)) == (True, False, False)


def test_it_ends_soon(lease):
    assert lease.standing(LEASE - MINUTE / 4).ends is False
    assert lease.standing(LEASE + MINUTE / 4).ends is True


def test_it_was_cancelled(job, lease):
    SyncJob.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    assert lease.standing(dt.timedelta(0)) == (True, False, True)


def test_somebody_else_has_it(job, lease):
    SyncJob.objects.filter(pk=job.pk).update(lease_owner="thief")
    assert lease.standing(dt.timedelta(0)) == (False, False, False)


def test_it_was_let_go(job, lease):
    lease.let_go(status=JobStatus.QUEUED)
    assert lease.standing(MINUTE) == (False, False, False)


def test_a_deleted_job_is_nobodys(job, lease):
    job.delete()
    assert lease.standing(MINUTE) == (False, False, False)
