"""The requests session that every call leaves through: one for each thread, so that connections are reused."""

import contextlib
import threading
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import BaseAdapter

from integrations.transport.deadlines import DeadlineAdapter


class _Here(threading.local):
    """What one thread has: its session, and which generation of mounts that knows."""

    session: requests.Session
    generation: int | None = None


_here = _Here()
_mounts: dict[str, BaseAdapter] = {}
_generation = 0


def session() -> requests.Session:
    """Returns this thread's session. It keeps no cookies: several accounts share it."""
    if _here.generation != _generation:
        _here.session, _here.generation = _new(), _generation
    return _here.session


def _new() -> requests.Session:
    made = requests.Session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for prefix in ("https://", "http://"):
        made.mount(prefix, DeadlineAdapter(pool_connections=4, pool_maxsize=4, max_retries=0))
    for prefix, adapter in _mounts.items():
        made.mount(prefix, adapter)
    return made


@contextlib.contextmanager
def mounted(prefix: str, adapter: BaseAdapter) -> Iterator[None]:
    """Lets `adapter` answer everything below `prefix` (the sandbox inside this process), in all threads."""
    global _generation
    _mounts[prefix] = adapter
    _generation += 1
    try:
        yield
    finally:
        del _mounts[prefix]
        _generation += 1
