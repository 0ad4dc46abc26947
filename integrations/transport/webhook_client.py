"""Sends what customers have asked for to addresses that they have named: no token, no cookie, no proxy, no redirect.

Each call looks the name up itself, checks all addresses, connects to one of these very addresses and checks the
certificate against the name. What requests does beside (netrc, proxies and certificates of the environment, redirects)
is left out by using urllib3 itself.
"""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse

from integrations.transport.deadlines import TimedConnection, TimedTLSConnection, left, within
from integrations.transport.lookups import Lookups
from integrations.transport.public_addresses import (
    AddressRefused,
    AddressRules,
    Destination,
    Refusal,
    checked,
    destination_of,
)

CONNECT_SECONDS = 5.0  # looking the name up, connecting and TLS together
TOTAL_SECONDS = 15.0
BODY_SECONDS = 2.0  # once status and headers are there: what was said is known, and the rest is a courtesy
MOST_READ = 65_536  # bytes of an answer
MOST_KEPT = 1_000  # characters of it
_READABLE = ("text/", "application/json", "application/problem+json", "application/xml")

# Of their own: names of customers must not use up the lookups that vendors' names wait for.
_lookups = Lookups(most=64)
_TROUBLES: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "DNS"),
    (NewConnectionError, "CONNECT"),  # to urllib3 it is a time-out as well
    (ConnectTimeoutError, "TIMEOUT"),
    (ReadTimeoutError, "TIMEOUT"),
    (TimeoutError, "TIMEOUT"),
    (SSLError, "TLS"),
    (ssl.SSLError, "TLS"),
)


@dataclass(frozen=True)
class WebhookAnswer:
    """What became of one call: the status that was answered, or one of our words (TIMEOUT, CONNECT, TLS, DNS,
    BLOCKED_ADDRESS, TOO_LARGE) in `error`. `retry_after` is the header as it came, `excerpt` the answer's beginning."""

    ms: int
    status: int | None = None
    error: str = ""
    excerpt: str = ""
    retry_after: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class _CheckedAddresses:
    """Connects to what the rules allow, and to nothing that they do not, by a deadline of its own."""

    host: str
    port: int

    def __init__(self, *args: Any, rules: AddressRules, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.rules = rules

    def addresses(self) -> list[str]:
        return checked(_lookups.find(self.host, self.port, left()), self.rules)

    def connect(self) -> None:
        with within(CONNECT_SECONDS):
            super().connect()  # type: ignore[misc]


class _WebhookConnection(_CheckedAddresses, TimedConnection):
    pass


class _WebhookTLSConnection(_CheckedAddresses, TimedTLSConnection):
    pass


@lru_cache(maxsize=4)
def _tls(authorities: str) -> ssl.SSLContext:
    """Returns one context for all calls: reading the list of authorities takes longer than a call."""
    return ssl.create_default_context(cafile=authorities)


def check_reachable(url: str, rules: AddressRules, seconds: float = CONNECT_SECONDS) -> None:
    """Looks the name up and judges all of its addresses. Raises `AddressRefused`; a name that is not known is refused,
    too."""
    there = destination_of(url, rules)
    try:
        found = _lookups.find(there.host, there.port, seconds)
    except OSError:  # a time-out is one
        raise AddressRefused(Refusal.UNKNOWN_NAME) from None
    checked(found, rules)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    rules: AddressRules,
    *,
    total: float = TOTAL_SECONDS,
    authorities: str = "",
) -> WebhookAnswer:
    """Sends once. Never raises for what happens on the way or at the other side. `authorities` is the file of
    certificates that are trusted; without it, those that certifi knows."""
    began = time.monotonic()
    try:
        there = destination_of(url, rules)
        with within(total):
            return _sent(there, body, headers, rules, began, authorities or str(DEFAULT_CA_BUNDLE_PATH))
    except AddressRefused:
        return WebhookAnswer(_ms(began), error="BLOCKED_ADDRESS")
    except (HTTPError, OSError, http.client.HTTPException, ValueError) as error:
        return WebhookAnswer(_ms(began), error=_word(error))


def _sent(
    there: Destination, body: bytes, headers: Mapping[str, str], rules: AddressRules, began: float, authorities: str
) -> WebhookAnswer:
    pool = _pool(there, rules, authorities)
    try:
        answer = pool.urlopen(
            "POST",
            there.target,
            body=body,
            headers={"Host": there.host_header, "Accept-Encoding": "identity", "Connection": "close", **headers},
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=Timeout(connect=CONNECT_SECONDS, read=None),
        )
        try:
            excerpt = _excerpt(answer)
        finally:
            answer.close()
    finally:
        pool.close()
    return WebhookAnswer(
        _ms(began), status=answer.status, excerpt=excerpt, retry_after=answer.headers.get("Retry-After", "")[:40]
    )


def _pool(there: Destination, rules: AddressRules, authorities: str) -> HTTPConnectionPool:
    """Returns a pool for this one call: a connection that was kept open would pass by the next call's check."""
    pool: HTTPConnectionPool
    if there.scheme == "https":
        pool = HTTPSConnectionPool(there.host, there.port, ssl_context=_tls(authorities), rules=rules)
        pool.ConnectionCls = _WebhookTLSConnection
    else:
        pool = HTTPConnectionPool(there.host, there.port, rules=rules)
        pool.ConnectionCls = _WebhookConnection
    return pool


def _excerpt(answer: BaseHTTPResponse) -> str:
    """Returns the beginning of what was answered, where it is text; what does not come in time is left out."""
    read = b""
    try:
        with within(BODY_SECONDS):
            while len(read) < MOST_READ and (piece := answer.read1(4096)):
                left()
                read += piece
    except (HTTPError, OSError, http.client.HTTPException, ValueError):
        pass  # the status has been said, and that decides
    kind = answer.headers.get("Content-Type", "text/plain").strip().lower()
    if not kind.startswith(_READABLE):
        return ""
    text = read[: MOST_KEPT * 4].decode("utf-8", "replace")
    return "".join(each if each.isprintable() or each in "\n\t" else " " for each in text)[:MOST_KEPT].strip()


def _word(error: Exception) -> str:
    """Returns our word for what went wrong; the library's own text says too much of the network."""
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, AddressRefused):
            return "BLOCKED_ADDRESS"
    inner = error.args[1] if isinstance(error, ProtocolError) and len(error.args) > 1 else error
    if isinstance(inner, http.client.LineTooLong) or str(inner).startswith("got more than"):  # lines, headers
        return "TOO_LARGE"
    for each in (error, inner):
        for kind, word in _TROUBLES:
            if isinstance(each, kind):
                return word
    return "CONNECT"


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
