"""A dry run, account by account: it makes a plan, and changes nothing at either side."""

from collections.abc import Callable

import structlog
from django.utils import timezone

from integrations.errors import ProblemCode, ProviderError, RateLimited
from integrations.jobs.dry_run import LookTime, dry_run
from integrations.jobs.errors import job_error
from integrations.jobs.recorder import Findings
from integrations.jobs.slices import Slice
from integrations.jobs.stream_failures import UNEXPECTED
from integrations.jobs.streams import FATAL
from integrations.jobs.tape import TooMuch
from integrations.ledger.plans import add_operations, complete, plan_of
from integrations.ledger.private import where
from integrations.models import JobPart, JobStatus

TOO_MUCH = (
    "There is more to do in this account than is planned at once. Plan one kind of records or one account at a time, "
    "or sync it once without a plan."
)

log = structlog.get_logger(__name__)


def look(slice_: Slice, part: JobPart) -> Findings:
    """Returns what a sync of this account would do now. Raises a `ProviderError` where it cannot be read, and
    `TooMuch`."""
    connection = part.connection
    slice_.check_turn(connection)
    time_ = LookTime(slice_.ends)

    def check() -> None:
        slice_.check()
        slice_.check_account(connection)
        time_.check()

    with slice_.remote(connection, check) as remote:
        return dry_run(part, remote, check, time_)


def looked_at(slice_: Slice, part: JobPart, take: Callable[[Findings], None]) -> None:
    """Looks at one account and has what was found taken. Where it cannot be looked at, that alone fails: no problem is
    opened of it, and no account's state changed. A short wait that the provider asks for is waited. Raises SliceOver
    where the slice has had its time."""
    connection = part.connection
    slice_.checkpoint()
    try:
        take(look(slice_, part))
    except RateLimited as error:
        if not slice_.waits(part, error.retry_at):
            slice_.end_failed(part, error.code, f"{connection.account_name}: {error}")
    except ProviderError as error:
        slice_.end_failed(part, error.code, f"{connection.account_name}: {error}")
    except TooMuch:
        slice_.end_failed(part, ProblemCode.INTERNAL_ERROR, f"{connection.account_name}: {TOO_MUCH}")
    except FATAL:
        raise
    except Exception as error:
        log.error("dry_run_failed", connection_id=connection.pk, **where(error))
        slice_.end_failed(part, ProblemCode.INTERNAL_ERROR, UNEXPECTED)


class PlanningSlice(Slice):
    """One slice of a dry run."""

    def part(self, part: JobPart) -> None:
        looked_at(self, part, lambda found: self._take(part, found))

    def _take(self, part: JobPart, found: Findings) -> None:
        error, now = None, timezone.now()
        if found.failures:
            _stream, code, sentence = found.failures[0]
            error = job_error(code, f"{part.connection.account_name}, {sentence}", part.connection_id, now)
        with self.held():
            plan = plan_of(self.job, now)
            add_operations(plan, found.operations, found.standing, found.counts, found.currency, found.money)
            part.status = JobPart.Status.PARTIAL if error else JobPart.Status.DONE
            JobPart.objects.filter(pk=part.pk).update(status=part.status, error=error)

    def fail(self, part: JobPart, code: str, message: str, detail: str = "") -> None:
        self.end_failed(part, code, message)

    def status(self, parts: list[JobPart]) -> str:
        if not parts or all(part.status == JobPart.Status.FAILED for part in parts):
            return JobStatus.FAILED
        with self.held():
            complete(plan_of(self.job, timezone.now()), timezone.now())
        return JobStatus.PLANNED
