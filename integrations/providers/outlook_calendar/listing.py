"""What changed in a calendar: Graph's delta of a calendar view, page by page.

A view is of fixed times, and its link holds them. So it is asked for further ahead than the sync looks; when the
sync's window has come to its end, a new view is listed before the old one is read out for the last time.

https://learn.microsoft.com/en-us/graph/api/event-delta · https://learn.microsoft.com/en-us/graph/delta-query-events
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings

from integrations import errors
from integrations.providers.calendars import read_cursor, read_event, tombstone, with_own_occurrence
from integrations.providers.outlook_calendar import addresses
from integrations.providers.outlook_calendar.mapping import is_ours, is_series, to_record, with_own_occurrence_of
from integrations.records import Page, RemoteRecord, Window, instant
from integrations.transport.answers import rows_in

PAGE = "odata.maxpagesize={size}"
# A round that does not end is begun anew by pages of another size, since what is wrong there may hang on it.
SIZES = ("500", "200", "50")
AHEAD = dt.timedelta(days=7)
# All-day events are found by midnights in UTC, wherever they are meant.
MARGIN = dt.timedelta(days=1)
RESTARTS = 2  # of one round, in one reading
NAMES = {"from", "until", "delta", "old", "next", "size"}
Event = dict[str, Any]


class OutlookListing:
    """One reading of one calendar. The cursor: `from` and `until` are the view's times while it is listed first,
    `delta` is its link, `old` the link of the view before it, and `next` leads to the page that is due. `size` is how
    many rows a page has, where that is not the usual number."""

    def __init__(
        self,
        container_id: str,
        fetch: Callable[[str, dict[str, str], str], Event],
        read: Callable[[str, Sequence[str]], dict[str, Event | None]],
    ):
        self.container_id, self._get, self._read = container_id, fetch, read
        self._masters: dict[str, Event | None] = {}
        self._listed = ("", "")  # the time of which everything is listed

    def pages(self, cursor: str, window: Window) -> Iterator[Page]:
        state = _moved_on(_read(cursor, window), window)
        self._listed = (instant(window.start), instant(window.end))
        restarts, anew = RESTARTS, False
        while True:
            try:
                body = self._fetch(state)
            except errors.CursorExpired:
                # Links to pages do not live for long. The round that this one belonged to is begun again.
                if "next" in state and restarts:
                    restarts, anew = restarts - 1, True
                    state = {name: value for name, value in state.items() if name != "next"}
                    continue
                if "from" in state:
                    raise errors.Unavailable("Microsoft forgets this listing again and again.") from None
                raise
            restart, state = json.dumps(_anew(state)), _after(state, body)
            records, series = self._records(body["value"])
            last = state.keys() == {"until", "delta"}
            yield Page(records, json.dumps(state), last, series, restart, anew)
            anew = False
            if last:
                return

    def _fetch(self, state: dict[str, str]) -> dict[str, Any]:
        prefer = PAGE.format(size=state.get("size", SIZES[0]))
        if link := state.get("next") or ("from" not in state and (state.get("old") or state.get("delta"))):
            return self._get(link, {}, prefer)
        times = {"startDateTime": state["from"], "endDateTime": state["until"]}
        path = addresses.calendar(self.container_id)[1:]
        return self._get(addresses.root(f"{path}/calendarView/delta"), times, prefer)

    # --- rows to records --------------------------------------------------------------------------------------------

    def _records(self, rows: Iterable[Event]) -> tuple[list[RemoteRecord], tuple[str, ...]]:
        """Returns the page's records, and the series of which it tells something: a row may stand twice, the last
        counts."""
        latest = {row["id"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}
        self._masters |= {id: row for id, row in latest.items() if row.get("type") == "seriesMaster"}
        named = {id for row in latest.values() if isinstance(id := row.get("seriesMasterId"), str) and id}
        if unknown := sorted(named - self._masters.keys()):
            self._masters |= self._read(self.container_id, unknown)
        # Who is invited to one of them alone has it without its series. A delta may say little of it.
        alone = sorted(id for id, row in latest.items() if "@removed" not in row and self._is_orphan(row))
        latest |= (
            {id: found or _removed(id) for id, found in self._read(self.container_id, alone).items()} if alone else {}
        )
        records = [record for row in latest.values() if (record := read_event(row, partial(self._record, row)))]
        for id in sorted({*named, *latest}):
            master = latest.get(id) or self._masters.get(id) or {}
            if is_series(master):
                occurrences = [row for row in latest.values() if row.get("seriesMasterId") == id]
                records.append(read_event(master, partial(self._series, master, occurrences)))
        # What is gone or a single event now may have been a series before.
        return records, tuple(sorted(named | latest.keys()))

    def _is_orphan(self, row: Event) -> bool:
        """Returns whether it is one of a series that is not there."""
        series = row.get("seriesMasterId")
        return isinstance(series, str) and bool(series) and self._masters.get(series) is None

    def _record(self, row: Event) -> RemoteRecord | None:
        """Returns the record, None for what the series' own row, or its absence, says already."""
        if "@removed" in row:
            # Also said of events outside the view that somebody has touched.
            return tombstone(row["id"], doubtful=True)
        if row.get("type") == "seriesMaster":
            return None if is_ours(row.get("transactionId")) else tombstone(row["id"])
        event, master = row, None
        if row.get("seriesMasterId"):
            master = self._masters.get(row["seriesMasterId"])
            if master and is_ours(master.get("transactionId")):
                return None  # a person made a series of a visit's event: that stays the visit's
            if master and row.get("type") == "occurrence":
                # Of an occurrence a delta says when it is, and nothing else.
                own = {name: value for name, value in row.items() if value is not None}
                event = {**master, "recurrence": None, "originalStart": None, **own}
        if not (event.get("start") and event.get("end")):
            return tombstone(row["id"], doubtful=True)
        record = to_record(event, master)
        # A delta never tells our marker, so what may be ours and is not known has to be looked at.
        return replace(record, doubtful=bool(record.made_with))

    def _series(self, master: Event, occurrences: Sequence[Event]) -> RemoteRecord:
        """Returns the event of a visit that a person has made a series of: it stays the visit's, and is when the
        visit's own occurrence is. All of a series are listed together, so one that is missing was removed."""
        record = replace(to_record(master), doubtful=True)
        if found := with_own_occurrence_of(record, master, occurrences):
            return found
        listed = self._listed[0] < record.fields["start"] < self._listed[1]
        return with_own_occurrence(record, None) if listed else record


