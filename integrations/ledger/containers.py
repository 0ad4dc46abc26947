"""What is open about a whole calendar, or a whole kind of the books' records; and letting go of a calendar that is not
there any more.

Everything runs inside the caller's transaction.
"""

import datetime as dt
from typing import Any

from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.kinds import VISIT, SubjectKind
from integrations.ledger.counts import JobLog
from integrations.ledger.dirty import write_rows
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Link, Outcome, Problem, Stream

AGAIN_AFTER = dt.timedelta(days=1)
GIVEN_UP = "“{calendar}” cannot be reached or changed any more, so this event in it is given up."
NOTICE = (
    "“{calendar}”, where visits went before: {reason} Its {number} events of visits are given up. They are removed by "
    "themselves should FieldCamp get access again."
)
_LET_GO = "let go"  # the mark of links that were given up with their calendar

# Whatever has failed about a whole stream is over when its run is through; that it had to be listed anew, or holds what
# is not understood, ends by itself.
_CODES = tuple(
    code for code in ProblemCode if code not in (ProblemCode.FULL_SYNC_FORCED, ProblemCode.RECORD_UNREADABLE)
)


def open_stream_problem(
    stream: Stream, code: str, message: str, detail: str = "", data: dict[str, Any] | None = None
) -> None:
    """Opens a problem of the whole stream in the place of any other, or brings the open one up to date."""
    now, kind = timezone.now(), SubjectKind.STREAM
    others = [other for other in _CODES if other != code]
    resolve_problems(stream.connection, now=now, codes=others, kind=kind, record_ids=[stream.pk])
    open_problem(stream.connection, code, message, now=now, kind=kind, record_id=stream.pk, detail=detail, data=data)


def end_stream_problems(*streams: Stream) -> None:
    """Ends the problems of streams that had failed as a whole."""
    for stream in streams:
        now, kind = timezone.now(), SubjectKind.STREAM
        resolve_problems(stream.connection, now=now, codes=_CODES, kind=kind, record_ids=[stream.pk])


def end_forced_listing(*streams: Stream) -> None:
    """Ends that these streams had to be listed anew: they have been read by changes since."""
    for stream in streams:
        codes, kind = [ProblemCode.FULL_SYNC_FORCED], SubjectKind.STREAM
        resolve_problems(stream.connection, now=timezone.now(), codes=codes, kind=kind, record_ids=[stream.pk])


def let_go(stream: Stream, job_log: JobLog, reason: str) -> int:
    """Gives up the events of a calendar that is not the target any more and is not there, or may not be changed: nobody
    has to remove them, and the job says so. Returns how many they were."""
    events = list(Link.objects.live().filter(stream=stream, kind=VISIT.name))
    for link in events:
        job_log.add_counterpart(link, Outcome.SKIPPED, GIVEN_UP.format(calendar=stream))
    job_log.save()
    cut = Link.objects.filter(pk__in=[link.pk for link in events])
    cut.update(cut_at=timezone.now(), seen_gone=True, unsettled=False, intent=None, hold=None, mark=_LET_GO)
    stream.dirty_rows.all().delete()
    at = timezone.now() if events or stream.let_go_at else None
    Stream.objects.filter(pk=stream.pk).update(is_active=stream.reads_busy, let_go_at=at)
    if events:
        code, kind = ProblemCode.CALENDAR_UNAVAILABLE, SubjectKind.STREAM
        message = NOTICE.format(calendar=stream, number=len(events), reason=reason)
        open_problem(stream.connection, code, message, now=timezone.now(), kind=kind, record_id=stream.pk, notice=True)
    return len(events)


def is_worth_another_look(stream: Stream, full: bool) -> bool:
    """Returns whether a calendar that was let go is looked for again: once a day, and by each full sync."""
    return stream.let_go_at is not None and (full or stream.let_go_at <= timezone.now() - AGAIN_AFTER)


def has_come_back(stream: Stream, full: bool) -> bool:
    """Returns whether what was let go is to be taken up again, now that the calendar has been read: it was not there
    before, or it is time to see whether it may be changed."""
    if stream.let_go_at is None:
        return False
    missed = Problem.objects.listed().filter(connection=stream.connection, record_kind=SubjectKind.STREAM)
    return is_worth_another_look(stream, full) or missed.filter(record_id=stream.pk).exists()


def take_up_again(stream: Stream) -> None:
    """Has the events of a calendar that has come back removed by the next run: their visits are elsewhere by now."""
    given_up = Link.objects.filter(stream=stream, kind=VISIT.name, mark=_LET_GO).exclude(cut_at=None)
    events = given_up.filter(base__isnull=False)  # else the run that has found the calendar has removed it already
    write_rows((stream.pk, record_id, 0) for record_id in events.values_list("record_id", flat=True))
    events.update(cut_at=None, seen_gone=False, mark="")
    Stream.objects.filter(pk=stream.pk).update(is_active=True, let_go_at=None)
