"""GET …/sync?wait=: the answer comes as soon as something is there; who waits holds no connection to the database, and
never so many threads that others find none."""

import datetime as dt
import socket
import threading
import time

import pytest
from django.db import connection as database
from django.db import connections, transaction
from django.utils import timezone

from integrations.api.clients import client_is_gone
from integrations.models import ChangeRow, Connection, WorkspaceIntegration
from integrations.queue.planning import integration_of
from integrations.services import feed, waiting
from integrations.services.waiting import Waiters
from tests.integrations.build import GOOGLE

FEED = "/google-calendar/sync"
SINCE = "since=2026-11-22T07:00:00Z"


@pytest.fixture(autouse=True)
def asked(no_provider, monkeypatch):
    monkeypatch.setattr(waiting, "TICK", 0.02)
    return no_provider


def record(workspace) -> None:
    """As the product writes it: who waits for the number finds the change."""
    with transaction.atomic():
        row = WorkspaceIntegration.objects.get(workspace=workspace, integration=GOOGLE)
        WorkspaceIntegration.objects.filter(pk=row.pk).update(feed_seq=row.feed_seq + 1)
        ChangeRow.objects.create(
            workspace=workspace, integration=GOOGLE, seq=row.feed_seq + 1, action="updated", kind="visit",
            record_id="vis_1", remote_id="event1", changed_at=timezone.now(),
        )  # fmt: skip


class Reader(threading.Thread):
    """Reads with `wait` in a thread of its own, as a web server's does."""

    def __init__(self, caller, query: str):
        super().__init__()
        self.caller, self.query, self.answer = caller, query, None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self.caller.get(f"{FEED}?{self.query}")
        finally:
            database.close()


def waits(number: int) -> bool:
    """Whether so many wait, within a while."""
    ends = time.monotonic() + 10
    while feed.waiters._waiting.total() != number and time.monotonic() < ends:
        time.sleep(0.005)
    return feed.waiters._waiting.total() == number


@pytest.mark.django_db(transaction=True)
def test_the_answer_comes_as_soon_as_something_is_there(dana, monkeypatch):
    integration_of(dana.workspace, GOOGLE)
    closed = []
    let_go = waiting.let_go_of_database
    monkeypatch.setattr(
        waiting,
        "let_go_of_database",
        lambda: (let_go(), closed.append(all(each.connection is None for each in connections.all()))),
    )
    began = time.monotonic()
    readers = [Reader(dana, f"{SINCE}&wait=25"), Reader(dana, "wait=25")]
    assert waits(2)
    record(dana.workspace)
    for reader in readers:
        reader.join(20)
    assert time.monotonic() - began < 15
    for reader in readers:
        assert [change["google_event_id"] for change in reader.answer.json()["changes"]] == ["event1"]
        assert "Retry-After" not in reader.answer.headers
    assert closed and all(closed)  # nobody has waited with a connection
    later = dana.get(f"{FEED}?cursor={readers[0].answer.json()['resume_cursor']}")
    assert later.json()["changes"] == []


@pytest.mark.slow
@pytest.mark.django_db
def test_nothing_comes_and_the_answer_is_empty(dana):
    began = time.monotonic()
    cursor = dana.get(f"{FEED}?{SINCE}").json()["resume_cursor"]
    first = dana.get(f"{FEED}?cursor={cursor}&wait=1")
    assert time.monotonic() - began >= 1
    assert (first.status_code, first.json()["changes"], first.json()["resume_cursor"]) == (200, [], cursor)


@pytest.mark.django_db
def test_what_is_there_is_not_waited_for(dana):
    integration_of(dana.workspace, GOOGLE)
    record(dana.workspace)
    for query in (SINCE, "limit=1", "since=2099-01-01T00:00:00Z"):
        began = time.monotonic()
        assert dana.get(f"{FEED}?{query}&wait=25").status_code == 200
        assert time.monotonic() - began < 10


@pytest.mark.django_db(transaction=True)
def test_only_so_many_wait_and_the_others_are_answered_at_once(dana, other, monkeypatch):
    monkeypatch.setattr(feed, "waiters", Waiters(most=3, of_one=2))
    Connection.objects.update(last_synced_at=timezone.now())
    for caller in (dana, other):
        integration_of(caller.workspace, GOOGLE)
    readers = [Reader(dana, "wait=25"), Reader(dana, "wait=25")]
    assert waits(2)
    too_many = dana.get(f"{FEED}?wait=25")
    assert (too_many.status_code, too_many["Retry-After"], too_many.json()["changes"]) == (200, "5", [])
    readers.append(Reader(other, "wait=25"))  # another key finds a place
    assert waits(3)
    assert other.get(f"{FEED}?wait=25")["Retry-After"] == "5"
    for caller in (dana, other):
        record(caller.workspace)
    for reader in readers:
        reader.join(20)
        assert len(reader.answer.json()["changes"]) == 1
    assert waits(0) and not feed.waiters._waiting


@pytest.mark.slow
@pytest.mark.django_db
def test_the_provider_is_asked_now_and_then_meanwhile_and_one_call_is_counted(dana, asked, monkeypatch):
    monkeypatch.setattr(feed, "ASK_AGAIN", 0.3)
    answer = dana.get(f"{FEED}?{SINCE}&wait=1")
    assert 2 <= len(asked) <= 4
    before = int(answer["X-RateLimit-Remaining"])
    assert int(dana.get(f"{FEED}?{SINCE}")["X-RateLimit-Remaining"]) in (before - 1, 99_999)
    asked.clear()
    assert dana.get(f"{FEED}?{SINCE}&wait=1&refresh=false").status_code == 200 and asked == []


@pytest.mark.django_db
def test_a_client_that_has_gone_is_not_waited_for(dana, monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not client_is_gone({"gunicorn.socket": ours})
        theirs.send(b"G")  # the next request, sent ahead
        assert not client_is_gone({"gunicorn.socket": ours})
        assert ours.recv(1) == b"G"
        theirs.close()
        assert client_is_gone({"gunicorn.socket": ours})
        ours.close()
        assert client_is_gone({"gunicorn.socket": ours})
    assert not client_is_gone({}) and not client_is_gone({"gunicorn.socket": object()})
    monkeypatch.setattr("integrations.api.sync.client_is_gone", lambda environ: True)
    began = time.monotonic()
    assert dana.get(f"{FEED}?{SINCE}&wait=25").status_code == 200
    assert time.monotonic() - began < 10


def test_places_are_given_back_whatever_happens():
    waiters = Waiters(most=1, of_one=1)
    with pytest.raises(ZeroDivisionError), waiters.place("key") as free:
        assert free
        raise ZeroDivisionError
    with waiters.place("key") as free, waiters.place("other") as second:
        assert (free, second) == (True, False)
    assert dt.timedelta(seconds=feed.LONGEST_WAIT) < dt.timedelta(seconds=30)