def _removed(id: str) -> Event:
    return {"id": id, "@removed": {"reason": "deleted"}}


def leads_on(body: Event) -> None:
    """Raises `Unavailable` for a page without rows, or that does not say where the next one starts."""
    rows_in("value")(body)
    links = body.get("@odata.nextLink"), body.get("@odata.deltaLink")
    if not any(isinstance(link, str) and link for link in links):
        raise errors.Unavailable("Microsoft's list of events ended without saying where the next one starts.")


def _read(cursor: str, window: Window) -> dict[str, str]:
    if not cursor:
        return _view(window)
    state = read_cursor(cursor, NAMES, one_of=("from", "delta"), all_of=("until",))
    links = [state[name] for name in ("delta", "old", "next") if name in state]
    if not all(link.startswith(f"{settings.MICROSOFT_GRAPH_URL}/") for link in links):
        raise errors.CursorExpired("The stored position belongs to another address of Microsoft Graph.")
    return state


def _view(window: Window) -> dict[str, str]:
    return {"from": instant(window.start - MARGIN), "until": instant(window.end + AHEAD)}


def _moved_on(state: dict[str, str], window: Window) -> dict[str, str]:
    if state.keys() - {"size"} == {"until", "delta"} and state["until"] < instant(window.end):
        return {**_view(window), "old": state["delta"]}
    return state


def _anew(state: dict[str, str]) -> dict[str, str]:
    """Returns where this round is begun once more, by pages of another size."""
    size = state.get("size", SIZES[0])
    after = SIZES[(SIZES.index(size) + 1) % len(SIZES)] if size in SIZES else SIZES[0]
    return {**{name: value for name, value in state.items() if name != "next"}, "size": after}


def _after(state: dict[str, str], body: dict[str, Any]) -> dict[str, str]:
    """Returns where the listing stands behind this page."""
    if isinstance(link := body.get("@odata.nextLink"), str) and link:
        return {**state, "next": link}
    link = body["@odata.deltaLink"]
    kept: dict[str, str] = {name: state[name] for name in ("until", "delta") if name in state}
    if "from" in state:
        return {**kept, "delta": link, **({"old": state["old"]} if "old" in state else {})}
    return kept if "old" in state else {**kept, "delta": link}
