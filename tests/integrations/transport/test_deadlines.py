"""One deadline ends a call wherever it hangs: in the name, the connection, TLS, the headers or the body."""

import contextlib
import itertools
import socket
import ssl
import threading
import time as real_time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from fieldcamp.sandbox.server import self_signed
from integrations.errors import Unavailable
from integrations.providers import PROVIDERS
from integrations.transport import deadlines, lookups, patience
from integrations.transport.client import HttpClient, OneToken

GOOGLE = PROVIDERS["google_calendar"]
LIMIT = 0.25  # seconds
SLACK = 3.0  # what a busy machine may add; without a deadline none of these would end
PAUSE = threading.Event()  # never set: what drips waits by it
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def dripping(text: bytes) -> Iterator[bytes]:
    for number in range(len(text)):
        PAUSE.wait(0.02)
        yield text[number : number + 1]


def endless(part: bytes) -> Iterator[bytes]:
    while True:
        PAUSE.wait(0.01)
        yield part


SAID: dict[str, Callable[[], Iterable[bytes]]] = {
    "nothing": list,
    "a status that drips": lambda: dripping(OK * 9),
    "headers that drip": lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], dripping(b"X-Slow: 1\r\n" * 50)),
    "a body that drips": lambda: itertools.chain([OK + b"Content-Length: 900\r\n\r\n"], dripping(b"{" * 900)),
    "chunks without end": lambda: itertools.chain([OK + b"Transfer-Encoding: chunked\r\n\r\n"], endless(b"1\r\n \r\n")),
    "100 for ever": lambda: endless(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "the beginning of a header": lambda: [b"HTTP/1.1 200 OK\r\nX-Sl"],
}
ENDED: dict[str, bytes] = {  # and the connection with it
    "mid-header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "mid-status": b"HTTP/1.1 2",
    "no answer at all": b"",
    "a body that is cut off": OK + b"Content-Length: 90\r\n\r\n{",
    "10,000 headers": b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 10_000 + b"\r\n{}",
    "a header of a megabyte": b"HTTP/1.1 200 OK\r\nX-Long: " + b"1" * 1_000_000 + b"\r\n\r\n{}",
    "switched protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
}


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on a real socket that treats each connection so, in a thread of its own."""
    taken: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def quietly(each: socket.socket) -> None:
        with contextlib.suppress(OSError):
            serve(each)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                each, _ = listener.accept()
                taken.append(each)
                threads.append(threading.Thread(target=quietly, args=(each,), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads.append(threading.Thread(target=accept, daemon=True))
        threads[0].start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for each in taken:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def saying(parts: Callable[[], Iterable[bytes]], ends: bool = False) -> Callable[[socket.socket], None]:
    def serve(each: socket.socket) -> None:
        each.recv(65_536)
        for part in parts():
            each.sendall(part)
        if ends:
            each.shutdown(socket.SHUT_RDWR)

    return serve


def took(settings, url: str, method: str = "DELETE", **given) -> float:
    """How long one call took that could not be answered. (A DELETE takes an empty answer for a good one.)"""
    settings.GOOGLE_API_URL = url
    http = HttpClient(GOOGLE, OneToken("t"), attempts=1)
    started = real_time.monotonic()
    with patience.within(LIMIT), pytest.raises(Unavailable):
        http.request(method, f"{url}/x", **given)
    return real_time.monotonic() - started


@pytest.mark.slow
@pytest.mark.parametrize("said", SAID)
def test_an_answer_that_does_not_end(settings, said):
    with server(saying(SAID[said])) as address:
        assert LIMIT - 0.05 <= took(settings, f"http://{address}") < LIMIT + SLACK


@pytest.mark.parametrize("said", ENDED)
def test_an_answer_that_is_none(settings, said):
    with server(saying(lambda: [ENDED[said]], ends=True)) as address:
        assert took(settings, f"http://{address}") < LIMIT + SLACK


@pytest.mark.slow
def test_a_server_that_reads_slowly(settings):
    def serve(each: socket.socket) -> None:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while each.recv(2048):
            PAUSE.wait(0.02)

    with server(serve) as address:
        assert took(settings, f"http://{address}", "POST", data=b"x" * 20_000_000) < LIMIT + SLACK


@pytest.mark.slow
@pytest.mark.parametrize("said", ["nothing", "a body that drips"])
def test_the_same_with_tls(settings, monkeypatch, tmp_path, said):
    context = self_signed("127.0.0.1")

    def serve(each: socket.socket) -> None:
        if said == "nothing":
            each.recv(10)  # the handshake is never answered
        else:
            with context.wrap_socket(each, server_side=True) as safe:
                saying(SAID[said])(safe)

    with server(serve) as address:
        if said != "nothing":
            host, _, port = address.rpartition(":")
            (tmp_path / "ca.pem").write_text(ssl.get_server_certificate((host, int(port))))
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert LIMIT - 0.05 <= took(settings, f"https://{address}") < LIMIT + SLACK


@pytest.mark.slow
def test_a_connection_is_used_again_and_read_by_the_deadline_of_its_call(settings):
    """What was the deadline of the call before must not end the next one."""
    connections = []

    def serve(each: socket.socket) -> None:
        connections.append(each)
        while each.recv(65_536):
            each.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with server(serve) as address:
        settings.GOOGLE_API_URL = f"http://{address}"
        http = HttpClient(GOOGLE, OneToken("t"))
        for _ in range(3):
            with patience.within(LIMIT):
                assert http.request("GET", f"http://{address}/x").json() == {}
            PAUSE.wait(LIMIT / 2)
    assert len(connections) == 1


@pytest.fixture
def resolver(monkeypatch):
    """The system's resolver hangs until `go` is set; how often it was asked. One name it knows at once."""

    class Hanging:
        def __init__(self) -> None:
            self.go, self.asked, self.real = threading.Event(), 0, socket.getaddrinfo

        def __call__(self, host, port, *args):
            if host == "127.0.0.1":
                return self.real(host, port, *args)
            self.asked += 1
            self.go.wait(20)
            return self.real("127.0.0.1", port, *args)

    hanging = Hanging()
    monkeypatch.setattr(lookups.socket, "getaddrinfo", hanging)
    monkeypatch.setattr(deadlines, "lookups", lookups.Lookups(most=3))
    yield hanging
    hanging.go.set()


