"""Counts posts that are not believed, for each address and in this process alone: nothing is written for them."""

import threading
import time

from fieldcamp.signin.addresses import neighbourhood

A_MINUTE = 600  # from one address; vendors' addresses are shared by all who have them post somewhere
MINUTE = 60.0
MOST_ADDRESSES = 10_000


class FailedPosts:
    """What is believed is never refused, from whatever address it comes: strangers can have a vendor post to us."""

    def __init__(self, limit: int = A_MINUTE) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._ends = 0.0

    def too_many(self, address: str) -> bool:
        """Counts one more; whether that is too many in this minute."""
        caller = neighbourhood(address)
        with self._lock:
            if time.monotonic() >= self._ends or len(self._counts) >= MOST_ADDRESSES:
                self._counts, self._ends = {}, time.monotonic() + MINUTE
            count = self._counts[caller] = self._counts.get(caller, 0) + 1
        return count > self.limit

    def were_too_many(self, address: str) -> bool:
        """Returns whether there have been as many in this minute as are let pass; counts nothing."""
        caller = neighbourhood(address)
        with self._lock:
            return time.monotonic() < self._ends and self._counts.get(caller, 0) >= self.limit
