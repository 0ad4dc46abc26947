"""What can be done with jobs: trigger, ring the worker, cancel. Finishing them is the runner's business."""

from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fieldcamp.statements import Insert
from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, ConnectionState, JobStatus, SyncJob
from integrations.models.jobs import IN_FLIGHT
from integrations.providers import PROVIDERS

log = structlog.get_logger(__name__)


class NotConnected(Exception):
    """No account can sync. `reason`: never_connected, disconnected, needs_reconnect or needs_permission."""

    def __init__(self, integration: str, reason: str):
        self.reason = reason
        self.connect_url = connect_url(integration)
        label = PROVIDERS[integration].label
        super().__init__(
            {
                "needs_reconnect": f"{label} has withdrawn the permission to sync. Connect the account again.",
                "needs_permission": f"{label} is connected without a permission that the sync needs. Connect it again "
                "and tick every box.",
                "disconnected": f"{label} was disconnected. Connect it again to sync.",
                "never_connected": f"{label} is not connected yet. Connect it and finish its set-up first.",
            }[reason]
        )


class SyncInProgress(Exception):
    """A job of this integration is queued or running: `job`."""

    def __init__(self, job: SyncJob):
        self.job = job
        super().__init__(
            f"A sync of this integration is already {job.status}. Poll job {job.id} and trigger again when it is over."
        )


class JobFinished(Exception):
    """The job is over; there is nothing left to cancel."""

    def __init__(self, job: SyncJob):
        self.job = job
        super().__init__(f"This job has already ended ({job.status}). There is nothing to cancel.")


def connect_url(integration: str) -> str:
    """Where a person connects (or repairs) this integration."""
    slug = PROVIDERS[integration].slug
    return f"{settings.PUBLIC_URL}{reverse('admin:index')}integrations/connect/{slug}/"


def missing_reason(states: list[str]) -> str | None:
    """Why none of these connections can sync; None if one can."""
    if ConnectionState.ACTIVE in states or ConnectionState.PAUSED in states:
        return None
    for state in (ConnectionState.NEEDS_RECONNECT, ConnectionState.NEEDS_PERMISSION, ConnectionState.DISCONNECTED):
        if state in states:
            return state.value
    return "never_connected"


def require_connected(workspace: Workspace, integration: str, connection: Connection | None = None) -> None:
    """Raises NotConnected unless the connection, or without one any of the integration's, is usable."""
    if connection is not None:
        states = [connection.state]
    else:
        found = Connection.objects.filter(workspace=workspace, integration=integration).order_by()
        states = list(found.values_list("state", flat=True).distinct())
    if reason := missing_reason(states):
        raise NotConnected(integration, reason)


def active_job(workspace: Workspace, integration: str) -> SyncJob | None:
    return SyncJob.objects.filter(workspace=workspace, integration=integration, status__in=IN_FLIGHT).first()


# Written out because composing it takes longer than running it, and a trigger is to be quick (bench/trigger.py).
_STANDING = (
    f"SELECT state, '' FROM {Connection._meta.db_table} WHERE workspace_id = %s AND integration = %s "  # noqa: S608
    f"UNION SELECT '', id FROM {SyncJob._meta.db_table} "
    "WHERE workspace_id = %s AND integration = %s AND status IN ('queued', 'running')"
)


def check_trigger(workspace: Workspace, integration: str, connection: Connection | None = None) -> None:
    """Raises what a trigger would raise now, by one plain read: it spares a trigger in vain the write lock."""
    with database.cursor() as cursor:
        cursor.execute(_STANDING, [workspace.pk, integration] * 2)
        found = cursor.fetchall()
    states = [state for state, _job in found if state]
    if reason := missing_reason([connection.state] if connection else states):
        raise NotConnected(integration, reason)
    if any(job_id for _state, job_id in found) and (job := active_job(workspace, integration)):
        raise SyncInProgress(job)


_CREATED_WITH = (
    "id", "workspace_id", "integration", "mode", "scope", "connection_id", "only", "triggered_by", "actor",
    "request_id", "created_at", "rung_at",
)  # fmt: skip
_insert_job = Insert(SyncJob, _CREATED_WITH)


