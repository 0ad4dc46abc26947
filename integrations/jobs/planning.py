"""A dry run, account by account: it makes a plan, and changes nothing at either side."""

from collections.abc import Callable

import structlog
from django.utils import timezone

from integrations.accounts import metering
from integrations.accounts.clients import open_remote
from integrations.accounts.metering import CallMeter, check_allowance
from integrations.errors import ProblemCode, ProviderError, RateLimited
from integrations.jobs.dry_run import LookTime, dry_run
from integrations.jobs.recorder import Findings
from integrations.jobs.slices import Slice
from integrations.jobs.stream_failures import UNEXPECTED
from integrations.jobs.streams import FATAL
from integrations.jobs.syncing import LONGEST_WAIT
from integrations.jobs.tape import TooMuch
from integrations.ledger.plans import add_operations, complete, plan_of
from integrations.ledger.private import where
from integrations.models import JobPart, JobStatus
from integrations.providers import PROVIDERS
from integrations.records import instant
from integrations.selectors.metering import midnight_after

MAX_WAITS = 5
TOO_MUCH = (
    "There is more to do in this account than is planned at once. Plan one kind of records or one account at a time, "
    "or sync it once without a plan."
)

log = structlog.get_logger(__name__)


def look(slice_: Slice, part: JobPart) -> Findings:
    """Returns what a sync of this account would do now. Raises a `ProviderError` where it cannot be read, and
    `TooMuch`."""
    provider, now, connection = PROVIDERS[slice_.job.integration], timezone.now(), part.connection
    slice_.check()
    slice_.check_account(connection)
    check_allowance(connection, provider, now)
    waits = connection.retry_at and connection.retry_at > now and connection.retry_at != midnight_after(now)
    if connection.retry_at and waits and not connection.given_up:
        raise RateLimited("The provider asked us to wait.", retry_at=connection.retry_at)
    meter = CallMeter(connection, provider, job_id=slice_.job.pk, at_once=metering.IN_A_JOB)
    time_ = LookTime(slice_.ends)

    def check() -> None:
        slice_.check()
        slice_.check_account(connection)
        time_.check()

    try:
        return dry_run(part, open_remote(connection, before_call=check, meter=meter), check, time_)
    finally:
        meter.flush()


def tell_failure(slice_: Slice, part: JobPart, code: str, message: str) -> None:
    """Ends an account's part with what has gone wrong. No problem is opened of it, and no account's state changed: it
    was only looked at."""
    part.error = {
        "code": code,
        "message": message,
        "occurred_at": instant(timezone.now()),
        "connection_id": part.connection_id,
    }
    slice_.save(part, JobPart.Status.FAILED, error=part.error)


def looked_at(slice_: Slice, part: JobPart, take: Callable[[Findings], None]) -> None:
    """Looks at one account and has what was found taken; where it cannot be looked at, that alone fails. A short wait
    that the provider asks for is waited. Raises SliceOver where the slice has had its time."""
    connection = part.connection
    slice_.checkpoint()
    try:
        take(look(slice_, part))
    except RateLimited as error:
        waits = part.progress.get("looks", 0) + 1
        if error.retry_at - timezone.now() <= LONGEST_WAIT and waits <= MAX_WAITS:
            slice_.save(part, JobPart.Status.RUNNING, progress={**part.progress, "looks": waits})
            slice_.waiting.append(error.retry_at)
        else:
            tell_failure(slice_, part, error.code, f"{connection.account_name}: {error}")
    except ProviderError as error:
        tell_failure(slice_, part, error.code, f"{connection.account_name}: {error}")
    except TooMuch:
        tell_failure(slice_, part, ProblemCode.INTERNAL_ERROR, f"{connection.account_name}: {TOO_MUCH}")
    except FATAL:
        raise
    except Exception as error:
        log.error("dry_run_failed", connection_id=connection.pk, **where(error))
        tell_failure(slice_, part, ProblemCode.INTERNAL_ERROR, UNEXPECTED)


class PlanningSlice(Slice):
    """One slice of a dry run."""

    def part(self, part: JobPart) -> None:
        looked_at(self, part, lambda found: self._take(part, found))

    def _take(self, part: JobPart, found: Findings) -> None:
        error, now = None, timezone.now()
        if found.failures:
            _stream, code, sentence = found.failures[0]
            error = {"code": code, "message": f"{part.connection.account_name}, {sentence}",
                     "occurred_at": instant(now), "connection_id": part.connection_id}  # fmt: skip
        with self.held():
            plan = plan_of(self.job, now)
            add_operations(plan, found.operations, found.standing, found.counts, found.currency, found.money)
            part.status = JobPart.Status.PARTIAL if error else JobPart.Status.DONE
            JobPart.objects.filter(pk=part.pk).update(status=part.status, error=error)

    def fail(self, part: JobPart, code: str, message: str, detail: str = "") -> None:
        tell_failure(self, part, code, message)

    def status(self, parts: list[JobPart]) -> str:
        if not parts or all(part.status == JobPart.Status.FAILED for part in parts):
            return JobStatus.FAILED
        with self.held():
            complete(plan_of(self.job, timezone.now()), timezone.now())
        return JobStatus.PLANNED
