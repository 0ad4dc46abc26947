"""How long a request of somebody who waits may wait for vendors, over all calls that it makes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PAGE_SECONDS = 4.0
UNLIMITED = float("inf")


class _Purse:
    """Seconds that are left to wait."""

    def __init__(self, seconds: float):
        self.seconds = seconds


_purse: ContextVar[_Purse | None] = ContextVar("purse", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Lets the calls that are made inside wait for so many seconds in all, or for less where that is so around it."""
    around = _purse.get()
    mine = _Purse(min(seconds, left()))
    token = _purse.set(mine)
    before = mine.seconds
    try:
        yield
    finally:
        _purse.reset(token)
        if around:
            around.seconds -= before - mine.seconds


def left() -> float:
    """Returns how many seconds may be waited for still; infinity where nobody is in a hurry."""
    purse = _purse.get()
    return purse.seconds if purse else UNLIMITED


def pause(sleep: Callable[[float], None], seconds: float) -> None:
    """Sleeps, and takes it off what is left."""
    sleep(seconds)
    spend(seconds)


def spend(seconds: float) -> None:
    """Takes what was waited off what is left."""
    if purse := _purse.get():
        purse.seconds -= seconds
