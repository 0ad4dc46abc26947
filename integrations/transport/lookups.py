"""Looking up the addresses of a name, for so many seconds and no longer."""

import socket
import threading
import time
from concurrent.futures import Future

from urllib3.util.connection import allowed_gai_family

MOST = 16  # threads that hang at once, in one process; there are about ten names
STALE = 30.0  # seconds after which a lookup that hangs is not waited for again, and another one is begun


class Lookups:
    """Asks the system's resolver, which knows the machine's own names and rules and cannot be told a time-out, in
    threads that may be left behind. All who want a name wait for the same one, and there are never more than `most`:
    while all of them hang, nobody is made to wait."""

    def __init__(self, most: int = MOST):
        self.most, self.running = most, 0
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, int], tuple[float, Future[list[str]]]] = {}

    def find(self, host: str, port: int, seconds: float) -> list[str]:
        """Returns the addresses of a name, in the order in which they are to be tried. Raises `TimeoutError` after so
        many seconds, `OSError` for a name that has none."""
        with self._lock:
            since, answer = self._asked.get((host, port), (0.0, None))
            if answer is None or since < time.monotonic() - STALE:
                answer = self._begin(host, port)
        return answer.result(None if seconds == float("inf") else seconds)

    def _begin(self, host: str, port: int) -> Future[list[str]]:
        if self.running >= self.most:
            raise TimeoutError("Too many lookups of names hang already.")
        answer: Future[list[str]] = Future()
        # A daemon: a process that ends does not wait for a resolver.
        threading.Thread(target=self._ask, args=(host, port, answer), name="lookup", daemon=True).start()
        self._asked[host, port] = (time.monotonic(), answer)
        self.running += 1
        return answer

    def _ask(self, host: str, port: int, answer: Future[list[str]]) -> None:
        found: list[str] = []
        trouble: Exception | None = None
        try:
            rows = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        except OSError as error:
            trouble = error
        except Exception as error:  # a name that is none, such as one with a label that is too long
            trouble = OSError(str(error))
        with self._lock:
            self.running -= 1
            if self._asked.get((host, port), (0.0, None))[1] is answer:
                del self._asked[host, port]
        if trouble:
            answer.set_exception(trouble)
        else:
            answer.set_result(found)


lookups = Lookups()
