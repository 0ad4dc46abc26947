"""Events about syncs: `sync.*`. The object is the descriptor that `GET /integrations/jobs/{id}` answers."""

from typing import Any

from django.db.models import Sum

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.recording import record_event
from integrations.models import Hold, JobStatus, SyncJob
from integrations.selectors.jobs import job_descriptor

_ENDED = {
    JobStatus.SUCCEEDED: "sync.completed",
    JobStatus.PARTIAL: "sync.completed",
    JobStatus.FAILED: "sync.failed",
    JobStatus.CANCELLED: "sync.cancelled",
    JobStatus.NEEDS_CONFIRMATION: "sync.needs_confirmation",
    JobStatus.PLANNED: "sync.planned",
}
_DECIDED = {Hold.Decision.CONFIRM: "sync.confirmed", Hold.Decision.REJECT: "sync.rejected"}


def sync_started(job: SyncJob) -> None:
    """Records that a job has begun, inside the transaction that sets `started_at`. Of a scheduled one nothing says yet
    that it has anything to do."""
    _record("sync.started", job, job_descriptor(job), has_changes=job.triggered_by != SyncJob.Trigger.SCHEDULE)


def sync_ended(job: SyncJob) -> None:
    """Records what a job has come to, inside the transaction that ends it. One in which no record moved and none failed
    has no changes. Of a dry run only its plan is told."""
    if job.dry_run and job.status != JobStatus.PLANNED:
        return
    shown = job_descriptor(job)
    if job.status == JobStatus.NEEDS_CONFIRMATION:
        waiting = Hold.objects.filter(job=job, decision="").aggregate(removals=Sum("removals"))
        shown["held"] = {"removals": waiting["removals"] or 0}
    quiet = job.status == JobStatus.SUCCEEDED and not (job.pulled or job.pushed or job.failed)
    _record(_ENDED[JobStatus(job.status)], job, shown, has_changes=not quiet)


def hold_decided(hold: Hold, decision: str, *, by_key: bool, actor: str, request_id: str = "") -> None:
    """Records a person's decision about held removals, inside its transaction. The object is the job that held them
    last; of one that has been forgotten meanwhile its id is null, and nothing else is told."""
    connection, job = hold.stream.connection, hold.job
    shown: dict[str, Any] = {"job_id": None, "integration": connection.integration, "next_action_url": None}
    if job is not None:
        shown = job_descriptor(job)
    record_event(
        connection.workspace_id,
        _DECIDED[Hold.Decision(decision)],
        {**shown, "held": {"removals": hold.removals}},
        record_id=job.pk if job else hold.pk,
        source=WebhookEvent.Source.API if by_key else WebhookEvent.Source.DESK,
        integration=connection.integration,
        job_id=job.pk if job else None,
        actor=actor,
        request_id=request_id or None,
    )


def _record(name: str, job: SyncJob, shown: dict[str, Any], *, has_changes: bool) -> None:
    record_event(
        job.workspace_id,
        name,
        shown,
        record_id=job.pk,
        source=WebhookEvent.Source.SYNC,
        integration=job.integration,
        job_id=job.pk,
        actor=job.actor or None,
        request_id=job.request_id or None,
        has_changes=has_changes,
    )
