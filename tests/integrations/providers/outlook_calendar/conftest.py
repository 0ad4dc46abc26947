"""One mailbox at the sandbox's Microsoft, and the words that tests of it are written in."""

import datetime as dt

import pytest

from integrations.providers import PROVIDERS
from integrations.providers.outlook_calendar.api import PREFER
from integrations.providers.outlook_calendar.mapping import make_id
from integrations.records import Marker, Operation, Verb, Window
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.sandboxed import Vendors

OUTLOOK = PROVIDERS["outlook_calendar"]
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
WINDOW = Window(NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=180))
BATCH = "$batch"
EVENTS = r"/me/calendars/[^/]+/events$"  # of a batch's part, too


def moment(days: float) -> str:
    return (NOW + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(number: int = 1, **fields) -> Operation:
    id = make_id(f"visit {number}")
    values = {"start": moment(1), "end": moment(1.05), "title": f"Visit {number}", "text": "Ladder", "place": "1 Main"}
    return Operation(
        str(number), Verb.CREATE, "visit", id, values | fields, marker=Marker("wsp_1", f"vis_{number}", id)
    )


def update(record, key: str = "u", **fields) -> Operation:
    return Operation(key, Verb.UPDATE, "visit", record.id, fields, tag=record.tag, marker=record.marker)


def delete(record_id: str, key: str = "d", tag: str = "") -> Operation:
    return Operation(key, Verb.DELETE, "visit", record_id, tag=tag)


@pytest.fixture
def microsoft(vendors) -> Vendors:
    return vendors.at("microsoft")


@pytest.fixture
def http(microsoft) -> HttpClient:
    return HttpClient(OUTLOOK, OneToken(microsoft.token()["access_token"]), **FakeTime(NOW).kwargs())


@pytest.fixture
def outlook(http):
    return OUTLOOK.open(http)


@pytest.fixture
def calendar(outlook, microsoft) -> str:
    """The main calendar's id."""
    found = outlook.containers()[0].id
    microsoft.forget_requests()
    return found


@pytest.fixture
def graph(http):
    """The calendar's owner, at work in Outlook itself."""

    def call(method: str, path: str, **body):
        url = f"{OUTLOOK.hosts('')[0]}/v1.0/me/{path}"
        response = http.request(method, url, headers={"Prefer": PREFER}, **({"json": body} if body else {}))
        return response.json() if response.content else None

    return call


@pytest.fixture
def person(graph):
    """Makes an event, as its owner does."""

    def insert(days: float = 2, hours: float = 1, **event):
        begin = NOW + dt.timedelta(days=days)
        times = {"start": begin, "end": begin + dt.timedelta(hours=hours)}
        body = {name: {"dateTime": f"{at:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"} for name, at in times.items()}
        return graph("POST", "events", **({"subject": "Dentist"} | body | event))

    return insert


@pytest.fixture
def weekly(person):
    """Makes a series of so many days or weeks."""

    def insert(count: int = 5, kind: str = "daily", **event):
        first = NOW + dt.timedelta(days=2)
        pattern = {"type": kind, "interval": 1}
        if kind == "weekly":
            pattern["daysOfWeek"] = [first.strftime("%A").lower()]
        span = {"type": "numbered", "startDate": f"{first:%Y-%m-%d}", "numberOfOccurrences": count}
        return person(recurrence={"pattern": pattern, "range": span}, **event)

    return insert


def listed(client, calendar: str, cursor: str = "", window: Window = WINDOW):
    """All records of a listing, and the cursor behind it."""
    pages = list(client.changes(calendar, cursor, window))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [record for page in pages for record in page.records], pages[-1].cursor
