"""All that the sandbox sends by itself, in one place: the vendors' parts, the queue, the courier."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.push.courier import Courier
from fieldcamp.sandbox.push.orders import STRIKING, Orders
from fieldcamp.sandbox.push.queue import Queue
from fieldcamp.sandbox.push.schema import SCHEMA
from fieldcamp.sandbox.push.sender import Noted, Sender
from fieldcamp.sandbox.push.wire import Wire
from fieldcamp.sandbox.state import State

AT_ONCE = ("forge", "unknown_channel", "late_after_stop", "silent_expire")
KINDS = (*STRIKING, *AT_ONCE, "pause", "resume")


class Pushes:
    """What vendors are given to push with. `rows_per_push`: so many records of one change make one message."""

    def __init__(self, state: State) -> None:
        state.install(SCHEMA)
        self.state, self.queue, self.wire = state, Queue(state), Wire()
        self.orders = Orders(state, self.queue)
        self.senders: dict[str, Sender] = {}
        self.rows_per_push = 100
        self.courier = Courier(state, self.queue, self.wire, self.senders, self.tick)
        state.teller, state.after_commit = self._tell, self.courier.wake

    def register(self, sender: Sender) -> None:
        """This vendor pushes."""
        self.senders[sender.vendor] = sender

    @contextmanager
    def counting(self, rows: int) -> Iterator[None]:
        """Meanwhile one message tells of so many records; with 0 none tells of any."""
        with self.state.transaction():
            usual, self.rows_per_push = self.rows_per_push, rows
            try:
                yield
                self.state.tell()
            finally:
                self.rows_per_push = usual

    def drain(self) -> int:
        """Delivers what is due by the sandbox's clock, in order; how many posts."""
        return self.courier.drain()

    def tick(self) -> float | None:
        """Does what is due by the clock alone; when there is something of this kind again."""
        with self.state.transaction():
            asked = [self.orders.tick(), *(sender.tick() for sender in self.senders.values())]
        return min((each for each in asked if each is not None), default=None)

    def deliveries(self, vendor: str | None, since: int, account: str | None) -> list[dict[str, Any]]:
        """What was sent, and what became of it."""
        return self.queue.entries(vendor, since, account)

    def channels(self, vendor: str | None, account: str | None) -> list[dict[str, Any]]:
        """All channels, those that are over too."""
        with self.state.transaction():
            chosen = [sender for name, sender in self.senders.items() if vendor in (None, name)]
            return [each for sender in chosen for each in sender.shown(account)]

    def order(self, vendor: str, account: str | None, kind: str, times: int, seconds: float) -> dict[str, Any]:
        """Does what `/_control/push` asks for; BadInput where that cannot be."""
        sender = self.senders.get(vendor)
        if sender is None:
            raise BadInput("This vendor tells of nothing by itself.")
        with self.state.transaction():
            result: dict[str, Any] = {"vendor": vendor, "account": account, "kind": kind}
            if kind in STRIKING:
                if kind == "reorder" and times < 2:
                    times = 2
                n = self.orders.add(vendor, account or "", kind, times, seconds)
                result |= {"n": n, "times": times, "seconds": seconds}
            elif kind == "pause":
                self.orders.pause(vendor, account or "")
            elif kind == "resume":
                self.orders.resume(vendor, account or "")
            else:
                result |= {"sent": sender.say(account, kind, times)}
        self.courier.wake()
        return result

    def clear_orders(self) -> None:
        """No trouble is on order any more, and nothing is paused."""
        self.orders.clear()
        self.courier.wake()

    def _tell(self, noted: list[Any]) -> None:
        for name, sender in self.senders.items():
            mine = [each for each in noted if isinstance(each, Noted) and each.vendor == name]
            if mine:
                sender.changed(mine)
