"""How much one app may do in one mailbox: four calls at once, ten thousand in ten minutes.

https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
"""

import threading
from collections import Counter

from fieldcamp.sandbox.http import Request
from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.traffic import Window

AT_ONCE = 4
PER_WINDOW, WINDOW_SECONDS = 10_000, 600


class Lanes:
    """Counts calls by app and mailbox. A call holds its place until its answer is sent, waiting included."""

    def __init__(self) -> None:
        self.enabled = True
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._window = Window(PER_WINDOW, WINDOW_SECONDS)

    def enter(self, request: Request, key: str, wanted: int = 1) -> int:
        """Takes up to `wanted` places until the request ends; how many it got."""
        with self._lock:
            got = max(0, min(wanted, AT_ONCE - self._open[key])) if self.enabled else wanted
            self._open[key] += got
        request.at_end.append(lambda: self._leave(key, got))
        return got

    def count(self, key: str, now: float) -> None:
        """One more call; 429 when there were too many."""
        if self.enabled and not self._window.admits(key, now):
            raise errors.over_quota(WINDOW_SECONDS // 10)

    def clear(self) -> None:
        """Forgets the calls that are over."""
        self._window.clear()

    def _leave(self, key: str, places: int) -> None:
        with self._lock:
            self._open[key] -= places
