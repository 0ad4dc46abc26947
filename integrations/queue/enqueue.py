"""Putting a job in the queue: its row, and the ring that tells a worker of it."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.statements import Insert
from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, JobPart, JobStatus, SyncJob
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
    "request_id", "created_at", "rung_at", "narrowed", "dry_run", "applies",
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
    narrowed: bool = False,
    dry_run: bool = False,
    applies: str = "",
) -> SyncJob:
    """Returns a queued job, rung after commit. Raises SyncInProgress: the unique constraint `one_job_in_flight`
    decides.

    A `narrowed` one is made for some accounts, whose parts the caller adds in the same transaction. It gives way to any
    other as long as nobody has begun it: the other takes its place, and its number.
    """
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
        narrowed=narrowed,
        dry_run=dry_run,
        applies=applies,
    )
    while not _inserted(job):
        # Unless the one that was in the way has ended since: then this one can have its turn.
        if winner := active_job(workspace, integration):
            if not narrowed and _took_place_of(winner, job):
                return SyncJob.objects.get(pk=winner.pk)
            raise SyncInProgress(winner)
    return job


def gives_way(jobs: QuerySet[SyncJob]) -> QuerySet[SyncJob]:
    """Returns those that nobody asked for by name and nobody has begun: a push or a saved record made them."""
    return jobs.filter(
        narrowed=True, status=JobStatus.QUEUED, started_at=None, lease_owner="", cancel_requested_at=None
    )


_TAKEN_OVER = (
    "mode", "scope", "connection_id", "only", "triggered_by", "actor", "request_id", "created_at", "narrowed",
    "dry_run", "applies",
)  # fmt: skip


def _took_place_of(waiting: SyncJob, job: SyncJob) -> bool:
    """Makes a job that gives way the one that is wanted, unless a worker is first: both write the same row, and only on
    the condition that it is still free. What it was made for is part of the wanted one, or stays due."""
    with transaction.atomic(savepoint=False):
        values = {name: getattr(job, name) for name in _TAKEN_OVER}
        if not gives_way(SyncJob.objects.filter(pk=waiting.pk)).update(**values):
            return False
        JobPart.objects.filter(job=waiting.pk).delete()
    return True


def _inserted(job: SyncJob) -> bool:
    # The insertion says what is in its way instead of raising, so that neither needs a savepoint.
    with transaction.atomic(savepoint=False):
        if inserted := _insert_job(*(getattr(job, name) for name in _CREATED_WITH)):
            job._state.adding = False
            ring_within(job.pk)
    return inserted
