"""Sync tokens and page tokens: opaque to clients, signed so that a made-up one is noticed."""

import hashlib
import json
import secrets
from typing import Any

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.sealed import seal, unseal
from fieldcamp.sandbox.state import State

# Google only says that tokens expire "for various reasons, including token expiration"; a month is what is reported.
SYNC_TOKEN_SECONDS = 30 * 86400


def digest(*parts: Any) -> str:
    """A short fingerprint of the parameters that must stay the same between calls."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


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
