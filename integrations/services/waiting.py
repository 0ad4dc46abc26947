"""Requests that wait for something to happen: so many of them at a time that the others find a thread that is free, and
without the database meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

TICK = 0.5  # seconds between two looks


class Waiters:
    """At most `most` waits at a time in this process, and `of_one` of one caller's."""

    def __init__(self, most: int, of_one: int):
        self.most, self.of_one = most, of_one
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def place(self, caller: str) -> Iterator[bool]:
        """Takes a place for a wait; false where there is none, so that whoever asked has to go on without."""
        with self._lock:
            free = self._waiting.total() < self.most and self._waiting[caller] < self.of_one
            if free:
                self._waiting[caller] += 1
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._waiting[caller] -= 1
                    self._waiting += Counter()  # forgets whoever waits no more


def let_go_of_database() -> None:
    """Closes this thread's connections to databases, unless a transaction is open: they are opened again when needed,
    and serve others meanwhile."""
    for database in connections.all(initialized_only=True):
        if not database.in_atomic_block:
            database.close()


def wait_until(look: Callable[[], bool], seconds: float, gone: Callable[[], bool]) -> bool:
    """Looks again and again until there is something, for at most `seconds`; whether there is. Ends early for a caller
    that is `gone`."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0 and not gone():
        let_go_of_database()
        time.sleep(min(TICK, left))
        if look():
            return True
    return False
