"""One slice of a job: what it may still do, whose accounts it goes through, and what is written while it is ours."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from integrations.accounts import metering
from integrations.accounts.clients import open_remote
from integrations.accounts.metering import CallMeter, check_allowance
from integrations.accounts.people import check_account
from integrations.errors import ProblemCode, RateLimited
from integrations.jobs.accounts import connections_of
from integrations.jobs.at_once import AtOnce
from integrations.jobs.errors import job_error
from integrations.jobs.finishing import status_of
from integrations.jobs.interruptions import Cancelled, HandBack, SliceOver, gravest
from integrations.jobs.standing import IN_VAIN
from integrations.models import Connection, JobPart, JobStatus, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import ProviderClient
from integrations.queue import shutdown
from integrations.queue.lease import Lease, LeaseLost
from integrations.selectors.metering import midnight_after

LONGEST_WAIT = dt.timedelta(
    seconds=70
)  # a minute, and what our own pacing rounds up; a longer wait leaves the account out of this job
MAX_WAITS = 5
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

    def check_turn(self, connection: Connection) -> None:
        """Raises where the account may not be asked anything now: `RateLimited` where it has to wait."""
        self.check()
        self.check_account(connection)
        now = timezone.now()
        check_allowance(connection, PROVIDERS[self.job.integration], now)
        # The end of a day is what a limit waits for that was reached, and may since have been raised.
        waits = connection.retry_at and connection.retry_at > now and connection.retry_at != midnight_after(now)
        if connection.retry_at and waits and not connection.given_up:
            raise RateLimited("The provider asked us to wait.", retry_at=connection.retry_at)

    @contextlib.contextmanager
    def remote(self, connection: Connection, before_call: Callable[[], None]) -> Iterator[ProviderClient]:
        """Opens the account's client, whose calls are counted as the job's."""
        provider = PROVIDERS[self.job.integration]
        meter = CallMeter(connection, provider, job_id=self.job.pk, at_once=metering.IN_A_JOB)
        try:
            yield open_remote(connection, before_call=before_call, meter=meter)
        finally:
            meter.flush()

    def waits(self, part: JobPart, retry_at: dt.datetime) -> bool:
        """Returns whether the job waits for an account that has to, and notes until when: for a short while, and a few
        times in a row; then the account leaves the job."""
        if retry_at - timezone.now() > LONGEST_WAIT:
            return False
        done = SyncJob.objects.values_list("done", flat=True).get(pk=self.job.pk)
        waits, before = part.progress.get("waits", (0, done))
        part.progress["waits"] = (waits + 1 if before == done else 1, done)
        with self.held():
            part.save(update_fields=["progress"])
        if part.progress["waits"][0] > MAX_WAITS:
            return False
        self.waiting.append(retry_at)
        return True

    def end_failed(self, part: JobPart, code: str, message: str) -> None:
        """Ends an account's part with what has gone wrong."""
        part.error = job_error(code, message, part.connection_id)
        self.save(part, JobPart.Status.FAILED, error=part.error)

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
