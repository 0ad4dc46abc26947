"""The calendar's page as its template takes it, made of what its address asks for."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.agenda import MOST_VISITS, Agenda, Days, agenda, week_of_day
from fieldcamp.workspace.busy import BusyTime, overlaps_of
from fieldcamp.workspace.models import Visit, VisitStatus
from integrations.admin.agenda_marks import marks_of
from integrations.admin.agenda_page import (
    MARKED,
    UNASSIGNED,
    busy_lines,
    clock,
    days_of,
    people_of,
    said_busy,
    said_day,
    shown_of,
    visit_lines,
    wall,
)
from integrations.admin.counterparts import links_of, places_of_record
from integrations.admin.jobs import provider_label
from integrations.services.sync_state.of_technicians import technicians_states
from integrations.services.sync_state.states import sync_state, sync_states_of

VIEWS: Mapping[str, Any] = {"list": _("List"), "week": _("Week"), "day": _("Day")}
_EARLIEST, _LATEST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)


@dataclass(frozen=True)
class Asked:
    """What the address asks for, and sentences about what of it cannot be."""

    view: str
    date: dt.date
    technician: str
    state: str
    notes: Sequence[str] = ()

    @property
    def days(self) -> tuple[dt.date, int]:
        """Returns the first day and how many."""
        return (self.date, 1) if self.view == "day" else (week_of_day(self.date), 7)

    def address(self, **other: Any) -> str:
        """Returns the page's address with these parts of it changed."""
        parts = {"view": self.view, "date": self.date, "technician": self.technician, "state": self.state, **other}
        return f"{reverse('integrations:agenda')}?{urlencode({name: value for name, value in parts.items() if value})}"


def asked_of(query: Mapping[str, str], today: dt.date) -> Asked:
    """Reads the address. What it cannot be is told, and something that can be is shown instead."""
    notes = []
    view, technician, state = (query.get(name, "") for name in ("view", "technician", "state"))
    if view and view not in VIEWS:
        notes.append(gettext("There is no such view of the calendar; this is the week."))
    if state and state not in MARKED and state not in VisitStatus.values:
        notes.append(gettext("There is no such state of visits; these are all."))
        state = ""
    date = today
    if text := query.get("date", ""):
        try:
            date = dt.date.fromisoformat(text)
        except ValueError:
            date = dt.date.min
        if not _EARLIEST <= date < _LATEST:
            notes.append(gettext("That is no day from 2000 to 2099; this is today."))
            date = today
    return Asked(view if view in VIEWS else "week", date, technician, state, notes)


def _among(asked: Asked, people: Collection[str]) -> Asked:
    if not asked.technician or asked.technician in people:
        return asked
    note = gettext("No such technician has anything on these days; this is everybody.")
    return replace(asked, technician="", notes=[*asked.notes, note])


def agenda_context(desk_user: DeskUser, query: Mapping[str, str]) -> dict[str, Any]:
    """Returns the page's context; the number of queries does not depend on how much there is."""
    workspace, now = desk_user.workspace, timezone.now()
    assert workspace is not None  # the view has asked
    today = timezone.localtime(now).date()
    asked = asked_of(query, today)
    found = agenda(workspace, Days(*asked.days, desk_user.timezone))
    people = people_of(found, technicians_states(workspace.pk, found.people))
    asked = _among(asked, {person.key for person in people})
    wanted = [visit for visit in found.visits if asked.technician in ("", visit.technician_id or UNASSIGNED)]
    states = sync_states_of(workspace.pk, Visit.kind, wanted)
    visits = shown_of(visit_lines(wanted, found.overlaps, states, desk_user), asked.state)
    busy = [] if asked.state else [line for line in busy_lines(found) if asked.technician in ("", line.person)]
    rows = [person for person in people if asked.technician in ("", person.key)]
    days = days_of(found.days, rows, visits, busy, today, asked.address())
    step = 1 if asked.view == "day" else 7
    return {
        "asked": asked,
        "days": days,
        "heading": _heading(found.days),
        "views": [(name, label, asked.address(view=name)) for name, label in VIEWS.items()],
        "today_url": asked.address(date=""),
        "previous_url": asked.address(date=asked.date - dt.timedelta(days=step)),
        "next_url": asked.address(date=asked.date + dt.timedelta(days=step)),
        "clear_url": asked.address(technician="", state=""),
        "technicians": [(person.key, person.name) for person in people],
        "rows": rows,
        "states": [*MARKED.items(), *VisitStatus.choices[1:]],
        "said_filter": _said_filter(asked, people),
        "count": _count(visits),
        "more": found.more,
        "most": MOST_VISITS,
        "has_technicians": len(people) > 1,
        "connected": any(not person.mark or person.mark.key != "none" for person in people[1:]),
        "may_change": desk_user.may("settings"),
        "has_visits": bool(found.visits),
        "shows_visits": bool(visits),
        "has_lines": any(day.people for day in days),
        "grid": _grid(found, asked, rows, now),
    }


