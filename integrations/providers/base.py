"""What a provider is. Each lives in a folder of its own and is named in `providers.PROVIDERS`, nowhere else."""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from integrations.errors import ProviderError
from integrations.kinds import VISIT
from integrations.providers.changes import VendorChange
from integrations.providers.push import PushSource
from integrations.providers.security_events import EventSource
from integrations.records import (
    Account,
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
    Tokens,
    Window,
    WriteResult,
)


class Http(Protocol):
    """The one exit to the network (integrations/transport/client.py), already bound to one connection's tokens."""

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Returns an answer below 300, or raises a `ProviderError`. `kwargs` are those of requests, and `cost` (calls
        that the provider counts), `retry_safe` (may be sent twice), `rejects_token` (finds a 401 that hides in an
        answer), `patience` (seconds, for what takes longer than usual), `reads` (changes nothing, where the method does
        not say so) and `metered` (`transport.meter.Metered`: whether the provider bills it)."""

    def slow_down(self) -> None:
        """Tells that a part of a batch was refused for its rate."""


class ProviderClient(Protocol):
    """One account at a provider. Every method may raise any `ProviderError`; none writes to our database.

    tests/integrations/providers/test_contract.py holds every provider to what is promised here, and
    tests/integrations/sync/memory.py is the shortest client that keeps it.
    """

    def containers(self, about: str = "") -> list[Container]:
        """Returns the account's calendars, the main one first. Where `about` one of them alone is asked (by its id),
        what the others lack may be left open."""

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        """Yields what changed since `cursor`, page by page; an empty cursor lists all that ends after `window.start`.

        Every page's cursor continues a listing that was broken off behind it. Raises `CursorExpired`.
        """

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        """Returns the records as they are now, tombstones for those that are gone or never were.

        An id may also be the one that a create was sent with, whose answer was lost; `sent` then holds what was sent
        (among others), for a provider that knows its records by their contents alone."""

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        """Makes at most `Provider.batch_size` writes in one call. One's failure is its outcome and no other's.

        Errors of an outcome: `Stale` (tag), `Gone`, `Duplicate` (id taken), `Rejected`, `RateLimited`, `Unavailable`
        (may have been done), `ContainerUnavailable` (whatever the record). Deleting what is gone is a success.
        """


class BooksClient(ProviderClient, Protocol):
    """One company's books."""

    def company(self) -> Company:
        """Returns the company, as far as it decides what may be written."""

    def want(self, container_id: str) -> None:
        """Has a container read by the next `changes`, which would believe what it has read lately (lists whose changes
        are never told, and whose reading is billed)."""

    def references(self, kind: str) -> list[Reference]:
        """Returns what a person can choose of "income_account", "item", "tax_code", "class", "location" or "terms",
        inactive ones too."""

    def open_credits(self) -> list[OpenCredit]:
        """Returns the customers' credits of which something is still to be applied: they lessen what is owed."""

    def balances(self) -> list[CustomerBalance]:
        """Returns what each customer owes by the books' own word; those who owe nothing are left out."""

    def other_entries(self, customers: Collection[str]) -> list[OtherEntry]:
        """Returns what is open of these customers' transactions that are no invoices, payments or credits."""


class Authentication(Protocol):
    """How an account lets us in, and keeps doing so. `oauth.OAuth` is that for a vendor with OAuth 2.0."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Returns the scopes that are asked for at the consent."""

    @property
    def permissions(self) -> Mapping[str, str]:
        """Returns each scope that a sync needs, with what the person's tick box says, in plain words."""

    @property
    def revoke(self) -> Callable[[Http, str], None] | None:
        """Returns what ends the access there (http without tokens, token); None: it cannot be ended, and tokens can
        only be forgotten."""

    @property
    def authorize(self) -> Callable[[str], requests.auth.AuthBase]:
        """(access token) is what puts it on a request."""

    def parse_tokens(self, answer: Mapping[str, Any], now: dt.datetime) -> Tokens:
        """Returns a token answer's tokens; raises `Unavailable` where it holds none."""

    def refresh(self, http: Http, refresh_token: str) -> Tokens:
        """Returns new tokens; `http` sends none."""


def _untraced(_response: requests.Response) -> str:
    return ""


