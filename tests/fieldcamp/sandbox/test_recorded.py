"""The sandbox's answers beside recorded ones of Google's: the same keys in the same order, values of the same form.

`recorded/` holds answers of the real API with names made anonymous.
"""

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest

from . import shapes

RECORDED = Path(__file__).parent / "recorded"
FORMS = (
    ("time with ms", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"),
    ("instance id", r"[a-v0-9]{26}_\d{8}T\d{6}Z"),
    ("id", r"[a-v0-9]{26}"),
    ("uid", r"[a-v0-9]{26}@google\.com"),
    ("group calendar", r"c_[a-v0-9]+@group\.calendar\.google\.com"),
    ("address", r"[^@\s]+@[^@\s]+"),
    ("number in quotes", r'"\d{16}"'),
    ("opaque etag", r'"[A-Za-z0-9_\-]{16,27}"'),
    ("link", r"https://www\.google\.com/calendar/event\?eid=[A-Za-z0-9_\-]+"),
)


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{name}.json").read_text())[0]


def shape(data: Any) -> Any:
    return shapes.shape(data, FORMS)


@pytest.fixture
def visits(google):
    """A secondary calendar in UTC, as in the recordings."""
    body = {"summary": "Visits", "timeZone": "UTC"}
    return google.call("POST", "calendars", body).json()["id"]


@pytest.fixture
def named(google):
    """The main calendar, renamed and in the zone of the recordings."""
    google.call("PATCH", "calendars/primary", {"summary": "Updated Test Calendar", "timeZone": "America/Sao_Paulo"})


def test_create_on_a_secondary_calendar(google, visits):
    real = recorded("create-event")
    made = google.insert(real["request"]["data"], calendar=visits)
    assert shape(made) == shape(real["response"])
    assert made["start"] == real["response"]["start"] and made["end"] == real["response"]["end"]
    assert "self" not in made["creator"] and made["organizer"]["self"] is True


def test_create_recurring(google, named):
    real = recorded("create-recurring-event")
    made = google.insert(real["request"]["data"])
    assert shape(made) == shape(real["response"])
    for name in ("start", "end", "recurrence", "sequence", "reminders", "eventType"):
        assert made[name] == real["response"][name]


def test_etag_and_updated_belong_together():
    for name in ("create-event", "create-recurring-event", "get-event", "patch-event"):
        event = recorded(name)["response"]
        microseconds = int(event["etag"].strip('"')) // 2
        assert event["updated"].endswith(f".{microseconds // 1000 % 1000:03d}Z")


def test_the_link_names_the_event_and_the_calendar(google, visits):
    made = google.insert(calendar=visits)
    for event, calendar in (
        (recorded("create-event")["response"], recorded("create-event")["response"]["organizer"]["email"]),
        (made, visits),
    ):
        text = event["htmlLink"].partition("eid=")[2]
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        assert plain == f"{event['id']} {calendar.partition('@')[0]}@g"


def test_get(google, named):
    real = recorded("get-event")["response"]
    body = {name: real[name] for name in ("summary", "description", "start", "end")}
    got = google.event("GET", google.insert(body)["id"]).json()
    assert shape(got) == shape(real)
    assert (got["start"], got["end"]) == (real["start"], real["end"])


def test_patch(google, named):
    real = recorded("patch-event")
    before = {name: real["response"][name] for name in ("summary", "description", "start", "end")}
    changed = google.event("PATCH", google.insert(before)["id"], real["request"]["data"]).json()
    assert shape(changed) == shape(real["response"])
    assert changed["start"] == real["response"]["start"] and changed["sequence"] == 0


def test_delete(google):
    gone = google.event("DELETE", google.insert()["id"])
    real = recorded("delete-event")
    assert (gone.status_code, gone.text) == (real["status"], real["response"])


def test_instances(google, named):
    real = recorded("get-event-instances")["response"]
    first = real["items"][0]
    body = {name: first[name] for name in ("summary", "start", "end")}
    master = google.insert(body | {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]})
    page = google.event("GET", f"{master['id']}/instances").json()
    assert shape(page) == shape(real)
    for ours, theirs in zip(page["items"], real["items"], strict=True):
        assert shape(ours) == shape(theirs)
        assert ours["originalStartTime"] == theirs["originalStartTime"]
        assert ours["id"].partition("_")[2] == theirs["id"].partition("_")[2]
        assert ours["etag"] == master["etag"]


def test_a_page_of_a_list(google, named):
    for _ in range(6):
        google.insert()
    real = recorded("list-events")
    page = google.events(**real["request"]["params"])
    assert shape({**page, "items": []}) == shape(real["response"])


def test_an_ordered_list_has_no_sync_token(google, named):
    real = recorded("events")
    page = google.events(**real["request"]["params"])
    assert shape(page) == shape(real["response"])
    assert "nextSyncToken" not in real["response"] and "nextPageToken" not in real["response"]


def test_a_calendar(google, named):
    assert shape(google.call("GET", "calendars/primary").json()) == shape(recorded("get-calendar")["response"])


def test_the_list_of_calendars(google, visits):
    real = recorded("list-calendars")["response"]
    google.call("PATCH", f"calendars/{visits}", {"description": "D", "location": "L"})
    google.call("PATCH", f"users/me/calendarList/{visits}", {"summaryOverride": "O"})
    page = google.call("GET", "users/me/calendarList").json()
    assert list(page) == list(real)
    assert shape(page["items"][1]) == shape(real["items"][1])
    described, renamed = shape(real["items"][0]), shape(real["items"][4])
    own = next(entry for entry in page["items"] if entry["id"] == visits)
    assert set(own) == {name for name, _ in described} | {name for name, _ in renamed}


def test_a_channel(google):
    real = recorded("watch-events")
    answer = google.call("POST", "calendars/primary/events/watch", real["request"]["data"])
    assert answer.status_code == real["status"]
    assert shape(answer.json()) == shape(real["response"])
    assert {len(each["resourceId"]) for each in (answer.json(), real["response"])} == {27}
    assert answer.json()["resourceUri"] == real["response"]["resourceUri"]
    end = recorded("stop-channel")
    body = {name: answer.json()[name] for name in end["request"]["data"]}
    stopped = google.call("POST", "channels/stop", body)
    assert (stopped.status_code, stopped.text) == (end["status"], end["response"])
