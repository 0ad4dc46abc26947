"""Ids as Exchange makes them: long, case-sensitive, base64 with `-` and `_`, and of two kinds for every item.

https://learn.microsoft.com/graph/outlook-immutable-id
"""

import hashlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

# The first bytes of real ids: of those that survive a move to another folder, and of those that do not.
IMMUTABLE, REGULAR = b"\x00\x09\x00\x2e\x00\x00\x00\x00\x00\x1d", b"\x01\x03\x24\x00\x30\x30\x01\x36\x26\x60"
FOLDER = b"\x01\x03\x24\x00\x30\x30\x01\x36\x26\x61"
_EVENT = struct.Struct(">16s16sHq")  # mailbox, core, the series' revision, original start
_WHOLE = -(2**62)  # instead of an original start: no instance but the item itself
_HEAD = 10


@dataclass(frozen=True)
class EventId:
    """What an event's id says."""

    mailbox: bytes
    core: bytes
    revision: int = 0
    original_ms: int | None = None
    immutable: bool = True

    def text(self) -> str:
        """The id itself."""
        head = IMMUTABLE if self.immutable else REGULAR
        original = _WHOLE if self.original_ms is None else self.original_ms
        plain = _EVENT.pack(self.mailbox, self.core, self.revision, original)
        return urlsafe_b64encode(head + plain + _tail(head + plain)).decode()


def read(text: str) -> EventId | None:
    """The id's parts, or None when it is not an event's id."""
    try:
        raw = urlsafe_b64decode(text)
    except ValueError:
        return None
    head, plain, tail = raw[:_HEAD], raw[_HEAD : _HEAD + _EVENT.size], raw[_HEAD + _EVENT.size :]
    if head not in (IMMUTABLE, REGULAR) or len(plain) != _EVENT.size or tail != _tail(head + plain):
        return None
    if urlsafe_b64encode(raw).decode() != text:
        return None
    mailbox, core, revision, original = _EVENT.unpack(plain)
    return EventId(mailbox, core, revision, None if original == _WHOLE else original, head == IMMUTABLE)


def folder_id(mailbox: bytes, n: int) -> str:
    """A calendar's id, the same of both kinds."""
    plain = FOLDER + mailbox + struct.pack(">Q", n)
    return urlsafe_b64encode(plain + _tail(plain)).decode()


def digest(text: str) -> bytes:
    """Sixteen bytes that depend on the text alone."""
    return hashlib.sha256(text.encode()).digest()[:16]


def _tail(plain: bytes) -> bytes:
    """The rest, which makes ids as long as real ones and a mistyped one noticeable."""
    return hashlib.sha384(plain).digest()[:42]
