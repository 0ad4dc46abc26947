"""How fast may be sent: so many deliveries a second to an endpoint, and of a company. For one process; each of several
has its own, and receivers may still say 429."""

import time
from collections.abc import Callable, Iterator

from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.webhooks.policy import WORKSPACE_PER_SECOND

_FORGOTTEN_AFTER = 60.0
_MOST = 10_000


class _Bucket:
    """A second's worth of deliveries, filled evenly."""

    def __init__(self, rate: float, now: float):
        self.rate, self.filled, self.at = rate, rate, now

    def fill(self, rate: float, now: float) -> float:
        self.rate = rate
        self.filled, self.at = min(self.rate, self.filled + (now - self.at) * self.rate), now
        return self.filled


class Pace:
    """Counts what is sent. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._short: list[float] = []

    def allowed(self, endpoint: WebhookEndpoint) -> int:
        """Returns how many deliveries to the endpoint may begin now."""
        found = min(int(bucket.filled) for bucket in self._of(endpoint))
        if found <= 0:
            self._short += [(1 - bucket.filled) / bucket.rate for bucket in self._of(endpoint) if bucket.filled < 1]
        return found

    def take(self, endpoint: WebhookEndpoint) -> None:
        for bucket in self._of(endpoint):
            bucket.filled -= 1

    def soonest(self, most: float) -> float:
        """Returns after how many seconds the next one may begin that had to wait; `most` where none had to."""
        found = min([most, *self._short])
        self._short = []
        return max(found, 0.01)

    def _of(self, endpoint: WebhookEndpoint) -> Iterator[_Bucket]:
        now = self._clock()
        if len(self._buckets) > _MOST:
            self._buckets = {key: each for key, each in self._buckets.items() if now - each.at < _FORGOTTEN_AFTER}
        for key, rate in ((endpoint.pk, endpoint.max_per_second), (endpoint.workspace_id, WORKSPACE_PER_SECOND)):
            bucket = self._buckets.setdefault(key, _Bucket(rate, now))
            bucket.fill(max(rate, 1), now)
            yield bucket
