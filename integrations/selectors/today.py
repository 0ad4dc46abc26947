"""What the calendars have today, in short: who has which visits, when they are busy otherwise, what is not settled."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from fieldcamp.workspace.agenda import Days, agenda
from fieldcamp.workspace.busy import BusyTime
from fieldcamp.workspace.models import Member, Visit, VisitStatus, Workspace
from integrations.kinds import VISIT
from integrations.models import DirtyRow, Problem

_OFF = (VisitStatus.CANCELLED, VisitStatus.UNSCHEDULED)


@dataclass
class PersonToday:
    """One person's day, or that of nobody (`member` None). `asked` of the visits somebody has to decide about,
    `unsynced` have changes that no sync has looked at yet, `overlapping` lie over another visit or a busy time."""

    member: Member | None
    visits: list[Visit] = field(default_factory=list)
    busy: list[BusyTime] = field(default_factory=list)
    overlapping: int = 0
    asked: int = 0
    unsynced: int = 0

    def next_at(self, now: dt.datetime) -> Visit | None:
        """Returns the visit that is on, or else the next one."""
        return next((visit for visit in self.visits if visit.scheduled_end and visit.scheduled_end > now), None)


@dataclass(frozen=True)
class TodaysAgenda:
    """`people` have something today, nobody's visits first; `free` have nothing. `more`: there are more visits than are
    looked at."""

    date: dt.date
    people: Sequence[PersonToday]
    free: Sequence[Member]
    visits: int
    more: bool


def todays_agenda(workspace: Workspace, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> TodaysAgenda:
    """Returns the company's day in its zone; at most seven queries, however much there is."""
    date = now.astimezone(zone).date()
    found = agenda(workspace, Days(date, 1, zone))
    visits = [visit for visit in found.visits if visit.visit_status not in _OFF]
    asked, unsynced = _asked(workspace, visits), _unsynced(visits)
    rows: dict[str | None, PersonToday] = {None: PersonToday(None)}
    rows |= {member.pk: PersonToday(member) for member in found.people}
    for visit in visits:
        row = rows[visit.technician_id]
        row.visits.append(visit)
        row.overlapping += bool(found.overlaps.get(visit.pk))
        row.asked += visit.pk in asked
        row.unsynced += visit.pk in unsynced and visit.pk not in asked
    busy: dict[str, list[BusyTime]] = defaultdict(list)
    for time in found.blocked:
        busy[time.technician_id].append(time)
    for member_id, times in busy.items():
        rows[member_id].busy = times
    people = [row for row in rows.values() if row.visits or row.busy]
    free = [row.member for row in rows.values() if row.member and row.member.is_active and row not in people]
    return TodaysAgenda(date, people, free, len(visits), found.more)


def _asked(workspace: Workspace, visits: Sequence[Visit]) -> Collection[str]:
    """Returns those of the visits about which a question is open that nobody has put aside."""
    rows = Problem.objects.open().filter(
        workspace=workspace, record_kind=VISIT.name, record_id__in=[visit.pk for visit in visits],
        ignored_at=None, notice=False,
    )  # fmt: skip
    return set(rows.values_list("record_id", flat=True)) if visits else set()


def _unsynced(visits: Sequence[Visit]) -> Collection[str]:
    rows = DirtyRow.objects.filter(kind=VISIT.name, record_id__in=[visit.pk for visit in visits])
    return set(rows.values_list("record_id", flat=True)) if visits else set()
