"""Somebody who waits for a page waits a few seconds for vendors, over all calls, however these stall."""

import socket
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from integrations.errors import RateLimited, Unavailable
from integrations.providers import PROVIDERS
from integrations.transport import patience
from integrations.transport.client import HttpClient, OneToken
from integrations.transport.tokens import Grant, RefreshingTokens

GOOGLE = PROVIDERS["google_calendar"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


@contextmanager
def vendor_that_says(*parts: bytes) -> Iterator[str]:
    """A vendor on a real socket that sends this in answer to each call, and nothing more."""
    heard: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    each, _ = server.accept()
                except OSError:
                    return
                heard.append(each)
                each.recv(65_536)
                for part in parts:
                    each.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for each in heard:
        each.close()


def took(work: Callable[[], object]) -> float:
    started = real_time.monotonic()
    with pytest.raises(Unavailable):
        work()
    return real_time.monotonic() - started


@pytest.mark.slow
@pytest.mark.parametrize("parts", [(), (HEAD,), (HEAD, b"{")], ids=["nothing", "a head", "the beginning of a body"])
def test_a_vendor_that_stalls_is_waited_for_so_long_and_no_longer(settings, parts):
    with vendor_that_says(*parts) as url:
        settings.GOOGLE_API_URL = url
        http = HttpClient(GOOGLE, OneToken("t"))
        with patience.within(0.3):
            first = took(lambda: http.request("GET", f"{url}/x"))
            assert patience.left() <= 0.05
            again = took(lambda: http.request("GET", f"{url}/x"))
    assert first < 2 and again < 0.2  # (READ_TIMEOUT is twelve, and there are three attempts)


def test_what_is_waited_inside_is_waited_outside_too():
    with patience.within(4):
        with patience.within(10):
            assert patience.left() == 4
            patience.spend(1)
        with patience.within(2):
            patience.spend(1.5)
            assert patience.left() == 0.5
        assert patience.left() == 1.5
    assert patience.left() == patience.UNLIMITED


def test_nobody_waits_for_a_budget_or_for_another_who_renews_either(time):
    class Spent:
        def take(self, cost, now):
            return 3.0

    class Elsewhere:
        def read(self):
            return Grant(1, "", "r", None)

        def claim(self, *_):
            return False

    with patience.within(2), pytest.raises(RateLimited):
        HttpClient(GOOGLE, OneToken("t"), budget=Spent(), **time.kwargs()).request("GET", f"{GOOGLE.hosts('')[0]}/x")
    assert not time.slept
    with patience.within(2), pytest.raises(Unavailable):
        RefreshingTokens(Elsewhere(), lambda token: None, {}, **time.kwargs()).access_token()
    assert sum(time.slept) < 2.2
