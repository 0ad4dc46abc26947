"""How a job ends: its status, its errors, and that its counts add up."""

from collections import Counter
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.errors import PRECONDITION_FAILED
from integrations.events.jobs import sync_ended
from integrations.jobs import schedule
from integrations.jobs.errors import job_error
from integrations.kinds import SubjectKind
from integrations.ledger.counts import CountsDoNotAddUp, assert_sums, save_counts
from integrations.models import JobPart, JobStatus, Problem, SyncJob
from integrations.queue.lease import Lease, LeaseLost

MAX_ERRORS = 50

log = structlog.get_logger(__name__)


def status_of(parts: list[JobPart]) -> str:
    """Returns what a job has come to, from what its accounts have come to."""
    states = {part.status for part in parts}
    if not parts or states == {JobPart.Status.FAILED}:
        return JobStatus.FAILED
    if JobPart.Status.HELD in states:
        return JobStatus.NEEDS_CONFIRMATION
    some = states & {JobPart.Status.FAILED, JobPart.Status.PARTIAL}
    return JobStatus.PARTIAL if some else JobStatus.SUCCEEDED


def finish(job: SyncJob, lease: Lease, status: str) -> None:
    """Closes the job, if it is still ours: status, errors, and what its end means for the schedule."""
    job.refresh_from_db()
    accounts: dict[str, Counter[str]] = {}
    try:
        accounts = assert_sums(job)
    except CountsDoNotAddUp:
        log.exception("job_counts_do_not_add_up")
        status = JobStatus.FAILED
    if status == JobStatus.SUCCEEDED and job.failed:
        status = JobStatus.PARTIAL
    with transaction.atomic():
        let_go = lease.let_go(status=status, finished_at=timezone.now(), stage="", run_after=None, errors=_errors(job))
        if not let_go:
            raise LeaseLost(job.pk)
        save_counts(job, accounts)
        job.refresh_from_db()
        schedule.after_job(job)
        sync_ended(job)
    log.info(
        "job_finished",
        status=status,
        pulled=job.pulled,
        pushed=job.pushed,
        skipped=job.skipped,
        failed=job.failed,
    )


def _errors(job: SyncJob) -> list[dict[str, Any]]:
    """Returns what went wrong, newest first: whole accounts, then records; what was found by this job before what still
    waits for somebody since an earlier one."""
    errors = [error for error in job.errors if error["code"] == PRECONDITION_FAILED]  # left there by what applies plans
    errors += [part.error for part in job.parts.all() if part.error]
    codes = {(error["connection_id"], error["code"]) for error in errors}
    for problem in Problem.objects.listed().filter(connection__in=job.parts.values("connection"))[:MAX_ERRORS]:
        if (problem.connection_id, problem.code) in codes and not problem.record_id:
            continue
        error = job_error(problem.code, problem.message, problem.connection_id, problem.occurred_at)
        if problem.record_kind and problem.record_kind not in tuple(SubjectKind):
            error["record"] = {"kind": problem.record_kind, "id": problem.record_id}
        errors.append(error)
    return errors[:MAX_ERRORS]
