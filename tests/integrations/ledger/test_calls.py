"""The calls behind records, written down beside an account that answers as it is told to."""

import datetime as dt
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from integrations.api import record_calls
from integrations.errors import Rejected, Stale, Unavailable
from integrations.jobs.housekeeping import daily
from integrations.ledger import call_rows, calls
from integrations.ledger.calls import RecordCalls
from integrations.ledger.excerpts import LONGEST, excerpt, short
from integrations.models import Link, RecordCall, Stream
from integrations.records import Marker, Operation, Page, RemoteRecord, Verb, WriteResult
from integrations.transport import exchanges
from integrations.transport.exchanges import Part, carrying
from integrations.transport.meter import Metered, Sent
from tests.fieldcamp.test_logs import CANARY, HEX, TEXTS
from tests.integrations import build

pytestmark = pytest.mark.django_db
SECRET = "ya29.a0AfH6SMBxxxxxxxxxxxxxxxxxxxx"


class Account:
    """Makes the calls that were ordered, each as (status, what it carries), and then answers or raises."""

    def __init__(self):
        self.orders: list[tuple[int | str, list[Part] | None]] = []
        self.answer: object = []
        self.at = build.NOW
        self.reads = False

    def _call(self) -> object:
        for status, parts in self.orders:
            self.at += dt.timedelta(seconds=1)
            method = "GET" if self.reads else "POST"
            sent = Sent(self.at, method, "/v1/batch", status, 12, "trace-1", self.reads, Metered.NO)
            if parts is None:
                exchanges.note(sent)
            else:
                with carrying(parts):
                    exchanges.note(sent)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def write(self, container_id, operations):
        return self._call()

    def get(self, container_id, ids, sent=None):
        return self._call()

    def changes(self, container_id, cursor, window):
        yield self._call()


@pytest.fixture
def stream(workspace) -> Stream:
    return Stream.objects.create(
        connection=build.connection(workspace), container_id="main", is_target=True, first_synced_at=build.NOW
    )


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def recorded(stream, account) -> RecordCalls:
    return RecordCalls(stream, "syn_1").through(account)


def operation(number: int, verb: Verb = Verb.UPDATE, **fields) -> Operation:
    marker = Marker("wsp_1", f"vis_{number}", f"event{number}")
    return Operation(f"vis_{number}", verb, "visit", f"event{number}", fields, marker=marker)


def record(number: int, **fields) -> RemoteRecord:
    return RemoteRecord(f"event{number}", "tag", "visit", fields)


def rows(record_id: str) -> list[RecordCall]:
    return list(RecordCall.objects.filter(record_id=record_id).order_by("pk"))


def test_each_try_is_a_row_and_the_last_has_the_answer(account, recorded):
    """A batch is refused at first, then taken in part; each record has its own part of it alone."""
    done, refused = Part("vis_1", "PATCH", "/events/event1", 200), Part("vis_2", "PATCH", "/events/event2", 412)
    account.orders = [(503, [done, refused]), (200, [done, refused])]
    account.answer = [
        WriteResult("vis_1", record(1, title="Leak one", start="2026-11-23T09:00:00Z", foreign="Leak two")),
        WriteResult("vis_2", error=Stale("It has moved on.", detail=f"etag; token={SECRET}")),
    ]
    recorded.write("main", [operation(1, title="Leak one"), operation(2, title="Leak two")])
    first, second = rows("vis_1")
    assert [(row.status, row.response, row.error) for row in (first, second)] == [
        ("503", None, None),
        ("200", {"title": "Leak one", "start": "2026-11-23T09:00:00Z"}, None),
    ]
    assert (first.request, first.job, first.purpose, first.trace) == (
        {"title": "Leak one"},
        "syn_1",
        "update",
        "trace-1",
    )
    assert second.part == {"method": "PATCH", "path": "/events/event1", "status": 200}
    other = rows("vis_2")[-1]
    assert (other.part["status"], other.response, other.error["code"]) == (412, None, "CONFLICT")
    assert "Leak two" not in str(vars(second)) and SECRET not in str(other.error)


def test_a_call_without_an_answer_is_kept_with_what_was_raised(account, recorded):
    account.orders, account.answer = [("ReadTimeout", None)], Unavailable("It did not answer.")
    with pytest.raises(Unavailable):
        recorded.write("main", [operation(1, Verb.CREATE, title="Leak"), operation(2, Verb.DELETE)])
    [made], [removed] = rows("vis_1"), rows("vis_2")
    assert (made.status, made.request, made.error["message"]) == (
        "ReadTimeout",
        {"title": "Leak"},
        "It did not answer.",
    )
    assert (removed.purpose, removed.request, removed.part) == ("delete", None, None)


def test_what_is_no_error_of_a_provider_is_told_without_its_words(account, recorded):
    account.orders, account.answer = [(200, None)], KeyError(f"password={SECRET}")
    with pytest.raises(KeyError):
        recorded.write("main", [operation(1, title="Leak")])
    assert rows("vis_1")[0].error["code"] == "INTERNAL_ERROR" and SECRET not in str(rows("vis_1")[0].error)


def test_reads_beside_a_write_and_events_that_are_left_over_are_nobodys(account, recorded):
    account.orders, account.reads = [(200, None)], True
    recorded.write("main", [operation(1, title="Leak")])
    account.reads = False
    old = Operation("old_1", Verb.DELETE, "visit", "event9", marker=Marker("wsp_1", "old_1", "event9"))
    recorded.write("main", [old])
    assert not RecordCall.objects.exists()


def test_what_cannot_be_written_down_costs_no_answer(account, recorded, monkeypatch):
    account.orders, account.answer = [(200, None)], [WriteResult("vis_1", record(1))]
    monkeypatch.setattr(calls, "_insert", lambda rows: (_ for _ in ()).throw(DatabaseError("away")))
    with capture_logs() as logs:
        assert recorded.write("main", [operation(1)]) == account.answer
    assert [line["event"] for line in logs] == ["record_calls_not_kept"]


