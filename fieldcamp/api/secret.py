"""The text of an API key: `fc_live_` + 12 characters that find it + 48 that prove it (about 285 random bits)."""

import hashlib
import hmac
import re
import secrets
import string

from django.conf import settings

_ALPHABET = string.ascii_letters + string.digits
_MARK = "fc_live_"
_FINDS, _PROVES = 12, 48
_SHAPE = re.compile(rf"{_MARK}[A-Za-z0-9]{{{_FINDS + _PROVES}}}", re.ASCII)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_prefix() -> str:
    return _MARK + _random(_FINDS)


def new_secret(prefix: str) -> str:
    """Returns a fresh secret that is found by this prefix."""
    return prefix + _random(_PROVES)


def is_wellformed(secret: str) -> bool:
    """Returns whether this can be a secret at all; spares the database garbled headers."""
    return _SHAPE.fullmatch(secret) is not None


def prefix_of(secret: str) -> str:
    return secret[: len(_MARK) + _FINDS]


def digest(secret: str) -> str:
    """Returns the HMAC under the pepper: a copy of the database alone neither gives a secret nor tests a guess."""
    return hmac.new(settings.API_KEY_PEPPER.encode(), secret.encode(), hashlib.sha256).hexdigest()


def matches(secret: str, expected: str) -> bool:
    """Returns whether both are equal, compared in constant time."""
    return hmac.compare_digest(digest(secret), expected)