def _heading(days: Days) -> str:
    if days.number == 1:
        return formats.long_day(days.first)
    return f"{said_day(days.first)} – {said_day(days.last)}"


def _said_filter(asked: Asked, people: Sequence[Any]) -> str:
    parts = [person.name for person in people if person.key == asked.technician]
    if asked.state:
        parts.append(str(MARKED.get(asked.state) or VisitStatus(asked.state).label))
    return " · ".join(parts)


def _count(visits: Sequence[Any]) -> str:
    number = len(visits)
    return ngettext("{number} visit", "{number} visits", number).format(number=number)


def _grid(found: Agenda, asked: Asked, rows: Sequence[Any], now: dt.datetime) -> dict[str, Any]:
    """Returns what the script makes the grid with; the visits it reads off the page."""
    return {
        "view": asked.view,
        "first": found.days.first.isoformat(),
        "now": wall(now),
        "days": {day.isoformat(): said_day(day) for day in found.days.all},
        "people": [
            {
                "id": person.key,
                "title": person.name,
                "note": person.note,
                "mark": person.mark.word if person.mark else "",
                "why": person.mark.why if person.mark else "",
                "tone": person.mark.tone if person.mark else "",
            }
            for person in rows
        ],
        "unassigned": UNASSIGNED,
        "words": {
            "grid": gettext("Calendar by technician"),
            "scroll": gettext("Calendar, scrolls"),
            "technician": gettext("Technician"),
            "failed": gettext(
                "It could not be saved, so the visit was put back. Load the page again and try once more."
            ),
            "until": gettext("until {time}"),
        },
    }


def visit_context(visit: Visit, desk_user: DeskUser) -> dict[str, Any]:
    """Returns what the panel of a visit shows."""
    rows, overlaps = sync_state(visit), overlaps_of(visit)
    links = [
        (gettext("Open in {provider}").format(provider=provider_label(row.integration)), row.remote_url)
        for row in rows
        if row.remote_url
    ]
    problems = dict.fromkeys(pk for row in rows for pk in row.explanation.problem_ids)
    return {
        "visit": visit,
        "when": said_when(visit),
        "client_url": reverse("admin:workspace_client_change", args=[visit.client_id]) if desk_user.may("view") else "",
        "page": reverse("admin:workspace_visit_change", args=[visit.pk]),
        "sync_rows": places_of_record(visit, list(links_of(visit)[:20]), desk_user),
        "marks": marks_of(rows, bool(overlaps)),
        "overlaps": [place_of(busy) for busy in overlaps],
        "links": links,
        "problems": [reverse("admin:integrations_problem_change", args=[pk]) for pk in problems],
        "is_over": visit.is_over,
        "may_change": desk_user.may("settings"),
    }


def said_when(visit: Visit) -> str:
    if not visit.scheduled_start or not visit.scheduled_end:
        return gettext("Not scheduled")
    day = timezone.localtime(visit.scheduled_start).date()
    return f"{said_day(day)}, {clock(visit.scheduled_start, day)}–{clock(visit.scheduled_end, day)}"


def said_of(visit: Visit) -> str:
    """Says where a visit stands now."""
    who = str(visit.technician) if visit.technician else gettext("nobody")
    return gettext("“{title}” is now {when}, with {person}.").format(
        title=visit.title, when=said_when(visit), person=who
    )


def place_of(busy: BusyTime) -> dict[str, str]:
    """Returns one thing that a technician is busy with: of a blocked time only when."""
    url = reverse("admin:workspace_visit_change", args=[busy.visit_id]) if busy.visit_id else ""
    return {"title": busy.title or gettext("Busy"), "when": said_busy(busy), "url": url}
