"""What a vendor tells of its accounts by itself: signed event tokens, each of which is believed or refused here.

Tokens: https://www.rfc-editor.org/rfc/rfc8417, kinds: https://openid.net/specs/openid-risc-event-types-1_0.html and
https://openid.net/specs/oauth-event-types-1_0-01.html, refusals: https://www.rfc-editor.org/rfc/rfc8935#section-2.4
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import jwt

from integrations.errors import Unavailable
from integrations.transport.answers import Asks
from integrations.transport.client import utc_now
from integrations.transport.hosts import is_below
from integrations.transport.published import Published

LONGEST_TOKEN = 16_384  # bytes; a token with a few claims has under a thousand
LONGEST_ID = 255
LEEWAY = dt.timedelta(minutes=1)  # clocks differ
# An event is history and does not expire, but a token that is delivered so late was kept by somebody. Those that were
# believed are known for longer than that (`jobs.housekeeping`).
OLDEST = dt.timedelta(days=30)
PUBLISHED = Published()
_RISC = "https://schemas.openid.net/secevent/risc/event-type/"
_OAUTH = "https://schemas.openid.net/secevent/oauth/event-type/"


class EventKind(StrEnum):
    """What has happened, as the last part of the type's address names it."""

    SESSIONS_REVOKED = "sessions-revoked"
    TOKENS_REVOKED = "tokens-revoked"
    TOKEN_REVOKED = "token-revoked"  # noqa: S105
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    CREDENTIAL_CHANGE_REQUIRED = "account-credential-change-required"
    VERIFICATION = "verification"

    @property
    def address(self) -> str:
        """Returns the type's address in a token."""
        return (_OAUTH if self in (EventKind.TOKENS_REVOKED, EventKind.TOKEN_REVOKED) else _RISC) + self.value


_KINDS = {kind.address: kind for kind in EventKind}


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event: about the account `account_id`, or about the refresh token that is called `token_name` in the way
    `token_naming`. All three are empty where it is about nobody whom this issuer knows."""

    kind: EventKind
    account_id: str = ""
    token_naming: str = ""
    token_name: str = ""
    reason: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class EventToken:
    """A token that is believed. `digest` is that of what it says, however it was signed."""

    id: str
    issued_at: dt.datetime
    digest: str
    events: tuple[SecurityEvent, ...]


class EventRefused(Exception):
    """A token that is not believed; `code` is one of RFC 8935's, the text is for the sender's people."""

    def __init__(self, code: str, description: str):
        super().__init__(description)
        self.code = code


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Where a vendor sends its events now ("": nowhere), whether it does, and which kinds of those that we know."""

    url: str
    enabled: bool
    kinds: tuple[EventKind, ...]