@pytest.mark.slow
def test_a_name_that_is_not_found_in_time(settings, resolver):
    callers = [threading.Thread(target=lambda: found.append(took(settings, "http://slow.test"))) for _ in range(20)]
    found: list[float] = []
    before = threading.active_count()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(5)
    assert len(found) == 20 and max(found) < LIMIT + SLACK
    assert resolver.asked == 1 and threading.active_count() <= before + 1  # all have waited for the same lookup


@pytest.mark.slow
def test_lookups_that_hang_do_not_pile_up(settings, resolver):
    for number in range(3):
        took(settings, f"http://slow-{number}.test")
    assert took(settings, "http://slow-3.test") < LIMIT  # nobody waits where there is nothing to wait for
    assert resolver.asked == 3
    resolver.go.set()
    with server(saying(lambda: [OK + b"Content-Length: 2\r\n\r\n{}"])) as address:
        url = f"http://slow-4.test:{address.rpartition(':')[2]}"
        settings.GOOGLE_API_URL = url
        for thread in threading.enumerate():
            if thread.name == "lookup":
                thread.join(5)
        assert HttpClient(GOOGLE, OneToken("t")).request("GET", f"{url}/x").json() == {}
    assert deadlines.lookups.running == 0


def test_a_lookup_that_hangs_for_good_is_not_waited_for_again(resolver, monkeypatch):
    for _ in range(2):
        with pytest.raises(TimeoutError):
            deadlines.lookups.find("slow.test", 80, 0.01)
    assert resolver.asked == 1
    monkeypatch.setattr(lookups, "STALE", 0.0)
    with pytest.raises(TimeoutError):
        deadlines.lookups.find("slow.test", 80, 0.01)
    assert resolver.asked == 2


def test_a_name_that_is_none(settings):
    for host in ("fieldcamp.invalid", "a" * 70 + ".test"):
        assert took(settings, f"http://{host}") < LIMIT + SLACK


def test_the_next_address_gets_its_share_where_the_first_swallows_everything(settings, monkeypatch):
    """As where a machine has an address of IPv6 that leads nowhere."""
    with server(saying(lambda: [OK + b"Content-Length: 2\r\n\r\n{}"])) as address:
        port = int(address.rpartition(":")[2])
        connect = deadlines.create_connection

        def swallowing(to, timeout, **given):
            if to[0] != "127.0.0.1":
                PAUSE.wait(timeout)
                raise TimeoutError
            return connect(to, timeout, **given)

        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("192.0.2.1", "127.0.0.1")]
        monkeypatch.setattr(lookups.socket, "getaddrinfo", lambda *_: rows)
        monkeypatch.setattr(deadlines, "create_connection", swallowing)
        settings.GOOGLE_API_URL = f"http://two.test:{port}"
        with patience.within(LIMIT):
            http = HttpClient(GOOGLE, OneToken("t"), attempts=1)
            assert http.request("GET", f"http://two.test:{port}/x").json() == {}
