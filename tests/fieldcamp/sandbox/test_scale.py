"""Large calendars: what a call costs must not grow with what it does not return."""

import time

import pytest

from .conftest import timed

pytestmark = pytest.mark.slow


def plans(app, call):
    """How SQLite goes about each statement that `call` runs on events."""
    statements: list[str] = []
    connection = app.state._db
    connection.set_trace_callback(statements.append)
    call()
    connection.set_trace_callback(None)
    asked = [sql for sql in statements if sql.startswith("SELECT") and "g_events" in sql]
    assert asked
    return [" ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in asked]


@pytest.mark.parametrize("versions", [False, True], ids=["quiet", "while others page"])
def test_pages_and_changes_are_index_ranges(google, app, versions):
    for _ in range(5):
        google.insert()
    if versions:
        google.events(maxResults=1)
        google.event("PATCH", google.events()["items"][0]["id"], {"summary": "B"})
    token = google.events()["nextSyncToken"]
    page = google.events(maxResults=2)["nextPageToken"]
    event = google.insert()["id"]
    for call in (
        lambda: google.events(syncToken=token),
        lambda: google.events(pageToken=page),
        lambda: google.event("GET", event),
        lambda: google.event("PATCH", event, {"summary": "B"}),
        lambda: google.events(iCalUID=f"{event}@google.com"),
    ):
        for plan in plans(app, call):
            assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "")
            assert "TEMP B-TREE" not in plan or "ical_uid" in plan


def test_a_hundred_thousand_events(google):
    google.control("throttle", {"enabled": False})
    begun = time.perf_counter()
    google.control("bulk", {"vendor": "google", "account": "dana@google.test", "events": 100_000})
    assert time.perf_counter() - begun < 60  # seconds; about four on the machine this was written on
    page = google.events(maxResults=2500, fields="nextPageToken")
    google.call("POST", "calendars/primary/events", timed(id="abcde"))
    count = 0
    while "nextPageToken" in page:
        fields = "items(id),nextPageToken,nextSyncToken"
        page = google.events(maxResults=2500, pageToken=page["nextPageToken"], fields=fields)
        count += len(page["items"])
    assert count == 97_500
    begun = time.perf_counter()
    changes = google.events(syncToken=page["nextSyncToken"])
    assert [event["id"] for event in changes["items"]] == ["abcde"]
    assert time.perf_counter() - begun < 1
