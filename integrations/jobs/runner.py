"""Running a job: slice by slice, several accounts at a time. An account that fails fails alone."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.workspace.attribution import attributed
from integrations.accounts import metering
from integrations.accounts.clients import open_remote
from integrations.accounts.leaving import abandon_leaving, put_off_leaving
from integrations.accounts.metering import CallMeter, check_allowance
from integrations.accounts.people import check_account
from integrations.books.totals import compare_totals, invoices_seen_since
from integrations.errors import AllowanceSpent, ProblemCode, ProviderError, RateLimited
from integrations.events.jobs import sync_started
from integrations.jobs.accounts import TOLD_BY_THE_STATE, connections_of, end_access, streams_of
from integrations.jobs.at_once import AtOnce
from integrations.jobs.directions import DIRECTIONS, combined
from integrations.jobs.finishing import finish, status_of
from integrations.jobs.interruptions import Cancelled, HandBack, SliceOver, gravest
from integrations.jobs.standing import IN_VAIN, standing
from integrations.jobs.stream_failures import UNEXPECTED, StreamFailures
from integrations.jobs.streams import FATAL, stream_run
from integrations.jobs.sweeper import MAX_ATTEMPTS
from integrations.ledger.private import where
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, JobPart, JobStatus, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import ProviderClient
from integrations.queue import shutdown
from integrations.queue.lease import Lease, LeaseLost
from integrations.queue.ring import ring
from integrations.records import instant
from integrations.selectors.metering import midnight_after
from integrations.sync.ports import Phase

SLICE = 60.0  # seconds of one slice; the queue's time-out has room for the longest call besides
LONGEST_WAIT = dt.timedelta(
    seconds=70
)  # a minute, and what our own pacing rounds up; a longer wait leaves the account out of this job
MAX_WAITS = 5
LONGEST_CALL = dt.timedelta(seconds=25)  # longer than a usual send (transport.client.SEND_LIMIT)
_CLEARED_BY_SUCCESS = (
    ProblemCode.PROVIDER_UNAVAILABLE,
    ProblemCode.RATE_LIMITED,
    ProblemCode.MISCONFIGURED,
    ProblemCode.INTERNAL_ERROR,
    ProblemCode.CALENDAR_UNAVAILABLE,
)

log = structlog.get_logger(__name__)


def run(job_id: str) -> None:
    """Claims the job and works on it for one slice. Does nothing when somebody else has it, or when it is over."""
    with transaction.atomic():
        lease = Lease.claim(job_id)
        if lease is None:
            return
        job = SyncJob.objects.select_related("workspace").get(pk=job_id)
        if lease.begins:
            sync_started(job)
    with lease, structlog.contextvars.bound_contextvars(job_id=job.pk, request_id=job.request_id):
        log.info("job_slice", attempt=job.attempts, mode=job.mode)
        slice_ = _Slice(job, lease)
        before = standing(job)
        try:
            try:
                slice_.work()
            except Cancelled:
                finish(job, lease, JobStatus.CANCELLED)
                if job.connection_id:
                    abandon_leaving(job.connection_id)
        except SliceOver:
            if standing(job) != before:
                _go_on(job, lease, timezone.now(), progressed_at=timezone.now())
            elif job.attempts < MAX_ATTEMPTS:
                log.warning("job_slice_in_vain", attempt=job.attempts)
                _go_on(job, lease, timezone.now(), attempts=job.attempts)
            else:
                slice_.give_up()
        except HandBack:
            log.info("job_handed_back")
            _go_on(job, lease, timezone.now(), status=JobStatus.QUEUED)
        except LeaseLost:
            log.warning("job_lease_lost")


def _go_on(job: SyncJob, lease: Lease, when: dt.datetime, **values: Any) -> None:
    """Frees the job for its next slice. It is no failed attempt, unless `attempts` says so."""
    job.refresh_from_db(fields=["attempts"])
    lease.let_go(**{"run_after": when, "rung_at": timezone.now(), "attempts": max(0, job.attempts - 1), **values})
    if when <= timezone.now():
        ring(job.pk)


class _Slice:
    def __init__(self, job: SyncJob, lease: Lease):
        self.job, self.lease = job, lease
        self.ends = time.monotonic() + SLICE
        self.at_once = AtOnce(settings.ACCOUNTS_AT_ONCE)
        self._waiting: list[dt.datetime] = []  # until when accounts wait that have not left the job

    def work(self) -> None:
        self.check()
        parts = list(self._parts())
        left = [part for part in parts if part.status in (JobPart.Status.WAITING, JobPart.Status.RUNNING)]
        if raised := self.at_once.each(left, self._part):
            raise gravest(raised)
        if self._waiting:
            _go_on(self.job, self.lease, max(self._waiting))
        else:
            finish(self.job, self.lease, status_of(parts) if parts or not self.job.narrowed else JobStatus.CANCELLED)

    def give_up(self) -> None:
        """Ends a job whose slices lead nowhere; the accounts that are through keep what they have come to."""
        parts = list(self._parts())
        for part in parts:
            if part.status not in JobPart.OVER:
                self._fail(part, ProblemCode.INTERNAL_ERROR, f"{part.connection.account_name}: {IN_VAIN}")
        finish(self.job, self.lease, status_of(parts))

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

    def _check_account(self, connection: Connection) -> None:
        """Raises where the account may not be used any more, or is to be left since this slice has begun."""
        if check_account(connection.pk) != (connection.leaving is not None):
            raise SliceOver

    def _parts(self) -> QuerySet[JobPart]:
        """Returns the job's accounts, fixed when its first slice starts; until then one that is paused leaves it."""
        job = self.job
        parts = job.parts.select_related("connection__workspace", "connection__member")
        if job.narrowed:
            if not parts.exclude(status=JobPart.Status.WAITING).exists():
                with self._held():
                    job.parts.exclude(connection__in=connections_of(job)).delete()
        elif not parts.exists():
            with self._held():
                JobPart.objects.bulk_create([JobPart(job=job, connection=c) for c in connections_of(job)])
        return parts.all()

    def _part(self, part: JobPart) -> None:
        now = timezone.now()
        connection = part.connection
        try:
            self.check()
            self._check_account(connection)
            check_allowance(connection, PROVIDERS[self.job.integration], now)
            # The end of a day is what a limit waits for that was reached, and may since have been raised.
            waits = connection.retry_at and connection.retry_at > now and connection.retry_at != midnight_after(now)
            if connection.retry_at and waits and not connection.given_up:
                raise RateLimited("The provider asked us to wait.", retry_at=connection.retry_at)
            self._save(part, JobPart.Status.RUNNING)
            failures = StreamFailures(part, streams_of(part), self._held)
            held = JobPart.Status.HELD if self._streams(part, failures) else None
            self._compare_totals(part)
            part.status = held or failures.status()
            with self._held():
                JobPart.objects.filter(pk=part.pk).update(status=part.status, direction=part.direction)
                if not len(failures) and "" in failures.told_of:
                    resolve_problems(connection, now=timezone.now(), codes=_CLEARED_BY_SUCCESS, record_ids=[""])
            if connection.leaving is not None:
                failures.settle_leaving()
        except RateLimited as error:
            with self._held():  # its own time, which nobody comes before
                Connection.objects.filter(pk=connection.pk).update(retry_at=error.retry_at)
            if error.retry_at - timezone.now() <= LONGEST_WAIT and self._may_wait(part):
                self._waiting.append(error.retry_at)
            else:
                until = "" if isinstance(error, AllowanceSpent) else f" It goes on after {error.retry_at:%H:%M} UTC."
                self._fail(part, error.code, f"{connection.account_name}: {error}{until}", error.detail)
        except ProviderError as error:
            with self._held():
                code, message = end_access(connection, error)
            if connection.leaving is not None:
                put_off_leaving(connection, error)
            self._fail(part, code, f"{connection.account_name}: {message}", error.detail)
        except FATAL:
            raise
        except Exception as error:
            log.error("job_part_failed", connection_id=connection.pk, **where(error))
            self._fail(part, ProblemCode.INTERNAL_ERROR, UNEXPECTED)

    def _save(self, part: JobPart, status: str, **values: Any) -> None:
        part.status = status
        with self._held():
            JobPart.objects.filter(pk=part.pk).update(status=status, **values)

    def _fail(self, part: JobPart, code: str, message: str, detail: str = "") -> None:
        now = timezone.now()
        part.error = {
            "code": code,
            "message": message,
            "occurred_at": instant(now),
            "connection_id": part.connection_id,
        }
        with self._held():
            self._save(part, JobPart.Status.FAILED, error=part.error)
            if code not in TOLD_BY_THE_STATE:  # those have opened theirs
                open_problem(part.connection, code, message, now=now, detail=detail)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Opens a transaction that writes only while the job is ours."""
        with transaction.atomic():
            self.lease.assert_held()
            yield

    def _may_wait(self, part: JobPart) -> bool:
        """Returns whether an account may keep the job waiting: a few times in a row; then it leaves the job."""
        done = SyncJob.objects.values_list("done", flat=True).get(pk=self.job.pk)
        waits, before = part.progress.get("waits", (0, done))
        part.progress["waits"] = (waits + 1 if before == done else 1, done)
        with self._held():
            part.save(update_fields=["progress"])
        return bool(part.progress["waits"][0] <= MAX_WAITS)

    def _streams(self, part: JobPart, failures: StreamFailures) -> bool:
        """Runs all streams of one account, each for itself; true when removals of one were held."""
        provider, job_id = PROVIDERS[self.job.integration], self.job.pk
        meter = CallMeter(part.connection, provider, job_id=job_id, at_once=metering.IN_A_JOB)

        def before_call() -> None:
            self.check()
            self._check_account(part.connection)

        remote = open_remote(part.connection, before_call=before_call, meter=meter)
        held = False
        directions = set()
        try:
            for stream in failures.streams:
                stream.connection = part.connection
                directions.add(DIRECTIONS[stream.direction])
                if stream in failures:
                    continue
                try:
                    with attributed(job=job_id):
                        held = self._stream(stream, part, remote) or held
                except Exception as error:
                    if not failures.is_of(stream, error):
                        raise
                    failures.add(stream, error)
                else:
                    failures.end(stream)
            failures.raise_what_all_have_met()
        finally:
            meter.flush()
        part.direction = combined(directions)
        return held

    def _compare_totals(self, part: JobPart) -> None:
        """Books: do both sides come to the same amounts?"""
        for links in invoices_seen_since(part.connection, self.job.started_at or self.job.created_at):
            with self._held():
                compare_totals(part.connection, self.job, links)
            self.checkpoint()

    def _stream(self, stream: Stream, part: JobPart, remote: ProviderClient) -> bool:
        """Runs one stream, or what the job is about of it; whether removals were held."""

        def checkpoint() -> None:
            self.checkpoint()
            self._check_account(stream.connection)

        run = stream_run(stream, self.job, part, self.lease.assert_held, remote, checkpoint)
        if stream.connection.leaving is not None:
            run.removals()
            return False
        if self.job.only is not None:
            run.only(self.job.only)
            return False
        if run.progress.phase == Phase.DONE:
            return run.progress.held
        return run.everything()
