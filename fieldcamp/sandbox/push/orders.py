"""Trouble on demand with pushes: what `/_control/push` has ordered of the next messages.

Struck are messages about changes, never handshakes or notices about a channel itself.
"""

import random
import sqlite3
from dataclasses import replace

from fieldcamp.sandbox.push.queue import CHANGE, Message, Queue
from fieldcamp.sandbox.state import State

STRIKING = ("drop", "delay", "duplicate", "reorder", "burst")
SHUFFLE_SECONDS = 60.0  # after which what waits to be shuffled is sent although too few have come


class Orders:
    """The orders that are still open."""

    def __init__(self, state: State, queue: Queue) -> None:
        self.state, self.queue = state, queue

    def add(self, vendor: str, account: str, kind: str, times: int, seconds: float) -> int:
        """Takes an order about the next `times` messages; its number. An empty account means any."""
        cursor = self.state.execute(
            "INSERT INTO p_orders (vendor, account, kind, times, seconds) VALUES (?, ?, ?, ?, ?)",
            *(vendor, account, kind, times, seconds),
        )
        return int(cursor.lastrowid or 0)

    def clear(self) -> None:
        """Forgets all orders and pauses; what was held back for one of them goes out."""
        with self.state.transaction():
            for row in self.state.all("SELECT * FROM p_orders WHERE kind = 'reorder'"):
                self._shuffle(row)
            self.state.execute("DELETE FROM p_orders")
            self.state.execute("DELETE FROM p_pauses")

    def pause(self, vendor: str, account: str) -> None:
        """Holds everything back, and says so to nobody."""
        self.state.execute("INSERT OR IGNORE INTO p_pauses VALUES (?, ?)", vendor, account)

    def resume(self, vendor: str, account: str) -> None:
        """What was held back goes out now."""
        with self.state.transaction():
            self.state.execute("DELETE FROM p_pauses WHERE vendor = ? AND ? IN ('', account)", vendor, account)
            query = "UPDATE p_messages SET due = max(due, ?) WHERE vendor = ? AND attempts = 0"
            self.state.execute(query, self.state.now(), vendor)

    def copies(self, vendor: str, account: str) -> int:
        """How many messages the next change makes instead of one."""
        found = self._next(vendor, account, "burst")
        if found is None:
            return 1
        self.state.execute("DELETE FROM p_orders WHERE n = ?", found["n"])
        return int(found["times"])

    def send(self, message: Message, alone: bool = False) -> None:
        """Queues a message, with the trouble that is on order."""
        if message.kind != CHANGE:
            self.queue.add(message, alone)
            return
        if self._taken(message, "drop"):
            self.queue.write([replace(message, made_at=self.state.now())], "dropped", why="On order.")
            return
        delay = self._taken(message, "delay")
        if delay:
            message = replace(message, due=(message.due or self.state.now()) + delay["seconds"])
            alone = True
        if self._taken(message, "duplicate"):
            self.queue.add(message, alone=True)
            alone = True
        shuffle = self._next(message.vendor, message.account, "reorder")
        if shuffle is None:
            self.queue.add(message, alone)
            return
        self.state.execute("UPDATE p_orders SET taken = taken + 1 WHERE n = ?", shuffle["n"])
        due = self.state.now() + (shuffle["seconds"] or SHUFFLE_SECONDS)
        self.queue.add(replace(message, due=due, held=_name(shuffle)), alone=True)
        if shuffle["taken"] + 1 >= shuffle["times"]:
            self._shuffle(shuffle)

    def tick(self) -> float | None:
        """Lets go what has waited long enough to be shuffled; when the next has."""
        soonest = None
        for row in self.state.all("SELECT * FROM p_orders WHERE kind = 'reorder' AND taken > 0 ORDER BY n"):
            first = min((each.due or 0.0 for each in self.queue.held(_name(row))), default=None)
            if first is not None and first <= self.state.now():
                self._shuffle(row)
            elif first is not None:
                soonest = first if soonest is None else min(soonest, first)
        return soonest

    def _shuffle(self, order: sqlite3.Row) -> None:
        """Sends the collected messages in another order than that in which they were made."""
        found = self.queue.held(_name(order))
        numbers = list(range(len(found)))
        random.Random(order["n"]).shuffle(numbers)
        if numbers == sorted(numbers):
            numbers.reverse()
        now = self.state.now()
        for message, place in zip(found, numbers, strict=True):
            self.queue.set_due(message, now - (len(found) - place) * 1e-6)
        self.state.execute("DELETE FROM p_orders WHERE n = ?", order["n"])

    def _taken(self, message: Message, kind: str) -> sqlite3.Row | None:
        found = self._next(message.vendor, message.account, kind)
        if found is not None:
            self.state.execute("UPDATE p_orders SET times = times - 1 WHERE n = ?", found["n"])
            self.state.execute("DELETE FROM p_orders WHERE times <= 0")
        return found

    def _next(self, vendor: str, account: str, kind: str) -> sqlite3.Row | None:
        return self.state.one(
            "SELECT * FROM p_orders WHERE kind = ? AND vendor = ? AND account IN ('', ?) ORDER BY n LIMIT 1",
            *(kind, vendor, account),
        )


def _name(order: sqlite3.Row) -> str:
    return f"reorder {order['n']}"
