"""Putting a job in the queue: its row, and the ring that tells a worker of it."""

from django.db import transaction
from django.utils import timezone

from fieldcamp.statements import Insert
from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, SyncJob
from integrations.queue.ring import ring_within


class SyncInProgress(Exception):
    """A job of this integration is queued or running: `job`."""

    def __init__(self, job: SyncJob):
        self.job = job
        super().__init__(
            f"A sync of this integration is already {job.status}. Poll job {job.id} and trigger again when it is over."
        )


def active_job(workspace: Workspace, integration: str) -> SyncJob | None:
    return SyncJob.objects.in_flight().filter(workspace=workspace, integration=integration).first()


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
    only: list[int] | None = None,
    triggered_by: str,
    actor: str,
    request_id: str = "",
) -> SyncJob:
    """Returns a new queued job, rung after commit. Raises SyncInProgress: the unique constraint `one_job_in_flight`
    decides."""
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
            ring_within(job.pk)
    return inserted
