"""What is sent to a customer's address ends in time, whatever the receiver does, and goes nowhere else."""

import contextlib
import itertools
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from fieldcamp.sandbox.server import self_signed
from integrations.transport import lookups, webhook_client
from integrations.transport.public_addresses import AddressRefused, AddressRules, Refusal
from integrations.transport.webhook_client import WebhookAnswer, check_reachable, post

HERE = AddressRules(allow_private=True)
PUBLIC = AddressRules()
LIMIT = 0.4  # seconds
SLACK = 3.0
PAUSE = threading.Event()  # never set
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def endless(part: bytes, pause: float = 0.01) -> Iterator[bytes]:
    while True:
        if pause:
            PAUSE.wait(pause)
        yield part


@contextmanager
def receiver(serve: Callable[[socket.socket], object], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A receiver on a real socket; gives its port."""
    taken: list[socket.socket] = []

    def one(each: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if tls:
                each = tls.wrap_socket(each, server_side=True)
                taken.append(each)
            serve(each)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                each, _ = listener.accept()
                taken.append(each)
                threading.Thread(target=one, args=(each,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for each in taken:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def saying(*parts: Iterable[bytes]) -> Callable[[socket.socket], None]:
    """Takes the request, says these things and ends the connection."""

    def serve(each: socket.socket) -> None:
        each.recv(65_536)
        for part in itertools.chain(*parts):
            each.sendall(part)
        each.shutdown(socket.SHUT_WR)

    return serve


def sent_to(port: int, *, total: float = 5.0, body: bytes = b"{}", rules: AddressRules = HERE) -> WebhookAnswer:
    return post(f"http://127.0.0.1:{port}/hook?a=b", body, {"X-FieldCamp-Event": "visit.updated"}, rules, total=total)


def test_the_very_bytes_arrive_and_the_answer_is_kept():
    got = []

    def serve(each: socket.socket) -> None:
        got.append(each.makefile("rb").read1())
        while not got[0].endswith(b"}"):
            got[0] += each.recv(65_536)
        each.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nfine")

    with receiver(serve) as port:
        answer = sent_to(port, body=b'{"a":"\xc3\xa9"}')
    assert (answer.status, answer.error, answer.excerpt) == (201, "", "fine")
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert body == b'{"a":"\xc3\xa9"}'
    assert b"X-FieldCamp-Event: visit.updated" in head
    assert f"Host: 127.0.0.1:{port}".encode() in head


def test_nothing_of_the_environment_is_used(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret")
    for name, value in {
        "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "NETRC": str(tmp_path / ".netrc"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    got = []

    def serve(each: socket.socket) -> None:
        got.append(each.recv(65_536))
        each.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with receiver(serve) as port:
        assert sent_to(port).status == 204
    assert b"authorization" not in got[0].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    reached = threading.Event()
    with receiver(lambda each: reached.set()) as inside:
        away = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{inside}/\r\nContent-Length: 0\r\n\r\n".encode()
        with receiver(saying([away])) as port:
            assert sent_to(port).status == status
    assert not reached.is_set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        ("nothing", None, "TIMEOUT"),
        ("a status that drips", None, "TIMEOUT"),
        ("headers that drip", None, "TIMEOUT"),
        ("100 for ever", None, "TIMEOUT"),
        ("a body that drips", 200, ""),
        ("a body that never begins", 200, ""),
        ("chunks without end", 200, ""),
    ],
)
def test_a_receiver_that_does_not_end(monkeypatch, said, status, error):
    parts: dict[str, Iterable[bytes]] = {
        "nothing": endless(b"", 1),
        "a status that drips": endless(b"H"),
        "headers that drip": itertools.chain([b"HTTP/1.1 200 OK\r\n"], endless(b"X: 1\r\n", 0.1)),
        "100 for ever": endless(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "a body that drips": itertools.chain([OK + b"\r\n"], endless(b"a", 0.05)),
        "a body that never begins": itertools.chain([OK + b"Content-Length: 9\r\n\r\n"], endless(b"", 1)),
        "chunks without end": itertools.chain([OK + b"Transfer-Encoding: chunked\r\n\r\n"], endless(b"1\r\n \r\n")),
    }
    monkeypatch.setattr(webhook_client, "BODY_SECONDS", 0.2)
    began = time.monotonic()
    with receiver(saying(parts[said])) as port:
        answer = sent_to(port, total=LIMIT)
        assert time.monotonic() - began < LIMIT + SLACK
    assert (answer.status, answer.error) == (status, error)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "CONNECT"),
        (b"HTTP/1.1 2", "CONNECT"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "CONNECT"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 10_000 + b"\r\n", "TOO_LARGE"),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"1" * 100_000 + b"\r\n\r\n", "TOO_LARGE"),
    ],
)
def test_an_answer_that_is_none(said, error):
    with receiver(saying([said])) as port:
        answer = sent_to(port)
    assert (answer.status, answer.error) == (None, error)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert sent_to(port).error == "CONNECT"


def test_a_gigabyte_is_not_read():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    piece = b"x" * 1_000_000
    with receiver(saying([OK + b"Content-Length: 1000000000\r\n\r\n"], itertools.repeat(piece, 1000))) as port:
        answer = sent_to(port)
    assert answer.status == 200
    assert answer.excerpt == "x" * webhook_client.MOST_KEPT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


@pytest.mark.slow
def test_a_receiver_that_reads_slowly():
    def serve(each: socket.socket) -> None:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while each.recv(2048):
            PAUSE.wait(0.05)

    with receiver(serve) as port:
        assert sent_to(port, total=LIMIT, body=b"x" * 20_000_000).error == "TIMEOUT"


def test_what_is_no_text_is_not_kept():
    image = b"HTTP/1.1 500 Oops\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x89PNG"
    with receiver(saying([image])) as port:
        answer = sent_to(port)
    assert (answer.status, answer.excerpt) == (500, "")
    packed = b"HTTP/1.1 500 Oops\r\nContent-Length: 7\r\n\r\na\x00b\xff\x1bcd"
    with receiver(saying([packed])) as port:
        assert sent_to(port).excerpt == "a b\N{REPLACEMENT CHARACTER} cd"  # PostgreSQL takes no NUL


@pytest.fixture
def resolver(monkeypatch):
    """Says which addresses a name has, one list a lookup; the last one holds."""

    def resolves(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def find(host: str, port: int, seconds: float) -> list[str]:
            asked.append(host)
            return answers[min(len(asked), len(answers)) - 1]

        monkeypatch.setattr(webhook_client._lookups, "find", find)
        return asked

    return resolves


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["64:ff9b::7f00:1"]])
def test_a_name_that_points_inside_is_connected_to_by_nobody(resolver, monkeypatch, addresses):
    resolver(addresses)
    monkeypatch.setattr("integrations.transport.deadlines.create_connection", lambda *_, **__: pytest.fail("connected"))
    answer = post("https://hooks.example.com/", b"{}", {}, PUBLIC)
    assert (answer.error, answer.excerpt) == ("BLOCKED_ADDRESS", "")


def test_a_name_that_changes_its_mind_after_the_check(resolver, monkeypatch):
    asked = resolver(["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr("integrations.transport.deadlines.create_connection", lambda *_, **__: pytest.fail("connected"))
    check_reachable("https://hooks.example.com/", PUBLIC)
    assert post("https://hooks.example.com/", b"{}", {}, PUBLIC).error == "BLOCKED_ADDRESS"
    assert len(asked) == 2


def test_each_call_asks_once_and_connects_to_what_it_was_told(resolver, monkeypatch):
    asked, tried = resolver(["8.8.8.8"], ["127.0.0.1"]), []

    def connect(address, *_, **__):
        tried.append(address)
        raise OSError("no route")

    monkeypatch.setattr("integrations.transport.deadlines.create_connection", connect)
    assert post("https://hooks.example.com/", b"{}", {}, PUBLIC).error == "CONNECT"
    assert (asked, tried) == (["hooks.example.com"], [("8.8.8.8", 443)])


def test_a_name_that_nobody_knows(monkeypatch):
    def nobody(*_):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(lookups.socket, "getaddrinfo", nobody)
    assert post("https://hooks.example.com/", b"{}", {}, PUBLIC).error == "DNS"
    with pytest.raises(AddressRefused) as refused:
        check_reachable("https://hooks.example.com/", PUBLIC)
    assert refused.value.reason == Refusal.UNKNOWN_NAME


@pytest.mark.slow
def test_a_lookup_that_hangs(monkeypatch):
    monkeypatch.setattr(lookups.socket, "getaddrinfo", lambda *_: PAUSE.wait(2))
    assert post("https://slow.example.com/", b"{}", {}, PUBLIC, total=0.2).error == "TIMEOUT"


@pytest.fixture(scope="module")
def certificate():
    return self_signed("hooks.example.com")


@pytest.fixture(scope="module")
def trusted(certificate, tmp_path_factory):
    """The certificate as an authority's file."""
    holder = []
    with receiver(lambda each: each.recv(1), certificate) as port:
        holder.append(ssl.get_server_certificate(("127.0.0.1", port)))
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    file.write_text(holder[0])
    return str(file)


@pytest.mark.parametrize(
    ("host", "known", "error"),
    [("hooks.example.com", True, ""), ("other.example.com", True, "TLS"), ("hooks.example.com", False, "TLS")],
)
def test_the_certificate_is_checked_against_the_name(resolver, certificate, trusted, host, known, error):
    resolver(["127.0.0.1"])
    fine = saying([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
    with receiver(fine, certificate) as port:
        answer = post(f"https://{host}:{port}/", b"{}", {}, HERE, authorities=trusted if known else "")
    assert answer.error == error


@pytest.mark.slow
def test_tls_that_stalls():
    with receiver(lambda each: PAUSE.wait(5)) as port:
        answer = post(f"https://127.0.0.1:{port}/", b"{}", {}, HERE, total=LIMIT)
    assert answer.error == "TIMEOUT"
    assert answer.ms < (LIMIT + SLACK) * 1000
