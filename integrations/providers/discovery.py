"""Where a vendor's OAuth endpoints are, by its own discovery document.

A document is read when one of its addresses is needed, and believed for a day. What cannot be had or is odd is refused,
with a log line: then the last good one counts, or else the settings. The app's secret, people's codes and their tokens
are sent to these addresses, so one counts only below an address that the vendor is declared to have.

https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata · https://www.rfc-editor.org/rfc/rfc8414
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog

from integrations.errors import ProviderError, Unavailable
from integrations.transport import patience
from integrations.transport.answers import ask
from integrations.transport.client import HttpClient
from integrations.transport.credentials import Bearer
from integrations.transport.hosts import is_below

log = structlog.get_logger("integrations_discovery")

BELIEVED = 86_400.0  # seconds
AGAIN = 600.0  # after which a document that could not be had is asked for again
LONGEST = 2.0  # that somebody waits for a document, and of a page's time no more than half
SHORTEST = 0.2  # with less time than that it is not asked for


class Endpoint(StrEnum):
    """An endpoint, by its name in the documents."""

    AUTHORIZATION = "authorization_endpoint"
    TOKEN = "token_endpoint"  # noqa: S105
    REVOCATION = "revocation_endpoint"
    USERINFO = "userinfo_endpoint"


REQUIRED = (Endpoint.AUTHORIZATION, Endpoint.TOKEN)


class DocumentRefused(Exception):
    """A document is not what the vendor would say; its text says why, and quotes no more of it than a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What is declared of a vendor's document: its address; whether an issuer is the vendor (section 3: it must be the
    one that was asked); below which addresses an endpoint may lie; where those that we use are without a document."""

    vendor: str
    document: Callable[[], str]
    is_issuer: Callable[[str], bool]
    bases: Callable[[Endpoint], tuple[str, ...]]
    settings: Mapping[Endpoint, Callable[[], str]]

    def endpoint(self, endpoint: Endpoint) -> str:
        """Returns the endpoint's address: by the document, else by the settings. Never raises for a vendor's fault."""
        return _read(self).endpoints.get(endpoint) or self.settings[endpoint]()

    def trouble(self) -> str:
        """Asks for the document now. Returns why it is of no use; "" for a good one."""
        known = _fetched(self, _known.get(self.document()))
        _known[self.document()] = known
        return known.trouble

    def checked(self, body: Mapping[str, Any]) -> dict[Endpoint, str]:
        """Returns the addresses in a document that are used. Raises DocumentRefused; of one with a stranger's address
        nothing is believed."""
        issuer = body.get("issuer")
        if not isinstance(issuer, str) or not self.is_issuer(issuer):
            raise DocumentRefused("It is another issuer's.")
        found = {}
        for endpoint in self.settings:
            address = body.get(endpoint)
            if address is None and endpoint not in REQUIRED:
                continue
            if not isinstance(address, str) or not address.isascii() or not address.isprintable():
                raise DocumentRefused(f"Its {endpoint} is no address.")
            if not any(is_below(address, base) for base in self.bases(endpoint)):
                raise DocumentRefused(f"Its {endpoint} is at {_host(address)}, which is not {self.vendor}'s.")
            if set(address) & set("?# "):
                raise DocumentRefused(f"Its {endpoint} is more than an address.")
            found[endpoint] = address
        return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What one process knows of a document. `until`: when it is asked for again, by the process's own clock."""

    endpoints: Mapping[Endpoint, str] = field(default_factory=dict)
    until: float = 0.0
    trouble: str = ""


_known: dict[str, _Known] = {}
_locks: dict[str, threading.Lock] = {}


def _read(discovery: Discovery) -> _Known:
    url = discovery.document()
    known = _known.get(url, _Known())
    if time.monotonic() < known.until or patience.left() < SHORTEST:
        return known
    started = time.monotonic()
    lock = _locks.setdefault(url, threading.Lock())
    mine = lock.acquire(timeout=_longest())  # who comes meanwhile waits for the answer that is on its way
    patience.spend(time.monotonic() - started)
    if not mine:
        return known
    try:
        known = _known.get(url, known)
        if time.monotonic() >= known.until:
            known = _known[url] = _fetched(discovery, known)
        return known
    finally:
        lock.release()


def _fetched(discovery: Discovery, before: _Known | None) -> _Known:
    url = discovery.document()
    try:
        with patience.within(_longest()):
            http = HttpClient(_Site(discovery.vendor), None, attempts=1)
            found = discovery.checked(ask(http, "GET", url, headers={"Accept": "application/json"}))
    except (ProviderError, DocumentRefused) as error:
        log.warning("discovery_refused", vendor=discovery.vendor, url=url, reason=str(error))
        last_good = before.endpoints if before else {}
        return _Known(last_good, time.monotonic() + AGAIN, str(error))
    return _Known(found, time.monotonic() + BELIEVED)


def _longest() -> float:
    return min(LONGEST, patience.left() / 2)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "no host"
    except ValueError:
        return "no host"


class _Site:
    """The vendor's site as the exit to the network sees it: no account, no token, no refusal that matters."""

    requests_per_second = 0
    authorize = Bearer

    def __init__(self, vendor: str):
        self.label = vendor

    def hosts(self, _account_id: str) -> tuple[str, ...]:
        return ()

    def trace(self, _response: requests.Response) -> str:
        return ""

    def shown_address(self, url: str) -> str:
        return url

    def explain(self, response: requests.Response, _now: dt.datetime) -> ProviderError:
        return Unavailable(f"{self.label} answered {response.status_code}.", detail=str(response.status_code))
