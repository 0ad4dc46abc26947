"""How many calls one account may make in a minute, shared by all processes.

Calls are always counted, but only paced for a while after the provider has asked to slow down: how much it allows is
its own business and changes. From then on no minute holds more than the limit, since a window that slides punishes a
burst in the next one: all buckets of five seconds that touch the last minute count in full.
"""

import datetime as dt
from typing import Protocol

BUCKET = 5
BUCKETS = 60 // BUCKET
PACED_FOR = dt.timedelta(minutes=10)


class Budget(Protocol):
    def take(self, cost: int, now: dt.datetime) -> float:
        """Takes `cost` calls and returns 0.0, or takes nothing and returns the seconds until they may be free."""

    def slow_down(self, now: dt.datetime) -> None:
        """Notes that the provider has refused a call for its rate."""


class BudgetStore(Protocol):
    """One connection's counters. `swap` writes them only if nobody else has in the meantime."""

    def read(self) -> tuple[int, dict[int, int]]:
        """Returns the version, and the calls by bucket number."""

    def swap(self, version: int, buckets: dict[int, int]) -> bool: ...

    def paced(self, now: dt.datetime) -> bool:
        """Returns whether the limit holds at present."""

    def pace(self, until: dt.datetime) -> None: ...


class MinuteBudget:
    """At most `limit` calls in any minute, while it has to be."""

    def __init__(self, store: BudgetStore, limit: int):
        self.store, self.limit = store, max(limit, 1)

    def take(self, cost: int, now: dt.datetime) -> float:
        cost = min(max(cost, 1), self.limit)
        seconds = now.timestamp()
        current = int(seconds // BUCKET)
        while True:
            version, buckets = self.store.read()
            # A clock that runs ahead elsewhere may have counted in a bucket that is still to come here.
            alive = {number: count for number, count in buckets.items() if number >= current - BUCKETS}
            over = sum(alive.values()) + cost - self.limit
            if over > 0 and self.store.paced(now):
                return self._until_free(alive, over, seconds)
            alive[current] = alive.get(current, 0) + cost
            if self.store.swap(version, alive):
                return 0.0

    def slow_down(self, now: dt.datetime) -> None:
        self.store.pace(now + PACED_FOR)

    @staticmethod
    def _until_free(alive: dict[int, int], over: int, seconds: float) -> float:
        freed = 0
        for number in sorted(alive):
            freed += alive[number]
            if freed >= over:
                return max((number + BUCKETS + 1) * BUCKET - seconds, 0.01)
        raise AssertionError("more calls are over the limit than were counted")
