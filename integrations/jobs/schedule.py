"""When the next sync is due, and what the end of one means for the schedule. Conditional updates throughout, so that
several supervisors may run these at once."""

import contextlib
import datetime as dt
import random
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from integrations.accounts.people import follow_members
from integrations.accounts.state import went_well
from integrations.errors import ProblemCode
from integrations.events.connections import connection_moved
from integrations.jobs.directions import combined
from integrations.jobs.stream_failures import failed_streams
from integrations.ledger.problems import resolve
from integrations.mail.alerts import alert_paused
from integrations.models import (
    Connection,
    ConnectionState,
    JobPart,
    JobStatus,
    Problem,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.providers import PROVIDERS
from integrations.push.dispatching import dispatch_prompt
from integrations.push.looking import looked
from integrations.queue.enqueue import SyncInProgress, create_job
from integrations.queue.planning import LONGEST_BACKOFF, integration_of, next_sync, scheduled_connections
from integrations.selectors.outages import is_out

log = structlog.get_logger(__name__)

_WHOLE = (JobPart.Status.DONE, JobPart.Status.HELD)
_REACHED = (*_WHOLE, JobPart.Status.PARTIAL)
# What a job may have come to although it went through all of its accounts: single records failed, or wait for a person.
_WENT_THROUGH = (JobStatus.SUCCEEDED, JobStatus.PARTIAL, JobStatus.NEEDS_CONFIRMATION)
# Failures that say nothing about the account: waiting is not failing, and the operator's fault is not the user's.
NOT_COUNTED = (
    ProblemCode.RATE_LIMITED,
    ProblemCode.MISCONFIGURED,
    ProblemCode.NEEDS_RECONNECT,
    ProblemCode.NEEDS_PERMISSION,
    ProblemCode.CALENDAR_UNAVAILABLE,
    ProblemCode.MEMBER_INACTIVE,
)


def dispatch_due(now: dt.datetime, spread: Callable[[], float] = random.random) -> int:
    """Starts one job for each integration that is due; how many it started."""
    follow_members()
    _adopt(now, spread)
    started = _go_on_leaving(now) + _scheduled(now, spread)
    return started + dispatch_prompt(now)


def _scheduled(now: dt.datetime, spread: Callable[[], float]) -> int:
    started = 0
    due = WorkspaceIntegration.objects.filter(next_sync_at__lte=now).select_related("workspace")
    for row in due.order_by("next_sync_at")[:200]:
        started += _dispatch(row, now, spread)
    return started


def _go_on_leaving(now: dt.datetime) -> int:
    """Starts a job for each account out of which our events are still to be taken, as soon as none is in its way."""
    started = 0
    due = Connection.objects.leaving().filter(Q(retry_at=None) | Q(retry_at__lte=now)).select_related("workspace")
    for connection in due.order_by("pk")[:200]:
        with contextlib.suppress(SyncInProgress):
            create_job(
                workspace=connection.workspace,
                integration=connection.integration,
                connection=connection,
                triggered_by=SyncJob.Trigger.ADMIN,
                actor=(connection.leaving or {}).get("by", ""),
            )
            started += 1
    return started


def _dispatch(row: WorkspaceIntegration, now: dt.datetime, spread: Callable[[], float]) -> bool:
    planned = next_sync(row, now, spread)
    mine = WorkspaceIntegration.objects.filter(pk=row.pk, next_sync_at=row.next_sync_at)
    with transaction.atomic():
        if not mine.update(next_sync_at=planned) or planned is None:
            return False
        usable = scheduled_connections(row.workspace_id, row.integration)
        if not usable.filter(Q(retry_at=None) | Q(retry_at__lte=now)).exists():
            return False
        try:
            create_job(
                workspace=row.workspace,
                integration=row.integration,
                triggered_by=SyncJob.Trigger.SCHEDULE,
                actor="schedule",
            )
        except SyncInProgress as busy:
            if busy.job.narrowed:  # it covers a few accounts: all have their turn as soon as it is over
                WorkspaceIntegration.objects.filter(pk=row.pk).update(next_sync_at=row.next_sync_at)
            return False
    return True


def _adopt(now: dt.datetime, spread: Callable[[], float]) -> None:
    """Puts integrations on the schedule that have a connection and no time yet: connected, resumed, reconnected."""
    planned = WorkspaceIntegration.objects.filter(
        Q(next_sync_at__isnull=False) | Q(interval_minutes=0),
        workspace=OuterRef("workspace"),
        integration=OuterRef("integration"),
    )
    unplanned = Connection.objects.filter(~Exists(planned), state=ConnectionState.ACTIVE).order_by()
    for workspace_id, integration in unplanned.values_list("workspace_id", "integration").distinct()[:200]:
        row = integration_of(workspace_id, integration)
        WorkspaceIntegration.objects.filter(pk=row.pk, next_sync_at=None).update(
            next_sync_at=next_sync(row, now, spread)
        )


def after_job(job: SyncJob, now: dt.datetime | None = None, spread: Callable[[], float] = random.random) -> None:
    """Draws the consequences of a job's end; to be called once, when status, `finished_at` and parts are saved.

    Moves last_synced_at and the change feed's watermark, plans the next sync, counts failures in a row and pauses a
    connection that has had too many. A job about single records (`only`) moves none of these.
    """
    now = now or timezone.now()
    if job.only is not None:
        return
    with transaction.atomic():
        integration_of(job.workspace_id, job.integration)
        row = WorkspaceIntegration.objects.select_for_update().get(
            workspace_id=job.workspace_id, integration=job.integration
        )
        parts = list(job.parts.select_related("connection"))
        _went_well([part.connection_id for part in parts if part.status in _REACHED], now)
        _synced([part.connection_id for part in parts if part.status in _WHOLE], job, job.finished_at or now)
        if not job.narrowed:  # those are tried again soon: so many in a row would pause an account within the hour
            for part in _own_failures(job, parts, now):  # what went well is taken down at once: there may be hundreds
                _count_failure(part, now)
        looked(job, parts, [pk for part in parts for pk in failed_streams(part)], now)
        _integration(row, job, parts, now)
        if not job.narrowed and (_is_whole(job) or row.next_sync_at is None or row.next_sync_at <= now):
            row.next_sync_at = next_sync(row, now, spread)
        row.save(update_fields=["last_synced_at", "last_direction", "watermark", "failures", "next_sync_at"])


def _is_whole(job: SyncJob) -> bool:
    """Returns whether the job covered every account and kind: one of a part puts the next scheduled sync off by
    nothing."""
    return job.connection_id is None and not job.narrowed and _covers_all_kinds(job)


def _covers_all_kinds(job: SyncJob) -> bool:
    provider = PROVIDERS[job.integration]
    return provider.covers(job.scope) == provider.kinds


def _integration(row: WorkspaceIntegration, job: SyncJob, parts: list[JobPart], now: dt.datetime) -> None:
    if job.status in _WENT_THROUGH and all(part.status in _WHOLE for part in parts):
        active = Connection.objects.active().filter(workspace_id=row.workspace_id, integration=row.integration)
        covers_all = not active.exclude(pk__in={part.connection_id for part in parts}).exists()
        if covers_all or not job.narrowed:
            row.last_synced_at = job.finished_at or now
            row.last_direction = combined(part.direction for part in parts) or row.last_direction
        # Pushes and saved records leave it where it is: who reads what has changed since the last sync would else find
        # next to nothing.
        if _is_whole(job) and covers_all:
            row.watermark = row.feed_seq
        ours = Problem.objects.filter(workspace_id=job.workspace_id, integration=job.integration, connection=None)
        resolve(ours.filter(code=ProblemCode.INTERNAL_ERROR), now=now)
    if job.narrowed:
        return
    if job.status == JobStatus.FAILED:
        row.failures += 1
    elif job.status != JobStatus.CANCELLED:
        row.failures = 0


def _went_well(connection_ids: list[str], now: dt.datetime) -> None:
    refused = Connection.objects.filter(pk__in=connection_ids).exclude(refused_at=None)
    for connection_id in refused.values_list("pk", flat=True):
        went_well(connection_id, now)


def _synced(connection_ids: list[str], job: SyncJob, at: dt.datetime) -> None:
    connections = Connection.objects.filter(pk__in=connection_ids)
    connections.update(last_synced_at=at, failures=0, retry_at=None, backs_off_until=None)
    if _covers_all_kinds(job):  # one of the taxes alone says nothing of how old the invoices are
        connections.update(fresh_from=at)
    # It was paused by us for its failures and has just shown that it works. A person's pause stays.
    paused = connections.filter(state=ConnectionState.PAUSED, paused_by_person=False)
    for connection in paused.order_by("pk"):
        if paused.filter(pk=connection.pk).update(state=ConnectionState.ACTIVE, state_reason=""):
            connection.refresh_from_db()
            connection_moved(connection, ConnectionState.PAUSED)


def _own_failures(job: SyncJob, parts: list[JobPart], now: dt.datetime) -> list[JobPart]:
    """Returns the accounts that have failed by themselves: not those that a vendor lets wait which fails for all."""
    failed = {part: (part.error or {}).get("code") for part in parts if part.status == JobPart.Status.FAILED}
    counted = [part for part, code in failed.items() if code not in NOT_COUNTED]
    down = [part for part in counted if failed[part] == ProblemCode.PROVIDER_UNAVAILABLE]
    return [part for part in counted if part not in down] if down and is_out(job.integration, now) else counted


def _count_failure(part: JobPart, now: dt.datetime) -> None:
    Connection.objects.filter(pk=part.connection_id).update(failures=F("failures") + 1)
    _pause_after_too_many(part, now)


def _pause_after_too_many(part: JobPart, now: dt.datetime) -> None:
    limit = settings.PAUSE_AFTER_FAILURES
    reason = f"Paused after {limit} failed syncs in a row. Last time: {(part.error or {}).get('message', 'unknown')}"
    paused = Connection.objects.filter(pk=part.connection_id, state=ConnectionState.ACTIVE, failures__gte=limit).update(
        state=ConnectionState.PAUSED, paused_by_person=False, state_reason=reason[:300]
    )
    # A pause of ours is tried again now and then: what has ended may have ended for a long time.
    given_up = Connection.objects.filter(pk=part.connection_id, state=ConnectionState.PAUSED, paused_by_person=False)
    given_up.update(retry_at=now + LONGEST_BACKOFF)
    if paused:
        connection = Connection.objects.get(pk=part.connection_id)
        connection_moved(connection, ConnectionState.ACTIVE, code=(part.error or {}).get("code"))
        log.warning("connection_paused", connection_id=part.connection_id)
        connection_id = part.connection_id
        transaction.on_commit(lambda: alert_paused(connection_id), robust=True)
