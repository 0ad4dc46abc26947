"""Who may work on a job: a lease in the job's own row, kept alive by a heartbeat, lost for good when it runs out."""

import datetime as dt
import threading
import uuid
from types import TracebackType
from typing import Any, NamedTuple

import structlog
from django.db import connection as db
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.models import JobStatus, SyncJob
from integrations.queue import shutdown
from integrations.sync.isolation import RunEnds

BEAT = 5.0  # seconds
LEASE = dt.timedelta(seconds=30)

# Asked before each call and in each transaction, many times in a run: written down, since composing them takes Django
# ten times as long as they take.
_JOBS = SyncJob._meta.db_table
_RENEW = (
    f"UPDATE {_JOBS} SET lease_until = %s, heartbeat_at = %s WHERE id = %s AND lease_owner = %s AND lease_until >= %s"  # noqa: S608
)
_STANDING = f"SELECT lease_owner = %s, lease_until < %s, cancel_requested_at IS NOT NULL FROM {_JOBS} WHERE id = %s"  # noqa: S608

log = structlog.get_logger(__name__)


class JobStanding(NamedTuple):
    """`mine`: this worker has the job. `ends`: its lease runs out soon."""

    mine: bool
    ends: bool
    cancelled: bool


class LeaseLost(RunEnds):
    """Another worker has, or may have, the job now: write nothing more."""


class Lease:
    """One worker's right to a job. Use it as a context manager: a thread of its own renews it until the end."""

    def __init__(self, job_id: str, owner: str):
        self.job_id, self.owner = job_id, owner
        self.begins = False  # whether it is the job's first
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def claim(cls, job_id: str) -> "Lease | None":
        """Takes a job that is queued and due, or whose lease has run out; None when there is nothing to take."""
        now = timezone.now()
        lease = cls(job_id, f"{shutdown.cluster_name()}:{uuid.uuid4().hex[:12]}")
        due = Q(run_after=None) | Q(run_after__lte=now)
        free = Q(status=JobStatus.QUEUED, lease_owner="") | Q(status=JobStatus.RUNNING, lease_owner="")
        abandoned = Q(status__in=(JobStatus.QUEUED, JobStatus.RUNNING), lease_until__lt=now)
        claimed = SyncJob.objects.filter((free & due) | abandoned, pk=job_id).update(
            status=JobStatus.RUNNING,
            lease_owner=lease.owner,
            lease_until=now + LEASE,
            heartbeat_at=now,
            run_after=None,
            attempts=F("attempts") + 1,
        )
        if not claimed:
            return None
        lease.begins = bool(SyncJob.objects.filter(pk=job_id, started_at=None).update(started_at=now))
        return lease

    def _mine(self) -> QuerySet[SyncJob]:
        return SyncJob.objects.filter(pk=self.job_id, lease_owner=self.owner)

    def assert_held(self) -> None:
        """Renews the lease; called first in every transaction of the run, so that nothing is written without it."""
        now = timezone.now()
        at, until = (db.ops.adapt_datetimefield_value(moment) for moment in (now, now + LEASE))
        with db.cursor() as cursor:
            cursor.execute(_RENEW, [until, at, self.job_id, self.owner, at])
            if not cursor.rowcount:
                raise LeaseLost(self.job_id)

    def standing(self, soon: dt.timedelta) -> "JobStanding":
        """Returns how it is with the job, by one read; a job that is deleted is nobody's."""
        then = db.ops.adapt_datetimefield_value(timezone.now() + soon)
        with db.cursor() as cursor:
            cursor.execute(_STANDING, [self.owner, then, self.job_id])
            return JobStanding(*map(bool, cursor.fetchone() or (False, False, False)))

    def let_go(self, **values: Any) -> bool:
        """Gives the job up, with its last values; false when it was lost before."""
        return bool(self._mine().update(lease_owner="", lease_until=None, **values))

    def __enter__(self) -> "Lease":
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {self.job_id}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _beat(self) -> None:
        """Keeps the lease alive through a slow answer of the provider."""
        try:
            while not self._ended.wait(BEAT):
                try:
                    self.assert_held()
                except LeaseLost:
                    return
                except Exception:
                    log.warning("heartbeat_failed", job_id=self.job_id, exc_info=True)
        finally:
            db.close()
