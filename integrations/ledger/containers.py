"""What is open about a whole calendar, or a whole kind of the books' records; and letting go of a calendar that is not
there any more.

Everything runs inside the caller's transaction.
"""

from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.kinds import VISIT, SubjectKind
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Link, Stream

_CODES = (ProblemCode.RECORD_REJECTED, ProblemCode.PROVIDER_UNAVAILABLE, ProblemCode.INTERNAL_ERROR)


def open_stream_problem(stream: Stream, code: str, message: str, detail: str = "") -> None:
    """Opens a problem of the whole stream in the place of any other, or brings the open one up to date."""
    now, kind = timezone.now(), SubjectKind.STREAM
    others = [other for other in _CODES if other != code]
    resolve_problems(stream.connection, now=now, codes=others, kind=kind, record_ids=[stream.pk])
    open_problem(stream.connection, code, message, now=now, kind=kind, record_id=stream.pk, detail=detail)


def end_stream_problems(*streams: Stream) -> None:
    """Ends the problems of streams that had failed as a whole."""
    for stream in streams:
        now, kind = timezone.now(), SubjectKind.STREAM
        resolve_problems(stream.connection, now=now, codes=_CODES, kind=kind, record_ids=[stream.pk])


def let_go(stream: Stream) -> None:
    """Gives up the events of a calendar that is not there: nobody has to remove them any more."""
    events = Link.objects.live().filter(stream=stream, kind=VISIT.name)
    events.update(cut_at=timezone.now(), seen_gone=True, unsettled=False, intent=None, hold=None)
    stream.dirty_rows.all().delete()
    Stream.objects.filter(pk=stream.pk).update(is_active=stream.reads_busy)
