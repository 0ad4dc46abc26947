"""A person at their Google calendar: what they see and do there, through Google's own API in the sandbox."""

import datetime as dt
from typing import Any

from django.utils import timezone

from fieldcamp.sandbox.mount import URL
from integrations.providers import PROVIDERS
from integrations.providers.google_calendar.oauth import parse_tokens
from integrations.records import Account, Tokens
from integrations.transport.client import Client, OneToken


def granted(vendors, account: str) -> tuple[Account, Tokens]:
    """What a consent yields: who it is, and the tokens."""
    provider = PROVIDERS["google_calendar"]
    answer = vendors.token(account, list(provider.scopes))
    tokens = parse_tokens(answer, timezone.now())
    return provider.identify(Client(provider, OneToken(tokens.access_token))), tokens


class Google:
    def __init__(self, vendors, account: str):
        self.vendors, self.account = vendors, account
        self._token = vendors.token(account, ["https://www.googleapis.com/auth/calendar"])["access_token"]

    def call(self, method: str, path: str, **kwargs: Any) -> dict:
        headers = {"Authorization": f"Bearer {self._token}"}
        address = f"{URL}/google/api/calendar/v3/calendars/{self.account}/events{path}"
        response = self.vendors.browser.request(method, address, headers=headers, **kwargs)
        assert response.ok, response.text
        return response.json() if response.content else {}

    def events(self) -> list[dict]:
        """Everything that stands in the calendar now."""
        found: list[dict] = []
        page: dict = {}
        while True:
            answer = self.call("GET", "", params={"maxResults": 2500, **page})
            found += answer["items"]
            if "nextPageToken" not in answer:
                return found
            page = {"pageToken": answer["nextPageToken"]}

    def ours(self) -> dict[str, dict]:
        """Our events by visit id; fails when a visit has two."""
        by_visit: dict[str, dict] = {}
        for event in self.events():
            private = event.get("extendedProperties", {}).get("private", {})
            if visit_id := private.get("fieldcamp_visit"):
                assert visit_id not in by_visit, f"two events for {visit_id}"
                by_visit[visit_id] = event
        return by_visit

    def add(self, summary: str, begin: dt.datetime, hours: float = 1, **fields: Any) -> dict:
        body = {
            "summary": summary,
            "start": {"dateTime": begin.isoformat(), "timeZone": "America/New_York"},
            "end": {"dateTime": (begin + dt.timedelta(hours=hours)).isoformat(), "timeZone": "America/New_York"},
        }
        return self.call("POST", "", json=body | fields)

    def edit(self, event_id: str, **fields: Any) -> dict:
        return self.call("PATCH", f"/{event_id}", json=fields)

    def move(self, event_id: str, start: dt.datetime, hours: float = 1) -> dict:
        return self.edit(
            event_id,
            start={"dateTime": start.isoformat()},
            end={"dateTime": (start + dt.timedelta(hours=hours)).isoformat()},
        )

    def delete(self, event_id: str) -> None:
        self.call("DELETE", f"/{event_id}")
