"""The process that hands events to endpoints and sends them: a loop that decides, threads that send, and one that tells
people of endpoints that fail, which may have to wait for a mail server.

`manage.py worker` supervises it. As many as there are supervisors may run: who sends what is decided in the database.
A slow receiver holds a thread of this process and nothing else.
"""

import os
import socket
import threading
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

import structlog
from django.db import close_old_connections, connections
from django.utils import timezone

from fieldcamp.webhooks import claiming, disabling, pending, policy, sending, totals
from fieldcamp.webhooks.fan_out import fan_out
from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.webhooks.pace import Pace

log = structlog.get_logger(__name__)

TICK = 1.0  # seconds between looks, where nothing calls for one
MINUTE = 60.0
GRACE = 7.0  # seconds in which what is being sent may end; what does not is sent again by others
_SAMPLE, _FEW = 20, 3


class Sender:
    """One process's share of the work. `run` ends once `stop` has been called."""

    def __init__(self, threads: int = policy.THREADS, slow_threads: int = policy.SLOW_THREADS):
        self.owner = f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.threads, self.slow_threads = threads, slow_threads
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._workers = [threading.Thread(target=self._work, name="webhook", daemon=True) for _ in range(threads)]
        self._watcher = threading.Thread(target=self._watch, name="webhook-watch", daemon=True)
        self._busy: Counter[str] = Counter()  # attempts on their way, by endpoint
        self._slow_busy = 0
        self._times: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_SAMPLE))
        self._pace = Pace()
        self._last = ""  # the endpoint that had its turn last
        self._minute = 0.0
        self.totals = totals.AttemptTotals()

    def stop(self) -> None:
        self.stopping.set()
        self._wake.set()

    def wake(self) -> None:
        """Has it look at once."""
        self._wake.set()

    def run(self) -> None:
        """Works until it is stopped; then lets what is being sent end, for a while, and hands the rest back."""
        log.info("webhooks_started", owner=self.owner)
        for thread in (*self._workers, self._watcher):
            thread.start()
        try:
            while not self.stopping.is_set():
                wait = self._guarded(self.round)
                self._wake.wait(TICK if wait is None else min(wait, TICK))
                self._wake.clear()
        finally:
            self._end()

    def _watch(self) -> None:
        """Looks after endpoints that fail, once a minute."""
        try:
            while not self.stopping.is_set():
                self._guarded(self._watch_once)
                self.stopping.wait(MINUTE)
        finally:
            connections.close_all()

    def _watch_once(self) -> float:
        disabling.watch(timezone.now())
        return MINUTE

    def _guarded(self, work: Callable[[], float]) -> float | None:
        """Returns what the round returns; None where the database is away, which must not end the process."""
        try:
            close_old_connections()
            return work()
        except Exception:
            log.exception("webhooks_round_failed")
            return None

    def round(self) -> float:
        """Does what is due; the seconds after which it is worthwhile to look again."""
        if time.monotonic() - self._minute >= MINUTE:
            self._minute = time.monotonic()
            self.totals.save()
        found = pending.look(timezone.now())
        if found.lost:
            claiming.free_lost(timezone.now())
        more = fan_out() if found.events else False
        if not (found.events or found.deliveries or found.lost):
            return TICK
        self._hand_out()
        return 0.0 if more else self._pace.soonest(TICK)

    def _hand_out(self) -> None:
        """Gives each endpoint that something is due for its turn, as long as there are free threads."""
        now = timezone.now()
        endpoints = list(claiming.due_endpoints(now))
        # Whoever had the last turn stands at the end of the row.
        endpoints.sort(key=lambda each: (each.pk <= self._last, each.pk))
        for endpoint in endpoints:
            free = self._free_for(endpoint)
            if free <= 0 or self.stopping.is_set():
                continue
            free = min(free, self._pace.allowed(endpoint))
            claimed = claiming.claim(endpoint.pk, self.owner, now, free) if free > 0 else []
            for delivery_id in claimed:
                self._pace.take(endpoint)
                self._begin(delivery_id, endpoint, self._is_slow(endpoint))
            if claimed:
                self._last = endpoint.pk

    def _free_for(self, endpoint: WebhookEndpoint) -> int:
        with self._lock:
            free = self.threads - self._busy.total()
            if self._is_slow(endpoint):
                free = min(free, self.slow_threads - self._slow_busy)
            return min(free, policy.IN_FLIGHT - self._busy[endpoint.pk])

    def _is_slow(self, endpoint: WebhookEndpoint) -> bool:
        """Returns whether it may not have the last threads: it has answered slowly, or nobody knows that it does not,
        or it fails, which takes the longest."""
        times = self._times.get(endpoint.pk)
        if times and len(times) >= _FEW:
            return sorted(times)[int(0.95 * (len(times) - 1))] > policy.SLOW_SECONDS
        return bool(endpoint.failures) or endpoint.last_delivered_at is None

    def _begin(self, delivery_id: str, endpoint: WebhookEndpoint, slow: bool) -> None:
        with self._lock:
            self._busy[endpoint.pk] += 1
            self._slow_busy += slow
        self._jobs.put(partial(self._send, delivery_id, endpoint.pk, slow))

    def _work(self) -> None:
        try:
            while job := self._jobs.get():
                job()
        finally:
            connections.close_all()

    def _send(self, delivery_id: str, endpoint_id: str, slow: bool) -> None:
        began = time.monotonic()
        try:
            close_old_connections()
            if not self.stopping.is_set() and (sent := sending.deliver(delivery_id, self.owner)):
                self.totals.add(sent)
        except Exception:
            log.exception("delivery_failed", delivery_id=delivery_id)
        finally:
            with self._lock:
                self._times[endpoint_id].append(time.monotonic() - began)
                self._busy[endpoint_id] -= 1
                if not self._busy[endpoint_id]:
                    del self._busy[endpoint_id]
                self._slow_busy -= slow
            self._wake.set()

    def _end(self) -> None:
        deadline = time.monotonic() + GRACE
        for _ in self._workers:
            self._jobs.put(None)
        for thread in (*self._workers, self._watcher):
            thread.join(max(deadline - time.monotonic(), 0))
        with self._lock:
            left = self._busy.total()
        self._guarded(self._tidy)
        log.info("webhooks_ended", owner=self.owner, left=left)
        connections.close_all()

    def _tidy(self) -> float:
        self.totals.save()
        claiming.hand_back(self.owner)
        return 0.0
