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


class Google:
    """The Calendar API as one signed-in account uses it."""

    def __init__(self, session: requests.Session, adapter: SandboxAdapter) -> None:
        self.session, self.adapter = session, adapter
        self.base = f"{URL}/google/api/calendar/v3"
        self.token: dict[str, Any] = {}

    def control(self, name: str, body: Any = None, method: str = "POST", **query: Any) -> requests.Response:
        return self.session.request(method, f"{URL}/_control/{name}", json=body, params=query)

    def sign_in(self, account: str = "dana@google.test", scopes: str | None = None, **more: str) -> dict[str, Any]:
        body = {"vendor": "google", "account": account, **more} | ({"scopes": scopes} if scopes else {})
        response = self.control("token", body)
        assert response.status_code == 200, response.text
        self.token = response.json()
        return self.token

    def call(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token['access_token']}"} if self.token else {}
        url = f"{self.base}/{path}"
        return self.session.request(method, url, json=body, params=query, headers=sent | (headers or {}), timeout=5)

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

    def fault(self, **spec: Any) -> None:
        response = self.control("faults", {"vendor": "google"} | spec)
        assert response.status_code == 200, response.text


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
