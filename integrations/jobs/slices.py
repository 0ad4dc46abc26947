"""One slice of a job: what it may still do, whose accounts it goes through, and what is written while it is ours."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from integrations.accounts.people import check_account
from integrations.errors import ProblemCode
from integrations.jobs.accounts import connections_of
from integrations.jobs.at_once import AtOnce
from integrations.jobs.finishing import status_of
from integrations.jobs.interruptions import Cancelled, HandBack, SliceOver, gravest
from integrations.jobs.standing import IN_VAIN
from integrations.models import Connection, JobPart, JobStatus, SyncJob
from integrations.queue import shutdown
from integrations.queue.lease import Lease, LeaseLost

SLICE = 60.0  # seconds of one slice; the queue's time-out has room for the longest call besides
LONGEST_CALL = dt.timedelta(seconds=25)  # longer than a usual send (transport.client.SEND_LIMIT)


class Slice:
    """One slice of a job. Subclasses say what is done for one account."""

    def __init__(self, job: SyncJob, lease: Lease):
        self.job, self.lease = job, lease
        self.ends = time.monotonic() + SLICE
        self.at_once = AtOnce(settings.ACCOUNTS_AT_ONCE)
        self.waiting: list[dt.datetime] = []  # until when accounts wait that have not left the job

    def part(self, part: JobPart) -> None:
        """Does what the job does for one account."""
        raise NotImplementedError

    def fail(self, part: JobPart, code: str, message: str, detail: str = "") -> None:
        """Ends an account's part of the job."""
        raise NotImplementedError

    def status(self, parts: list[JobPart]) -> str:
        """Returns what the job has come to."""
        return status_of(parts)

    def work(self) -> str | dt.datetime:
        """Returns what the job has come to, or until when it waits."""
        self.check()
        parts = list(self.parts())
        left = [part for part in parts if part.status in (JobPart.Status.WAITING, JobPart.Status.RUNNING)]
        if raised := self.at_once.each(left, self.part):
            raise gravest(raised)
        if self.waiting:
            return max(self.waiting)
        return self.status(parts) if parts or not self.job.narrowed else JobStatus.CANCELLED

    def give_up(self) -> str:
        """Ends a job whose slices lead nowhere; the accounts that are through keep what they have come to."""
        parts = list(self.parts())
        for part in parts:
            if part.status not in JobPart.OVER:
                self.fail(part, ProblemCode.INTERNAL_ERROR, f"{part.connection.account_name}: {IN_VAIN}")
        return self.status(parts)

    def checkpoint(self) -> None:
        self.check()
        if time.monotonic() > self.ends:
            raise SliceOver

    def check(self) -> None:
        """Raises where the job is not ours any more, or not wanted; called before each provider call."""
        self.at_once.check()
        standing = self.lease.standing(LONGEST_CALL)
        if not standing.mine:
            raise LeaseLost(self.job.pk)
        if standing.ends:  # the heartbeat could not write, say
            self.lease.assert_held()
        if standing.cancelled:
            raise Cancelled
        if shutdown.requested():
            raise HandBack

    def check_account(self, connection: Connection) -> None:
        """Raises where the account may not be used any more, or is to be left since this slice has begun."""
        if check_account(connection.pk) != (connection.leaving is not None):
            raise SliceOver

    def parts(self) -> QuerySet[JobPart]:
        """Returns the job's accounts, fixed when its first slice starts; until then one that is paused leaves it."""
        job = self.job
        parts = job.parts.select_related("connection__workspace", "connection__member")
        if job.narrowed:
            if not parts.exclude(status=JobPart.Status.WAITING).exists():
                with self.held():
                    job.parts.exclude(connection__in=connections_of(job)).delete()
        elif not parts.exists():
            with self.held():
                JobPart.objects.bulk_create([JobPart(job=job, connection=c) for c in connections_of(job)])
        return parts.all()

    def save(self, part: JobPart, status: str, **values: Any) -> None:
        part.status = status
        with self.held():
            JobPart.objects.filter(pk=part.pk).update(status=status, **values)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Opens a transaction that writes only while the job is ours."""
        with transaction.atomic():
            self.lease.assert_held()
            yield
