"""What fails at one calendar, or at one kind of the books' records, is that one's: the account's others are synced."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import structlog
from django.db import InterfaceError, OperationalError
from django.db.models import Q

from integrations.accounts.leaving import finish_leaving, put_off_leaving
from integrations.errors import (
    ContainerGone,
    ContainerMissing,
    ContainerUnavailable,
    Endless,
    ProblemCode,
    ProviderError,
    Rejected,
    Subject,
    Suspended,
    Unavailable,
)
from integrations.kinds import SubjectKind
from integrations.ledger.containers import (
    end_forced_listing,
    end_stream_problems,
    has_come_back,
    let_go,
    open_stream_problem,
    take_up_again,
)
from integrations.ledger.counts import JobLog
from integrations.ledger.outcomes import reason_data
from integrations.ledger.private import where
from integrations.models import JobPart, Problem, Stream, SyncJob
from integrations.sync.isolation import RunEnds

_NOBODYS = (RunEnds, OperationalError, InterfaceError)
MISSING = (
    "This calendar was not to be found. Nothing of it is given up: the next sync looks for it again, and if it is not "
    "there then either, says so."
)
UNEXPECTED = "Something unexpected happened on FieldCamp's side. Nothing is lost; the next sync tries again."
# In a part's progress: what the next slice need not try again; and those of them that cannot be used at present.
_KEY, _OUT_OF_REACH = "failed", "out_of_reach"

log = structlog.get_logger(__name__)


def failed_streams(part: JobPart) -> list[str]:
    """Returns the ids of the streams that have failed alone in this part of a job."""
    return list(part.progress.get(_KEY, ()))


class StreamFailures:
    """The streams of one account that have failed in one job. `held` opens a transaction that writes only while the job
    is ours."""

    def __init__(self, part: JobPart, streams: Sequence[Stream], held: Callable[[], AbstractContextManager[None]]):
        self.part, self.streams, self._held = part, streams, held
        self.first: Exception | None = None
        self._told_of: frozenset[str] | None = None

    def __contains__(self, stream: Stream) -> bool:
        return stream.pk in self.part.progress.get(_KEY, ())

    def __len__(self) -> int:
        return len(self.part.progress.get(_KEY, ()))

    def is_of(self, stream: Stream, error: Exception) -> bool:
        """Returns whether the error is this stream's alone. Books are one system, whose lists need each other: what is
        down for one is down for all. Where a second list does not end, no other of the account is tried."""
        if isinstance(error, _NOBODYS) or (isinstance(error, Endless) and isinstance(self.first, Endless)):
            return False
        if isinstance(error, ProviderError) and error.about in (Subject.ACCOUNT, Subject.APP):
            return isinstance(error, Suspended)  # it may still be read
        return not (stream.kind and isinstance(error, Unavailable))

    def add(self, stream: Stream, error: Exception) -> None:
        """Leaves the stream with a problem that names it; a calendar that is out of reach, and was merely to lose what
        was in it, is let go."""
        if isinstance(error, ContainerGone) and not self._is_confirmed(stream):
            error = ContainerMissing(MISSING, detail=error.detail)
        if isinstance(error, ContainerUnavailable) and not (stream.is_target or stream.kind):
            with self._held():
                given_up = let_go(stream, JobLog(self.part.job, self.part.connection), str(error))
            if not stream.reads_busy or (given_up and not isinstance(error, ContainerGone)):  # it can be read
                return
        if not isinstance(error, ProviderError):
            log.error("stream_failed", stream_id=stream.pk, **where(error))
        self.first = self.first or error
        known = isinstance(error, ProviderError)
        connection = self.part.connection
        code = error.code if isinstance(error, ProviderError) else ProblemCode.INTERNAL_ERROR
        message = f"{connection.account_name}, “{stream}”: {error if known else UNEXPECTED}"
        detail = error.detail if isinstance(error, ProviderError) else type(error).__name__
        self.part.progress.setdefault(_KEY, []).append(stream.pk)
        if isinstance(error, ContainerUnavailable):
            self.part.progress.setdefault(_OUT_OF_REACH, []).append(stream.pk)
        with self._held():
            self.part.save(update_fields=["progress"])
            reason = error.reason if isinstance(error, ProviderError) else None
            open_stream_problem(stream, code, message, detail, {**reason_data(reason)})
        self._told_of = None

    def _is_confirmed(self, stream: Stream) -> bool:
        """Returns whether another run has not found this calendar either. Nothing is given up for what one has seen."""
        with self._held():
            row = Stream.objects.filter(pk=stream.pk)
            row.filter(missing_in="").update(missing_in=self.part.job_id)
            return not row.filter(missing_in=self.part.job_id).exists()

    def status(self) -> JobPart.Status:
        """Returns what the account has come to: failed where nothing of it went well. A calendar that cannot be used is
        no failure of the account, which is not paused for it: it is tried by each run until it can."""
        if not len(self):
            return JobPart.Status.DONE
        broken = set(self.part.progress[_KEY]) - set(self.part.progress.get(_OUT_OF_REACH, ()))
        return JobPart.Status.FAILED if len(broken) == len(self.streams) else JobPart.Status.PARTIAL

    @property
    def out_of_reach(self) -> bool:
        """Returns whether all that has failed has done so because the calendar cannot be used, if anything."""
        progress = self.part.progress
        return set(progress.get(_KEY, ())) == set(progress.get(_OUT_OF_REACH, ()))

    def end(self, *streams: Stream) -> None:
        """Ends what is open about these streams; what was let go, and can be used again, is taken up again."""
        full = self.part.job.mode == SyncJob.Mode.FULL
        back = [stream for stream in streams if has_come_back(stream, full)]
        ended = [stream for stream in streams if stream.let_go_at is None or stream in back]
        told = [stream for stream in ended if stream.pk in self.told_of]
        if not (back or told or any(stream.missing_in for stream in streams)):
            return
        with self._held():
            end_stream_problems(*told)
            forced = [stream for stream in told if not self.part.progress.get(stream.pk, {}).get("forced")]
            end_forced_listing(*forced)
            for stream in back:
                take_up_again(stream)
            if found := [stream.pk for stream in streams if stream.missing_in]:
                Stream.objects.filter(pk__in=found).update(missing_in="")

    @property
    def told_of(self) -> frozenset[str]:
        """Returns the ids of the account's streams of which something is open; "" stands for the account itself. It is
        asked for once, as mostly nothing is."""
        if self._told_of is None:
            known = Problem.objects.open().filter(connection=self.part.connection)
            about = known.filter(Q(record_kind=SubjectKind.STREAM) | Q(record_id=""))
            self._told_of = frozenset(about.values_list("record_id", flat=True))
        return self._told_of

    def settle_leaving(self) -> None:
        """Ends leaving an account, as far as it can be done, or puts it off."""
        connection = self.part.connection
        if not self.out_of_reach:
            put_off_leaving(connection)
            return
        self.end(*connection.streams.all())
        finish_leaving(connection)

    def raise_what_all_have_met(self) -> None:
        """Raises where every stream has failed for something that is no calendar's fault: then the account has."""
        own = (Rejected, ContainerUnavailable, ContainerMissing, Endless)
        if self.first is not None and len(self) == len(self.streams) and not isinstance(self.first, own):
            self.end(*self.streams)
            raise self.first
