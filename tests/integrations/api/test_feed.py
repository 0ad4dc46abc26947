"""GET …/sync: each change once, in order, to readers who come back."""

import datetime as dt

import pytest
import time_machine
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.jobs import housekeeping, schedule
from integrations.models import ChangeRow, Connection
from integrations.records import instant
from tests.integrations import build
from tests.integrations.build import GOOGLE, NOW

pytestmark = pytest.mark.django_db

FEED = "/google-calendar/sync"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def asked(no_provider):
    return no_provider


def record(caller, number, minutes=None, **fields):
    """Row `number` of the feed, recorded so many minutes before now (default: the later the number, the later)."""
    row = schedule.integration_of(caller.workspace, GOOGLE)
    row.feed_seq = number
    row.save()
    defaults = {
        "action": "updated",
        "kind": "visit",
        "record_id": f"vis_{number}",
        "remote_id": f"event{number}",
        "shown": {"summary": "Boiler", "start": "a", "end": "b", "all_day": False, "status": "confirmed"},
        "changed_at": NOW - (100 - number if minutes is None else minutes) * MINUTE,
    }
    return ChangeRow.objects.create(workspace=caller.workspace, integration=GOOGLE, seq=number, **(defaults | fields))


def ids(answer) -> list[str]:
    return [change["google_event_id"] for change in answer.json()["changes"]]


def test_a_row_as_the_page_shows_it(dana):
    record(dana, 1, minutes=5)
    answer = dana.get(f"{FEED}?since=2026-11-22T07:00:00Z").json()
    assert list(answer) == ["integration", "changes", "next_cursor", "resume_cursor", "as_of"]
    assert answer["changes"] == [
        {
            "id": "chg_000000000001",
            "action": "updated",
            "visit_id": "vis_1",
            "google_event_id": "event1",
            "changed_at": "2026-11-22T07:55:00Z",
            "event": {"summary": "Boiler", "start": "a", "end": "b", "all_day": False, "status": "confirmed"},
        }
    ]
    assert (answer["integration"], answer["next_cursor"]) == ("google_calendar", None)


def test_a_private_event_has_no_title_and_a_deleted_one_no_event(dana):
    record(dana, 1, record_id="")
    record(dana, 2, action="deleted")
    private, deleted = dana.get(f"{FEED}?since=2026-11-22T00:00:00Z").json()["changes"]
    assert (private["visit_id"], private["event"]["summary"], private["event"]["start"]) == (None, None, "a")
    assert deleted["event"] is None


def test_without_since_it_takes_in_what_is_pending_and_tells_what_came_after_the_last_sync(dana, asked):
    record(dana, 1)
    row = schedule.integration_of(dana.workspace, GOOGLE)
    row.watermark = 1
    row.save()
    record(dana, 2)
    answer = dana.get(FEED)
    assert ids(answer) == ["event2"]
    assert answer.json()["as_of"] == instant(NOW)
    assert asked == [(dana.workspace.pk, GOOGLE)]
    row.refresh_from_db()
    assert row.watermark == 1


@pytest.mark.parametrize("query", ["since=2026-11-22T06:00:00Z", "cursor"])
def test_reads_from_a_place_ask_the_provider_where_nothing_more_is_stored(dana, asked, query):
    for number in (1, 2):
        record(dana, number)
    if query == "cursor":
        query = f"cursor={dana.get(f'{FEED}?since=2026-11-22T06:00:00Z&limit=1').json()['resume_cursor']}"
        assert asked == []
    assert dana.get(f"{FEED}?{query}").status_code == 200
    assert asked == [(dana.workspace.pk, GOOGLE, "reading on")]
    dana.get(f"{FEED}?{query}&limit=1")
    two_pages = query.startswith("since")
    assert len(asked) == (1 if two_pages else 2)  # of two pages the first asks nobody
    dana.get(f"{FEED}?since=2027-01-01T00:00:00Z")
    assert len(asked) == (1 if two_pages else 2)


@pytest.mark.parametrize("place", ["since=2026-11-22T06:00:00Z", "cursor", ""])
def test_a_reader_says_whether_the_provider_is_asked(dana, asked, place):
    for number in (1, 2):
        record(dana, number)
    if place == "cursor":
        place = f"cursor={dana.get(f'{FEED}?since=2026-11-22T06:00:00Z&limit=1').json()['resume_cursor']}"
    assert dana.get(f"{FEED}?{place}&refresh=false").status_code == 200 and asked == []
    asking = dana.get(f"{FEED}?{place}&refresh=true&limit=1")  # also where more is stored already
    assert asked == [(dana.workspace.pk, GOOGLE)] and asking.json()["as_of"] == instant(NOW)
    assert dana.get(f"{FEED}?since=2027-01-01T00:00:00Z&refresh=true").json()["changes"] == []
    assert dana.get(f"{FEED}?since=2026-10-01T00:00:00Z&refresh=true").status_code == 410
    assert len(asked) == 1  # nobody is asked for what is still to come, or is gone


def test_what_the_provider_had_is_in_the_same_answer(dana, monkeypatch):
    from integrations.services import feed

    cursor = dana.get(FEED).json()["resume_cursor"]
    monkeypatch.setattr(feed, "observe_pending", lambda *_, reading_on: record(dana, 1))
    answer = dana.get(f"{FEED}?cursor={cursor}")
    assert ids(answer) == ["event1"]
    monkeypatch.setattr(feed, "observe_pending", lambda *_, reading_on: None)
    assert ids(dana.get(f"{FEED}?cursor={answer.json()['resume_cursor']}")) == []


