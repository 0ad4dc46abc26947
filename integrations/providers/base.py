"""What a provider is. Each lives in a folder of its own and is named in `providers.PROVIDERS`, nowhere else."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from integrations.errors import ProviderError
from integrations.records import (
    Account,
    Capabilities,
    Company,
    Container,
    Fields,
    Operation,
    Page,
    Reference,
    RemoteRecord,
    Tokens,
    Window,
    WriteResult,
)


class Http(Protocol):
    """The one exit to the network (integrations/transport/client.py), already bound to one connection's tokens."""

    def request(self, method: str, url: str, **kwargs) -> requests.Response:
        """An answer below 300, or a `ProviderError`. `kwargs` are those of requests, and `cost` (calls that the
        provider counts), `retry_safe` (may be sent twice), `rejects_token` (finds a 401 that hides in an answer)."""

    def slow_down(self) -> None:
        """Tells that a part of a batch was refused for its rate."""


class ProviderClient(Protocol):
    """One account at a provider. Every method may raise any `ProviderError`; none writes to our database."""

    def containers(self) -> list[Container]:
        """The account's calendars, the main one first."""

    def make_container(self, name: str) -> Container:
        """Makes a calendar of our own, where `capabilities.makes_containers`."""

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        """What changed since `cursor`, page by page; an empty cursor lists everything that ends after `window.start`.

        Every page's cursor continues a listing that was broken off behind it. Raises `CursorExpired`.
        """

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        """The records as they are now, tombstones for those that are gone or never were.

        An id may also be the one that a create was sent with, whose answer was lost; `sent` then holds what was sent
        (among others), for a provider that knows its records by their contents alone."""

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        """At most `capabilities.batch_size` writes in one call. One's failure is its outcome and no other's.

        Errors of an outcome: `Stale` (tag), `Gone`, `Duplicate` (id taken), `Rejected`, `RateLimited`, `Unavailable`
        (may have been done). Deleting what is gone is a success.
        """


class BooksClient(ProviderClient, Protocol):
    """One company's books."""

    def company(self) -> Company:
        """The company, as far as it decides what may be written."""

    def references(self, kind: str) -> list[Reference]:
        """What a person can choose of "income_account", "item" or "tax_code", inactive ones too."""


def _as_it_is(_kind: str, fields: Fields) -> Fields:
    return fields


@dataclass(frozen=True, slots=True)
class Provider:
    """One line of `PROVIDERS`. `name` is the integration in JSON, `slug` in addresses, `label` for people."""

    name: str
    slug: str
    label: str
    remote_id_name: str  # how the change feed calls the remote record's id
    kinds: tuple[str, ...]
    capabilities: Capabilities
    scopes: tuple[str, ...]
    permissions: dict[str, str]  # needed scope -> what the user's tick box says, in plain words
    hosts: Callable[[], tuple[str, ...]]  # base addresses that may be sent a bearer token
    open: Callable[[Http, str], ProviderClient]  # (http, the account's id)
    explain: Callable[[requests.Response, dt.datetime], ProviderError]  # (an answer of 400 or more, now)
    parse_tokens: Callable[[Mapping[str, Any], dt.datetime], Tokens]  # (token answer, now); raises `Unavailable`
    refresh: Callable[[Http, str], Tokens]  # (http without tokens, refresh token)
    revoke: Callable[[Http, str], None] | None  # None: it cannot be told, only the tokens be forgotten
    identify: Callable[[Http, Mapping[str, str]], Account]  # (http, what the consent came back with in the address)
    make_id: Callable[[str], str]  # a remote id of the provider's own form, always the same for the same seed
    requests_per_minute: int
    kept: Callable[[str, Fields], Fields] = _as_it_is  # (kind, fields) as the provider will keep them
    requests_per_second: int = 0  # for one account; 0: not counted
    page_of: Callable[[str, str, str], str] | None = None  # (kind, remote id, account's id): its page there, or ""
    sync_scopes: tuple[str, ...] = ()  # what a trigger may narrow itself to; the first is the default

    def covers(self, scope: str) -> tuple[str, ...]:
        """The kinds of records that a job of this scope walks, in the order in which they depend on each other.

        A scope is the plural of a kind (`taxes`), or all of them."""
        if not scope or scope == self.sync_scopes[0]:
            return self.kinds
        return tuple(kind for kind in self.kinds if scope.startswith(kind))
