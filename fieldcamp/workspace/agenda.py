"""What stands in a company's calendar on some days: whose visits, their blocked times, and what overlaps what."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from fieldcamp.workspace.busy import BLOCKED, VISIT, BusyTime, busy_times, busy_with, takes_time
from fieldcamp.workspace.models import Client, Member, Visit, Workspace

MOST_DAYS = 14
MOST_VISITS = 3_000
# A visit that began longer ago than this is not looked for: the table has every visit that ever was.
LONGEST = dt.timedelta(days=31)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """Some days in a row in a company's zone, of which those of a change of the clock have 23 or 25 hours."""

    first: dt.date
    number: int
    zone: zoneinfo.ZoneInfo

    def __post_init__(self) -> None:
        if not 1 <= self.number <= MOST_DAYS:
            raise ValueError(f"{self.number} days: from 1 to {MOST_DAYS} are shown at once.")

    @property
    def all(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=number) for number in range(self.number)]

    @property
    def last(self) -> dt.date:
        return self.all[-1]

    @property
    def start(self) -> dt.datetime:
        return self.midnight(self.first)

    @property
    def end(self) -> dt.datetime:
        return self.midnight(self.last + _DAY)

    def midnight(self, date: dt.date) -> dt.datetime:
        """Returns when the day begins, in UTC."""
        return dt.datetime.combine(date, dt.time.min, self.zone).astimezone(dt.UTC)


@dataclass(frozen=True)
class Agenda:
    """`people` are the technicians, and whoever else has visits then; `visits` are in order of their start, the
    cancelled ones too; `overlaps` has for a visit what else its technician is busy with. `more`: not all are shown."""

    days: Days
    people: Sequence[Member]
    visits: Sequence[Visit]
    blocked: Sequence[BusyTime]
    overlaps: dict[str, list[BusyTime]]
    more: bool = False


def week_of_day(date: dt.date) -> dt.date:
    """Returns the Monday of the day's week."""
    return date - dt.timedelta(days=date.weekday())


def agenda(workspace: Workspace, days: Days) -> Agenda:
    """Returns what lies at least in part on these days. At most five queries, however much it is."""
    rows = (
        Visit.objects.alive()
        .filter(
            workspace=workspace,
            scheduled_start__lt=days.end,
            scheduled_start__gte=days.start - LONGEST,
            scheduled_end__gt=days.start,
        )
        .order_by("scheduled_start", "pk")
    )
    visits = list(rows[: MOST_VISITS + 1])
    people = _people(workspace, {visit.technician_id for visit in visits} - {None})
    _with_their_people(visits, people)
    # A day more on either side: whole days are stored in the zone of the calendar that they come from.
    blocked = busy_times(
        technicians=[member.pk for member in people],
        start=days.start - _DAY,
        end=days.end + _DAY,
        limit=MOST_VISITS,
        kinds=(BLOCKED,),
    )
    taken = [busy_with(visit) for visit in visits if takes_time(visit)]
    return Agenda(
        days=days,
        people=people,
        visits=visits[:MOST_VISITS],
        blocked=[time for time in blocked if _touches(time, days)],
        overlaps=overlaps_among([*blocked, *taken, *_beyond(taken, days)]),
        more=len(visits) > MOST_VISITS,
    )


def _with_their_people(visits: Sequence[Visit], people: Sequence[Member]) -> None:
    """Gives each visit its technician and client: each is read once, however many visits are theirs."""
    technicians = {member.pk: member for member in people}
    ids = {visit.client_id for visit in visits}
    clients = {client.pk: client for client in Client.objects.filter(pk__in=ids).select_related("parent")}
    for visit in visits:
        visit.client = clients[visit.client_id]
        if visit.technician_id:
            visit.technician = technicians[visit.technician_id]


def _beyond(taken: Sequence[BusyTime], days: Days) -> list[BusyTime]:
    """Returns visits of other days that those which go on past the first or last midnight may overlap."""
    crossing = [time for time in taken if time.start < days.start or time.end > days.end]
    if not crossing:
        return []
    found = busy_times(
        technicians=sorted({time.technician_id for time in crossing}),
        start=min(time.start for time in crossing),
        end=max(time.end for time in crossing),
        limit=MOST_VISITS,
        kinds=(VISIT,),
    )
    return [time for time in found if not (time.start < days.end and time.end > days.start)]


def overlaps_among(times: Iterable[BusyTime]) -> dict[str, list[BusyTime]]:
    """Returns for each visit of these what else of them its technician is busy with at its time, the earliest first."""
    found: dict[str, list[BusyTime]] = defaultdict(list)
    running: dict[str, list[BusyTime]] = defaultdict(list)
    for time in sorted(times, key=lambda time: time.position[:2]):
        still = [other for other in running[time.technician_id] if other.end > time.start]
        for other in still:
            if time.visit_id:
                found[time.visit_id].append(other)
            if other.visit_id:
                found[other.visit_id].append(time)
        running[time.technician_id] = [*still, time]
    return dict(found)


def _people(workspace: Workspace, busy: Collection[str | None]) -> list[Member]:
    rows = Member.objects.filter(workspace=workspace).filter(Q(is_technician=True, is_active=True) | Q(pk__in=busy))
    return list(rows.order_by("first_name", "last_name", "pk"))


def _touches(time: BusyTime, days: Days) -> bool:
    if time.days:
        return time.days[0] <= days.last and time.days[1] >= days.first
    return time.start < days.end and time.end > days.start
