"""What a sync does for each of its accounts: all calendars, or all kinds of the books' records, one after the other."""

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.workspace.attribution import attributed
from integrations.accounts.leaving import put_off_leaving
from integrations.books.totals import compare_totals, invoices_seen_since
from integrations.errors import AllowanceSpent, ProblemCode, ProviderError, RateLimited
from integrations.jobs.accounts import TOLD_BY_THE_STATE, end_access, streams_of
from integrations.jobs.directions import combined
from integrations.jobs.expecting import expect
from integrations.jobs.slices import Slice
from integrations.jobs.stream_failures import UNEXPECTED, StreamFailures
from integrations.jobs.streams import FATAL, stream_run
from integrations.ledger.private import where
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, JobPart, Stream
from integrations.providers.base import ProviderClient
from integrations.selectors.connection_settings import DIRECTIONS
from integrations.sync.ports import Gate, Phase, all_of_them

# What was open about the account as a whole, and is over when a run went through all of it: everything that such a run
# can have met with. That of single records shows no more than that the account is let in.
_CLEARED_BY_SUCCESS = tuple(code for code in ProblemCode if code != ProblemCode.MEMBER_INACTIVE)
_CLEARED_BY_RECORDS = (
    ProblemCode.PROVIDER_UNAVAILABLE,
    ProblemCode.RATE_LIMITED,
    ProblemCode.MISCONFIGURED,
)

log = structlog.get_logger(__name__)


class SyncSlice(Slice):
    """One slice of a sync."""

    def parts(self) -> QuerySet[JobPart]:
        """Returns the job's accounts; when it begins it is written down how much is expected of them."""
        parts = super().parts()
        if not self.job.stage and not self.job.total and self.job.only is None:
            with self.held():
                expect(self.job, list(parts))
            self.job.refresh_from_db(fields=["stage", "total"])
        return parts.all()

    def part(self, part: JobPart) -> None:
        connection = part.connection
        try:
            self.check_turn(connection)
            self.save(part, JobPart.Status.RUNNING)
            failures = StreamFailures(part, streams_of(part), self.held)
            held = JobPart.Status.HELD if self._streams(part, failures) else None
            self._compare_totals(part)
            part.status = held or failures.status()
            with self.held():
                JobPart.objects.filter(pk=part.pk).update(status=part.status, direction=part.direction)
                if not len(failures) and "" in failures.told_of:
                    codes = _CLEARED_BY_SUCCESS if self.job.only is None else _CLEARED_BY_RECORDS
                    resolve_problems(connection, now=timezone.now(), codes=codes, record_ids=[""])
            if connection.leaving is not None:
                failures.settle_leaving()
        except RateLimited as error:
            with self.held():  # its own time, which nobody comes before
                Connection.objects.filter(pk=connection.pk).update(retry_at=error.retry_at)
            if not self.waits(part, error.retry_at):
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
        with self.held():
            self.end_failed(part, code, message)
            if code not in TOLD_BY_THE_STATE:  # those have opened theirs
                open_problem(part.connection, code, message, now=timezone.now(), detail=detail)

    def _streams(self, part: JobPart, failures: StreamFailures) -> bool:
        """Runs all streams of one account, each for itself; true when removals of one were held."""

        def before_call() -> None:
            self.check()
            self.check_account(part.connection)

        held = False
        directions = set()
        with self.remote(part.connection, before_call) as remote:
            for stream in failures.streams:
                stream.connection = part.connection
                directions.add(DIRECTIONS[stream.direction])
                if stream in failures:
                    continue
                try:
                    with attributed(job=self.job.pk):
                        held = self._stream(stream, part, remote) or held
                except Exception as error:
                    if not failures.is_of(stream, error):
                        raise
                    failures.add(stream, error)
                else:
                    failures.end(stream)
            failures.raise_what_all_have_met()
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
