"""Going through several accounts at a time: nearly all of a run is waiting for the vendor's answers."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from django.db import connections

from integrations.sync.isolation import RunEnds

Account = TypeVar("Account")


class Stopped(RunEnds):
    """Another account has met what ends the run for all of them."""


class AtOnce:
    """Does the same with each of some accounts, up to `limit` at a time, each in a thread with a database connection of
    its own. One that raises ends the run: no further one is begun, and those under way end where they ask `check`."""

    def __init__(self, limit: int):
        self.limit = limit
        self._ended = threading.Event()

    def check(self) -> None:
        """Raises Stopped where another account has ended the run."""
        if self._ended.is_set():
            raise Stopped

    def each(self, accounts: Sequence[Account], do: Callable[[Account], None]) -> list[BaseException]:
        """Returns what was raised, but for Stopped. A single account, or a limit of one, needs no thread."""
        threads = min(self.limit, len(accounts))
        if threads <= 1:
            return self._here(accounts, do)
        waiting: SimpleQueue[Account] = SimpleQueue()
        for account in accounts:
            waiting.put(account)
        with ThreadPoolExecutor(threads, thread_name_prefix="account") as pool:
            # Each with the log's context of the thread that asks: the job, and the request that has asked for it.
            runs = [contextvars.copy_context() for _ in range(threads)]
            futures = [pool.submit(run.run, self._there, waiting, do) for run in runs]
        raised = [error for future in futures if (error := future.exception())]
        return [error for error in raised if not isinstance(error, Stopped)]

    def _here(self, accounts: Sequence[Account], do: Callable[[Account], None]) -> list[BaseException]:
        try:
            for account in accounts:
                do(account)
        except BaseException as error:
            return [error]
        return []

    def _there(self, waiting: "SimpleQueue[Account]", do: Callable[[Account], None]) -> None:
        try:
            for account in _taken_from(waiting):
                self.check()
                do(account)
        except BaseException:
            self._ended.set()
            raise
        finally:
            connections.close_all()


def _taken_from(waiting: "SimpleQueue[Account]") -> Iterator[Account]:
    with contextlib.suppress(Empty):
        while True:
            yield waiting.get_nowait()