class EventStream(Protocol):
    """What an operator chooses at the vendor. Every method may raise any `ProviderError`."""

    def register(self, url: str) -> None:
        """Has all kinds sent to the address."""

    def status(self) -> StreamStatus:
        """Returns what is registered."""

    def verify(self, state: str) -> None:
        """Has an event sent that is about nobody and says `state`."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """One vendor that sends event tokens. `configuration_url` is the address of its document with `issuer` and
    `jwks_uri`, which has to lie below one of `hosts`; `audiences` are the names that our app has there; `token_names`
    are the names by which it may speak of a refresh token: for each way of naming, the name. `open_stream` takes the
    text of the key file that lets an operator choose."""

    configuration_url: Callable[[], str]
    hosts: Callable[[], tuple[str, ...]]
    audiences: Callable[[], tuple[str, ...]]
    token_names: Callable[[str], Mapping[str, str]]
    open_stream: Callable[[str], EventStream]
    algorithm: str = "RS256"

    def read(self, http: Asks, token: str, now: dt.datetime | None = None) -> EventToken:
        """Returns what the token says, once its signature, issuer, audience and time are found to be right. Raises
        `EventRefused`, and `ProviderError` where the vendor's keys cannot be had just now."""
        key_id = self._key_id(token)
        configuration = PUBLISHED.read(http, self.configuration_url())
        issuer, keys = str(configuration.get("issuer")), str(configuration.get("jwks_uri"))
        if not any(is_below(keys, base) for base in self.hosts()):
            raise Unavailable("The keys of the vendor's events are said to be at another's address.")
        claims = self._claims(token, self._key(http, keys, key_id), issuer)
        issued_at = _moment(claims["iat"])
        if issued_at < (now or utc_now()) - OLDEST:
            raise EventRefused("invalid_request", "The token was issued too long ago.")
        if len(claims["jti"]) > LONGEST_ID or not claims["jti"]:
            raise EventRefused("invalid_request", "jti is too long, or empty.")
        events = claims.get("events")
        if not isinstance(events, dict) or not events:
            raise EventRefused("invalid_request", "The token holds no events.")
        said = json.dumps([claims["aud"], events], sort_keys=True).encode()
        known = (_event(_KINDS[name], body, issuer) for name, body in events.items() if name in _KINDS)
        return EventToken(claims["jti"], issued_at, hashlib.sha256(said).hexdigest(), tuple(known))

    def _key_id(self, token: str) -> str:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):  # RecursionError: some thousand brackets
            raise EventRefused("invalid_request", "The body is no signed token.") from None
        if header.get("alg") != self.algorithm:
            raise EventRefused("invalid_key", f"The token has to be signed with {self.algorithm}.")
        key_id = header.get("kid")
        if not isinstance(key_id, str) or not key_id:
            raise EventRefused("invalid_key", "The token does not say which key has signed it.")
        return key_id

    def _key(self, http: Asks, url: str, key_id: str) -> jwt.PyJWK:
        """Returns the published key of that name; one that is not known may have been published since."""
        for read in (PUBLISHED.read, PUBLISHED.read_anew):
            keys = read(http, url).get("keys")
            for key in keys if isinstance(keys, list) else ():
                if isinstance(key, dict) and key.get("kid") == key_id and key.get("use", "sig") == "sig":
                    try:
                        return jwt.PyJWK.from_dict(key, self.algorithm)
                    except (jwt.PyJWTError, ValueError):
                        break
        raise EventRefused("invalid_key", "The key that has signed the token is none of the issuer's.")

    def _claims(self, token: str, key: jwt.PyJWK, issuer: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[self.algorithm],
                audience=self.audiences(),
                issuer=issuer,
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "iat", "jti"], "verify_exp": False},
            )
        except jwt.InvalidIssuerError:
            raise EventRefused("invalid_issuer", "The issuer is not the one that was expected.") from None
        except jwt.InvalidAudienceError:
            raise EventRefused("invalid_audience", "The token is for another receiver.") from None
        except jwt.InvalidSignatureError:
            raise EventRefused("authentication_failed", "The signature is not the issuer's.") from None
        except jwt.ImmatureSignatureError:
            raise EventRefused("invalid_request", "The token was issued in the future.") from None
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            raise EventRefused("invalid_request", "A claim is missing, or is not what it has to be.") from None


def _event(kind: EventKind, body: Any, issuer: str) -> SecurityEvent:
    """Reads one event. Raises `EventRefused` where it has not the form of its kind."""
    body = body if isinstance(body, dict) else {}
    if kind is EventKind.VERIFICATION:
        return SecurityEvent(kind, state=_text(body.get("state")))
    subject = body.get("subject")
    if not isinstance(subject, dict):
        raise EventRefused("invalid_request", f"{kind.value} has no subject.")
    if kind is EventKind.TOKEN_REVOKED:
        naming, name = _text(subject.get("token_identifier_alg")), _text(subject.get("token"))
        if not (naming and name):
            raise EventRefused("invalid_request", f"{kind.value} names no token.")
        return SecurityEvent(kind, token_naming=naming, token_name=name)
    account_id = _text(subject.get("sub"))
    if not account_id:
        raise EventRefused("invalid_request", f"{kind.value} names no account.")
    # Another issuer's ids are no ids of this one's accounts, whatever they look like.
    foreign = _text(subject.get("iss") or issuer).rstrip("/") != issuer.rstrip("/")
    return SecurityEvent(kind, account_id="" if foreign else account_id, reason=_text(body.get("reason")))


def _moment(value: Any) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise EventRefused("invalid_request", "iat is no moment.") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
