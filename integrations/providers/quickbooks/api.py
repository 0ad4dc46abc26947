"""A company's books over the QuickBooks Online Accounting API v3.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from integrations.providers.base import Http
from integrations.providers.quickbooks import receivables
from integrations.providers.quickbooks.calls import Calls
from integrations.providers.quickbooks.company import Books
from integrations.providers.quickbooks.delta import Deltas
from integrations.providers.quickbooks.finding import Finder
from integrations.providers.quickbooks.listing import QuickBooksListing
from integrations.providers.quickbooks.reading import CONTAINERS
from integrations.providers.quickbooks.writing import Writer
from integrations.records import (
    Company,
    Container,
    CustomerBalance,
    Fields,
    OpenCredit,
    Operation,
    OtherEntry,
    Page,
    Reference,
    RemoteRecord,
    Window,
    WriteResult,
)


def make_id(seed: str) -> str:
    """Returns what a create is known by, always the same for the same seed. (The record's id is QuickBooks' to
    choose.)"""
    return hashlib.sha256(seed.encode()).hexdigest()[:32]


class QuickBooksClient:
    """One company's books. See `ProviderClient` and `BooksClient` in `providers/base.py` for what each
    method promises.

    It remembers the company's preferences and the last answer about changes, so it is made anew for each run.
    """

    def __init__(self, http: Http, account_id: str = ""):
        self._calls = calls = Calls(http, account_id)
        self._books = Books(calls)
        self._finder = Finder(calls, self._books)
        self._listing = QuickBooksListing(calls, self._books, Deltas(calls))
        self._writer = Writer(calls, self._books, self._finder)

    def containers(self, about: str = "") -> list[Container]:
        return list(CONTAINERS)

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        return self._listing.pages(container_id, cursor)

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        return self._finder.get(container_id, ids, sent)

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        return self._writer.write(container_id, operations)

    def want(self, container_id: str) -> None:
        self._listing.wanted.add(container_id)

    def company(self) -> Company:
        return self._books.company

    def references(self, kind: str) -> list[Reference]:
        return self._books.references(kind)

    def open_credits(self) -> list[OpenCredit]:
        return self._books.open_credits()

    def balances(self) -> list[CustomerBalance]:
        return receivables.balances(self._calls)

    def other_entries(self, customers: Collection[str]) -> list[OtherEntry]:
        return receivables.other_entries(self._calls, customers)
