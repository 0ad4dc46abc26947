"""What is agreed for one channel: our name for it and a secret, of which its digest alone is kept."""

import hashlib
import hmac
import re
from secrets import token_urlsafe
from uuid import uuid4

_CHANNEL_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RESOURCE_ID = re.compile(r"[!-~]{1,255}")
NOBODYS = hashlib.sha256(b"").hexdigest()  # what nothing that was agreed has for a digest


def new_agreement() -> tuple[str, str]:
    """Returns a new channel's id and its secret (80 characters), in front of which the id stands."""
    channel_id = str(uuid4())
    return channel_id, f"{channel_id}.{token_urlsafe(32)}"


def digest_of(secret: str) -> str:
    """Returns the SHA-256 of a secret: it has 256 random bits, so nothing is gained by trying."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_right(secret: str, digest: str) -> bool:
    """Compares in the same time, whatever is wrong; nothing that was left out is right."""
    found = hmac.compare_digest(digest_of(secret).encode(), digest.encode())
    return found and bool(secret)


def is_channel_id(text: str) -> bool:
    """Returns whether a channel of ours may be called so."""
    return _CHANNEL_ID.fullmatch(text) is not None


def is_resource_id(text: str) -> bool:
    """Returns whether a vendor may call so what is watched."""
    return _RESOURCE_ID.fullmatch(text) is not None
