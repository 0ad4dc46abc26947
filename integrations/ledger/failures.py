"""Records at which our own side has failed, as no provider explains: each is left with a problem that names it.

Everything runs inside the ledger's transaction.
"""

from collections.abc import Callable, Collection

import structlog
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.ledger.counts import IGNORED, JobLog
from integrations.ledger.private import Identifiers, where
from integrations.ledger.problems import open_problem, open_record_problem, resolve
from integrations.models import DirtyRow, Link, Outcome, Problem, Stream
from integrations.records import RemoteRecord
from integrations.sync.state import Action, Pair

FAILED_HERE = (
    "Something unexpected happened on FieldCamp's side with this record. Nothing is lost, and everything else is "
    "synced. Try it again; if it stays, tell support this record."
)

UNREADABLE_THERE = (
    "FieldCamp cannot read this record as it stands at the other side. Both sides keep it as it is, and everything "
    "else is synced. It is read again with each full sync; if it stays, tell support this record."
)
UNREADABLE = "unreadable"  # in a problem's data: the id of the remote record that it is about

log = structlog.get_logger(__name__)


def open_unreadable(stream: Stream, name: str, record: RemoteRecord, error: Exception, link: Link | None) -> bool:
    """Leaves a problem about a remote record that is called `name`: our record's where it has one, so that it is found
    there. Returns whether somebody has put it aside, and it is still the same."""
    log.error("remote_record_failed", stream_id=stream.pk, remote_id=name, **where(error))
    problem = open_problem(
        stream.connection,
        ProblemCode.RECORD_UNREADABLE,
        UNREADABLE_THERE,
        now=timezone.now(),
        kind=link.kind if link else record.kind,
        record_id=(link.record_id if link else "") or name,
        link=link,
        detail=type(error).__name__,
        data={UNREADABLE: name, "stream": stream.pk},
        met_as={"tag": record.tag},
    )
    return problem.ignored_at is not None


def end_unreadable(stream: Stream, names: Callable[[], Collection[str]] | None = None) -> None:
    """Ends what is open about records of this stream that could not be read: those of these names, or all (nobody reads
    it any more)."""
    problems = Problem.objects.open().filter(
        connection=stream.connection, code=ProblemCode.RECORD_UNREADABLE, data__stream=stream.pk
    )
    if not (open_now := list(problems)):
        return
    known = None if names is None else set(names())
    over = [problem.pk for problem in open_now if known is None or problem.data.get(UNREADABLE) in known]
    if over:
        resolve(Problem.objects.filter(pk__in=over), now=timezone.now())


class Failures:
    """The failures of one stream in one job."""

    def __init__(self, stream: Stream, identifiers: Identifiers, job_log: JobLog):
        self.stream, self.identifiers, self.job_log = stream, identifiers, job_log

    def of_pair(self, pair: Pair, error: Exception) -> None:
        """Leaves the pair as it is, dirty or unsettled: the next run tries it again."""
        log.error("record_failed", stream_id=self.stream.pk, record=pair.key, **where(error))
        link = Link.objects.filter(pk=pair.link_id or 0).first()
        code, detail = ProblemCode.INTERNAL_ERROR, type(error).__name__
        aside = open_record_problem(self.stream.connection, pair, code, FAILED_HERE, link=link, detail=detail)
        self.job_log.add_judged(pair, Outcome.FAILED, Action.NOTHING, FAILED_HERE, aside=aside)
        self.job_log.save()

    def of_write(self, remote_id: str, error: Exception) -> None:
        """Parks a write that cannot be resolved. Its intent stays: it is looked for before it is tried again."""
        log.error("write_not_resolved", stream_id=self.stream.pk, remote_id=remote_id, **where(error))
        link = Link.objects.with_intent().select_for_update().get(stream=self.stream, remote_id=remote_id)
        Link.objects.filter(pk=link.pk).update(parked=True)
        DirtyRow.objects.filter(stream=self.stream, record_id=link.record_id).exclude(record_id="").delete()
        self.job_log.add_link(link, Outcome.FAILED, (link.intent or {}).get("verb", ""), FAILED_HERE)
        self._open(link.kind, link.record_id or link.remote_id, error, link)
        self.job_log.save()

    def of_listing(self, record: RemoteRecord, error: Exception, link: Link | None) -> None:
        """Leaves a record of a listing that could not be read, or not be written down; a full sync lists it again."""
        name = self.identifiers.name_of(record)
        outcome, message = Outcome.FAILED, UNREADABLE_THERE
        if open_unreadable(self.stream, name, record, error, link):
            outcome, message = Outcome.SKIPPED, IGNORED.format(message=UNREADABLE_THERE)
        if link:
            self.job_log.add_link(link, outcome, Action.NOTHING, message)
        else:
            self.job_log.add_remote(record, name, outcome, message)
        self.job_log.save()

    def _open(self, kind: str, record_id: str, error: Exception, link: Link | None = None) -> None:
        open_problem(
            self.stream.connection,
            ProblemCode.INTERNAL_ERROR,
            FAILED_HERE,
            now=timezone.now(),
            kind=kind,
            record_id=record_id,
            link=link,
            detail=type(error).__name__,
        )
