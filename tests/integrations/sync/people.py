"""People at their own calendars, one kind for each vendor, all with the same verbs."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from integrations.providers import PROVIDERS
from integrations.records import Account, Tokens
from integrations.transport.client import HttpClient, OneToken
from tests.integrations.mangling import mangled
from tests.sandboxed import DOMAINS, Vendors

ZONE = "America/New_York"
HOME = zoneinfo.ZoneInfo(ZONE)
FREQUENCIES = {"daily": "DAILY", "weekly": "WEEKLY"}


@dataclass(frozen=True)
class Event:
    """An event as a person sees it; `raw` is the vendor's own form."""

    id: str
    tag: str
    title: str
    start: dt.datetime
    visit_id: str = ""
    raw: dict[str, Any] = field(default_factory=dict, compare=False)

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]


class Person:
    """What somebody sees and does in their calendar, through the vendor's own API in the sandbox."""

    world: ClassVar[str] = "sandbox"  # the fixture that their vendor lives in
    integration: ClassVar[str]
    vendor: ClassVar[str]
    batch_size: ClassVar[int]
    api: ClassVar[str]  # is in the address of every call of the API
    batch: ClassVar[str]  # … of every batch, and `batch_path` is the pattern for it
    batch_path: ClassVar[str]
    listing: ClassVar[str]
    creates: ClassVar[str]  # the pattern of a create's path inside a batch
    keeps_series: ClassVar[bool]  # a series is one record, else each of its occurrences

    def __init__(self, vendors: Vendors, name: str = "dana"):
        self.vendors, self.account = vendors.at(self.vendor), self.address(name)
        self.token = self.vendors.token(self.account)["access_token"]

    @classmethod
    def address(cls, name: str) -> str:
        return f"{name}@{DOMAINS[cls.vendor]}"

    @classmethod
    def granted(cls, vendors: Vendors, name: str) -> tuple[Account, Tokens]:
        """What a consent yields: who it is, and the tokens."""
        provider = PROVIDERS[cls.integration]
        answer = vendors.at(cls.vendor).token(cls.address(name), list(provider.scopes))
        tokens = provider.parse_tokens(answer, timezone.now())
        return provider.identify(HttpClient(provider, OneToken(tokens.access_token))), tokens

    @property
    def main(self) -> str:
        """The main calendar's id."""
        raise NotImplementedError

    def events(self) -> list[Event]:
        """Everything that stands in the main calendar now."""
        raise NotImplementedError

    def ours(self) -> dict[str, Event]:
        """Our events by visit id; fails when a visit has two."""
        by_visit: dict[str, Event] = {}
        for event in self.events():
            if event.visit_id:
                assert event.visit_id not in by_visit, f"two events for {event.visit_id}"
                by_visit[event.visit_id] = event
        return by_visit

    def add(
        self,
        title: str,
        begin: dt.datetime,
        hours: float = 1,
        *,
        text: str = "",
        busy: bool = True,
        days: int = 0,
        repeat: tuple[str, int] | None = None,
        **raw: Any,
    ) -> Event:
        """A private event: so many whole `days`, or `repeat`ed `("weekly", 40)`; `raw` fields win."""
        raise NotImplementedError

    def accept(self, uid: str, title: str, begin: dt.datetime, repeat: tuple[str, int] | None = None) -> Event:
        """Their copy of somebody else's meeting, which has this uid in every calendar."""
        raise NotImplementedError

    def stand_by(self, begin: dt.datetime) -> None:
        """What stands in the calendar but does not take this person's time: declined, or work from elsewhere."""
        raise NotImplementedError

    def instances(self, series: Event) -> Sequence[Event]:
        raise NotImplementedError

    def rename(self, event_id: str, title: str) -> None:
        raise NotImplementedError

    def set_busy(self, event_id: str, busy: bool) -> None:
        raise NotImplementedError

    def move(self, event_id: str, start: dt.datetime, hours: float = 1) -> None:
        raise NotImplementedError

    def delete(self, event_id: str) -> None:
        raise NotImplementedError

    def make_series(self, event: Event, weeks: int) -> list[Event]:
        """Has the event repeat each week, so many times; its occurrences."""
        raise NotImplementedError

    def make_days(self, event: Event, days: int) -> None:
        """Makes it an event of whole days."""
        raise NotImplementedError

    def edit(self, event_id: str, **fields: Any) -> None:
        """Changes what the vendor's own fields say."""
        raise NotImplementedError

    def type(self, event: Event, above: str = "", below: str = "") -> None:
        """Types into the event's text."""
        raise NotImplementedError

    def text(self, event: Event) -> str:
        raise NotImplementedError

    def restore(self, event: Event) -> None:
        """Takes it out of the trash."""
        self.vendors.call("POST", "restore", json={"vendor": self.vendor, "account": self.account, "event": event.id})

    def lend(self, name: str) -> str:
        """Shares a calendar with a colleague who may write into it: the main one, or where the vendor wants a further
        permission for that, another that counts as the main one from now on. The id that the colleague has it under."""
        return self._share(name, self.writes)

    def take_back(self, name: str) -> None:
        """Shares it no more."""
        self._share(name, None)

    def may_read(self, name: str) -> None:
        """The colleague may not write into it any more."""
        self._share(name, self.reads)

    writes, reads = "writer", "reader"  # the vendor's own names for these roles

    def _share(self, name: str, role: str | None) -> str:
        asked = {"vendor": self.vendor, "account": self.account, "calendar": self.main, "with": self.address(name)}
        return self.vendors.call("POST", "share", json={**asked, "role": role})["calendar"]

    def unreadable(self, event_id: str) -> AbstractContextManager[None]:
        """As long as it lasts this event's end is listed as something that is no time."""
        return mangled(self.vendors, event_id, lambda row: row.update(end={"dateTime": "soon", "date": None}))

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listings have two events a page from now on, so that few events make many."""
        raise NotImplementedError

    def copy(self, event: Event, begin: dt.datetime) -> Event:
        """A copy of the event at another time, with all that other apps have written on it."""
        raise NotImplementedError