def test_since_is_exclusive_and_the_future_is_empty(dana):
    record(dana, 1, minutes=10)
    record(dana, 2, minutes=5)
    assert ids(dana.get(f"{FEED}?since=2026-11-22T07:50:00Z")) == ["event2"]
    assert ids(dana.get(f"{FEED}?since=2026-11-22T09:50:00%2B02:00")) == ["event2"]
    later = dana.get(f"{FEED}?since=2026-11-23T00:00:00Z")
    assert ids(later) == []
    record(dana, 3, minutes=0)
    assert ids(dana.get(f"{FEED}?cursor={later.json()['resume_cursor']}")) == ["event3"]


def test_a_reader_misses_nothing_and_sees_nothing_twice(dana):
    for number in range(1, 8):
        record(dana, number)
    seen, query = [], "since=2026-11-22T00:00:00Z"
    while True:
        answer = dana.get(f"{FEED}?limit=3&{query}")
        seen += ids(answer)
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        if len(seen) == 3:
            record(dana, 8)  # a writer in the middle of the reading
        query = f"cursor={cursor}"
    assert seen == [f"event{number}" for number in range(1, 9)]
    resume = answer.json()["resume_cursor"]
    assert ids(dana.get(f"{FEED}?cursor={resume}")) == []
    record(dana, 9)
    again = dana.get(f"{FEED}?cursor={resume}")
    assert ids(again) == ["event9"]
    assert ids(dana.get(f"{FEED}?cursor={again.json()['resume_cursor']}")) == []


def test_a_cursor_belongs_to_its_feed(dana, other):
    record(dana, 1)
    cursor = dana.get(f"{FEED}?since=2026-11-22T00:00:00Z").json()["resume_cursor"]
    for caller, text in ((other, cursor), (dana, cursor[:-2]), (dana, "x"), (dana, "")):
        answer = caller.get(f"{FEED}?cursor={text}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_CURSOR")


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=2026-11-22",
        "since=2026-11-22T08:00:00",
        "limit=0",
        "limit=201",
        "since=",
        "wait=26",
        "wait=-1",
        "wait=1.5",
        "wait=",
        "wait=x",
        "wait=99999",
        "wait=%C2%B2",
        "refresh=1",
        "refresh=",
        "refresh=True",
    ],
)
def test_parameters_that_are_not_understood(dana, query):
    answer = dana.get(f"{FEED}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_since_or_cursor_not_both(dana):
    cursor = dana.get(FEED).json()["resume_cursor"]
    assert dana.get(f"{FEED}?since=2026-11-22T00:00:00Z&cursor={cursor}").status_code == 400


def test_what_has_been_pruned_is_gone_and_says_where_to_start_anew(dana):
    record(dana, 1, minutes=60 * 24 * 31)
    record(dana, 2, minutes=5)
    start = dana.get(FEED).json()
    housekeeping.prune_feed(NOW - dt.timedelta(days=30))
    assert list(ChangeRow.objects.values_list("seq", flat=True)) == [2]
    old = dana.get(f"{FEED}?since=2026-10-01T00:00:00Z")
    assert (old.status_code, old.json()["error"]["code"]) == (410, "CURSOR_EXPIRED")
    resync = old.json()["error"]["details"]["resync_from"]
    assert ids(dana.get(f"{FEED}?since={resync}")) == ["event2"]
    assert start["resume_cursor"]
    assert ids(dana.get(f"{FEED}?cursor={start['resume_cursor']}")) == []
    assert ids(dana.get(FEED)) == ["event2"]


def test_a_cursor_before_what_was_pruned_is_expired(dana):
    for number in (1, 2, 3):
        record(dana, number, minutes=60 * 24 * 31)
    record(dana, 4)
    cursor = dana.get(f"{FEED}?limit=1").json()["next_cursor"]
    housekeeping.prune_feed(NOW - dt.timedelta(days=30))
    assert dana.get(f"{FEED}?cursor={cursor}").json()["error"]["code"] == "CURSOR_EXPIRED"


def test_not_connected_is_refused_as_a_trigger_is(dana):
    Connection.objects.update(state="disconnected")
    answer = dana.get(FEED)
    assert (answer.status_code, answer.json()["error"]["details"]["reason"]) == (422, "disconnected")


def test_as_of_is_the_account_that_was_looked_at_longest_ago(dana):
    Connection.objects.update(observed_at=NOW - MINUTE, last_synced_at=NOW - 2 * MINUTE)
    build.connection(dana.workspace, observed_at=NOW - 7 * MINUTE, connected_at=NOW - 9 * MINUTE)
    build.connection(dana.workspace, "disconnected", connected_at=NOW - 99 * MINUTE)
    assert dana.get(f"{FEED}?since=2026-11-22T00:00:00Z").json()["as_of"] == instant(NOW - 7 * MINUTE)


def test_a_page_costs_the_same_wherever_it_stands(dana):
    for number in range(1, 40):
        record(dana, number)
    near, far = (dana.get(f"{FEED}?limit={limit}").json()["next_cursor"] for limit in (1, 30))
    counts = []
    for query in (f"limit=1&cursor={near}", f"limit=8&cursor={far}"):
        with CaptureQueriesContext(database) as captured:
            dana.get(f"{FEED}?{query}")
        counts.append(len(captured))
    assert counts[0] == counts[1]