def test_one_record_fills_nothing(account, recorded):
    """One that is tried for ever in one run, and one that is written in each of very many."""
    account.orders = [(503, None)] * 3
    for _ in range(20):
        recorded.write("main", [operation(1, title="Leak")])
    assert len(rows("vis_1")) == calls.MOST


def test_listings_and_looks_name_only_what_belongs_to_a_record(stream, account, recorded):
    account.reads, account.orders = True, [(200, ()), (200, None)]  # a page, and what is asked beside it
    account.answer = Page([record(1, title="Leak")], "cursor", last=True)
    [page] = recorded.changes("main", "", None)
    links = [
        Link(stream=stream, kind="visit", record_id="vis_1", remote_id="event1"),
        Link(stream=stream, kind="block", remote_id="hash"),
        Link(stream=stream, kind="visit", record_id="old_1", remote_id="event9"),
        Link(stream=stream, kind="visit", record_id="vis_3", remote_id="event3", erased_at=build.NOW),
    ]
    recorded.seen([(link, record(1, title="Leak", start="2026-11-23T09:00:00Z"), "event1") for link in links])
    assert {row.record_id for row in RecordCall.objects.all()} == {"vis_1", "vis_3"}
    [mine], [erased] = rows("vis_1"), rows("vis_3")
    assert (mine.purpose, mine.response["title"], mine.path) == ("list", "Leak", "/v1/batch")
    assert erased.response == {"start": "2026-11-23T09:00:00Z"}
    account.orders = [(200, [Part("event1", "GET", "/events/event1", 404), Part("event3")])]
    account.answer = {}
    recorded.get("main", ["event1", "event3"])
    gone = RemoteRecord("event1", "", "visit", gone=True)
    recorded.seen([(links[0], gone, "event1")])
    look = rows("vis_1")[-1]
    assert (look.purpose, look.part["status"], look.response) == ("look", 404, None)


def test_the_words_of_who_was_erased_are_not_sent_into_it(stream, account, recorded):
    Link.objects.create(
        stream=stream, kind="visit", record_id="vis_1", remote_id="event1", erased_at=build.NOW
    )  # fmt: skip
    account.orders, account.answer = [(200, None)], [WriteResult("vis_1", error=Rejected("Not “Kim”.", detail="Kim"))]
    recorded.write("main", [operation(1, title="Kim", start="2026-11-23T09:00:00Z")])
    [row] = rows("vis_1")
    assert row.request == {"start": "2026-11-23T09:00:00Z"} and "Kim" not in str(row.error)


def test_excerpts_are_short_and_without_secrets():
    huge = excerpt(
        {
            "text": "x" * 5_000_000,
            "memo": f"Gate code: 4711\x00 \ud800 Bearer {SECRET} and https://me:hunter2secret@door.test",
            "lines": [{"description": "y" * 400, "quantity": 1, "nested": {"a": {"b": {"c": {"d": {"e": 1}}}}}}]
            * 2_000,
            "start": "2026-11-23T09:00:00Z",
        }
    )
    text = json.dumps(huge)
    assert len(text) < LONGEST + 500 and huge["text"].endswith("…") and huge["start"] == "2026-11-23T09:00:00Z"
    assert huge["lines"] == "…"
    assert not any(word in text for word in (SECRET, "hunter2", "4711", "\\u0000", "\\ud800"))
    assert excerpt({"lines": [{"amount": "1.00"}] * 30})["lines"][-1] == "… 5 more"
    assert short("9" * 90, 10) == "9" * 10


def test_no_shape_of_a_secret_is_kept():
    """What the quick look lets pass is what a close one would not have changed."""
    for text in TEXTS:
        kept = short(text.replace("CANARY", CANARY), 500)
        assert CANARY not in kept and HEX not in kept, text
    assert (
        short("Kim Reed: Leak in the kitchen, 12 Main Street", 500) == "Kim Reed: Leak in the kitchen, 12 Main Street"
    )


def test_a_week_and_a_hundred_of_each_are_kept(stream, monkeypatch):
    monkeypatch.setattr(call_rows, "MOST", 3)
    monkeypatch.setattr(call_rows, "_CHUNK", 1)

    def row(number: int, days: float, record_id: str = "vis_1") -> RecordCall:
        at = build.NOW - dt.timedelta(days=days)
        return RecordCall(
            id=f"cal_{number:03}", stream=stream, kind="visit", record_id=record_id, remote_id="e", purpose="update",
            at=at, method="GET", path="/", status="200", ms=1,
        )  # fmt: skip

    made = [row(number, 0.1) for number in range(5)] + [row(10, 6.9, "vis_2"), row(11, 7.1, "vis_2")]
    RecordCall.objects.bulk_create(made)
    with CaptureQueriesContext(connection) as queries:
        daily(build.NOW)
    assert sum("ROW_NUMBER" in query["sql"] for query in queries) == 1
    assert {*RecordCall.objects.values_list("pk", flat=True)} == {"cal_002", "cal_003", "cal_004", "cal_010"}


def test_the_documents_say_how_many_are_kept():
    docs = Path(settings.BASE_DIR, "docs")
    assert f"{call_rows.MOST} at most of each record" in (docs / "data.md").read_text()
    assert f"of each record at most {call_rows.MOST} stay" in (docs / "operating.md").read_text()
    page = record_calls.RecordCallsView.get.__doc__ or ""
    for number in (f"{settings.RECORD_CALL_RETENTION_DAYS} days", f"{call_rows.MOST} at most", f"first {calls.MOST}."):
        assert number in page
