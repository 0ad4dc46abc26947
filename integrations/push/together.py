"""What several threads want to write at the same moment, written in one go.

SQLite has one writer at a time, and waiters poll for their turn: fifty posts a second would spend their time on that.
The first of those who wait writes for all of them.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import OperationalError

_T = TypeVar("_T")


class _Ticket(Generic[_T]):
    """What one thread wants written, and what came of it."""

    def __init__(self, item: _T):
        self.item = item
        self.done = False
        self.error: Exception | None = None


class WrittenTogether(Generic[_T]):
    """Calls `write` with all items that wait; never in two threads at a time."""

    def __init__(self, write: Callable[[Sequence[_T]], None]):
        self._write = write
        self._waiting: list[_Ticket[_T]] = []
        self._list, self._turn = threading.Lock(), threading.Lock()

    def put(self, item: _T, seconds: float) -> None:
        """Returns once the item is written. Raises what `write` raises, and OperationalError after so many seconds in
        which it had no turn."""
        ticket, ends = _Ticket(item), time.perf_counter() + seconds
        with self._list:
            self._waiting.append(ticket)
        if not self._turn.acquire(timeout=max(ends - time.perf_counter(), 0)):
            with self._list:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            if not ticket.done:
                raise OperationalError("database is locked")
        else:
            try:
                if not ticket.done:
                    self._all()
            finally:
                self._turn.release()
        if ticket.error is not None:
            raise ticket.error

    def _all(self) -> None:
        with self._list:
            taken, self._waiting = self._waiting, []
        error: Exception | None = None
        try:
            self._write([ticket.item for ticket in taken])
        except Exception as failed:
            error = failed
        for ticket in taken:
            ticket.error, ticket.done = error, True