def create_job(
    *,
    workspace: Workspace,
    integration: str,
    mode: str = SyncJob.Mode.INCREMENTAL,
    scope: str = "",
    connection: Connection | None = None,
    only: list | dict | None = None,
    triggered_by: str,
    actor: str,
    request_id: str = "",
) -> SyncJob:
    """A new queued job, rung after commit. Raises SyncInProgress: the unique constraint `one_job_in_flight` decides."""
    now = timezone.now()
    job = SyncJob(
        workspace=workspace,
        integration=integration,
        mode=mode,
        scope=scope,
        connection=connection,
        only=only,
        triggered_by=triggered_by,
        actor=actor[:200],
        request_id=request_id[:40],
        created_at=now,
        rung_at=now,
    )
    while not _inserted(job):
        # Unless the one that was in the way has ended since: then this one can have its turn.
        if winner := active_job(workspace, integration):
            raise SyncInProgress(winner)
    return job


def _inserted(job: SyncJob) -> bool:
    # The insertion says what is in its way instead of raising, so that neither needs a savepoint.
    with transaction.atomic(savepoint=False):
        if inserted := _insert_job(*(getattr(job, name) for name in _CREATED_WITH)):
            job._state.adding = False
            _ring_with(job.pk)
    return inserted


def trigger_sync(
    *, workspace: Workspace, integration: str, connection: Connection | None = None, **fields: Any
) -> SyncJob:
    """Guards and creates. Raises NotConnected, or SyncInProgress if a job is in flight; fields as of `create_job`."""
    check_trigger(workspace, integration, connection)
    return create_job(workspace=workspace, integration=integration, connection=connection, **fields)


def _ring_with(job_id: str) -> None:
    """Rings for a job that the transaction at hand makes. A queue in the same database takes part in the transaction,
    which saves a commit; any other is told after it."""
    if settings.REDIS_URL:
        transaction.on_commit(lambda: ring(job_id), robust=True)
    else:
        ring(job_id)


def ring(job_id: str) -> None:
    """Tells a worker that this job waits. Never fails the caller: the sweeper rings again."""
    try:
        async_task("integrations.jobs.tasks.run_job", job_id, broker=queue_broker())
    except Exception:
        log.exception("ring_failed", job_id=job_id)


_insert_task = Insert(OrmQ, ["key", "payload", "lock"])


class DatabaseBroker(ORM):
    """The queue in the database, told by a statement composed once: half of what a ring takes otherwise."""

    def enqueue(self, task: str) -> None:
        _insert_task(self.list_key, task, timezone.now())


@lru_cache(maxsize=1)
def queue_broker() -> Broker:
    """One broker for the process: a new one for each task would open a connection each time."""
    if not settings.REDIS_URL:
        return DatabaseBroker(list_key=Conf.CLUSTER_NAME)
    broker = get_broker()
    # With redis-py's own retries a dead server would hold every trigger for five seconds.
    broker.connection = Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    return broker


def cancel_job(*, job: SyncJob, actor: str) -> SyncJob:
    """Ends a job that has not started; asks a running one to stop. Raises JobFinished if it is over."""
    now = timezone.now()
    waiting = SyncJob.objects.filter(pk=job.pk, status=JobStatus.QUEUED, started_at=None, lease_owner="")
    if waiting.update(status=JobStatus.CANCELLED, cancel_requested_at=now, finished_at=now):
        log.info("job_cancelled", job_id=job.pk, actor=actor)
        job.refresh_from_db()
        return job
    in_flight = SyncJob.objects.filter(pk=job.pk, status__in=IN_FLIGHT)
    if in_flight.filter(cancel_requested_at=None).update(cancel_requested_at=now, run_after=None):
        log.info("job_cancel_requested", job_id=job.pk, actor=actor)
        transaction.on_commit(lambda: ring(job.pk), robust=True)
    job.refresh_from_db()
    if not job.in_flight:
        raise JobFinished(job)
    return job
