"""What a sync does for each of its accounts: all calendars, or all kinds of the books' records, one after the other."""

import datetime as dt

import structlog
from django.utils import timezone

from fieldcamp.workspace.attribution import attributed
from integrations.accounts import metering
from integrations.accounts.clients import open_remote
from integrations.accounts.leaving import put_off_leaving
from integrations.accounts.metering import CallMeter, check_allowance
from integrations.books.totals import compare_totals, invoices_seen_since
from integrations.errors import AllowanceSpent, ProblemCode, ProviderError, RateLimited
from integrations.jobs.accounts import TOLD_BY_THE_STATE, end_access, streams_of
from integrations.jobs.directions import DIRECTIONS, combined
from integrations.jobs.slices import Slice
from integrations.jobs.stream_failures import UNEXPECTED, StreamFailures
from integrations.jobs.streams import FATAL, stream_run
from integrations.ledger.private import where
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, JobPart, Stream, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import ProviderClient
from integrations.records import instant
from integrations.selectors.metering import midnight_after
from integrations.sync.ports import Gate, Phase, all_of_them

LONGEST_WAIT = dt.timedelta(
    seconds=70
)  # a minute, and what our own pacing rounds up; a longer wait leaves the account out of this job
MAX_WAITS = 5
_CLEARED_BY_SUCCESS = (
    ProblemCode.PROVIDER_UNAVAILABLE,
    ProblemCode.RATE_LIMITED,
    ProblemCode.MISCONFIGURED,
    ProblemCode.INTERNAL_ERROR,
    ProblemCode.CALENDAR_UNAVAILABLE,
)

log = structlog.get_logger(__name__)


class SyncSlice(Slice):
    """One slice of a sync."""

    def part(self, part: JobPart) -> None:
        now = timezone.now()
        connection = part.connection
        try:
            self.check()
            self.check_account(connection)
            check_allowance(connection, PROVIDERS[self.job.integration], now)
            # The end of a day is what a limit waits for that was reached, and may since have been raised.
            waits = connection.retry_at and connection.retry_at > now and connection.retry_at != midnight_after(now)
            if connection.retry_at and waits and not connection.given_up:
                raise RateLimited("The provider asked us to wait.", retry_at=connection.retry_at)
            self.save(part, JobPart.Status.RUNNING)
            failures = StreamFailures(part, streams_of(part), self.held)
            held = JobPart.Status.HELD if self._streams(part, failures) else None
            self._compare_totals(part)
            part.status = held or failures.status()
            with self.held():
                JobPart.objects.filter(pk=part.pk).update(status=part.status, direction=part.direction)
                if not len(failures) and "" in failures.told_of:
                    resolve_problems(connection, now=timezone.now(), codes=_CLEARED_BY_SUCCESS, record_ids=[""])
            if connection.leaving is not None:
                failures.settle_leaving()
        except RateLimited as error:
            with self.held():  # its own time, which nobody comes before
                Connection.objects.filter(pk=connection.pk).update(retry_at=error.retry_at)
            if error.retry_at - timezone.now() <= LONGEST_WAIT and self._may_wait(part):
                self.waiting.append(error.retry_at)
            else:
                until = "" if isinstance(error, AllowanceSpent) else " The next sync after that goes on."
                self.fail(part, error.code, f"{connection.account_name}: {error}{until}", error.detail)
        except ProviderError as error:
            with self.held():
                code, message = end_access(connection, error)
            if connection.leaving is not None:
                put_off_leaving(connection, error)
            self.fail(part, code, f"{connection.account_name}: {message}", error.detail)
        except FATAL:
            raise
        except Exception as error:
            log.error("job_part_failed", connection_id=connection.pk, **where(error))
            self.fail(part, ProblemCode.INTERNAL_ERROR, UNEXPECTED)

    def fail(self, part: JobPart, code: str, message: str, detail: str = "") -> None:
        now = timezone.now()
        part.error = {
            "code": code,
            "message": message,
            "occurred_at": instant(now),
            "connection_id": part.connection_id,
        }
        with self.held():
            self.save(part, JobPart.Status.FAILED, error=part.error)
            if code not in TOLD_BY_THE_STATE:  # those have opened theirs
                open_problem(part.connection, code, message, now=now, detail=detail)

    def _may_wait(self, part: JobPart) -> bool:
        """Returns whether an account may keep the job waiting: a few times in a row; then it leaves the job."""
        done = SyncJob.objects.values_list("done", flat=True).get(pk=self.job.pk)
        waits, before = part.progress.get("waits", (0, done))
        part.progress["waits"] = (waits + 1 if before == done else 1, done)
        with self.held():
            part.save(update_fields=["progress"])
        return bool(part.progress["waits"][0] <= MAX_WAITS)

    def _streams(self, part: JobPart, failures: StreamFailures) -> bool:
        """Runs all streams of one account, each for itself; true when removals of one were held."""
        provider, job_id = PROVIDERS[self.job.integration], self.job.pk
        meter = CallMeter(part.connection, provider, job_id=job_id, at_once=metering.IN_A_JOB)

        def before_call() -> None:
            self.check()
            self.check_account(part.connection)

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
            with self.held():
                compare_totals(part.connection, self.job, links)
            self.checkpoint()

    def gate(self, stream: Stream) -> Gate:
        """Returns what decides which decisions about a stream the job may make true."""
        return all_of_them

    def _stream(self, stream: Stream, part: JobPart, remote: ProviderClient) -> bool:
        """Runs one stream, or what the job is about of it; whether removals were held."""

        def checkpoint() -> None:
            self.checkpoint()
            self.check_account(stream.connection)

        run = stream_run(stream, self.job, part, self.lease.assert_held, remote, checkpoint, self.gate(stream))
        if stream.connection.leaving is not None:
            run.removals()
            return False
        if self.job.only is not None:
            run.only(self.job.only)
            return False
        if run.progress.phase == Phase.DONE:
            return run.progress.held
        return run.everything()
