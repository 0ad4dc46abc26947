"""Deliveries on the wire: a served sandbox, receivers on sockets, and what a restart remembers."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.mount import mount
from fieldcamp.sandbox.push.wire import Post, Wire, is_loopback
from fieldcamp.sandbox.server import Server

from ..conftest import Google, Outlook
from .conftest import Receiver, subscribe, watch

PATIENCE = 20


class Listening(ThreadingHTTPServer):
    """A receiver on a socket of this machine."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.changed, self.status, self.silent = threading.Condition(), 200, threading.Event()
        self.silent.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/push"

    def wait_for(self, count: int) -> list[tuple[str, dict[str, str], bytes]]:
        """The posts, when there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.posts) >= count, PATIENCE), self.posts
            return list(self.posts)


class Listener(BaseHTTPRequestHandler):
    server: Listening

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0].encode()
        if not answer:
            with self.server.changed:
                self.server.posts.append((self.path, dict(self.headers.items()), body))
                self.server.changed.notify_all()
            self.server.silent.wait(PATIENCE)
        self.send_response(self.server.status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def listening() -> Iterator[Listening]:
    server = Listening()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Served:
    """A sandbox on a socket, and clients of it."""

    def __init__(self, state: str | None = None) -> None:
        self.app = create_app(state, seed="empty")
        self.app.push.wire.plain_http = True
        self.server = Server(("127.0.0.1", 0), self.app)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.session = requests.Session()

    def client(self, kind, **more):
        client = kind(self.session, mount(self.session, self.app))
        client.sign_in(**more)
        return client

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.app.close()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.end()


def test_a_served_sandbox_delivers_by_itself(served, listening):
    google = served.client(Google)
    assert watch(google, address=listening.url).status_code == 200
    listening.wait_for(1)
    google.insert()
    path, headers, body = listening.wait_for(2)[1]
    assert path == "/push" and body == b"" and headers["Content-Length"] == "0"
    assert headers["X-Goog-Channel-ID"] == "one" and headers["User-Agent"].startswith("APIs-Google")
    assert google.control("drain", {}).status_code == 400
    outlook = served.client(Outlook)
    address = {"notificationUrl": listening.url, "lifecycleNotificationUrl": listening.url}
    until = datetime.fromtimestamp(served.app.state.now() + 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = subscribe(outlook, expirationDateTime=until, **address)
    assert made.status_code == 201, made.text
    before = len(listening.posts)
    outlook.create()
    assert b'"changeType":"created"' in listening.wait_for(before + 1)[-1][2]


def test_moving_the_clock_wakes_the_next_attempt(served, listening):
    google = served.client(Google)
    google.control("switches", {"vendor": "google", "push_twice": 0})
    watch(google, address=listening.url)
    listening.wait_for(1)
    listening.status = 503
    google.insert()
    listening.wait_for(2)
    listening.status = 200
    google.control("clock", {"advance_seconds": 60})
    listening.wait_for(3)


def test_a_receiver_that_hangs_holds_up_nobody_else(served, listening):
    google = served.client(Google)
    watch(google, "stuck", address=listening.url)
    listening.silent.clear()
    listening.wait_for(1)
    other = Listening()
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        watch(google, "free", address=other.url)
        google.insert()
        assert len(other.wait_for(2)) >= 2
    finally:
        listening.silent.set()
        other.shutdown()
        thread.join()
        other.server_close()


def test_a_restart_forgets_nothing(tmp_path, clock):
    def start():
        app = create_app(str(tmp_path / "state"), seed="empty", clock=clock)
        session = requests.Session()
        google = Google(session, mount(session, app))
        google.sign_in()
        return app, google, Receiver(app)

    app, google, receiver = start()
    google.control("switches", {"vendor": "google", "push_twice": 0})
    watch(google)
    receiver.drain()
    receiver.status = 503
    google.insert()
    google.insert()
    receiver.drain()
    google.control("push", {"vendor": "google", "kind": "drop"})
    app.close()
    app, google, receiver = start()
    google.insert()
    assert receiver.drain() == []
    google.control("clock", {"advance_seconds": 10})
    assert len(receiver.drain()) == 2
    assert len(google.control("deliveries", method="GET").json()) == 1 + 2 + 1 + 2
    assert google.control("channels", method="GET").json()[0]["state"] == "live"
    app.close()


def test_what_was_not_answered_when_the_sandbox_died_is_sent_again(tmp_path, clock):
    path = str(tmp_path / "state")
    app = create_app(path, seed="empty", clock=clock)
    session = requests.Session()
    google = Google(session, mount(session, app))
    google.sign_in()

    def die(post: Post):
        raise KeyboardInterrupt

    app.push.wire.deliver = die
    watch(google)
    with pytest.raises(KeyboardInterrupt):
        app.push.drain()
    app.close()
    app = create_app(path, clock=clock)
    assert len(Receiver(app).drain()) == 1
    app.close()


def test_what_is_rolled_back_is_told_to_nobody(google, receiver, app):
    watch(google)
    receiver.drain()
    events = app.vendors["google"].events
    cal = app.vendors["google"].calendars.find("dana@google.test", "primary")
    body = {"summary": "Lost", "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    with pytest.raises(ZeroDivisionError), app.state.transaction():
        events.insert(cal, body, "dana@google.test")
        _ = 1 // 0
    assert receiver.drain() == []
    events.insert(cal, body, "dana@google.test")
    assert len(receiver.drain()) >= 1


def test_only_this_machine_is_posted_to():
    wire = Wire()
    answer = wire.post(Post("https://fieldcamp.example.com/push", {}))
    assert answer.status == 0 and "--push-anywhere" in answer.why
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "app.localhost", "LOCALHOST."):
        assert is_loopback(host)
    for host in ("example.com", "10.0.0.1", "0.0.0.0", "169.254.169.254", "localhost.example.com", ""):
        assert not is_loopback(host)


def test_nobody_listening_is_no_answer(listening):
    listening.server_close()
    wire = Wire()
    answer = wire.post(Post(listening.url, {}, b"", 2.0))
    assert answer.status == 0 and "ConnectionError" in answer.why and not answer.timed_out


def test_an_answer_that_comes_too_late_is_none(listening):
    listening.silent.clear()
    answer = Wire().post(Post(listening.url, {}, b"x", 0.2))
    assert answer.status == 0 and answer.timed_out and len(listening.posts) == 1


def test_redirects_are_not_followed(listening):
    listening.status = 302
    assert Wire().post(Post(listening.url, {}, b"x", 2.0)).status == 302 and len(listening.posts) == 1


@pytest.mark.parametrize(
    "url", ["https://x.test", "https://x.test:8443/push?a=b", "http://localhost:8000/push", "http://127.0.0.1/push"]
)
def test_addresses_that_vendors_take(url):
    wire = Wire()
    assert wire.takes(url) == url.startswith("https")
    wire.plain_http = True
    assert wire.takes(url)


@pytest.mark.parametrize(
    "url",
    ["", 5, None, "https://", "https://a@b", "https://x.test/#f", "https://x.test:99999999/", "https://x.test/ö",
     "https://x.test/a b", "http://x.test", "file:///etc/passwd", "https://x.test/" + "a" * 2048, "https://[x"],
)  # fmt: skip
def test_addresses_that_they_do_not_take(url):
    wire = Wire()
    wire.plain_http = True
    assert not wire.takes(url)
