"""How far a rule is followed. dateutil looks for the next time that a rule takes place up to the year 9999, one day,
hour or minute after the other: with a rule that never does that takes seconds, and a stranger's invitation may carry
one.

It has no limit of its own, so this puts one around its iterator: where nothing is asked for nothing is changed.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from dateutil import rrule as dateutil_rrule

rrule: Any = dateutil_rrule


class TooManySteps(Exception):
    """The rule takes more steps than anybody waits for."""


class _Past(Exception):
    """The rule has come to the end of what is asked for."""


@dataclass
class _Way:
    """How far to go still: to this day, and in so many steps."""

    until: dt.date
    left: int

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManySteps


_way: ContextVar[_Way | None] = ContextVar("way", default=None)


@contextmanager
def no_further_than(until: dt.date, steps: int) -> Iterator[None]:
    """Ends each rule that is followed inside after this day. Raises `TooManySteps` for more than so many steps in
    all."""
    token = _way.set(_Way(until, steps))
    try:
        yield
    finally:
        _way.reset(token)


class _Counted(rrule._iterinfo):
    """dateutil's look at one year, month, week, or day: each is a step."""

    def _take(self, year: int, month: int, day: int) -> None:
        if way := _way.get():
            way.step()
            if (year, month, day) > (way.until.year, way.until.month, way.until.day):
                raise _Past

    def ydayset(self, year: int, month: int, day: int) -> Any:
        self._take(year, 1, 1)
        return super().ydayset(year, month, day)

    def mdayset(self, year: int, month: int, day: int) -> Any:
        self._take(year, month, 1)
        return super().mdayset(year, month, day)

    def wdayset(self, year: int, month: int, day: int) -> Any:
        self._take(year, month, day)
        return super().wdayset(year, month, day)

    def ddayset(self, year: int, month: int, day: int) -> Any:
        self._take(year, month, day)
        return super().ddayset(year, month, day)


_whole = rrule.rrule._iter


def _bounded(rule: Any) -> Iterator[dt.datetime]:
    way, total = _way.get(), 0
    try:
        for time in _whole(rule):
            if way:
                way.step()
            total += 1
            yield time
    except _Past:
        rule._len = total  # as where the rule itself ends


rrule._iterinfo = _Counted
rrule.rrule._iter = _bounded
