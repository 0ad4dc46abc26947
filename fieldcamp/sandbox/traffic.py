"""What was received, how slow answers are, and how much is too much."""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
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


@dataclass(frozen=True)
class Pace:
    """How long a vendor's answers take, in milliseconds."""

    per_request_ms: float = 0
    per_item_ms: float = 0
    per_write_ms: float = 0  # each object that a batch of several writes


# What people see of the vendors where the sandbox is served to them: at Intuit a batch of thirty writes takes seconds,
# which its clients have to reckon with. https://github.com/intuit/QuickBooks-V3-PHP-SDK/issues/311
USUAL = {"intuit": Pace(per_write_ms=300)}
# After so many seconds the vendor gives up on a call by itself; what it has begun is done none the less.
LONGEST = {"intuit": 120.0}


class Latency:
    """How long every answer of a vendor takes: what was set, else what is usual."""

    def __init__(self, usual: Mapping[str, Pace]) -> None:
        self.usual = usual
        self._by_vendor: dict[str | None, Pace] = {}

    def set(self, vendor: str | None, pace: Pace) -> None:
        """For one vendor, or with None for all."""
        if vendor is None:
            self._by_vendor.clear()
        self._by_vendor[vendor] = pace

    def seconds(self, vendor: str, items: int, writes: int = 0) -> float:
        """The wait for one answer about so many items, of which a batch has written so many."""
        pace = self._by_vendor.get(vendor) or self._by_vendor.get(None) or self.usual.get(vendor) or Pace()
        return (pace.per_request_ms + pace.per_item_ms * items + pace.per_write_ms * writes) / 1000

    def clear(self) -> None:
        """Back to what is usual."""
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
