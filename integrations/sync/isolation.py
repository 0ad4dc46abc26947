"""Keeping one record's fault from the others: what is done to many at once is done to fewer and fewer of them until the
one at which it fails is alone."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class RunEnds(Exception):
    """Ends a run between two steps (its lease is lost, its time is over): no record's fault."""


def isolated(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], None],
    fail: Callable[[Item, Exception], None],
    fatal: tuple[type[Exception], ...],
) -> list[Item]:
    """Does `work` to all of the items at once, and where that raises to each half of them; calls `fail` with the items
    at which it raises alone, and returns those. `work` does all or nothing. What is `fatal` is no item's fault and is
    passed on."""
    if not items:
        return []
    try:
        work(items)
    except fatal:
        raise
    except Exception as error:
        if len(items) == 1:
            fail(items[0], error)
            return [items[0]]
        middle = len(items) // 2
        return isolated(items[:middle], work, fail, fatal) + isolated(items[middle:], work, fail, fatal)
    return []
