"""A small load generator: so many clients at once, each request once, latencies and statuses."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Result:
    """What a run measured. `statuses` counts answers by HTTP status, 0 where there was none."""

    seconds: float
    latencies: list[float]
    statuses: Counter[int]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the requests was answered."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """One request as bytes, made before the clock runs."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, requests: Sequence[bytes], clients: int) -> Result:
    """Sends all requests over `clients` connections at a time (gunicorn's sync workers close each after its answer)."""
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    waiting = iter(requests)
    lock = threading.Lock()
    ready = threading.Barrier(clients + 1)

    def client() -> None:
        mine: list[tuple[float, int]] = []
        ready.wait()
        while True:
            with lock:
                message = next(waiting, None)
            if message is None:
                break
            started = time.perf_counter()
            status = _send(port, message)
            mine.append((time.perf_counter() - started, status))
        with lock:
            for latency, status in mine:
                latencies.append(latency)
                statuses[status] += 1

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return Result(time.perf_counter() - started, latencies, statuses)


def _send(port: int, message: bytes) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(message)
            head = connection.recv(65536)
            while connection.recv(65536):
                pass
        return int(head[9:12])
    except (OSError, ValueError):
        return 0
