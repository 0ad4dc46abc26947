"""Records at which our own side has failed, as no provider explains: each is left with a problem that names it.

Everything runs inside the ledger's transaction.
"""

import structlog
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.ledger.counts import JobLog
from integrations.ledger.problems import open_problem, open_record_problem
from integrations.models import DirtyRow, Link, Outcome, Stream
from integrations.records import RemoteRecord
from integrations.sync.state import Action, Pair

FAILED_HERE = (
    "Something unexpected happened on FieldCamp's side with this record. Nothing is lost, and everything else is "
    "synced. Try it again; if it stays, tell support this record."
)

log = structlog.get_logger(__name__)


class Failures:
    """The failures of one stream in one job."""

    def __init__(self, stream: Stream, job_log: JobLog):
        self.stream, self.job_log = stream, job_log

    def of_pair(self, pair: Pair, error: Exception) -> None:
        """Leaves the pair as it is, dirty or unsettled: the next run tries it again."""
        log.error("record_failed", stream_id=self.stream.pk, key=pair.key, exc_info=error)
        link = Link.objects.filter(pk=pair.link_id or 0).first()
        code, detail = ProblemCode.INTERNAL_ERROR, type(error).__name__
        open_record_problem(self.stream.connection, pair, code, FAILED_HERE, link=link, detail=detail)
        self.job_log.add(pair, Outcome.FAILED, Action.NOTHING, FAILED_HERE)
        self.job_log.save()

    def of_write(self, remote_id: str, error: Exception) -> None:
        """Parks a write that cannot be resolved. Its intent stays: it is looked for before it is tried again."""
        log.error("write_not_resolved", stream_id=self.stream.pk, remote_id=remote_id, exc_info=error)
        link = Link.objects.with_intent().select_for_update().get(stream=self.stream, remote_id=remote_id)
        Link.objects.filter(pk=link.pk).update(parked=True)
        DirtyRow.objects.filter(stream=self.stream, record_id=link.record_id).exclude(record_id="").delete()
        self.job_log.add_link(link, Outcome.FAILED, (link.intent or {}).get("verb", ""), FAILED_HERE)
        self._open(link.kind, link.record_id or link.remote_id, error, link)
        self.job_log.save()

    def of_listing(self, record: RemoteRecord, error: Exception) -> None:
        """Leaves a record of a listing that could not be written down; a full sync lists it again."""
        log.error("remote_record_failed", stream_id=self.stream.pk, remote_id=record.id, exc_info=error)
        self._open(record.kind, record.id, error)

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
