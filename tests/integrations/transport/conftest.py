"""A client that is bound to a token at the sandbox, and a clock that moves only when it sleeps."""

import pytest

from fieldcamp.sandbox.mount import URL
from integrations.providers import PROVIDERS
from integrations.transport.client import HttpClient
from tests.faketime import FakeTime

GOOGLE = PROVIDERS["google_calendar"]
LIST = f"{URL}/google/api/calendar/v3/users/me/calendarList"
EVENTS = f"{URL}/google/api/calendar/v3/calendars/primary/events"
EVENT = {"start": {"dateTime": "2026-11-25T10:00:00Z"}, "end": {"dateTime": "2026-11-25T11:00:00Z"}}


class Renewing:
    """A token source that gets a new token from the sandbox each time it is asked to."""

    def __init__(self, vendors):
        self.vendors, self.token, self.renewals = vendors, vendors.token()["access_token"], 0

    def access_token(self) -> str:
        return self.token

    def renewed(self, rejected: str) -> str:
        assert rejected == self.token
        self.renewals += 1
        self.token = self.vendors.token()["access_token"]
        return self.token


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def tokens(vendors) -> Renewing:
    return Renewing(vendors)


@pytest.fixture
def http(tokens, time) -> HttpClient:
    return HttpClient(GOOGLE, tokens, connection_id="con_1", **time.kwargs())


def statuses(vendors, path: str = "") -> list[int]:
    return [row["status"] for row in vendors.requests(path)]
