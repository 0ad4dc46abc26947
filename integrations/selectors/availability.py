"""How far the blocked times of a person can be trusted: when their calendars were read, and whether they still are."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import OuterRef, Prefetch, Subquery

from fieldcamp.workspace.models import Member
from integrations.errors import ProblemCode
from integrations.kinds import SubjectKind
from integrations.models import Connection, ConnectionState, Direction, JobPart, Problem, Stream


class CalendarsState(StrEnum):
    READ = "read"  # all of them, when it was tried last
    NOT_READ = "not_read"  # at least one of them is not read at the moment, or never was
    NONE = "none"  # none is connected for busy times: only visits are known


@dataclass(frozen=True)
class CalendarsReading:
    """One person's calendars. `as_of`: the oldest of their last complete readings; None while there is none."""

    member_id: str
    state: CalendarsState
    as_of: dt.datetime | None = None


def readings(members: Collection[Member]) -> list[CalendarsReading]:
    """Returns the calendars of these people, in their order. Three queries, however many there are."""
    parts = JobPart.objects.of_syncs().filter(connection=OuterRef("pk")).order_by("-pk")
    complete = parts.filter(status__in=(JobPart.Status.DONE, JobPart.Status.HELD))
    busy = Stream.objects.filter(reads_busy=True, is_active=True).exclude(direction=Direction.PUSH)
    connections = (
        Connection.objects.connected()
        .filter(member__in=members, streams__in=busy)
        .distinct()
        .prefetch_related(Prefetch("streams", busy, to_attr="busy_streams"))
        .annotate(
            # What has changed since the job began may have been passed by already.
            read_at=Subquery(complete.values("job__started_at")[:1]),
            last_part=Subquery(parts.filter(status__in=JobPart.OVER).values("status")[:1]),
        )
    )
    by_member: dict[str, list[Connection]] = defaultdict(list)
    for connection in connections:
        by_member[connection.member_id or ""].append(connection)
    streams = [stream for connection in connections for stream in _busy_streams(connection)]
    failed = _failed(streams)
    return [_reading(member, by_member[member.pk], failed) for member in members]


def _busy_streams(connection: Connection) -> list[Stream]:
    found: list[Stream] = vars(connection)["busy_streams"]
    return found


def _failed(streams: Collection[Stream]) -> set[str]:
    """Returns the calendars that could not be read. One with an event that is not understood is read, and blocks."""
    problems = Problem.objects.open().filter(record_kind=SubjectKind.STREAM, record_id__in=[s.pk for s in streams])
    return {*problems.exclude(code=ProblemCode.RECORD_UNREADABLE).values_list("record_id", flat=True)}


def _reading(member: Member, connections: list[Connection], failed: set[str]) -> CalendarsReading:
    if not connections:
        return CalendarsReading(member.pk, CalendarsState.NONE)
    times = [vars(connection)["read_at"] for connection in connections]
    good = member.is_active and all(_is_read(connection, failed) for connection in connections)
    return CalendarsReading(
        member.pk,
        CalendarsState.READ if good and all(times) else CalendarsState.NOT_READ,
        min(times) if all(times) else None,
    )


def _is_read(connection: Connection, failed: set[str]) -> bool:
    streams = _busy_streams(connection)
    return (
        connection.state == ConnectionState.ACTIVE
        and vars(connection)["last_part"] != JobPart.Status.FAILED
        and all(stream.first_synced_at and stream.window_end and stream.pk not in failed for stream in streams)
    )
