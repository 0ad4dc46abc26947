"""What was received, how slow answers are, and how much is too much."""

import threading
from collections import defaultdict, deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 200_000


@dataclass(frozen=True)
class Entry:
    """One received request as `/_control/requests` shows it; `at` is the sandbox's clock in seconds."""

    n: int
    at: float
    vendor: str
    method: str
    path: str
    query: str
    status: int
    bytes_in: int
    bytes_out: int
    items: int


class RequestLog:
    """The requests received so far, oldest first. Status 0 means that no answer was sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._n = 0

    def add(self, **values: Any) -> None:
        """Appends a request under the next number."""
        with self._lock:
            self._n += 1
            self._entries.append(Entry(n=self._n, **values))

    def entries(self, vendor: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """Those after number `since`, of one vendor or of all."""
        with self._lock:
            entries = list(self._entries)
        return [asdict(e) for e in entries if e.n > since and vendor in (None, e.vendor)]

    def clear(self) -> None:
        """Empties the list; numbers go on."""
        with self._lock:
            self._entries.clear()


class Latency:
    """How long every answer of a vendor takes."""

    def __init__(self) -> None:
        self._by_vendor: dict[str | None, tuple[float, float]] = {}

    def set(self, vendor: str | None, per_request_ms: float, per_item_ms: float) -> None:
        """For one vendor, or with None for all."""
        if vendor is None:
            self._by_vendor.clear()
        self._by_vendor[vendor] = (per_request_ms, per_item_ms)

    def seconds(self, vendor: str, items: int) -> float:
        """The wait for one answer with so many items."""
        per_request, per_item = self._by_vendor.get(vendor) or self._by_vendor.get(None) or (0.0, 0.0)
        return (per_request + per_item * items) / 1000

    def clear(self) -> None:
        """No more waiting."""
        self._by_vendor.clear()


class Window:
    """A sliding window: at most `limit` calls within `seconds` for each key."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def admits(self, key: str, now: float) -> bool:
        """Whether one more call is within the limit; a refused call does not count."""
        with self._lock:
            calls = self._calls[key]
            # A clock set back (reset) must not leave calls of the future in the window.
            while calls and not now - self.seconds < calls[0] <= now:
                calls.popleft()
            if len(calls) >= self.limit:
                return False
            calls.append(now)
            return True

    def clear(self) -> None:
        """Forgets all calls."""
        with self._lock:
            self._calls.clear()
