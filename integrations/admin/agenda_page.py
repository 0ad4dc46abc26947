"""What the calendar's page shows: each day, whose visits and busy times it has, and what is marked on them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.agenda import Agenda, Days
from fieldcamp.workspace.busy import BusyTime
from fieldcamp.workspace.models import Member, Visit, VisitStatus
from fieldcamp.workspace.scheduling import DEFAULT_DURATION
from integrations.admin.agenda_marks import Mark, marks_of, technician_mark
from integrations.services.sync_state.reasons import Explanation
from integrations.services.sync_state.states import SyncStateRow

UNASSIGNED = "none"
PAGE_OF_VISIT, PANEL = "admin:workspace_visit_change", "integrations:agenda_visit"
_ID = "vis_x"
_LOOKS = {VisitStatus.CANCELLED.value: " fc-agenda-off", VisitStatus.COMPLETED.value: " fc-agenda-done"}
_QUARTER = dt.timedelta(minutes=15)
# What a visit is filtered by beside its status.
MARKED = {
    "overlaps": _("Overlaps"),
    "conflict": _("Conflict"),
    "held": _("Removal waits"),
    "needs": _("Needs somebody"),
    "pending": _("Not in step yet"),
}


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One visit on the page. `start` and `end` are what a clock of the company shows, as `2026-11-30T08:00`."""

    visit: Visit
    client: str
    url: str
    panel: str
    start: str
    end: str
    marks: Sequence[Mark]
    movable: bool
    person: str
    kind: str = "visit"

    @property
    def look(self) -> str:
        """Returns what the style sheet calls a visit of this status."""
        return _LOOKS.get(self.visit.visit_status, "")

    @property
    def status(self) -> str:
        return "" if self.visit.visit_status == VisitStatus.SCHEDULED else self.visit.get_visit_status_display()


@dataclass(frozen=True, slots=True)
class BusyLine:
    """A time that is blocked in somebody's own calendar: when, and nothing else."""

    key: str
    start: str
    end: str
    all_day: bool
    words: str
    person: str
    kind: str = "busy"


@dataclass(frozen=True)
class Person:
    """A row of the calendar: somebody, or nobody."""

    key: str
    name: str
    mark: Mark | None = None
    note: str = ""  # inactive, say
    url: str = ""


@dataclass(frozen=True)
class PersonDay:
    """What one person has on one day, each line as a list's element."""

    person: Person
    lines: Sequence[SafeString]


@dataclass(frozen=True)
class AgendaDay:
    date: dt.date
    title: str
    is_today: bool
    people: list[PersonDay] = field(default_factory=list)


def minutes_of(visit: Visit) -> int:
    """Returns how long a visit takes, as its form says it: whole minutes, and the usual ones of a visit without a
    time."""
    start, end = visit.scheduled_start, visit.scheduled_end
    length = end - start if start and end else DEFAULT_DURATION
    return max(round(length / dt.timedelta(minutes=1)), 1)


def wall(moment: dt.datetime) -> str:
    """Returns what the company's clock shows then."""
    return wall_text(timezone.localtime(moment))


def wall_text(moment: dt.datetime) -> str:
    return moment.isoformat()[:16]


def clock(moment: dt.datetime, day: dt.date) -> str:
    """Returns a time as it is said on that day: with its own day where that is another one."""
    return formats.clock(moment) if timezone.localtime(moment).date() == day else formats.moment(moment)


def said_day(date: dt.date) -> str:
    return formats.weekday(date)


def said_busy(busy: BusyTime) -> str:
    """Says when it is, by the day on which it begins."""
    if busy.days:
        first, last = busy.days
        if first == last:
            return gettext("all day, {day}").format(day=said_day(first))
        return gettext("all day, {first} – {last}").format(first=said_day(first), last=said_day(last))
    local = timezone.localtime(busy.start)
    return f"{formats.moment(busy.start)}–{clock(busy.end, local.date())}"


def people_of(found: Agenda, states: Mapping[str, Explanation], *, unassigned: bool = True) -> list[Person]:
    """Returns the calendar's rows: first what nobody is assigned to."""
    rows = [Person(UNASSIGNED, gettext("Unassigned"))] if unassigned else []
    for member in found.people:
        note = "" if member.is_active else gettext("not active any more")
        rows.append(Person(member.pk, str(member), technician_mark(states.get(member.pk)), note, _page(member)))
    return rows


def _page(member: Member) -> str:
    return reverse("admin:workspace_member_change", args=[member.pk])


def visit_lines(
    visits: Sequence[Visit],
    overlaps: Mapping[str, Sequence[BusyTime]],
    states: Mapping[str, Sequence[SyncStateRow]],
    desk_user: DeskUser,
) -> list[VisitLine]:
    """Returns the visits as they are shown; they have their client at hand."""
    may, to_page, to_panel = desk_user.may("settings"), _address(PAGE_OF_VISIT), _address(PANEL)
    shown = []
    for visit in visits:
        start, end = _walls(visit)
        over = overlaps.get(visit.pk, ())
        shown.append(
            VisitLine(
                visit=visit,
                client=str(visit.client),
                url=to_page.replace(_ID, visit.pk),
                panel=to_panel.replace(_ID, visit.pk),
                start=start,
                end=end,
                marks=marks_of(states.get(visit.pk, ()), bool(over)),
                movable=may and not visit.is_over,
                person=visit.technician_id or UNASSIGNED,
            )
        )
    return shown


