"""What the end of a job means for pushes and saved records: what has been looked at is not due any more.

Everything counts from the job's beginning, which stays the same however often a worker is killed: what was pushed or
saved after it may have been missed by the run and makes another. Of pushes that is told by what the job knew of, not by
times: who receives a push and who begins a job may be two machines, whose clocks differ.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Greatest

from integrations.models import (
    ChangeRow,
    Connection,
    JobItem,
    JobPart,
    JobStatus,
    Outcome,
    PushMark,
    Stream,
    SyncJob,
)
from integrations.providers import PROVIDERS
from integrations.push.dispatching import put_down_to
from integrations.push.due import APART
from integrations.push.marks import AFTER_ECHOES, hold

# After a failure: doubled for each failure in a row.
FIRST_BACKOFF = dt.timedelta(minutes=5)
LONGEST_BACKOFF = dt.timedelta(hours=6)
_MOST_COUNTED = 1000
# Whoever asks for one sync after the other is not to find that of a push in the way of each.
AFTER_ASKED = dt.timedelta(seconds=5)

_REACHED = (JobPart.Status.DONE, JobPart.Status.HELD, JobPart.Status.PARTIAL)


def looked(job: SyncJob, parts: Collection[JobPart], failed_streams: Collection[str], now: dt.datetime) -> None:
    """Takes away what the job has dealt with, and puts off what it could not. Runs in the transaction of the job's end;
    `parts` with their connections, `failed_streams` are ids of those that failed alone."""
    began = job.started_at or job.created_at
    reached = {part.connection_id for part in parts if part.status in _REACHED}
    broken = {part.connection_id for part in parts if part.status == JobPart.Status.FAILED}
    kinds = ("", *PROVIDERS[job.integration].covers(job.scope))
    rows = Stream.objects.filter(connection__in=reached | broken, kind__in=kinds).order_by("pk")
    rows = rows.select_for_update(no_key=True)  # receivers refer to them meanwhile
    streams = list(rows.only("connection_id", "looked_at", "is_active"))
    before = {stream.pk: stream.looked_at for stream in streams if stream.connection_id in reached}
    unreached = {stream.pk: stream.connection_id for stream in streams if stream.pk not in before and stream.is_active}
    failed = before.keys() & set(failed_streams)
    well = before.keys() - failed
    written = _written(job, reached) if job.pushed else set()
    news = _news(job, {pk: at for pk in well if (at := before[pk]) is not None})
    known = set(PushMark.objects.filter(pk__in=before).values_list("pk", flat=True))
    # All at once, and after everything else: receivers, too, go through the marks in the order of their keys.
    hold({*known, *failed, *written, *news, *unreached})
    _owe_found(job, news, before, now)
    Stream.objects.filter(pk__in=well).update(looked_at=began)
    _clear(job, known & well, began)
    if job.triggered_by in (SyncJob.Trigger.API, SyncJob.Trigger.ADMIN):
        rest = Q(rests_until=None) | Q(rests_until__lt=now + AFTER_ASKED)
        PushMark.objects.filter(rest, pk__in=known, due_at__isnull=False).update(rests_until=now + AFTER_ASKED)
    _put_off(_count(failed), now)
    if written:
        _expect_echoes(job, written, began, now)
    _back_off_unreached(parts, unreached, now)
    if job.status == JobStatus.CANCELLED and job.narrowed:
        back_off([part.connection_id for part in parts], now)


def back_off(connection_ids: Collection[str], now: dt.datetime, failures: int = 0) -> None:
    """Keeps pushes and saved records from starting jobs of these accounts for a while."""
    rows = Connection.objects.filter(pk__in=connection_ids).order_by("pk").select_for_update(no_key=True)
    ids = list(rows.values_list("pk", flat=True))
    Connection.objects.filter(pk__in=ids).update(backs_off_until=now + _wait(failures))


def _wait(failures: int) -> dt.timedelta:
    """Returns how long nothing is tried after one more failure than so many."""
    return min(FIRST_BACKOFF * 2 ** min(failures, 12), LONGEST_BACKOFF)


def _clear(job: SyncJob, stream_ids: Collection[str], began: dt.datetime) -> None:
    """Ends what is due, unless it was pushed again since the job began: that makes exactly one job more."""
    marks = PushMark.objects.filter(pk__in=stream_ids)
    marks.exclude(failures=0, backs_off_until=None).update(failures=0, backs_off_until=None)
    done = list(marks.filter(due_at__isnull=False, taken_at__isnull=False).values_list("pk", flat=True))
    if done:
        PushMark.objects.filter(pk__in=done).update(due_at=None)
        put_down_to(job, set(Stream.objects.filter(pk__in=done).values_list("connection", flat=True)), began)


def _count(stream_ids: Collection[str]) -> dict[str, int]:
    """Counts one more failure of these streams; how many there were before, by stream."""
    marks = PushMark.objects.filter(pk__in=stream_ids)
    before = dict(marks.values_list("pk", "failures"))
    marks.filter(failures__lt=_MOST_COUNTED).update(failures=F("failures") + 1)
    return before


def _put_off(failures: Mapping[str, int], now: dt.datetime) -> None:
    for count in set(failures.values()):
        ids = [pk for pk, failed in failures.items() if failed == count]
        PushMark.objects.filter(pk__in=ids).update(backs_off_until=now + _wait(count))


def _back_off_unreached(parts: Collection[JobPart], streams: Mapping[str, str], now: dt.datetime) -> None:
    """Puts off accounts that have failed altogether, whosever fault it is: what the schedule does not hold against an
    account is counted by its streams."""
    failures: dict[str, int] = defaultdict(int)
    for stream_id, count in _count(streams).items():
        failures[streams[stream_id]] = max(failures[streams[stream_id]], count)
    groups: dict[int, list[str]] = defaultdict(list)
    for part in parts:
        if part.status == JobPart.Status.FAILED:
            groups[max(failures[part.connection_id], part.connection.failures)].append(part.connection_id)
    for count, ids in groups.items():
        back_off(ids, now, count)


def _written(job: SyncJob, connection_ids: Collection[str]) -> set[str]:
    """Returns the streams to which the job has written."""
    written = JobItem.objects.filter(job=job, outcome=Outcome.PUSHED, connection__in=connection_ids)
    pairs = set(written.order_by().values_list("connection", "kind").distinct())
    streams = Stream.objects.filter(connection__in={connection_id for connection_id, _ in pairs}, is_active=True)
    return {
        pk
        for pk, connection_id, kind, is_target in streams.values_list("pk", "connection", "kind", "is_target")
        if (is_target if not kind else (connection_id, kind) in pairs)
    }


def _expect_echoes(job: SyncJob, stream_ids: Collection[str], began: dt.datetime, now: dt.datetime) -> None:
    """Notes what was written: what is pushed now is mostly the echo, and is looked at together with what still comes;
    and if none comes, we are not told of changes."""
    marks = PushMark.objects.filter(pk__in=stream_ids)
    marks.update(written_at=now)
    marks.filter(due_at__isnull=False).update(due_at=Greatest(F("due_at"), now + AFTER_ECHOES))
    _owe(marks.exclude(pushed_at__gte=began), job, now)


def _news(job: SyncJob, looked_at: Mapping[str, dt.datetime]) -> dict[str, int]:
    """Returns which streams had news since they were last looked at, whoever found it, with the feed's last number."""
    if PROVIDERS[job.integration].push is None or not looked_at:
        return {}
    rows = ChangeRow.objects.filter(
        workspace=job.workspace_id, integration=job.integration, changed_at__gte=min(looked_at.values())
    )
    found = rows.order_by().values_list("stream").annotate(seq=Max("seq"), last=Max("changed_at"))
    return {pk: seq for pk, seq, last in found if pk in looked_at and last >= looked_at[pk]}


def _owe_found(
    job: SyncJob, news: Mapping[str, int], looked_at: Mapping[str, dt.datetime | None], now: dt.datetime
) -> None:
    """Notes which streams had news that no push has told of: they may yet, for a change that was made just now."""
    fresh = [mark for mark in PushMark.objects.filter(pk__in=news).order_by("pk") if news[mark.pk] > mark.news_seq]
    silent = []
    for mark in fresh:
        mark.news_seq, before = news[mark.pk], looked_at[mark.pk]
        if before is not None and (mark.pushed_at is None or mark.pushed_at <= before - APART):
            silent.append(mark.pk)
    PushMark.objects.bulk_update(fresh, ["news_seq"], batch_size=500)
    _owe(PushMark.objects.filter(pk__in=silent), job, now)


def _owe(marks: QuerySet[PushMark], job: SyncJob, now: dt.datetime) -> None:
    source = PROVIDERS[job.integration].push
    if source is not None:
        marks.filter(owed_by=None).update(owed_by=now + source.late_after)
