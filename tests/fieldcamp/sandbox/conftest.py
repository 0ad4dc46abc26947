"""A sandbox mounted on a session, and the few calls that most tests begin with."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from fieldcamp.sandbox.app import Sandbox, create_app
from fieldcamp.sandbox.mount import URL, SandboxAdapter, mount

NOON = 1_795_348_800.0  # 2026-11-22T12:00:00Z


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Client:
    """A vendor's API as one signed-in account uses it."""

    vendor = path = account = ""

    def __init__(self, session: requests.Session, adapter: SandboxAdapter) -> None:
        self.session, self.adapter = session, adapter
        self.base = f"{URL}/{self.path}"
        self.token: dict[str, Any] = {}

    def control(self, name: str, body: Any = None, method: str = "POST", **query: Any) -> requests.Response:
        return self.session.request(method, f"{URL}/_control/{name}", json=body, params=query)

    def sign_in(self, account: str | None = None, scopes: str | None = None, **more: str) -> dict[str, Any]:
        body = {"vendor": self.vendor, "account": account or self.account, **more}
        body |= {"scopes": scopes} if scopes else {}
        response = self.control("token", body)
        assert response.status_code == 200, response.text
        self.token = response.json()
        return self.token

    def call(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token['access_token']}"} if self.token else {}
        url = f"{self.base}/{path}"
        return self.session.request(method, url, json=body, params=query, headers=sent | (headers or {}), timeout=5)

    def fault(self, **spec: Any) -> None:
        response = self.control("faults", {"vendor": self.vendor} | spec)
        assert response.status_code == 200, response.text


class Google(Client):
    """The Calendar API."""

    vendor, path, account = "google", "google/api/calendar/v3", "dana@google.test"

    def events(self, **query: Any) -> dict[str, Any]:
        response = self.call("GET", "calendars/primary/events", **query)
        assert response.status_code == 200, response.text
        return response.json()

    def insert(self, body: Any = None, calendar: str = "primary", **fields: Any) -> dict[str, Any]:
        response = self.call("POST", f"calendars/{calendar}/events", timed(**fields) if body is None else body)
        assert response.status_code == 200, response.text
        return response.json()

    def event(self, method: str, event_id: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call(method, f"calendars/primary/events/{event_id}", body, **more)


class Outlook(Client):
    """Graph. Ids are the ones that survive a move, as FieldCamp uses them, unless a test says otherwise."""

    vendor, path, account = "microsoft", "microsoft/graph/v1.0", "dana@outlook.test"

    def call(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> requests.Response:
        headers = {"Prefer": 'IdType="ImmutableId"'} | (headers or {})
        if not path.startswith(URL):
            return super().call(method, path, body, headers, **query)
        headers |= {"Authorization": f"Bearer {self.token['access_token']}"}
        return self.session.request(method, path, headers=headers)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        response = self.call("GET", path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def create(self, path: str = "me/events", **fields: Any) -> dict[str, Any]:
        response = self.call("POST", path, meeting(**fields))
        assert response.status_code == 201, response.text
        return response.json()

    def patch(self, event: dict[str, Any], **fields: Any) -> requests.Response:
        return self.call("PATCH", f"me/events/{event['id']}", fields)

    def delete(self, event: dict[str, Any], **headers: str) -> requests.Response:
        return self.call("DELETE", f"me/events/{event['id']}", headers=headers)

    def round(self, link: str = "", page: int = 50, **window: str) -> tuple[list[dict[str, Any]], str]:
        """A whole delta round: the rows, and the link for the next."""
        rows: list[dict[str, Any]] = []
        link, query = link or "me/calendarView/delta", {} if link else WINDOW | window
        while True:
            response = self.call("GET", link, headers=prefer(f"odata.maxpagesize={page}"), **query)
            assert response.status_code == 200, response.text
            rows += response.json()["value"]
            if "@odata.deltaLink" in response.json():
                return rows, response.json()["@odata.deltaLink"]
            link, query = response.json()["@odata.nextLink"], {}


WINDOW = {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2027-02-01T00:00:00Z"}


def prefer(*values: str) -> dict[str, str]:
    """A Prefer header with the usual ids."""
    return {"Prefer": ", ".join(['IdType="ImmutableId"', *values])}


def at(text: str, zone: str = "UTC") -> dict[str, str]:
    """A dateTimeTimeZone."""
    return {"dateTime": text, "timeZone": zone}


def meeting(
    start: Any = "2026-12-01T10:00:00", end: Any = "2026-12-01T11:00:00", zone: str = "UTC", **more: Any
) -> dict[str, Any]:
    """The body of an ordinary Outlook event; times as text are in `zone`."""
    times = {
        name: at(value, zone) if isinstance(value, str) else value for name, value in (("start", start), ("end", end))
    }
    return {"subject": "Visit", **times} | more


def tuesdays(count: int = 4) -> dict[str, Any]:
    """The recurrence of so many Tuesdays."""
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}
    return {"pattern": pattern, "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": count}}


def code(response: requests.Response) -> tuple[int, str]:
    """What a client of Graph branches on."""
    return response.status_code, response.json()["error"]["code"]


def timed(start: str = "2026-12-01T10:00:00-05:00", end: str = "2026-12-01T11:00:00-05:00", **more: Any) -> dict:
    """The body of an ordinary event."""
    return {"summary": "Visit", "start": {"dateTime": start}, "end": {"dateTime": end}} | more


def weekly(**more: Any) -> dict[str, Any]:
    """The body of a series of four Tuesdays, 10:00 in New York."""
    zone = {"timeZone": "America/New_York"}
    ends = {"start": {"dateTime": "2026-12-01T10:00:00"} | zone, "end": {"dateTime": "2026-12-01T11:00:00"} | zone}
    return {"summary": "Series", "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]} | ends | more


def reason(response: requests.Response) -> tuple[int, str]:
    """What a client branches on: the status and the reason of the first error."""
    return response.status_code, response.json()["error"]["errors"][0]["reason"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Iterator[Sandbox]:
    app = create_app(seed="empty", clock=clock)
    yield app
    app.close()


@pytest.fixture
def anonymous(app: Sandbox) -> Google:
    session = requests.Session()
    return Google(session, mount(session, app))


@pytest.fixture
def google(anonymous: Google) -> Google:
    anonymous.sign_in()
    return anonymous


@pytest.fixture
def stranger(app: Sandbox) -> Outlook:
    session = requests.Session()
    return Outlook(session, mount(session, app))


@pytest.fixture
def outlook(stranger: Outlook) -> Outlook:
    stranger.sign_in()
    return stranger
