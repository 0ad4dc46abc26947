"""Until when an account's data may be believed to be current, and whether it is older than it should be."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Exists, Min, OuterRef
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from integrations.models import (
    BROKEN,
    Connection,
    ConnectionState,
    JobPart,
    PushChannel,
    PushMark,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.queue.planning import JITTER, intervals_of
from integrations.selectors.push_switch import why_off

# What a sync may take beyond its time: to be taken off the queue, to read, to write.
MARGIN = dt.timedelta(minutes=5)
# A job that comes no further for so long keeps nothing current.
AT_WORK = dt.timedelta(minutes=10)
# What a vendor has told of is taken in within seconds; after so long something is in its way.
PUSH_WAITS = dt.timedelta(minutes=5)
# Accounts whose data should be current: those that are well, and those that nobody has put aside on purpose.
AWAITED = (ConnectionState.ACTIVE, ConnectionState.PAUSED, *BROKEN)


@dataclass(frozen=True, slots=True)
class Freshness:
    """`until`: how long its data may be believed to be current; None where it has not been synced since it was
    connected, resumed or put on another schedule, or where nothing is to keep it current (paused by a person, synced
    by hand only, not connected). `due` is the same as a deadline, also where it has not been synced yet."""

    until: dt.datetime | None = None
    due: dt.datetime | None = None
    push_waits: bool = False
    # Its next sync has just begun, or is about to: whether that helps will be seen in a few minutes.
    tried_now: bool = False

    def stalled(self, now: dt.datetime) -> bool:
        """Returns whether its data is older than it should be, whatever the cause."""
        return self.due is not None and self.due <= now


NEVER = Freshness()
Jobs = Mapping[tuple[str, str], SyncJob]


def is_awaited(connection: Connection) -> bool:
    """Returns whether syncs of it are to come by themselves, or would if nothing had gone wrong."""
    if connection.state not in AWAITED or connection.state_now not in AWAITED or connection.leaving is not None:
        return False
    return connection.state != ConnectionState.PAUSED or not connection.paused_by_person


def freshness_of(
    connections: Iterable[Connection], rows: Collection[WorkspaceIntegration], jobs: Jobs, now: dt.datetime
) -> dict[str, Freshness]:
    """Returns it by connection, in four queries at most. `rows` are their integrations', `jobs` those in flight, by
    workspace and integration. Connections have their member with them."""
    awaited = [connection for connection in connections if is_awaited(connection)]
    if not awaited:
        return {}
    pushes, intervals = _pushed([connection.pk for connection in awaited]), intervals_of(rows, now, planned=True)
    usual = dt.timedelta(minutes=settings.SYNC_INTERVAL_MINUTES)
    planned = {(row.workspace_id, row.integration): row.next_sync_at for row in rows}
    mine = jobs_of(awaited, jobs)
    found = {}
    for connection in awaited:
        key = (connection.workspace_id, connection.integration)
        if interval := intervals.get(key, usual):
            job = mine.get(connection.pk)
            fresh = _freshness(connection, interval, pushes.get(connection.pk), job, now)
            found[connection.pk] = replace(fresh, tried_now=_is_tried(planned.get(key), job, now))
    return found


def jobs_of(connections: Collection[Connection], jobs: Jobs) -> dict[str, SyncJob]:
    """Returns the jobs that bring these connections up to date, by connection: one about single records does not, nor
    a dry run, one of a few accounts those that are its parts."""
    narrowed = [job.pk for job in jobs.values() if job.narrowed]
    parts = set(JobPart.objects.filter(job__in=narrowed).values_list("job", "connection")) if narrowed else set()
    found = {}
    for connection in connections:
        job = jobs.get((connection.workspace_id, connection.integration))
        if job is None or job.only is not None or job.dry_run or job.connection_id not in (None, connection.pk):
            continue
        if not job.narrowed or (job.pk, connection.pk) in parts:
            found[connection.pk] = job
    return found


def _is_tried(planned: dt.datetime | None, job: SyncJob | None, now: dt.datetime) -> bool:
    if planned is not None and now - MARGIN <= planned <= now:
        return True
    return job is not None and job.created_at >= now - MARGIN


def told_by_push(connections: Iterable[Connection]) -> set[str]:
    """Returns those of whose calendars each has a channel by which its vendor tells of changes now: none that has
    expired, and none while the vendor cannot push here. One query, and one for each vendor."""
    now, whose = timezone.now(), list(connections)
    on = {name for name in {connection.integration for connection in whose} if not why_off(name, now)}
    ids = [connection.pk for connection in whose if connection.integration in on]
    if not ids:
        return set()
    channels = PushChannel.objects.filter(stream=OuterRef("pk"), state=PushChannel.State.LIVE, expires_at__gt=now)
    streams = Stream.objects.filter(connection__in=ids, is_active=True).annotate(live=Exists(channels))
    told: dict[str, bool] = {}
    for pk, has in streams.values_list("connection_id", "live"):
        told[pk] = told.get(pk, True) and has
    return {pk for pk, has in told.items() if has}


def _pushed(connection_ids: list[str]) -> dict[str, dt.datetime]:
    """Returns since when something waits that a vendor has told of, by connection. Before its first sync a calendar
    waits for nothing; one that fails waits from its next try on."""
    marks = PushMark.objects.filter(due_at__isnull=False, stream__is_active=True, stream__first_synced_at__isnull=False)
    from_when = Greatest("due_at", Coalesce("backs_off_until", "due_at"))
    if len(connection_ids) <= 500:
        marks = marks.filter(stream__connection__in=connection_ids)
    return dict(marks.order_by().values_list("stream__connection").annotate(first=Min(from_when)))


def _freshness(
    connection: Connection, interval: dt.timedelta, pushed: dt.datetime | None, job: SyncJob | None, now: dt.datetime
) -> Freshness:
    synced = connection.last_synced_at
    begins = connection.fresh_from or synced or connection.connected_at or connection.created_at
    due = begins + interval * (1 + JITTER) + MARGIN
    push_waits = pushed is not None and pushed + PUSH_WAITS < due
    if pushed is not None and push_waits:
        due = pushed + PUSH_WAITS
    if job is not None and (working := _at_work(job, now)):
        due = max(due, working)
    since = synced is not None and (connection.fresh_from is None or synced >= connection.fresh_from)
    return Freshness(until=due if since else None, due=due, push_waits=push_waits)


def _at_work(job: SyncJob, now: dt.datetime) -> dt.datetime | None:
    """Returns until when the job may be believed to bring its accounts up to date: while it comes further."""
    further = job.progressed_at or job.started_at
    return further + AT_WORK if further and further + AT_WORK > now else None
