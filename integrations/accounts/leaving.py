"""Leaving an account, or a person's: what FieldCamp has there, and what is done once its events are taken away.

The events go by a job, which is given the choice with the connection (`Connection.leaving`) and goes on until it is
carried out, whatever stops it in between.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from fieldcamp.workspace.models import Visit, VisitStatus
from integrations.accounts.disconnecting import disconnect
from integrations.calendar import busy
from integrations.errors import NeedsPermission, NeedsReconnect, ProblemCode
from integrations.kinds import VISIT
from integrations.ledger.dirty import write_rows
from integrations.ledger.problems import resolve_problems
from integrations.models import Connection, ConnectionState, Hold, Link, Occurrence, Stream

INACTIVE = "{member} is not active any more: nothing is read or written."
PAUSE = dt.timedelta(minutes=10)
MOST_TRIES = 24  # of a job that cannot reach the account; then what is left there stays


@dataclass(frozen=True)
class Left:
    """What FieldCamp has in an account: `events` of visits, `busy` times that are still to come, and coming `visits` of
    its person."""

    events: int = 0
    busy: int = 0
    visits: int = 0


def what_is_left(connection: Connection) -> Left:
    """Counts what a person is asked about."""
    occurrences = Occurrence.objects.filter(link__stream__connection=connection, ends_at__gt=timezone.now())
    return Left(
        events=_events(connection).count(),
        busy=occurrences.order_by().values("key").distinct().count(),
        visits=coming_visits(connection).count() if connection.member_id else 0,
    )


def busy_times_of(connection: Connection) -> list[tuple[str, int]]:
    """Returns how many busy times are still to come out of each of its calendars, by the calendar's id."""
    coming = Occurrence.objects.filter(link__stream__connection=connection, ends_at__gt=timezone.now()).order_by()
    return list(coming.values_list("link__stream__container_id").annotate(Count("key", distinct=True)))


def coming_visits(connection: Connection) -> QuerySet[Visit]:
    """Returns the visits of its person that are not over."""
    open_ones = Visit.objects.alive().filter(workspace=connection.workspace_id, technician=connection.member_id)
    open_ones = open_ones.exclude(visit_status__in=[VisitStatus.COMPLETED, VisitStatus.CANCELLED])
    return open_ones.filter(Q(scheduled_end=None) | Q(scheduled_end__gt=timezone.now())).order_by("pk")


def _events(connection: Connection) -> QuerySet[Link]:
    live = Link.objects.live().linked().filter(stream__connection=connection, kind=VISIT.name)
    return live.filter(seen_gone=False)


def streams_to_leave(connection: Connection) -> QuerySet[Stream]:
    """Returns the calendars that hold events of ours, or may do so: an answer was lost."""
    live = Link.objects.live().linked().filter(stream__connection=connection, kind=VISIT.name)
    return connection.streams.filter(pk__in=live.values("stream")).order_by("-is_target", "pk")


def begin_leaving(stream: Stream) -> None:
    """Makes everything of ours in the calendar due to be taken away, also what waits for a person. Runs inside the
    caller's transaction."""
    live = Link.objects.live().linked().filter(stream=stream, kind=VISIT.name)
    write_rows((stream.pk, record_id, 0) for record_id in live.values_list("record_id", flat=True))
    # Before the links, as whoever decides about them does.
    waiting = Hold.objects.select_for_update().filter(stream=stream, decision="").order_by("pk")
    holds = list(waiting.values_list("pk", flat=True))
    live.update(hold=None, parked=False, decision=None)
    Hold.objects.filter(pk__in=holds).delete()
    now, code = timezone.now(), ProblemCode.CONFIRMATION_NEEDED
    resolve_problems(stream.connection, now=now, codes=[code], record_ids=holds)


def forget_busy_times(connection: Connection) -> None:
    """Removes the busy times that were read from the account. Runs inside the caller's transaction."""
    for stream in connection.streams.select_related("connection__member", "connection__workspace"):
        busy.forget(stream)
    read_anew(connection)


def read_anew(connection: Connection) -> None:
    """Has everything read from its beginning, and made again, should the account be used again."""
    connection.streams.update(cursor="", full_mark="", full_cursor="", window_end=None)


def put_off_leaving(connection: Connection, error: Exception | None = None) -> None:
    """Tries again later what could not be carried out; not for ever, and not where only a person could help."""
    tries = int((connection.leaving or {}).get("tries", 0)) + 1
    if isinstance(error, (NeedsReconnect, NeedsPermission)) or tries >= MOST_TRIES:
        finish_leaving(connection)
        return
    waiting = {**(connection.leaving or {}), "tries": tries}
    Connection.objects.filter(pk=connection.pk).update(leaving=waiting, retry_at=timezone.now() + PAUSE)


def finish_leaving(connection: Connection) -> None:
    """Does what was to be done once the events were taken away, as far as they could be."""
    choice: dict[str, Any] = connection.leaving or {}
    stays = _events(connection).count()
    note = f"{stays} events could not be removed from the calendar, and stay there." if stays else ""
    if not _end_leaving(connection.pk, note):
        return  # somebody has connected the account again meanwhile, say
    connection.leaving = connection.retry_at = None
    if choice.get("disconnect"):
        disconnect(connection=connection, user=None, by=str(choice.get("by", "")), note=note)


def abandon_leaving(connection_id: str) -> None:
    """Gives up taking the events away, because a person has cancelled it; what is gone is made again by the sync."""
    _end_leaving(connection_id, "")


def _end_leaving(connection_id: str, note: str) -> bool:
    with transaction.atomic():
        connection = Connection.objects.select_for_update(of=("self",)).select_related("member").get(pk=connection_id)
        if connection.leaving is None:
            return False
        reason = note
        if not note and connection.state == ConnectionState.MEMBER_INACTIVE:
            reason = INACTIVE.format(member=connection.member)
        for stream in connection.streams.all():
            stream.dirty_rows.all().delete()
        read_anew(connection)
        ended = Connection.objects.filter(pk=connection_id)
        ended.update(leaving=None, retry_at=None, state_reason=reason[:300], fresh_from=timezone.now())
    return True
