"""The daily work: what is older than its published retention goes, a few thousand rows at a time, so that nobody waits
long for the write lock."""

import datetime as dt
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from fieldcamp.api import expiry
from fieldcamp.api import services as api
from fieldcamp.signin import sessions
from fieldcamp.webhooks import retention
from fieldcamp.workspace import audit_chain
from fieldcamp.workspace.listing import TOMBSTONES_KEPT
from fieldcamp.workspace.models import Change
from integrations.calendar import busy
from integrations.jobs.deleted import prune_deleted
from integrations.ledger.call_rows import prune_surplus
from integrations.ledger.plans import KEPT
from integrations.mail import endings
from integrations.models import (
    ChangeRow,
    ConnectLink,
    DailyCalls,
    Heartbeat,
    JobCall,
    JobItem,
    Plan,
    Problem,
    ReceivedPush,
    ReceivedSecurityEvent,
    RecordCall,
    SummaryMail,
    SyncJob,
    VendorOutage,
    WorkspaceIntegration,
)
from integrations.push import channels
from integrations.reconciliation.reading import forget_readings
from integrations.selectors.push_switch import REFUSED

log = structlog.get_logger(__name__)

CHUNK = 2_000
AUDIT_KEPT = dt.timedelta(days=365)  # at least: vendors ask for a year of it
CALLS_KEPT = dt.timedelta(days=400)  # counts of calls, so that a month can be held against that of last year

# Longer than an event token may be old and still be believed (`providers.security_events`): none is acted on twice.
EVENTS_KEPT = dt.timedelta(days=60)
PUSHES_KEPT = dt.timedelta(days=7)
LINKS_KEPT = dt.timedelta(days=90)


def daily(now: dt.datetime) -> None:
    """Prunes feed, jobs, change log, audit trail and what was deleted; warns of keys and consents that end; expands
    recurring busy time anew."""
    pruned = {
        "feed": prune_feed(now - dt.timedelta(days=settings.FEED_RETENTION_DAYS)),
        # Before the jobs, which would have to take theirs with them.
        "job_calls": _delete_in_chunks(
            JobCall.objects.filter(at__lt=now - dt.timedelta(days=settings.JOB_CALL_RETENTION_DAYS))
        ),
        "record_calls": _delete_in_chunks(
            RecordCall.objects.filter(at__lt=now - dt.timedelta(days=settings.RECORD_CALL_RETENTION_DAYS))
        ),
        "record_calls_over": prune_surplus(),
        "daily_calls": _delete_in_chunks(DailyCalls.objects.filter(day__lt=now.date() - CALLS_KEPT)),
        "plans": _delete_in_chunks(Plan.objects.filter(expires_at__lt=now - KEPT)),
        "jobs": prune_jobs(now - dt.timedelta(days=settings.JOB_RETENTION_DAYS)),
        "changes": _delete_in_chunks(
            Change.objects.filter(at__lt=now - dt.timedelta(days=settings.CHANGE_RETENTION_DAYS))
        ),
        "deleted": prune_deleted(now - dt.timedelta(days=settings.DELETED_RETENTION_DAYS), now - TOMBSTONES_KEPT),
        "problems": _delete_in_chunks(
            Problem.objects.filter(resolved_at__lt=now - dt.timedelta(days=settings.JOB_RETENTION_DAYS))
        ),
        "audit_sealed": audit_chain.seal_all(),
        "audit": audit_chain.prune(now - max(AUDIT_KEPT, dt.timedelta(days=settings.CHANGE_RETENTION_DAYS))),
        "api": api.prune(now),
        "sessions": sessions.prune(now),
        "heartbeats": _delete_in_chunks(
            Heartbeat.objects.filter(at__lt=now - dt.timedelta(days=1)).exclude(name__startswith=REFUSED)
        ),
        "push_channels": channels.prune(now),
        "readings": forget_readings(now - dt.timedelta(hours=1)),
        "security_events": _delete_in_chunks(ReceivedSecurityEvent.objects.filter(received_at__lt=now - EVENTS_KEPT)),
        "pushes": _delete_in_chunks(ReceivedPush.objects.filter(received_at__lt=now - PUSHES_KEPT)),
        "summaries": _delete_in_chunks(SummaryMail.objects.filter(made_at__lt=now - dt.timedelta(days=90))),
        "connect_links": _delete_in_chunks(ConnectLink.objects.filter(expires_at__lt=now - LINKS_KEPT)),
        "outages": _delete_in_chunks(VendorOutage.objects.filter(closed_at__lt=now - dt.timedelta(days=90))),
    }
    pruned |= {f"webhook_{name}": count for name, count in retention.prune(now).items()}
    log.info("pruned", **pruned)
    expiry.warn(now)
    endings.warn(now)
    busy.expand_all(now)


def prune_feed(before: dt.datetime) -> int:
    """Drops feed rows recorded before that, and notes how far: older cursors are answered with 410 from then on."""
    old = ChangeRow.objects.filter(changed_at__lt=before).order_by()
    ends = list(old.values_list("workspace_id", "integration").annotate(Max("seq")))
    count = 0
    for workspace_id, integration, end in ends:
        rows = ChangeRow.objects.filter(workspace_id=workspace_id, integration=integration, seq__lte=end)
        # The note first: a reader must never find rows missing without being told.
        WorkspaceIntegration.objects.filter(
            workspace_id=workspace_id, integration=integration, feed_pruned_to__lt=end
        ).update(feed_pruned_to=end)
        count += _delete_in_chunks(rows)
    return count


def prune_jobs(before: dt.datetime) -> int:
    """Drops jobs that ended before that, with their items and parts."""
    count = 0
    while ids := list(SyncJob.objects.filter(finished_at__lt=before).order_by("pk").values_list("pk", flat=True)[:100]):
        _delete_in_chunks(JobItem.objects.filter(job__in=ids))
        _delete_in_chunks(JobCall.objects.filter(job__in=ids))
        with transaction.atomic():
            SyncJob.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def _delete_in_chunks(rows: QuerySet[Any]) -> int:
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        rows.model._base_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count
