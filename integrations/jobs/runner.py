"""Running a job: slice by slice, several accounts at a time. An account that fails fails alone."""

import datetime as dt
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from fieldcamp.formats import in_currency
from integrations.accounts.leaving import abandon_leaving
from integrations.events.jobs import sync_started
from integrations.jobs.applying import ApplyingSlice
from integrations.jobs.finishing import finish
from integrations.jobs.interruptions import Cancelled, HandBack, SliceOver
from integrations.jobs.planning import PlanningSlice
from integrations.jobs.slices import Slice
from integrations.jobs.standing import standing
from integrations.jobs.sweeper import MAX_ATTEMPTS
from integrations.jobs.syncing import SyncSlice
from integrations.models import JobStatus, SyncJob
from integrations.push.dispatching import take_pushed
from integrations.queue.lease import Lease, LeaseLost
from integrations.queue.ring import ring

log = structlog.get_logger(__name__)


def run(job_id: str) -> None:
    """Claims the job and works on it for one slice. Does nothing when somebody else has it, or when it is over."""
    with transaction.atomic():
        lease = Lease.claim(job_id)
        if lease is None:
            return
        job = SyncJob.objects.select_related("workspace").get(pk=job_id)
        if lease.begins and not job.dry_run:
            sync_started(job)
            take_pushed(job, timezone.now())
    told = structlog.contextvars.bound_contextvars(job_id=job.pk, request_id=job.request_id)
    with lease, told, in_currency(job.workspace.currency):
        log.info("job_slice", attempt=job.attempts, mode=job.mode)
        slice_ = _slice_of(job, lease)
        before = standing(job)
        try:
            try:
                came_to = slice_.work()
                if isinstance(came_to, dt.datetime):
                    _go_on(job, lease, came_to)
                else:
                    finish(job, lease, came_to)
            except Cancelled:
                finish(job, lease, JobStatus.CANCELLED)
                if job.connection_id and job.leaves:
                    abandon_leaving(job.connection_id)
        except SliceOver:
            if standing(job) != before:
                _go_on(job, lease, timezone.now(), progressed_at=timezone.now())
            elif job.attempts < MAX_ATTEMPTS:
                log.warning("job_slice_in_vain", attempt=job.attempts)
                _go_on(job, lease, timezone.now(), attempts=job.attempts)
            else:
                finish(job, lease, slice_.give_up())
        except HandBack:
            log.info("job_handed_back")
            _go_on(job, lease, timezone.now(), status=JobStatus.QUEUED)
        except LeaseLost:
            log.warning("job_lease_lost")


def _slice_of(job: SyncJob, lease: Lease) -> Slice:
    if job.dry_run:
        return PlanningSlice(job, lease)
    return ApplyingSlice(job, lease) if job.applies else SyncSlice(job, lease)


def _go_on(job: SyncJob, lease: Lease, when: dt.datetime, **values: Any) -> None:
    """Frees the job for its next slice. It is no failed attempt, unless `attempts` says so."""
    job.refresh_from_db(fields=["attempts"])
    lease.let_go(**{"run_after": when, "rung_at": timezone.now(), "attempts": max(0, job.attempts - 1), **values})
    if when <= timezone.now():
        ring(job.pk)
