"""Time that tests move: nothing waits, and every wait is a number that a test can ask for."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine

from integrations.queue import lease
from integrations.transport.client import HttpClient
from integrations.transport.tokens import RefreshingTokens

START = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)


class FakeTime:
    """A clock of its own, for what takes clock and sleep as arguments. It moves only when something sleeps."""

    def __init__(self, now: dt.datetime = START):
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += dt.timedelta(seconds=seconds)

    def kwargs(self) -> dict:
        return {"clock": self.clock, "sleep": self.sleep, "random": lambda: 0.0}


class ProcessClock:
    """The clock of the whole process: ours, the database's times and the simulated vendors' move together.

    It goes on by itself as clocks do, and jumps wherever something sleeps or a test says so. `beat` is called on the
    way as often as a worker's heartbeat would be.
    """

    def __init__(self, traveller: Any):
        self.slept: list[float] = []
        self.beat: Callable[[], None] | None = None
        self._traveller, self._lock, self._skipped = traveller, threading.Lock(), 0.0
        self._monotonic = time.monotonic
        self._followed: list[Any] = []

    @property
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        return self._monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.move(seconds)

    def move(self, seconds: float) -> None:
        while seconds > 0:
            step = min(seconds, lease.BEAT) if self.beat else seconds
            with self._lock:
                self._traveller.shift(dt.timedelta(seconds=step))
                self._skipped += step
            seconds -= step
            if self.beat:
                self.beat()

    def reach(self, moment: dt.datetime | None) -> None:
        """Moves on to a moment, if it has not come yet."""
        if moment is not None:
            self.move((moment - self.now).total_seconds())

    def follow(self, adapter: Any) -> None:
        """A simulated vendor that takes its time takes ours: until it answers, or until nobody waits any longer."""
        if adapter in self._followed:
            return
        self._followed.append(adapter)
        send = adapter.send

        def waiting(request: Any, **kwargs: Any) -> Any:
            before, limit = adapter.waited, kwargs.get("timeout")
            try:
                return send(request, **kwargs)
            finally:
                longest = limit[1] if isinstance(limit, tuple) else getattr(limit, "read_timeout", limit)
                waited = adapter.waited - before
                self.move(waited if longest is None else min(waited, longest))

        adapter.send = waiting


_clock: ProcessClock | None = None


def process_clock() -> ProcessClock:
    """The clock that the test at hand has moved (see `moved_clock`)."""
    assert _clock is not None, "this test does not move the process's clock"
    return _clock


@contextmanager
def moved_clock(start: dt.datetime = START) -> Iterator[ProcessClock]:
    """Puts the process's clock to `start`, where nothing sleeps any more: a sleep moves the clock."""
    global _clock
    with time_machine.travel(start, tick=True) as traveller, pytest.MonkeyPatch.context() as monkeypatch:
        _clock = clock = ProcessClock(traveller)
        monkeypatch.setattr(time, "monotonic", clock.monotonic)
        monkeypatch.setattr(time, "sleep", clock.sleep)
        # Their defaults were taken when the classes were made.
        monkeypatch.setitem(HttpClient.__init__.__kwdefaults__, "sleep", clock.sleep)
        monkeypatch.setitem(RefreshingTokens.__init__.__kwdefaults__, "sleep", clock.sleep)
        try:
            yield clock
        finally:
            _clock = None
