"""One account at the sandbox's Google, and the words that tests of it are written in."""

import datetime as dt

import pytest

from integrations.providers import PROVIDERS
from integrations.providers.google_calendar.api import make_id
from integrations.records import Marker, Operation, Verb, Window
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime

GOOGLE = PROVIDERS["google_calendar"]
CALENDAR = "dana@google.test"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
WINDOW = Window(NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=180))
BATCH = "batch/calendar"


def moment(days: float) -> str:
    return (NOW + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(number: int = 1, **fields) -> Operation:
    id = make_id(f"visit {number}")
    values = {
        "start": moment(1),
        "end": moment(1.05),
        "title": f"Visit {number}",
        "text": "Ladder",
        "place": "1 Main St",
    }
    return Operation(
        str(number), Verb.CREATE, "visit", id, values | fields, marker=Marker("wsp_1", f"vis_{number}", id)
    )


def update(record, key: str = "u", **fields) -> Operation:
    return Operation(key, Verb.UPDATE, "visit", record.id, fields, tag=record.tag, marker=record.marker)


def delete(record_id: str, key: str = "d", tag: str = "") -> Operation:
    return Operation(key, Verb.DELETE, "visit", record_id, tag=tag)


@pytest.fixture
def http(vendors) -> HttpClient:
    return HttpClient(GOOGLE, OneToken(vendors.token()["access_token"]), **FakeTime(NOW).kwargs())


@pytest.fixture
def google(http):
    return GOOGLE.open(http)


@pytest.fixture
def person(http):
    """The calendar's owner, at work in Google itself."""

    def insert(**event):
        body = {
            "summary": "Dentist",
            "start": {"dateTime": moment(2), "timeZone": "America/New_York"},
            "end": {"dateTime": moment(2.1), "timeZone": "America/New_York"},
            **event,
        }
        url = f"{GOOGLE.hosts('')[0]}/calendar/v3/calendars/{CALENDAR}/events"
        return http.request("POST", url, json=body).json()

    return insert


def listed(google, cursor: str = "", calendar: str = CALENDAR):
    """All records of a listing, and the cursor behind it."""
    pages = list(google.changes(calendar, cursor, WINDOW))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record for page in pages for record in page.records], pages[-1].cursor


def find_events(vendors) -> list[dict]:
    """Every event in the simulator's state, wherever it keeps them."""
    found, left = [], [vendors.state()]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if value.get("kind") == "calendar#event":
                found.append(value)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return found


def reason(code: int, name: str) -> dict:
    return {"status": code, "body": {"error": {"errors": [{"reason": name}], "code": code}}}
