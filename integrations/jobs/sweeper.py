"""What keeps jobs moving when a bell was not heard or a worker died. Run every ten seconds by each supervisor."""

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from integrations.errors import ProblemCode
from integrations.events.jobs import sync_ended
from integrations.jobs import schedule
from integrations.jobs.errors import job_error
from integrations.ledger.problems import open_company_problem, tell_of_lasting
from integrations.models import JobPart, JobStatus, SyncJob
from integrations.queue.ring import queue_broker, ring

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
RING_AGAIN = dt.timedelta(seconds=30)
# While so many tasks wait in the queue, the bells are in there: ringing again would only make it longer.
LONG_QUEUE = 100
GAVE_UP = (
    f"The sync was broken off {MAX_ATTEMPTS} times without finishing. Nothing is lost. Start it again; if it stops "
    "again, ask the operator for the log of this job."
)
_FREE = {"status": JobStatus.QUEUED, "lease_owner": "", "lease_until": None}


def sweep(now: dt.datetime) -> None:
    """Frees expired leases, rings for jobs that nobody took, ends what was cancelled or has had too many attempts;
    tells of problems that have not passed by themselves."""
    _end_cancelled(now)
    _free_expired(now)
    _ring_unheard(now)
    tell_of_lasting(now)


def free_leases_of(cluster: str, now: dt.datetime) -> int:
    """Gives back the jobs of a cluster that was killed, so that another worker goes on at once; how many."""
    freed = 0
    for job in SyncJob.objects.filter(status=JobStatus.RUNNING, lease_owner__startswith=cluster):
        freed += _free(job, now)
    return freed


def _end_cancelled(now: dt.datetime) -> None:
    waiting = SyncJob.objects.filter(
        status=JobStatus.QUEUED, cancel_requested_at__isnull=False, started_at=None, lease_owner=""
    )
    for job in waiting.order_by("pk"):
        with transaction.atomic():
            if waiting.filter(pk=job.pk).update(status=JobStatus.CANCELLED, finished_at=now):
                job.refresh_from_db()
                sync_ended(job)


def _free_expired(now: dt.datetime) -> None:
    for job in SyncJob.objects.in_flight().filter(lease_until__lt=now).exclude(lease_owner="")[:200]:
        if job.attempts >= MAX_ATTEMPTS:
            _give_up(job, now)
        else:
            _free(job, now)


def _still(job: SyncJob) -> QuerySet[SyncJob]:
    """Returns the row, if nobody has touched its lease since it was read."""
    return SyncJob.objects.filter(
        pk=job.pk, status=job.status, lease_owner=job.lease_owner, lease_until=job.lease_until
    )


def _free(job: SyncJob, now: dt.datetime) -> bool:
    if not _still(job).update(**_FREE, rung_at=now):
        return False
    log.warning("job_freed", job_id=job.pk, attempts=job.attempts)
    ring(job.pk)
    return True


def _give_up(job: SyncJob, now: dt.datetime) -> None:
    error = job_error(ProblemCode.INTERNAL_ERROR, GAVE_UP, None, now)
    with transaction.atomic():
        ended = _still(job).update(
            status=JobStatus.FAILED,
            lease_owner="",
            lease_until=None,
            finished_at=now,
            errors=[error, *job.errors],
        )
        if not ended:
            return
        unfinished = job.parts.exclude(status__in=JobPart.OVER)
        unfinished.update(status=JobPart.Status.FAILED, error=error)
        if not job.dry_run:  # which changes nothing but itself
            open_company_problem(job.workspace_id, job.integration, ProblemCode.INTERNAL_ERROR, GAVE_UP, now=now)
        job.refresh_from_db()
        schedule.after_job(job, now)
        sync_ended(job)
    log.error("job_given_up", job_id=job.pk, attempts=job.attempts)


def _ring_unheard(now: dt.datetime) -> None:
    unheard = (
        SyncJob.objects.in_flight()
        .filter(
            Q(run_after=None) | Q(run_after__lte=now),
            Q(rung_at=None) | Q(rung_at__lt=now - RING_AGAIN) | Q(rung_at__lt=F("run_after")),
            lease_owner="",
        )
        .order_by("created_at")
    )
    jobs = list(unheard.values_list("pk", "rung_at")[:LONG_QUEUE])
    if not jobs or queue_broker().queue_size() >= LONG_QUEUE:
        return
    for job_id, rung_at in jobs:
        if SyncJob.objects.filter(pk=job_id, rung_at=rung_at).update(rung_at=now):
            ring(job_id)
