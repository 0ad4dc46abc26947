"""Numbers for those who follow a list: of what has changed, in an order in which nothing appears behind a reader.

A change takes its record's `listed_at` away, and that is all that writers do: none waits for another. Who reads next
(or the worker, once a minute) gives those records that are saved by then the next numbers, under the lock of the list's
counter. So whoever sees a number can see all below it, however long some transaction was open. A record keeps its old
number till then, and is read in its old place.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import OperationalError, connection
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from fieldcamp.impatience import LONGEST_WAIT, impatient
from fieldcamp.workspace.models.listing import ListCounter

log = structlog.get_logger(__name__)

# So long the row of a deleted record stays at least, without its words, and those who follow its list are told of it.
TOMBSTONES_KEPT = dt.timedelta(days=365)
AT_ONCE = 5_000
BACKGROUND = 20_000
# So much the clocks of two machines differ at most; a time beyond that is a mistake, and moves nothing.
_SKEW = dt.timedelta(minutes=5)

# The place of each in the order of its last change. Rows that are being written are left for the next time.
_NUMBER = """UPDATE {table} SET list_number = %s + placed.place, listed_at = %s FROM (
        SELECT id, row_number() OVER (ORDER BY updated_at, id) AS place FROM (
            SELECT id, updated_at FROM {table} WHERE workspace_id = %s AND listed_at IS NULL
            ORDER BY updated_at, id LIMIT %s {lock}
        ) AS free
    ) AS placed WHERE {table}.id = placed.id"""
_LOCK = {"postgresql": "FOR NO KEY UPDATE SKIP LOCKED"}


@dataclass(frozen=True)
class ListStanding:
    """How far a list is numbered: all numbers up to `last` can be seen. `complete`: nothing is without one."""

    last: int
    complete: bool


def standing(model: type[Any], workspace: Any, *, milliseconds: int = LONGEST_WAIT) -> ListStanding:
    """Numbers what has changed since somebody last looked, if anything has. Where the database is too busy for it the
    list stands as it did: what has changed is still to come, and `complete` is false."""
    kind, day = model.kind, model.shown_day(workspace)
    found = _counters(model).filter(workspace=workspace.pk, kind=kind).values_list("last", "day", "waiting").first()
    if found and not found[2] and found[1] == day:
        return ListStanding(found[0], complete=True)
    try:
        while True:
            now = _number(model, workspace.pk, day, milliseconds)
            if now is not None:
                return now
    except OperationalError:
        log.info("list_not_numbered", workspace_id=workspace.pk, kind=kind)
        return ListStanding(found[0] if found else 0, complete=False)


def list_all(model: type[Any]) -> None:
    """Numbers the lists of these records that anybody has ever read, as far as something has changed."""
    for counter in _counters(model).filter(kind=model.kind).select_related("workspace").iterator(chunk_size=500):
        if counter.waiting or counter.day != model.shown_day(counter.workspace):
            standing(model, counter.workspace, milliseconds=BACKGROUND)


def number_at(records: QuerySet[Any], since: dt.datetime) -> int | None:
    """Returns the number of the first of a list's records that was listed at or after that time, None if none was."""
    later = records.filter(listed_at__gte=since).order_by("listed_at", "list_number")
    return later.values_list("list_number", flat=True).first()


def _counters(model: type[Any]) -> QuerySet[Any]:
    waiting = model._base_manager.filter(workspace=OuterRef("workspace"), listed_at=None)
    return ListCounter.objects.annotate(waiting=Exists(waiting))


def _number(model: type[Any], workspace_id: str, day: dt.date | None, milliseconds: int) -> ListStanding | None:
    """Numbers up to `AT_ONCE` records. Returns None if there are more."""
    rows = model._base_manager.filter(workspace=workspace_id)
    with impatient(milliseconds, writes=True):
        counters = ListCounter.objects.filter(workspace=workspace_id, kind=model.kind)
        counter = counters.select_for_update().first()
        if counter is None:
            ListCounter.objects.bulk_create(
                [ListCounter(workspace_id=workspace_id, kind=model.kind)], ignore_conflicts=True
            )
            counter = counters.select_for_update().get()
        if day and counter.day and counter.day != day:
            # Not waited for, while the counter is held: whoever writes one of them may want another.
            turned = rows.filter(model.turned_by_day(counter.day, day)).select_for_update(nowait=True, no_key=True)
            QuerySet(model).filter(pk__in=list(turned.values_list("pk", flat=True))).update(listed_at=None)
        waiting = rows.filter(listed_at=None).aggregate(latest=Max("updated_at"), count=Count("pk"))
        now = timezone.now()
        counter.at = max(now, min(max(counter.at or now, waiting["latest"] or now), now + _SKEW))
        counter.day = day
        given = _give_numbers(model, workspace_id, counter) if waiting["count"] else 0
        counter.last += given
        counter.save(update_fields=["last", "at", "day"])
    if given == AT_ONCE and waiting["count"] > AT_ONCE:
        return None
    return ListStanding(counter.last, complete=given >= waiting["count"])


def _give_numbers(model: type[Any], workspace_id: str, counter: ListCounter) -> int:
    at = connection.ops.adapt_datetimefield_value(counter.at)
    with connection.cursor() as cursor:
        statement = _NUMBER.format(table=model._meta.db_table, lock=_LOCK.get(connection.vendor, ""))
        cursor.execute(statement, [counter.last, at, workspace_id, AT_ONCE])
        return cursor.rowcount
