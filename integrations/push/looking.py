"""What the end of a job means for pushes and saved records: what has been looked at is not due any more.

Everything counts from the job's beginning, which stays the same however often a worker is killed: what was pushed or
saved after it may have been missed by the run and makes another, what came before has been seen.
"""

import datetime as dt
from collections.abc import Collection

from django.db.models import F, QuerySet
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
from integrations.push.marks import AFTER_ECHOES

# After a failure: doubled for each of the account's failures in a row that the schedule has counted.
FIRST_BACKOFF = dt.timedelta(minutes=5)
LONGEST_BACKOFF = dt.timedelta(hours=6)

_REACHED = (JobPart.Status.DONE, JobPart.Status.HELD, JobPart.Status.PARTIAL)


def looked(job: SyncJob, parts: Collection[JobPart], failed_streams: Collection[str], now: dt.datetime) -> None:
    """Takes away what the job has dealt with, and puts off what it could not. Runs in the transaction of the job's end;
    `parts` with their connections, `failed_streams` are ids of those that failed alone."""
    began = job.started_at or job.created_at
    reached = {part.connection_id for part in parts if part.status in _REACHED}
    kinds = ("", *PROVIDERS[job.integration].covers(job.scope))
    rows = Stream.objects.filter(connection__in=reached, kind__in=kinds).order_by("pk")
    rows = rows.select_for_update(no_key=True)  # receivers refer to them meanwhile
    before = dict(rows.values_list("pk", "looked_at"))
    well = before.keys() - set(failed_streams)
    if job.triggered_by == SyncJob.Trigger.SCHEDULE and not job.narrowed:
        _owe_found(job, {pk: before[pk] for pk in well}, began, now)
    Stream.objects.filter(pk__in=before).update(looked_at=began)
    _clear(job, well, began)
    _put_off(set(failed_streams), now)
    if job.pushed:
        _written(job, reached, began, now)
    for part in parts:
        if part.status == JobPart.Status.FAILED:
            back_off([part.connection_id], now, part.connection.failures)
    if job.status == JobStatus.CANCELLED and job.narrowed:
        back_off([part.connection_id for part in parts], now)


def back_off(connection_ids: Collection[str], now: dt.datetime, failures: int = 0) -> None:
    """Keeps pushes and saved records from starting jobs of these accounts for a while."""
    until = now + min(FIRST_BACKOFF * 2 ** min(failures, 12), LONGEST_BACKOFF)
    rows = Connection.objects.filter(pk__in=connection_ids).order_by("pk").select_for_update(no_key=True)
    Connection.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(backs_off_until=until)


def _locked(marks: QuerySet[PushMark]) -> list[str]:
    return list(marks.order_by("pk").select_for_update().values_list("pk", flat=True))


def _clear(job: SyncJob, stream_ids: Collection[str], began: dt.datetime) -> None:
    """Ends what is due, unless it was pushed again since the job began: that makes exactly one job more."""
    done = _locked(PushMark.objects.filter(pk__in=stream_ids, due_at__isnull=False, pushed_at__lte=began))
    if done:
        PushMark.objects.filter(pk__in=done).update(due_at=None)
        put_down_to(job, set(Stream.objects.filter(pk__in=done).values_list("connection", flat=True)), began)


def _put_off(stream_ids: Collection[str], now: dt.datetime) -> None:
    failed = _locked(PushMark.objects.filter(pk__in=stream_ids, due_at__isnull=False))
    PushMark.objects.filter(pk__in=failed).update(due_at=now + FIRST_BACKOFF)


def _written(job: SyncJob, connection_ids: Collection[str], began: dt.datetime, now: dt.datetime) -> None:
    """Notes to which streams the job has written: what is pushed now is mostly the echo, and is looked at together
    with what still comes; and if none comes, we are not told of changes."""
    written = JobItem.objects.filter(job=job, outcome=Outcome.PUSHED, connection__in=connection_ids)
    pairs = set(written.order_by().values_list("connection", "kind").distinct())
    streams = Stream.objects.filter(connection__in={connection_id for connection_id, _ in pairs}, is_active=True)
    ids = sorted(
        pk
        for pk, connection_id, kind, is_target in streams.values_list("pk", "connection", "kind", "is_target")
        if (is_target if not kind else (connection_id, kind) in pairs)
    )
    PushMark.objects.bulk_create(
        [PushMark(stream_id=pk, written_at=now) for pk in ids],
        update_conflicts=True,
        unique_fields=["stream"],
        update_fields=["written_at"],
    )
    marks = PushMark.objects.filter(pk__in=ids)
    marks.filter(due_at__isnull=False).update(due_at=Greatest(F("due_at"), now + AFTER_ECHOES))
    _owe(marks.exclude(pushed_at__gte=began), job, now)


def _owe_found(job: SyncJob, looked_at: dict[str, dt.datetime | None], began: dt.datetime, now: dt.datetime) -> None:
    """Notes which streams had news that no push has told of: they may yet, for a change that was made just now."""
    news = ChangeRow.objects.filter(workspace=job.workspace_id, integration=job.integration, changed_at__gte=began)
    told = {pk for pk in news.order_by().values_list("stream", flat=True).distinct() if pk in looked_at}
    pushed = dict(PushMark.objects.filter(pk__in=told).values_list("pk", "pushed_at"))
    silent = [
        pk
        for pk in sorted(told)
        if (before := looked_at[pk]) is not None and ((at := pushed.get(pk)) is None or at <= before)
    ]
    PushMark.objects.bulk_create([PushMark(stream_id=pk) for pk in silent], ignore_conflicts=True)
    _owe(PushMark.objects.filter(pk__in=silent), job, now)


def _owe(marks: QuerySet[PushMark], job: SyncJob, now: dt.datetime) -> None:
    source = PROVIDERS[job.integration].push
    if source is not None:
        marks.filter(owed_by=None).update(owed_by=now + source.late_after)