def _as_it_is(_kind: str, fields: Fields) -> Fields:
    return fields


def _perhaps(_remote_id: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class DataUse:
    """One sort of an account's data that FieldCamp reads, writes or both, and why, as the public pages say it."""

    what: str
    why: str
    reads: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the public pages tell of a provider: whose it is, what is done with which of its data, where else than here
    a connection can be ended, and what the vendor wants promised, with the policy's address."""

    vendor: str
    uses: tuple[DataUse, ...]
    ended_there: str
    pledge: str = ""
    policy_url: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """One line of `PROVIDERS`. `name` is the integration in JSON, `slug` in addresses, `label` for people.

    An account's id is all that is kept of where it lives: `hosts` and `open` are given it.
    """

    name: str
    slug: str
    label: str
    remote_id_name: str  # how the change feed calls the remote record's id
    kinds: tuple[str, ...]
    batch_size: int  # operations that one `write` takes, and ids that are looked up together
    authentication: Authentication
    hosts: Callable[[str], tuple[str, ...]]  # (the account's id): base addresses that may be sent its token
    open: Callable[[Http, str], ProviderClient]  # (http, the account's id)
    explain: Callable[[requests.Response, dt.datetime], ProviderError]  # (an answer of 400 or more, now)
    identify: Callable[[Http, Mapping[str, str]], Account]  # (http, what the consent came back with in the address)
    make_id: Callable[[str], str]  # a remote id of the provider's own form, always the same for the same seed
    requests_per_minute: int  # of one account
    disclosure: Disclosure
    changes: tuple[VendorChange, ...] = ()  # what it has announced
    status_page: str = ""  # where the vendor says whether it works
    requests_per_second: int = 0  # of one account; 0: not counted
    trace: Callable[[requests.Response], str] = _untraced  # its own name for an exchange, for its support
    trace_name: str = ""  # how its support calls that name
    support: str = ""  # who is asked by these names: the calls of each job are kept for it; "": they are not
    meters_reads: bool = False  # whether it bills some of its calls (`Http.request(metered=…)`)
    metered_reads_per_day: int = 0  # of one account, where nothing else is chosen for it; 0: no limit
    kept: Callable[[str, Fields], Fields] = _as_it_is  # (kind, fields) as the provider will keep them
    page_of: Callable[[str, str, str], str] | None = None  # (kind, remote id, account's id): its page there, or ""
    # (calendar, remote id, account's name): the event's page there
    event_page: Callable[[str, str, str], str] | None = None
    # Which parameter names the account where the vendor leads who has disconnected it there; "": none does.
    account_parameter: str = ""
    shown_address: Callable[[str], str] = str  # (an address): the same without an account's id, for logs
    might_be_own_id: Callable[[str], bool] = _perhaps  # (remote id): not certainly of somebody else's choosing
    security_events: EventSource | None = None  # how it tells by itself what becomes of its accounts
    push: PushSource | None = None  # how it tells by itself that something has changed
    sync_scopes: tuple[str, ...] = ()  # what a trigger may narrow itself to; the first is the default

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.authentication.scopes

    @property
    def permissions(self) -> Mapping[str, str]:
        return self.authentication.permissions

    @property
    def authorize(self) -> Callable[[str], requests.auth.AuthBase]:
        return self.authentication.authorize

    @property
    def revoke(self) -> Callable[[Http, str], None] | None:
        return self.authentication.revoke

    @property
    def is_calendar(self) -> bool:
        """Returns whether its accounts are calendars, of one person each, and not the books of the company."""
        return VISIT.name in self.kinds

    def parse_tokens(self, answer: Mapping[str, Any], now: dt.datetime) -> Tokens:
        return self.authentication.parse_tokens(answer, now)

    def refresh(self, http: Http, refresh_token: str) -> Tokens:
        return self.authentication.refresh(http, refresh_token)

    def covers(self, scope: str) -> tuple[str, ...]:
        """Returns the kinds of records that a job of this scope walks, in the order in which they depend on each other.

        A scope is the plural of a kind (`taxes`), or all of them."""
        if not scope or scope == self.sync_scopes[0]:
            return self.kinds
        return tuple(kind for kind in self.kinds if scope.startswith(kind))
