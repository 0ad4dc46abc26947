"""Values that travel through a client: opaque to it, signed so that a made-up one is noticed."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from fieldcamp.sandbox.state import State

SIGNATURE = 10


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


def _sign(state: State, plain: bytes) -> bytes:
    return hmac.digest(state.secret, plain, "sha256")[:SIGNATURE]
