"""An account at each provider, as its client and as its owner see it: what the cases of the contract are written in."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from integrations import errors
from integrations.providers import PROVIDERS
from integrations.providers.base import ProviderClient
from integrations.providers.quickbooks import addresses
from integrations.records import Marker, Operation, RemoteRecord, Verb, Window, instant
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.books.bookkeeper import Bookkeeper
from tests.integrations.engine import PEOPLE
from tests.integrations.sync.people import Person
from tests.sandboxed import BOOKS_WRITES, COMPANY

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
WINDOW = Window(NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=180))


def at(days: float) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


class Account:
    """One account. `client()` is made anew, as each run does it; the verbs in the owner's name are done over there."""

    integration: str
    world: ClassVar[str] = "sandbox"
    vendor: str
    kind: ClassVar[str]
    batch_path: str
    taken: ClassVar[type[errors.ProviderError]] = errors.Duplicate  # a create that meets another record in its place
    exact: ClassVar[bool] = True  # a listing tells a change once; else it may tell the last moments' again
    old_cursor: ClassVar[str] = ""  # one from long ago, where age alone makes it expire
    container: str

    def __init__(self, vendors: Any):
        self.vendors = vendors.at(self.vendor)
        self.vendors.throttle(False)
        self.provider = PROVIDERS[self.integration]

    def client(self) -> ProviderClient:
        http = HttpClient(self.provider, OneToken(self.token), **FakeTime(NOW).kwargs())
        return self.provider.open(http, self.account_id)

    @property
    def token(self) -> str:
        raise NotImplementedError

    @property
    def account_id(self) -> str:
        return ""

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two records a page, so that few make many."""
        raise NotImplementedError

    def create(self, number: int = 1, **fields: Any) -> Operation:
        id = self.provider.make_id(f"record {number}")
        values = {**self.fields(number), **fields}
        return Operation(f"c{number}", Verb.CREATE, self.kind, id, values, marker=Marker("wsp_1", f"rec_{number}", id))

    def update(self, record: RemoteRecord, key: str = "u", **fields: Any) -> Operation:
        values = fields or self.edit
        return Operation(key, Verb.UPDATE, self.kind, record.id, values, tag=record.tag, marker=record.marker)

    def fields(self, number: int) -> dict[str, Any]:
        raise NotImplementedError

    edit: ClassVar[dict[str, Any]]  # another value of something
    wrong: ClassVar[dict[str, Any]]  # what the vendor does not take

    def write(self, *operations: Operation) -> list[Any]:
        return self.client().write(self.container, operations)

    def made(self, number: int = 1) -> RemoteRecord:
        [result] = self.write(self.create(number))
        assert result.error is None, result.error
        return result.record

    def get(self, *ids: str, sent: Any = None) -> dict[str, RemoteRecord]:
        return self.client().get(self.container, ids, sent)

    def look(self, id: str) -> RemoteRecord:
        return self.get(id)[id]

    def listed(self, cursor: str = "") -> tuple[dict[str, RemoteRecord], str]:
        """All records of a listing by their ids, and the cursor behind it."""
        pages = list(self.client().changes(self.container, cursor, WINDOW))
        assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
        return {record.id: record for page in pages for record in page.records}, pages[-1].cursor

    def owner_adds(self, number: int) -> str:
        raise NotImplementedError

    def owner_edits(self, id: str) -> None:
        raise NotImplementedError

    def owner_removes(self, id: str) -> None:
        raise NotImplementedError


class Calendar(Account):
    """Somebody's main calendar, at whichever vendor: what differs, a `Person` knows."""

    kind = "visit"
    edit = {"title": "Another title"}
    wrong = {"end": instant(at(0))}

    def __init__(self, vendors: Any, people: type[Person]):
        self.integration, self.vendor, self.batch_path = people.integration, people.vendor, people.batch_path
        super().__init__(vendors)
        self.person = people(self.vendors)
        self.container = self.person.main

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.person.small_pages(monkeypatch)

    @property
    def token(self) -> str:
        return self.person.token

    @property
    def account_id(self) -> str:
        return self.person.account

    def fields(self, number: int) -> dict[str, Any]:
        times = {"start": instant(at(number)), "end": instant(at(number + 0.05))}
        return {**times, "title": f"Visit {number}", "text": "Ladder", "place": "1 Main St"}

    def delete(self, id: str, key: str = "d", tag: str = "") -> Operation:
        return Operation(key, Verb.DELETE, self.kind, id, tag=tag)

    def owner_adds(self, number: int) -> str:
        return self.person.add(f"Private {number}", at(number)).id

    def owner_edits(self, id: str) -> None:
        self.person.rename(id, "Renamed")

    def owner_removes(self, id: str) -> None:
        self.person.delete(id)


class AtIntuit(Account):
    """A company's customers. (They cannot be deleted; what can be is in the tests of QuickBooks.)"""

    integration, vendor, kind, batch_path, container = "quickbooks", "intuit", "customer", BOOKS_WRITES, "Customer"
    taken = errors.Rejected  # names are unique there, and another record of that name is for a person to judge
    exact = False
    old_cursor = '{"since": "2026-01-01T00:00:00Z"}'
    edit = {"phone": "(555) 010-0199"}
    wrong = {"email": "no address"}

    def __init__(self, vendors: Any):
        super().__init__(vendors)
        self.owner = Bookkeeper(self.vendors)

    @property
    def token(self) -> str:
        return self.owner.token

    @property
    def account_id(self) -> str:
        return COMPANY

    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = addresses.select
        monkeypatch.setattr(addresses, "PAGE", 2)
        monkeypatch.setattr(addresses, "select", lambda *args, **given: real(*args, **{**given, "limit": 2}))

    def fields(self, number: int) -> dict[str, Any]:
        names = {"display_name": f"Client {number}", "given_name": "Cleo", "family_name": f"Client{number}"}
        more = {"company": "", "phone": "(555) 010-0100", "bill_address": None, "ship_address": None}
        return {**names, **more, "email": f"cleo{number}@example.com"}

    def owner_adds(self, number: int) -> str:
        return self.owner.add("Customer", DisplayName=f"Theirs {number}")["Id"]

    def owner_edits(self, id: str) -> None:
        self.owner.edit("Customer", id, Notes="Gate code 1234")


LEGS: tuple[type[Person] | type[Account], ...] = (*PEOPLE, AtIntuit)


def account_of(leg: Any, vendors: Any) -> Account:
    return Calendar(vendors, leg) if issubclass(leg, Person) else leg(vendors)


def pages_of(account: Account, cursor: str) -> Iterator[Any]:
    return account.client().changes(account.container, cursor, WINDOW)
