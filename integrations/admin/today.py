"""The first page's block of what the calendars have today, in words; each line leads into the calendar."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from fieldcamp import formats
from fieldcamp.desk.templatetags.desk import time_element
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.busy import BusyTime
from integrations.admin.agenda_page import UNASSIGNED, clock
from integrations.selectors.today import PersonToday, todays_agenda

MOST_PEOPLE, MOST_BUSY, MOST_FREE = 12, 3, 6


@dataclass(frozen=True)
class TodayBadge:
    """A word about some of a person's visits, with the page where they are."""

    word: str
    tone: str
    url: str


@dataclass(frozen=True)
class TodayLine:
    """One person's day. `url` is their day in the calendar, `next` and `next_url` the visit that is on or comes."""

    name: str
    url: str
    visits: str
    next: str
    next_url: str
    busy: str
    badges: list[TodayBadge]


def today_context(desk_user: DeskUser) -> dict[str, Any]:
    """Returns what the block shows; without a company nothing."""
    if desk_user.workspace is None:
        return {"today": None}
    now = timezone.now()
    found = todays_agenda(desk_user.workspace, desk_user.timezone, now)
    free = [str(member) for member in found.free[:MOST_FREE]]
    if more := len(found.free) - len(free):
        free.append(ngettext("{number} more", "{number} more", more).format(number=formats.number(more)))
    return {
        "today": {
            "day": formats.weekday(found.date),
            "visits": _visits(found.visits),
            "lines": [_line(row, found.date, now) for row in found.people[:MOST_PEOPLE]],
            "more": max(len(found.people) - MOST_PEOPLE, 0),
            "free": ", ".join(free),
            "url": _address(found.date),
            "has_people": bool(found.people or found.free),
        },
        "may_change": desk_user.may("settings"),
    }


def _address(date: dt.date, **parts: str) -> str:
    return f"{reverse('integrations:agenda')}?{urlencode({'view': 'day', 'date': date.isoformat(), **parts})}"


def _line(row: PersonToday, date: dt.date, now: dt.datetime) -> TodayLine:
    key = row.member.pk if row.member else UNASSIGNED
    coming, said, url = row.next_at(now), "", ""
    if coming and coming.scheduled_start:
        on = coming.scheduled_start <= now
        at = gettext("now") if on else _clock(coming.scheduled_start, date)
        said = format_html(gettext("{time} {title} · {client}"), time=at, title=coming.title, client=coming.client)
        url = reverse("admin:workspace_visit_change", args=[coming.pk])
    return TodayLine(
        name=str(row.member) if row.member else gettext("Unassigned"),
        url=_address(date, technician=key),
        visits=_visits(len(row.visits)),
        next=said,
        next_url=url,
        busy=_busy(row.busy, date),
        badges=list(_badges(row, date, key)),
    )


def _visits(number: int) -> str:
    if not number:
        return gettext("no visits")
    return ngettext("{number} visit", "{number} visits", number).format(number=formats.number(number))


def _busy(times: list[BusyTime], date: dt.date) -> str:
    """Says when somebody is busy otherwise; of what is in their calendar nothing else."""
    if not times:
        return ""
    if any(time.all_day for time in times):
        return gettext("busy all day")
    shown = [(_clock(time.start, date), _clock(time.end, date)) for time in times[:MOST_BUSY]]
    said = format_html_join(", ", "{}–{}", shown)
    if len(times) > MOST_BUSY:
        said = format_html("{}, …", said)
    return format_html(gettext("busy {times}"), times=said)


def _clock(moment: dt.datetime, date: dt.date) -> SafeString:
    return time_element(moment, clock(moment, date))


def _badges(row: PersonToday, date: dt.date, key: str) -> Iterable[TodayBadge]:
    """Yields what of the day is not settled. What somebody has to decide may be of several kinds, so that one leads to
    the whole day, where each visit says its own."""
    if row.asked:
        word = ngettext("{number} needs somebody", "{number} need somebody", row.asked)
        yield TodayBadge(word.format(number=row.asked), "danger", _address(date, technician=key))
    if row.overlapping:
        word = ngettext("{number} overlaps", "{number} overlap", row.overlapping)
        yield TodayBadge(
            word.format(number=row.overlapping), "warning", _address(date, technician=key, state="overlaps")
        )
    if row.unsynced:
        word = ngettext("{number} not synced yet", "{number} not synced yet", row.unsynced)
        yield TodayBadge(word.format(number=row.unsynced), "info", _address(date, technician=key, state="pending"))
