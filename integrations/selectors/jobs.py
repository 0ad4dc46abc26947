"""How a job is shown: the descriptor of the sync API."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.models import Hold, JobItem, JobStatus, Outcome, Problem, SyncJob
from integrations.records import instant
from integrations.selectors.links import connect_url, job_url

RECONNECT = (ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION)
FOR_A_PERSON = (
    ProblemCode.CONFLICT,
    ProblemCode.RECORD_REJECTED,
    ProblemCode.CONFIRMATION_NEEDED,
    ProblemCode.AMOUNT_VARIANCE,
    ProblemCode.CALENDAR_UNAVAILABLE,
    ProblemCode.MEMBER_INACTIVE,
    ProblemCode.EVENT_REMOVED,
)


def trigger_answer(job: SyncJob) -> dict[str, Any]:
    """Returns what a trigger answers: made of columns that never change, but for `status`, which a trigger knows."""
    answer: dict[str, Any] = {"job_id": job.pk, "integration": job.integration, "mode": job.mode}
    if job.scope:
        answer["scope"] = job.scope
    if job.dry_run:
        answer["dry_run"] = True
    if job.applies:
        answer["plan_id"] = job.applies
    return {**answer, "status": job.status, "created_at": instant(job.created_at)}


def job_summary(job: SyncJob, hold_ids: Sequence[str]) -> dict[str, Any]:
    """Returns the descriptor as lists show it: without the split counts, which would cost a look at every record."""
    return {
        **trigger_answer(job),
        "started_at": instant(job.started_at) if job.started_at else None,
        "finished_at": instant(job.finished_at) if job.finished_at else None,
        "triggered_by": job.triggered_by,
        "dry_run": job.dry_run,
        "plan_id": plan_id_of(job),
        "progress": {"stage": job.stage or None, "done": job.done, "total": job.total},
        "counts": counts(job),
        "errors": job.errors,
        "hold_ids": list(hold_ids),
        "next_action_url": next_action_url(job),
    }


def job_summaries(jobs: Sequence[SyncJob]) -> list[dict[str, Any]]:
    """Returns the descriptors of a page; one query for all of them."""
    held = _holds_of(jobs)
    return [job_summary(job, held.get(job.pk, ())) for job in jobs]


def plan_id_of(job: SyncJob) -> str | None:
    """Returns the plan that a dry run has made, or that the job applies."""
    if job.applies or not job.dry_run or job.status != JobStatus.PLANNED:
        return job.applies or None
    return getattr(job, "plan", None) and job.plan.pk


def job_descriptor(job: SyncJob) -> dict[str, Any]:
    """Returns all that is known of one job, its counts also by entity and by connection."""
    return {**job_summary(job, _holds_of([job]).get(job.pk, ())), **split_counts(job)}


def _holds_of(jobs: Sequence[SyncJob]) -> dict[str, list[str]]:
    """Returns the ids of what these jobs have put aside, or added to, last; in one query, and in none where no job has
    ended so."""
    asking = [job.pk for job in jobs if job.status == JobStatus.NEEDS_CONFIRMATION]
    found: dict[str, list[str]] = {}
    for job_id, pk in Hold.objects.filter(job__in=asking).order_by("pk").values_list("job", "pk") if asking else ():
        found.setdefault(job_id, []).append(pk)
    return found


def counts(job: SyncJob) -> dict[str, int]:
    return {"pulled": job.pulled, "pushed": job.pushed, "skipped": job.skipped, "failed": job.failed}


def split_counts(job: SyncJob) -> dict[str, dict[str, dict[str, int]]]:
    """Returns `counts_by_entity` and `counts_by_connection`, in one query; in none where nothing was counted."""
    by_entity: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(Outcome.values, 0))
    by_connection: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(Outcome.values, 0))
    if not any(counts(job).values()):
        return {"counts_by_entity": {}, "counts_by_connection": {}}
    rows = JobItem.objects.filter(job=job).order_by().values_list("kind", "connection_id", "outcome")
    for kind, connection_id, outcome, number in rows.annotate(number=Count("pk")):
        by_entity[kind][outcome] += number
        by_connection[connection_id][outcome] += number
    return {"counts_by_entity": dict(by_entity), "counts_by_connection": dict(by_connection)}


def next_action_url(job: SyncJob) -> str | None:
    """Returns where a person repairs what this job ended with, if anything."""
    codes = {error.get("code") for error in job.errors}
    if codes & set(RECONNECT):
        return connect_url(job.integration)
    if job.status == JobStatus.NEEDS_CONFIRMATION or codes & set(FOR_A_PERSON):
        return job_url(job.pk)
    return None


def jobs_of(
    workspace: Workspace,
    integration: str = "",
    status: str = "",
    mode: str = "",
    triggered_by: str = "",
    dry_run: bool | None = None,
) -> QuerySet[SyncJob]:
    """Returns the workspace's jobs, newest first."""
    jobs = SyncJob.objects.filter(workspace=workspace).select_related("plan").defer("plan__standing")
    jobs = jobs.order_by("-created_at", "-id")
    given = {"integration": integration, "status": status, "mode": mode, "triggered_by": triggered_by}
    if dry_run is not None:
        jobs = jobs.filter(dry_run=dry_run)
    return jobs.filter(**{name: value for name, value in given.items() if value})


def runs_of(problems: Collection[Problem]) -> dict[str, SyncJob]:
    """Returns by problem the sync in which it was seen last: of its integration the last that had begun by then. Two
    queries, which look at one entry of an index for each problem."""
    begun = SyncJob.objects.filter(
        workspace=OuterRef("workspace"), integration=OuterRef("integration"), created_at__lte=OuterRef("occurred_at")
    )
    newest = begun.order_by("-created_at").values("pk")[:1]
    rows = Problem.objects.filter(pk__in=[problem.pk for problem in problems]).order_by()
    found = {pk: run for pk, run in rows.annotate(run=Subquery(newest)).values_list("pk", "run") if run}
    jobs = SyncJob.objects.in_bulk(set(found.values()))
    return {pk: jobs[run] for pk, run in found.items() if run in jobs}
