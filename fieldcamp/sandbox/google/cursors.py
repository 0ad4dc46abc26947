"""Sync tokens and page tokens: opaque to clients, signed so that a made-up one is noticed."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.state import State

# Google only says that tokens expire "for various reasons, including token expiration"; a month is what is reported.
SYNC_TOKEN_SECONDS = 30 * 86400
SIGNATURE = 10


def digest(*parts: Any) -> str:
    """A short fingerprint of the parameters that must stay the same between calls."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def seal(state: State, kind: str, **values: Any) -> str:
    """A token that carries the values."""
    plain = json.dumps([kind, values], separators=(",", ":")).encode()
    return urlsafe_b64encode(_sign(state, plain) + plain).decode().rstrip("=")


def unseal(state: State, kind: str, token: str) -> dict[str, Any] | None:
    """The values of a token of that kind, or None when it is not one of ours."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    signature, plain = raw[:SIGNATURE], raw[SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(state, plain)):
        return None
    found, values = json.loads(plain)
    return values if found == kind else None


def seal_sync(state: State, calendar: str, change: int, params: str) -> str:
    """A sync token: everything up to `change` has been seen under these parameters."""
    # No two are alike: the token after a full sync must not equal the expired one that led to it.
    unique = secrets.token_hex(4)
    return seal(state, "sync", cal=calendar, change=change, params=params, issued=int(state.now()), unique=unique)


def unseal_sync(state: State, token: str, calendar: str, params: str) -> int:
    """The change number up to which the client has seen everything.

    410 for a token that is garbage, of another calendar or expired; 400 when the other parameters differ from those
    of the first list. https://developers.google.com/workspace/calendar/api/guides/sync
    """
    values = unseal(state, "sync", token)
    if values is None or values["cal"] != calendar or state.cursor_is_dead(token):
        raise errors.full_sync_required()
    if state.now() - values["issued"] > SYNC_TOKEN_SECONDS:
        raise errors.full_sync_required()
    if values["params"] != params:
        raise errors.invalid("The parameters differ from those of the initial synchronization.", "syncToken")
    return int(values["change"])


def _sign(state: State, plain: bytes) -> bytes:
    return hmac.digest(state.secret, plain, "sha256")[:SIGNATURE]