def _address(name: str) -> str:
    """Returns an address with `_ID` in the place of the id: looking one up for each of hundreds takes its time."""
    return reverse(name, args=[_ID])


def _walls(visit: Visit) -> tuple[str, str]:
    assert visit.scheduled_start and visit.scheduled_end  # of those on a calendar
    return _between(visit.scheduled_start, visit.scheduled_end)


def _between(began: dt.datetime, ended: dt.datetime) -> tuple[str, str]:
    """Returns what the clock shows at both ends, in this order."""
    start, end = wall(began), wall(ended)
    if end <= start:  # where the clock was set back meanwhile
        end = wall_text(dt.datetime.fromisoformat(start) + _QUARTER)
    return start, end


def busy_lines(found: Agenda) -> list[BusyLine]:
    return [_busy(busy) for busy in found.blocked]


def _busy(busy: BusyTime) -> BusyLine:
    key = f"busy-{busy.position.row}"
    if busy.days:
        first, last = busy.days
        end = last + dt.timedelta(days=1)
        return BusyLine(key, f"{first}T00:00", f"{end}T00:00", True, gettext("Busy all day"), busy.technician_id)
    return BusyLine(key, *_between(busy.start, busy.end), False, gettext("Busy"), busy.technician_id)


def shown_of(lines: Sequence[VisitLine], state: str) -> list[VisitLine]:
    """Returns those of this status, or with this mark; all without one."""
    if not state:
        return list(lines)
    if state in MARKED:
        return [line for line in lines if any(mark.key == state for mark in line.marks)]
    return [line for line in lines if line.visit.visit_status == state]


class Mover:
    """Writes lines as elements of a list: there are hundreds on a page, for which a template takes long."""

    def __init__(self, here: str):
        self.back, self.word = quote(here), gettext("Move…")

    def element(self, line: VisitLine | BusyLine, when: str) -> SafeString:
        at = format_html('data-start="{}" data-end="{}" data-person="{}"', line.start, line.end, line.person)
        if isinstance(line, BusyLine):
            html = '<li class="fc-agenda-busy" data-busy="{}" {}><span>{}</span></li>'
            return format_html(html, line.key, at, f"{line.words} {when}".strip())
        title, move, movable = line.visit.title, "", ""
        if line.movable:
            html = '<a class="fc-agenda-move" href="{}?next={}#move">{}<span class="fc-hidden"> {}</span></a>'
            move, movable = format_html(html, line.panel, self.back, self.word, title), " data-movable"
        return format_html(
            '<li class="fc-agenda-visit{}" data-visit="{}" data-version="{}" data-panel="{}" data-minutes="{}" {}{}>'
            '<span class="fc-agenda-when">{}</span> <a class="fc-agenda-title" href="{}">{}</a> '
            '<span class="fc-agenda-client">{}</span> {}{}</li>',
            line.look, line.visit.pk, line.visit.version, line.panel, minutes_of(line.visit), at,
            movable, when, line.url, title, line.client,
            _badges(line), move,
        )  # fmt: skip


def _badges(line: VisitLine) -> SafeString:
    # Why is said as the API says it, in its language.
    badge = '<span lang="en" title="{}"><span class="fc-badge fc-tone-{}" lang="{}">{}</span></span> '
    marks = [format_html(badge, mark.why, mark.tone, get_language(), mark.word) for mark in line.marks]
    status = [format_html('<span class="fc-badge fc-agenda-status">{}</span> ', line.status)] if line.status else []
    return mark_safe("".join([*status, *marks]))  # noqa: S308  # of what is escaped already


def days_of(
    days: Days,
    people: Sequence[Person],
    visits: Sequence[VisitLine],
    busy: Sequence[BusyLine],
    today: dt.date,
    here: str,
) -> list[AgendaDay]:
    """Returns each day with whoever has anything on it, and what goes on past midnight on each of its days. `here` is
    the page's own address."""
    mover = Mover(here)
    placed: dict[tuple[dt.date, str], list[tuple[str, str, Any]]] = defaultdict(list)
    edges = [(day, f"{day}T00:00", f"{day + dt.timedelta(days=1)}T00:00") for day in days.all]
    every: list[VisitLine | BusyLine] = [*busy, *visits]
    for line in every:
        for day, begins, ends in edges:
            if line.start < ends and line.end > begins:
                placed[day, line.person].append((line.start, _when(line, str(day)), line))
    shown = []
    for day in days.all:
        shown_day = AgendaDay(day, formats.long_day(day), day == today)
        for person in people:
            lines = sorted(placed.get((day, person.key), []), key=lambda each: each[0])
            if lines:
                shown_day.people.append(PersonDay(person, [mover.element(line, when) for _, when, line in lines]))
        shown.append(shown_day)
    return shown


def _when(line: VisitLine | BusyLine, day: str) -> str:
    if isinstance(line, BusyLine) and line.all_day:
        return ""
    return f"{_on(line.start, day)}–{_on(line.end, day)}"


def _on(text: str, day: str) -> str:
    date, _, time = text.partition("T")
    return time if date == day else f"{said_day(dt.date.fromisoformat(date))}, {time}"
