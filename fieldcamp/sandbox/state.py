"""What outlives a request: one SQLite file, a clock that can be moved, and a lock around both."""

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Clock = Callable[[], float]

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_cursors (cursor TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class State:
    """A database every vendor keeps its tables in. One thread at a time; committed work survives a kill."""

    def __init__(self, path: str | None = None, clock: Clock | None = None) -> None:
        self._real_clock = clock or time.time
        self.lock = threading.RLock()
        self._depth = 0
        self._noted: list[Any] = []
        self._told = False
        # Who hears of noted changes: `teller` still inside their transaction, `after_commit` when it is over.
        self.teller: Callable[[list[Any]], None] = _nobody
        self.after_commit: Callable[[], None] = _nothing
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=30)
        self._db.row_factory = sqlite3.Row
        # In WAL mode with synchronous=NORMAL a killed process loses nothing that was committed, and a commit costs
        # microseconds, not an fsync: https://sqlite.org/pragma.html#pragma_synchronous
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA cache_size=-65536")
        self._db.executescript(SCHEMA)
        self._offset = float(self.get("clock_offset") or 0)

    def install(self, schema: str) -> None:
        """Adds a vendor's tables."""
        with self.lock:
            self._db.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or none of it; nests."""
        with self.lock:
            if self._depth == 0:
                self._db.execute("BEGIN")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self.tell()
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._noted, self._told = [], False
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")
            if self._depth == 0 and self._told:
                self._told = False
                self.after_commit()

    def note(self, change: Any) -> None:
        """Says of a change, with the others of its transaction, to whoever is told of changes. What is rolled back is
        told to nobody."""
        with self.transaction():
            self._noted.append(change)

    def tell(self) -> None:
        """Tells of the changes that were noted so far, as the end of a transaction does."""
        noted, self._noted = self._noted, []
        if noted:
            self.teller(noted)
            self._told = True

    def stir(self) -> None:
        """After this transaction `after_commit` is called, as after one with noted changes."""
        with self.transaction():
            self._told = True

    def execute(self, sql: str, *params: Any) -> sqlite3.Cursor:
        """Runs one statement."""
        with self.lock:
            return self._db.execute(sql, params)

    def executemany(self, sql: str, rows: Iterator[tuple[Any, ...]]) -> None:
        """Runs one statement for each row."""
        with self.lock:
            self._db.executemany(sql, rows)

    def one(self, sql: str, *params: Any) -> sqlite3.Row | None:
        """The first row, or None."""
        with self.lock:
            return self._db.execute(sql, params).fetchone()

    def the(self, sql: str, *params: Any) -> sqlite3.Row:
        """The one row that must be there."""
        row = self.one(sql, *params)
        if row is None:
            raise LookupError(sql)
        return row

    def all(self, sql: str, *params: Any) -> list[sqlite3.Row]:
        """All rows."""
        with self.lock:
            return self._db.execute(sql, params).fetchall()

    def get(self, key: str) -> str | None:
        """A single remembered value."""
        row = self.one("SELECT value FROM meta WHERE key = ?", key)
        return row["value"] if row else None

    def put(self, key: str, value: str) -> None:
        """Remembers a single value."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def now(self) -> float:
        """Seconds since the epoch on the sandbox's own clock."""
        return self._real_clock() + self._offset

    def advance(self, seconds: float) -> None:
        """Moves the sandbox's clock."""
        with self.transaction():
            self._offset += seconds
            self.put("clock_offset", repr(self._offset))

    @property
    def secret(self) -> bytes:
        """Signs cursors; made anew at each reset, so that cursors of an earlier life are worthless."""
        value = self.get("secret")
        if value is None:
            value = secrets.token_hex(16)
            self.put("secret", value)
        return value.encode()

    def clear(self) -> None:
        """Empties every table and sets the clock right."""
        with self.transaction():
            tables = self.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for table in tables:
                self.execute(f'DELETE FROM "{table["name"]}"')  # noqa: S608  our own table names
            self._offset = 0.0

    def kill_cursor(self, cursor: str) -> None:
        """This cursor is expired from now on."""
        self.execute("INSERT OR IGNORE INTO dead_cursors VALUES (?)", cursor)

    def cursor_is_dead(self, cursor: str) -> bool:
        """Whether `kill_cursor` was called for it."""
        return self.one("SELECT 1 FROM dead_cursors WHERE cursor = ?", cursor) is not None

    def close(self) -> None:
        """Closes the file."""
        with self.lock:
            self._db.close()


def _nobody(changes: list[Any]) -> None:
    """Tells nobody."""


def _nothing() -> None:
    """Does nothing."""
