"""Events on disk: every write gets the calendar's next generation."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# ruff: noqa: S608  column lists and conditions are this package's own; values are always bound
from fieldcamp.sandbox.microsoft import recurrence
from fieldcamp.sandbox.microsoft.calendars import Calendar, Calendars
from fieldcamp.sandbox.microsoft.ids import EventId
from fieldcamp.sandbox.microsoft.schema import COLUMNS
from fieldcamp.sandbox.microsoft.times import local_ms, wall_clock
from fieldcamp.sandbox.push.sender import Noted
from fieldcamp.sandbox.state import State

INSERT = f"INSERT OR REPLACE INTO m_events ({COLUMNS}) VALUES ({', '.join('?' * 13)})"


@dataclass(frozen=True)
class Stored:
    """An event as it is kept. Of kind "occurrence" is what only its series implies: it has no row."""

    cal: int
    core: bytes
    kind: str
    series: bytes | None
    original_ms: int | None
    change: int
    written_us: int
    start_ms: int
    end_ms: int
    deleted: bool
    mailbox: bytes
    body: dict[str, Any]
    read_only: bool = False  # for whoever has asked for it

    def id(self, immutable: bool) -> str:
        """The event's id, of the kind asked for."""
        revision = self.body["revision"] if self.series else 0
        return EventId(self.mailbox, self.series or self.core, revision, self.original_ms, immutable).text()

    def series_id(self, immutable: bool) -> str | None:
        """The id of the series it belongs to."""
        return EventId(self.mailbox, self.series, immutable=immutable).text() if self.series else None


class EventStore:
    """Reads and writes rows; knows nothing of what events may say."""

    def __init__(self, state: State, calendars: Calendars) -> None:
        self.state, self.calendars = state, calendars

    def get(self, core: bytes) -> Stored | None:
        """The event of that core, a deleted one too."""
        row = self.state.one(f"SELECT {COLUMNS} FROM m_events WHERE core = ?", core)
        return _stored(row) if row else None

    def exception(self, series: bytes, original_ms: int) -> Stored | None:
        """The changed instance of a series."""
        query = f"SELECT {COLUMNS} FROM m_events WHERE series = ? AND original_ms = ?"
        row = self.state.one(query, series, original_ms)
        return _stored(row) if row else None

    def exceptions(self, series: bytes) -> list[Stored]:
        """All changed instances of a series."""
        query = f"SELECT {COLUMNS} FROM m_events WHERE series = ? ORDER BY original_ms"
        return [_stored(row) for row in self.state.all(query, series)]

    def by_transaction(self, mailbox: bytes, transaction_id: str) -> Stored | None:
        """What an earlier create with that transactionId made, unless it is deleted."""
        query = f"SELECT {COLUMNS} FROM m_events WHERE mailbox = ? AND transaction_id = ? AND NOT deleted"
        row = self.state.one(query, mailbox, transaction_id)
        return _stored(row) if row else None

    def rows(self, cal: Calendar, where: str, *params: Any, order: str = "change", limit: int = -1) -> Iterator[Stored]:
        """Events of a calendar. `where` and `order` are ours, never a client's."""
        query = f"SELECT {COLUMNS} FROM m_events WHERE cal = ? AND {where} ORDER BY {order} LIMIT ?"
        for row in self.state.all(query, cal.n, *params, limit):
            yield _stored(row)

    def save(
        self,
        cal: Calendar,
        body: dict[str, Any],
        core: bytes | None = None,
        series: Stored | None = None,
        original_ms: int | None = None,
        deleted: bool = False,
    ) -> Stored:
        """Writes an event, or with `series` one of its instances, which makes the series a changed one too."""
        old = self.get(core) if core else None
        core = core or secrets.token_bytes(16)
        with self.state.transaction():
            change, written_us = self.calendars.tick(cal)
            body = {"created_us": written_us} | body
            mailbox = self.calendars.the_account(cal.account).mailbox
            kind = "exception" if series else ("master" if body["recurrence"] else "single")
            start_ms, end_ms = span(body)
            if kind == "master":
                changed = self.exceptions(core)
                start_ms = min([start_ms, *(each.start_ms for each in changed)])
                end_ms = max([recurrence.last_end_ms(body), *(each.end_ms for each in changed)])
            of = series.core if series else None
            times = (change, written_us, start_ms, end_ms)
            text = json.dumps(body, separators=(",", ":"))
            fixed = (int(deleted), mailbox, body["transactionId"] if not series else None, text)
            self.state.execute(INSERT, cal.n, core, kind, of, original_ms, *times, *fixed)
            if series:
                self.save(cal, series.body, series.core)
            said = _said(old, body, deleted)
            if said:
                # Of an instance the series is told.
                what = ("updated", series.core) if series else (said, core)
                self.state.note(Noted("microsoft", f"events {cal.n}", what))
        return Stored(cal.n, core, kind, of, original_ms, *times, deleted, mailbox, body)

    def drop_exceptions(self, series: bytes) -> None:
        """The changed instances are gone without a trace: a series' change says it all."""
        self.state.execute("DELETE FROM m_events WHERE series = ?", series)


def _said(old: Stored | None, body: dict[str, Any], deleted: bool) -> str:
    """What a write did as notices call it; empty when nothing is other than it was."""
    if old is None or old.deleted:
        return "" if deleted else "created"
    if deleted:
        return "deleted"
    return "" if old.body == json.loads(json.dumps(body)) else "updated"


def span(body: dict[str, Any]) -> tuple[int, int]:
    """The event's (first) start and end."""
    tz = recurrence.zone_of(body)
    return local_ms(_wall(body, "start"), tz), local_ms(_wall(body, "end"), tz)


def _wall(body: dict[str, Any], name: str) -> Any:
    return wall_clock(body[name]["dateTime"], name)


def _stored(row: sqlite3.Row) -> Stored:
    values = {name: row[name] for name in row.keys() if name != "transaction_id"}  # noqa: SIM118  a row has no items
    return Stored(**(values | {"deleted": bool(row["deleted"]), "body": json.loads(row["body"])}))
