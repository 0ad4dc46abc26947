"""What a technician's time is taken by: visits, and what their own calendars block. Of the latter only when.

Times are half open: what ends at nine does not overlap what begins at nine. Cancelled and unscheduled visits take no
time, and neither does what has no length.
"""

import datetime as dt
import hashlib
import heapq
import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from fieldcamp.workspace.models import BlockedTime, Visit, VisitStatus

BLOCKED, VISIT = "blocked", "visit"
MOST_OVERLAPS = 20


class Position(NamedTuple):
    """Where a busy time stands in the order of all: by its start; at the same one what is blocked, then visits."""

    start: dt.datetime
    kind: str
    row: int | str


@dataclass(frozen=True)
class BusyTime:
    """One time at which a technician is busy. `kind` is `blocked` or `visit`; `days` are the first and the last of a
    whole-day time."""

    technician_id: str
    start: dt.datetime
    end: dt.datetime
    position: Position
    visit_id: str | None = None
    title: str = ""  # of a visit; of what is blocked nothing is known
    days: tuple[dt.date, dt.date] | None = None

    @property
    def kind(self) -> str:
        return self.position.kind

    @property
    def all_day(self) -> bool:
        return self.days is not None


def busy_times(
    *,
    technicians: Collection[str],
    start: dt.datetime,
    end: dt.datetime,
    limit: int,
    after: Position | None = None,
    but: str = "",
    kinds: Collection[str] = (),
    all_day: bool | None = None,
) -> list[BusyTime]:
    """Returns at most `limit` times that lie at least in part in [start, end), uncut, in their order and behind
    `after`; of `kinds` only, and only whole days or none of them, where that is given. `but` is a visit that is left
    out. Two queries, by the ids of people alone, who are of one company: asked
    for the company too, SQLite would go through all visits that it ever had."""
    blocked = BlockedTime.objects.filter(member__in=technicians, starts_at__lt=end, ends_at__gt=start).exclude(
        ends_at=F("starts_at")
    )
    visits = (
        Visit.objects.alive()
        .filter(technician__in=technicians, scheduled_start__lt=end, scheduled_end__gt=start)
        .exclude(visit_status__in=(VisitStatus.UNSCHEDULED, VisitStatus.CANCELLED))
        .exclude(pk=but)
    )
    if all_day is not None:
        whole = Q(all_day=True, start_date__isnull=False, end_date__isnull=False)
        blocked = blocked.filter(whole if all_day else ~whole)
    if all_day or (kinds and VISIT not in kinds):
        visits = visits.none()
    if kinds and BLOCKED not in kinds:
        blocked = blocked.none()
    found = heapq.merge(
        map(_blocked, _behind(blocked, "starts_at", BLOCKED, after)[:limit]),
        map(_visit, _behind(visits, "scheduled_start", VISIT, after)[:limit]),
        key=lambda busy: busy.position[:2],
    )
    return list(itertools.islice(found, limit))


def takes_time(visit: Visit) -> bool:
    """Returns whether somebody is busy with it at some time."""
    return bool(
        visit.technician_id
        and visit.scheduled_start
        and visit.scheduled_end
        and not visit.deleted_at
        and visit.visit_status not in (VisitStatus.UNSCHEDULED, VisitStatus.CANCELLED)
    )


def busy_with(visit: Visit) -> BusyTime:
    """Returns the time of a visit that `takes_time`."""
    return _visit(visit)


def overlaps_of(visit: Visit) -> list[BusyTime]:
    """Returns what else the visit's technician is busy with at its time, at most `MOST_OVERLAPS`."""
    if not takes_time(visit):
        return []
    assert visit.technician_id and visit.scheduled_start and visit.scheduled_end  # as it takes time
    return busy_times(
        technicians=[visit.technician_id],
        start=visit.scheduled_start,
        end=visit.scheduled_end,
        limit=MOST_OVERLAPS,
        but=visit.pk,
    )


def mark_of(overlaps: Iterable[BusyTime]) -> str:
    """Returns what stands for these very overlaps: whoever sends it back has seen them."""
    seen = "|".join(f"{busy.technician_id} {busy.position} {busy.end}" for busy in overlaps)
    return hashlib.sha256(seen.encode()).hexdigest()[:20]


def _behind(rows: QuerySet[Any], name: str, kind: str, after: Position | None) -> QuerySet[Any]:
    # By a value instead of the column: SQLite would walk all of the past by the index that is in this order already,
    # and not by the one that begins with what has not ended.
    rows = rows.order_by(Coalesce(name, name), "pk")
    if after is None:
        return rows
    if kind > after.kind:
        return rows.filter(**{f"{name}__gte": after.start})
    later = Q(**{f"{name}__gt": after.start})
    return rows.filter(later | Q(**{name: after.start}, pk__gt=after.row) if kind == after.kind else later)


def _blocked(row: BlockedTime) -> BusyTime:
    days = None
    if row.all_day and row.start_date and row.end_date:
        days = row.start_date, row.end_date - dt.timedelta(days=1)
    position = Position(row.starts_at, BLOCKED, row.pk)
    return BusyTime(row.member_id, row.starts_at, row.ends_at, position, days=days)


def _visit(row: Visit) -> BusyTime:
    assert row.technician_id and row.scheduled_start and row.scheduled_end  # by the query
    position = Position(row.scheduled_start, VISIT, row.pk)
    return BusyTime(row.technician_id, row.scheduled_start, row.scheduled_end, position, row.pk, row.title)
