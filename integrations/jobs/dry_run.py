"""Finding out what a sync of one account would do, without doing it.

The real run is made over the account's own answers, in a transaction that is rolled back. What has to be asked of the
provider is asked between two tries at it, when no transaction is open; each try goes on to the next question.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import OperationalError, transaction
from django.db import connection as database

from integrations.accounts.streams import side_of
from integrations.calendar.visits import VisitsOfStream
from integrations.errors import ProviderError
from integrations.jobs.accounts import streams_of
from integrations.jobs.interruptions import SliceOver
from integrations.jobs.recorder import Findings, Recorder, counted
from integrations.jobs.stream_failures import StreamFailures
from integrations.jobs.streams import stream_run
from integrations.jobs.tape import Tape, TooMuch, Unanswered
from integrations.ledger.planned import standing_of
from integrations.ledger.ports import LocalSide
from integrations.ledger.private import Identifiers
from integrations.models import BooksSettings, JobPart, Stream, SyncJob
from integrations.providers.base import ProviderClient
from integrations.records import Window
from integrations.sync.state import Decision

MOST_QUESTIONS = 2_000  # of one account; each is asked once
LONGEST = 15.0  # seconds that a try may take: others wait that long for their turn to write
MOST_OPERATIONS = 10_000  # of one account
LOCK_WAIT = "500ms"  # shorter than PostgreSQL takes to look for a deadlock: whoever else waits is never its victim
SLOW_TRIES = 3  # that take longer
TRIES = 20  # when somebody else is at the same rows
LONGEST_LOOK = 120.0  # seconds of one account, and of a slice over its time: the queue kills what takes 300


class TookTooLong(TooMuch):
    """A try has taken longer than others may be kept waiting."""


_one_at_a_time = threading.Lock()  # each would wait for the rows that another one is about to let go


class LookTime:
    """The time that one account's look may take. What it waits while others try is not its own: that is bounded by
    `slice_ends` (monotonic seconds), and then the next slice looks at it again."""

    def __init__(self, slice_ends: float):
        self._ends, self._slice_ends = time.monotonic() + LONGEST_LOOK, slice_ends + LONGEST_LOOK

    def check(self) -> None:
        """Raises TooMuch when it is over, and SliceOver when the slice's is."""
        now = time.monotonic()
        if now > self._ends:
            raise TooMuch
        if now > self._slice_ends:
            raise SliceOver

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for this account's turn to try, and takes it."""
        began = time.monotonic()
        with _one_at_a_time:
            self._ends += time.monotonic() - began
            self.check()
            yield


def dry_run(part: JobPart, remote: ProviderClient, check: Callable[[], None], time_: LookTime) -> Findings:
    """Returns what a sync of this account would do now. `check` is called before each question and raises to end the
    slice. Raises a `ProviderError` where the account cannot be read, and `TooMuch`."""
    tape, busy, slow = Tape(remote), 0, 0
    for stream in streams_of(part):
        stream.connection = part.connection
        Identifiers(stream)  # makes the company's secret, if there is none: it is the same in each try
    for _question in range(MOST_QUESTIONS):
        check()
        try:
            with time_.turn(), _undone():
                return _one_try(part.pk, tape)
        except Unanswered:
            tape.ask()
        except TookTooLong:  # perhaps the machine has other things to do
            slow += 1
            if slow == SLOW_TRIES:
                raise
        except OperationalError:  # somebody else holds what this try would lock
            busy += 1
            if busy > TRIES:
                raise SliceOver from None
    raise TooMuch


@contextlib.contextmanager
def _undone() -> Iterator[None]:
    """Opens a transaction that leaves nothing behind."""
    with transaction.atomic():
        if database.vendor == "postgresql":
            with database.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _one_try(part_id: int, tape: Tape) -> Findings:
    part = JobPart.objects.select_related("connection__workspace", "connection__member").get(pk=part_id)
    job = SyncJob.objects.select_related("workspace").get(pk=part.job_id)
    part.job, part.progress = job, {}
    streams, found, ends = streams_of(part), Findings(), time.monotonic() + LONGEST
    failures = StreamFailures(part, streams, contextlib.nullcontext)
    found.standing = standing_of(streams)
    found.currency = _currency_of(part)

    def checkpoint() -> None:
        if time.monotonic() > ends:
            raise TookTooLong
        if len(found.operations) > MOST_OPERATIONS:
            raise TooMuch

    for stream in streams:
        stream.connection = part.connection
        try:
            with transaction.atomic():
                _stream(stream, job, part, tape, checkpoint, found)
        except ProviderError as error:
            if not failures.is_of(stream, error):
                raise
            failures.first = failures.first or error
            found.failures.append((stream.pk, error.code, f"“{stream}”: {error}"))
        checkpoint()
    found.counts += counted(job, part.connection_id)
    return found


def _stream(
    stream: Stream, job: SyncJob, part: JobPart, tape: Tape, checkpoint: Callable[[], None], found: Findings
) -> None:
    recorder = Recorder(stream, job)
    tape.writer = recorder.written
    run = stream_run(stream, job, part, _nothing, tape, checkpoint, recorder.gate, planned_side)
    recorder.watch(run)
    run.everything()
    recorder.add_to(found, run)


class PlannedVisits(VisitsOfStream):
    """FieldCamp's side of a calendar, where what comes in is not made true: nothing else of a plan hangs on it, and
    each move takes its time while others wait. (Of books it does: an invoice is of the client who has just come in.)"""

    def prepare(self, decisions: Sequence[Decision]) -> None:
        pass

    def apply(self, decisions: Sequence[Decision]) -> set[str]:
        return set()

    def expand(self, decisions: Sequence[Decision]) -> None:
        pass

    def match(self, everything: bool) -> None:
        pass


def planned_side(stream: Stream, window: Window) -> LocalSide:
    return side_of(stream, window) if stream.kind else PlannedVisits(stream, window)


def _currency_of(part: JobPart) -> str:
    settings = BooksSettings.objects.filter(connection=part.connection).first()
    return str(settings.company.get("currency") or "") if settings else ""


def _nothing(*_args: Any) -> None:
    """Asserts nothing: what is written is undone, whoever has the job."""
