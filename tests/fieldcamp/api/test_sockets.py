"""What arrives at the web server broken, over a real socket: every answer is the envelope or a closed connection, and
nothing of it is an error of ours in the log."""

import itertools
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from fieldcamp.api.docs import document

pytestmark = [pytest.mark.slow, pytest.mark.once]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEAD = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
# How a body in chunks can be broken. What is cut short is followed by the end of the connection.
BROKEN = {
    "a size that is no number": b"ZZ\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size of no digits": b"\r\n{}\r\n0\r\n\r\n",
    "a size with a prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size beyond everything": b"f" * 400 + b"\r\n{}",
    "a size without an end": b"2" * 20_000,
    "a chunk that goes on": b"2\r\n{}}\r\n0\r\n\r\n",
    "a line that ends in LF": b"2\n{}\n0\n\n",
    "broken off in a chunk": b"10\r\n{",
    "broken off before the end": b"2\r\n{}\r\n",
    "nothing": b"",
    "trailers that are none": b"2\r\n{}\r\n0\r\nno colon\r\n\r\n",
}


class Web:
    """A web server of its own, as docs/operating.md says how to start it."""

    def __init__(self, folder: Path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = folder / "log"
        command = [sys.executable, "-m", "gunicorn", "fieldcamp.wsgi", "--workers", "1", "--threads", "4"]
        command += ["--worker-class", "fieldcamp.serving.EnvelopeWorker", "--bind", f"127.0.0.1:{self.port}"]
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environ = {**kept, "FIELDCAMP_DATA": str(folder), "LOG_FORMAT": "json"}
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environ, stdout=file, stderr=file)
        ends = time.monotonic() + 180  # a bound, not a wait
        while self.send(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n") == b"":
            assert self.process.poll() is None and time.monotonic() < ends, self.log.read_text()
            time.sleep(0.1)

    def send(self, request: bytes, *, cut: bool = False) -> bytes:
        """Everything that is answered until the connection ends; `cut` ends our side of it first."""
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
                connection.sendall(request)
                if cut:
                    connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65_536):
                    answer += piece
        except ConnectionError:
            pass
        return answer

    def errors(self) -> list[str]:
        """Lines of the log that tell of an error, or belong to a traceback."""
        return [line for line in self.log.read_text().splitlines() if re.search(r'"error"|Traceback|\[ERROR\]', line)]


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    folder.chmod(0o700)
    server = Web(folder)
    yield server
    server.process.terminate()
    server.process.wait(30)


def envelope(answer: bytes) -> tuple[int, dict]:
    """The status and the error of the one answer in these bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    headers = dict(line.lower().split(": ", 1) for line in head.decode("latin1").split("\r\n")[1:])
    content = json.loads(body)
    assert headers["content-type"] == "application/json" and int(headers["content-length"]) == len(body)
    assert content["success"] is False and content["meta"]["request_id"].lower() == headers["x-request-id"]
    assert set(content["error"]) - {"param"} == {"code", "message", "details", "doc_url"}
    assert headers["cache-control"] == "no-store"
    return int(head.split()[1]), content["error"]


def operations() -> list[tuple[str, str]]:
    known = [re.sub(r"{\w+}", "x", path) for path in document()[0]["paths"]]
    return [(method, path) for path in [*known, "/api/v1/nowhere", "/api/v1/schema"] for method in METHODS]


def test_a_broken_body_in_chunks_is_refused_by_every_operation(web):
    known = operations()
    every = [(*known[number], how) for number, how in zip(range(len(known)), itertools.cycle(BROKEN), strict=False)]
    every += [(method, path, how) for method in METHODS for path in ("/api/v1/clients", "/api/v1/no") for how in BROKEN]
    answered = 0
    for method, path, how in every:
        request = f"{method} {path} HTTP/1.1\r\n".encode() + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
        answer = web.send(request + BROKEN[how], cut=True)
        if answer:
            status, error = envelope(answer)
            assert (status, error["code"]) in ((400, "VALIDATION_ERROR"), (413, "PAYLOAD_TOO_LARGE")), (method, path)
        answered += bool(answer)
    assert answered > len(every) / 2 and web.errors() == []


@pytest.mark.parametrize("path", ["/admin/login/", "/push/x", "/api/docs", "/nowhere"])
def test_no_page_takes_it_for_an_error_of_ours(web, path):
    for how, body in BROKEN.items():
        request = f"POST {path} HTTP/1.1\r\n".encode() + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        assert not re.match(rb"HTTP/1.1 5", web.send(request + body, cut=True)), how
    assert web.errors() == []


def test_a_body_that_is_shorter_than_its_length_is_none(web):
    for sent in (b"", b"{}", b'{"firstName": "A"'):
        request = b"POST /api/v1/nowhere HTTP/1.1\r\n" + HEAD + JSON + b"Content-Length: 40\r\n\r\n" + sent
        assert envelope(web.send(request, cut=True))[0] in (400, 404)
    assert web.errors() == []


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: rot13\r\n\r\n", 501),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"Expect: the unexpected\r\n\r\n", 417),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"Bad Name: x\r\n\r\n", 400),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"X-Secret: a\x00b\r\n\r\n", 400),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", 431),
        (b"GET /api/v1/team HTTP/1.1\r\n" + HEAD + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414),
        (b"GET /api/v1/team HTTP/9.9\r\n" + HEAD + b"\r\n", 400),
        (b"G\x01T /api/v1/team HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_what_the_server_refuses_by_itself_is_in_the_envelope(web, request_head, status):
    answer = web.send(request_head)
    found, error = envelope(answer)
    assert (found, error["code"]) == (status, "VALIDATION_ERROR")
    assert b"secret" not in answer.lower() and b"Connection: close" in answer
    assert web.errors() == []
