"""Events on disk: every write gets the calendar's next change number and a growing etag."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# ruff: noqa: S608  column lists and conditions are this package's own; values are always bound
from fieldcamp.sandbox.google import recurrence
from fieldcamp.sandbox.google.calendars import Calendar, Calendars
from fieldcamp.sandbox.google.schema import COLUMNS
from fieldcamp.sandbox.google.times import midnight_ms, read_date, read_utc, to_ms
from fieldcamp.sandbox.push.sender import Noted
from fieldcamp.sandbox.state import State

SNAPSHOT_SECONDS = 3600  # how long a page token shows the calendar as it was


@dataclass(frozen=True)
class Stored:
    """An event as it is kept. `saved` is false for an instance that only its series implies."""

    id: str
    seq: int
    change: int
    updated_us: int
    body: dict[str, Any]
    start_ms: int
    end_ms: int
    original_ms: int | None = None
    saved: bool = True

    @property
    def cancelled(self) -> bool:
        """Whether it is deleted."""
        return self.body["status"] == "cancelled"

    @property
    def recurring(self) -> bool:
        """Whether it is a series' master."""
        return "recurrence" in self.body


class EventStore:
    """Reads and writes rows; knows nothing of what events may say."""

    def __init__(self, state: State, calendars: Calendars) -> None:
        self.state, self.calendars = state, calendars

    def get(self, cal: Calendar, event_id: str) -> Stored | None:
        """The event of that id, a deleted one too."""
        row = self.state.one(f"SELECT {COLUMNS} FROM g_events WHERE cal = ? AND id = ?", cal.n, event_id)
        return stored(row) if row else None

    def by_uid(self, cal: Calendar, uid: str) -> Stored | None:
        """The event or series of that iCalUID."""
        row = self.state.one(
            f"SELECT {COLUMNS} FROM g_events WHERE cal = ? AND ical_uid = ? AND series IS NULL", cal.n, uid
        )
        return stored(row) if row else None

    def save(self, cal: Calendar, body: dict[str, Any]) -> Stored:
        """Writes the body under its id."""
        with self.state.transaction():
            old = self.get(cal, body["id"])
            change, updated_us = self.calendars.tick(cal)
            if old is not None:
                self._keep_version(cal, old, change)
            new = row_of(cal, body, old.seq if old else change, change, updated_us)
            self.state.execute(INSERT, *new)
            if old is None or old.body != body:
                self.state.note(Noted("google", f"events {cal.n}"))
        start_ms, end_ms, original_ms = new[8], new[9], new[7]
        return Stored(body["id"], new[2], change, updated_us, body, start_ms, end_ms, original_ms)

    def rows(
        self, cal: Calendar, as_of: int, where: str, params: tuple[Any, ...], order: str, limit: int = -1
    ) -> Iterator[Stored]:
        """Events as they were at change number `as_of`. `where` and `order` are ours, never a client's."""
        condition = f"cal = ? AND change <= ? AND {where}"
        arguments: tuple[Any, ...] = (cal.n, as_of, *params)
        query = f"SELECT {COLUMNS} FROM g_events WHERE {condition}"
        if self.state.one("SELECT 1 FROM g_versions WHERE cal = ? AND superseded > ? LIMIT 1", cal.n, as_of):
            query += f" UNION ALL SELECT {COLUMNS} FROM g_versions WHERE {condition} AND superseded > ?"
            arguments = (*arguments, *arguments, as_of)
        for row in self.state.all(f"{query} ORDER BY {order} LIMIT ?", *arguments, limit):
            yield stored(row)

    def open_snapshot(self, cal: Calendar, change: int) -> None:
        """What is overwritten from now on stays readable for those who page through the calendar as of `change`."""
        now = self.state.now()
        with self.state.transaction():
            self.state.execute("DELETE FROM g_snapshots WHERE opened < ?", now - SNAPSHOT_SECONDS)
            self.state.execute("INSERT OR REPLACE INTO g_snapshots VALUES (?, ?, ?)", cal.n, change, now)
            oldest = self.state.the("SELECT min(change) AS change FROM g_snapshots WHERE cal = ?", cal.n)
            self.state.execute("DELETE FROM g_versions WHERE cal = ? AND superseded <= ?", cal.n, oldest["change"])

    def _keep_version(self, cal: Calendar, old: Stored, superseded: int) -> None:
        watched = self.state.one("SELECT 1 FROM g_snapshots WHERE cal = ? AND change >= ? LIMIT 1", cal.n, old.change)
        if watched:
            self.state.execute(
                f"INSERT OR REPLACE INTO g_versions ({COLUMNS}, superseded)"
                f" SELECT {COLUMNS}, ? FROM g_events WHERE cal = ? AND id = ?",
                superseded,
                cal.n,
                old.id,
            )


INSERT = f"INSERT OR REPLACE INTO g_events ({COLUMNS}) VALUES ({', '.join('?' * 14)})"


def row_of(cal: Calendar, body: dict[str, Any], seq: int, change: int, updated_us: int) -> tuple[Any, ...]:
    """A body with the columns that listings look for."""
    start_ms, end_ms = span(body, cal)
    original = body.get("originalStartTime")
    return (
        cal.n,
        body["id"],
        seq,
        change,
        updated_us,
        body["status"],
        body.get("recurringEventId"),
        moment_ms(original, cal) if original else None,
        start_ms,
        recurrence.last_end_ms(body, cal.zone) if "recurrence" in body else end_ms,
        int("recurrence" in body),
        body["eventType"],
        body["iCalUID"],
        json.dumps(body, separators=(",", ":")),
    )


def stored(row: sqlite3.Row) -> Stored:
    """A row as an event."""
    return Stored(
        row["id"],
        row["seq"],
        row["change"],
        row["updated_us"],
        json.loads(row["body"]),
        row["start_ms"],
        row["end_ms"],
        row["original_ms"],
    )


def moment_ms(value: dict[str, str], cal: Calendar) -> int:
    """A start or end in milliseconds; days begin at midnight of the calendar's zone."""
    if "date" in value:
        return midnight_ms(read_date(value["date"]), cal.zone)
    return to_ms(read_utc(value["dateTime"]))


def span(body: dict[str, Any], cal: Calendar) -> tuple[int, int]:
    """The event's first start and end."""
    return moment_ms(body["start"], cal), moment_ms(body["end"], cal)
