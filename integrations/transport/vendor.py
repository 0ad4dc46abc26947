"""What the exit to the network needs to know of a provider, and of where its tokens come from."""

import datetime as dt
from collections.abc import Callable
from typing import Protocol

import requests

from integrations.errors import ProviderError


class Vendor(Protocol):
    """What the exit needs to know of a provider."""

    @property
    def label(self) -> str: ...

    @property
    def hosts(self) -> Callable[[str], tuple[str, ...]]:
        """Returns the base addresses that may be sent the account's token (by the account's id)."""

    @property
    def authorize(self) -> Callable[[str], requests.auth.AuthBase]:
        """(access token) is what puts it on a request."""

    @property
    def requests_per_second(self) -> int:
        """Returns how many calls one account may make in a second; 0 where that is not counted."""

    @property
    def trace(self) -> Callable[[requests.Response], str]:
        """Returns the provider's own name for an exchange, which its support asks for; "" where it has none."""

    @property
    def shown_address(self) -> Callable[[str], str]:
        """(an address that is called) is that address as logs and lists of calls have it: without the account's id."""

    @property
    def explain(self) -> Callable[[requests.Response, dt.datetime], ProviderError]: ...


class TokenSource(Protocol):
    """Where the access token comes from."""

    def access_token(self) -> str:
        """Returns a token that is good for some minutes yet."""

    def renewed(self, rejected: str) -> str:
        """Returns another token than the one that the provider has just rejected."""
