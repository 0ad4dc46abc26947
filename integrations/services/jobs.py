"""What can be done with jobs: trigger, ring the worker, cancel. Finishing them is the runner's business."""

from typing import Any

import structlog
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.models import Member, Workspace
from integrations.accounts.leaving import abandon_leaving
from integrations.events.jobs import sync_ended
from integrations.models import Connection, JobStatus, NotConnectedReason, SyncJob, not_connected_reason
from integrations.providers import PROVIDERS
from integrations.push.looking import back_off
from integrations.queue.enqueue import SyncInProgress, active_job, create_job
from integrations.queue.ring import ring
from integrations.selectors.connections import way_on_url
from integrations.selectors.links import connect_url

log = structlog.get_logger(__name__)


_NOT_CONNECTED = {
    NotConnectedReason.NEEDS_RECONNECT: "{label} has withdrawn the permission to sync. Connect the account again.",
    NotConnectedReason.NEEDS_PERMISSION: "{label} is connected without a permission that the sync needs. Connect it "
    "again and tick every box.",
    NotConnectedReason.MEMBER_INACTIVE: "The people whose {label} accounts are connected are not active any more. Make "
    "one of them active again, or connect another account.",
    NotConnectedReason.DISCONNECTED: "{label} was disconnected. Connect it again to sync.",
    NotConnectedReason.NEVER_CONNECTED: "{label} is not connected yet. Connect it and finish its set-up first.",
}


class NotConnected(Exception):
    """No account of the integration can sync, for this `reason`; or `connection` cannot, which was asked for."""

    def __init__(self, integration: str, reason: NotConnectedReason, connection: Connection | None = None):
        self.reason = reason
        self.connect_url = way_on_url(connection) if connection else connect_url(integration)
        super().__init__(_NOT_CONNECTED[reason].format(label=PROVIDERS[integration].label))


class JobFinished(Exception):
    """The job is over; there is nothing left to cancel."""

    def __init__(self, job: SyncJob):
        self.job = job
        super().__init__(f"This job has already ended ({job.status}). There is nothing to cancel.")


def require_usable(connection: Connection) -> None:
    """Raises NotConnected, which leads to this very account, unless it is usable."""
    if reason := not_connected_reason([connection.state_now]):
        raise NotConnected(connection.integration, reason, connection)


def require_connected(workspace: Workspace, integration: str, connection: Connection | None = None) -> None:
    """Raises NotConnected unless the connection, or without one any of the integration's, is usable."""
    if connection is not None:
        states = [connection.state_now]
    else:
        found = Connection.objects.filter(workspace=workspace, integration=integration).select_related("member")
        states = [each.state_now for each in found]
    if reason := not_connected_reason(states):
        raise NotConnected(integration, reason)


# Written out because composing it takes longer than running it, and a trigger is to be quick (bench/trigger.py).
_STANDING = (
    f"SELECT CASE WHEN person.id IS NOT NULL AND NOT person.is_active AND state IN ('active', 'paused') "  # noqa: S608
    f"THEN 'member_inactive' ELSE state END, '' FROM {Connection._meta.db_table} AS account "
    f"LEFT JOIN {Member._meta.db_table} AS person ON person.id = account.member_id "
    "WHERE account.workspace_id = %s AND integration = %s "
    f"UNION SELECT '', id FROM {SyncJob._meta.db_table} "
    "WHERE workspace_id = %s AND integration = %s AND status IN ('queued', 'running') "
    # `enqueue.gives_way`
    "AND NOT (narrowed AND status = 'queued' AND started_at IS NULL AND lease_owner = '' "
    "AND cancel_requested_at IS NULL)"
)


def check_trigger(workspace: Workspace, integration: str, connection: Connection | None = None) -> None:
    """Raises what a trigger would raise now, by one plain read: it spares a trigger in vain the write lock."""
    with database.cursor() as cursor:
        cursor.execute(_STANDING, [workspace.pk, integration] * 2)
        found = cursor.fetchall()
    states = [state for state, _job in found if state]
    if reason := not_connected_reason([connection.state_now] if connection else states):
        raise NotConnected(integration, reason)
    if any(job_id for _state, job_id in found) and (job := active_job(workspace, integration)):
        raise SyncInProgress(job)


def trigger_sync(
    *, workspace: Workspace, integration: str, connection: Connection | None = None, **fields: Any
) -> SyncJob:
    """Guards and creates. Raises NotConnected, or SyncInProgress if a job is in flight; fields as of `create_job`."""
    check_trigger(workspace, integration, connection)
    return create_job(workspace=workspace, integration=integration, connection=connection, **fields)


def cancel_job(*, job: SyncJob, actor: str) -> SyncJob:
    """Ends a job that has not started; asks a running one to stop. Raises JobFinished if it is over."""
    now = timezone.now()
    waiting = SyncJob.objects.filter(pk=job.pk, status=JobStatus.QUEUED, started_at=None, lease_owner="")
    with transaction.atomic():
        if cancelled := waiting.update(status=JobStatus.CANCELLED, cancel_requested_at=now, finished_at=now):
            job.refresh_from_db()
            sync_ended(job)
    if cancelled:
        log.info("job_cancelled", job_id=job.pk, actor=actor)
        if job.connection_id and job.leaves:
            abandon_leaving(job.connection_id)
        if job.narrowed:  # what it was made for waits a while before it makes another
            back_off(list(job.parts.values_list("connection", flat=True)), now)
        return job
    in_flight = SyncJob.objects.in_flight().filter(pk=job.pk)
    if in_flight.filter(cancel_requested_at=None).update(cancel_requested_at=now, run_after=None):
        log.info("job_cancel_requested", job_id=job.pk, actor=actor)
        transaction.on_commit(lambda: ring(job.pk), robust=True)
    job.refresh_from_db()
    if not job.in_flight:
        raise JobFinished(job)
    return job
