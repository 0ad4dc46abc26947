"""Documents that a vendor publishes for everybody, such as the keys that its signatures are checked with.

Each is kept in this process as long as its answer allows (https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1), and
is not used a moment longer: a key that has been withdrawn must not be believed because its vendor is out of reach.
"""

import datetime as dt
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.errors import ProviderError, Unavailable
from integrations.transport.answers import Asks, json_object
from integrations.transport.client import utc_now
from integrations.transport.patience import PAGE_SECONDS, left

SHORTEST, USUAL, LONGEST = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
# Whoever sends forged signatures must not have us ask the vendor each time, and a vendor that is down is left alone.
BRAKE = dt.timedelta(minutes=1)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})", re.IGNORECASE)
_KEPT_NOT = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Copy:
    """What was answered, when, and until when it holds."""

    document: dict[str, Any]
    asked_at: dt.datetime
    until: dt.datetime


class Published:
    """Public JSON documents, by their addresses. Safe for threads, of which one asks and the others wait."""

    def __init__(self, clock: Callable[[], dt.datetime] = utc_now):
        self._clock = clock
        self._copies: dict[str, _Copy] = {}
        self._failed_at: dict[str, dt.datetime] = {}
        self._lock = threading.Lock()

    def read(self, http: Asks, url: str) -> dict[str, Any]:
        """Returns the document, from its vendor where the copy is too old. Raises `ProviderError`."""
        copy = self._copies.get(url)
        return copy.document if copy and self._clock() < copy.until else self._ask(http, url, dt.timedelta(0))

    def read_anew(self, http: Asks, url: str) -> dict[str, Any]:
        """Returns the document for somebody who misses something in it: asked for again, once in `BRAKE`."""
        return self._ask(http, url, BRAKE)

    def forget(self) -> None:
        """Drops all copies."""
        self._copies.clear()
        self._failed_at.clear()

    def _ask(self, http: Asks, url: str, age: dt.timedelta) -> dict[str, Any]:
        """Asks, unless a copy is younger than `age` or somebody has asked while we waited."""
        if not self._lock.acquire(timeout=max(min(left(), PAGE_SECONDS), 0.0)):
            raise Unavailable("The vendor's public keys are being fetched, which takes too long.")
        try:
            now, copy = self._clock(), self._copies.get(url)
            if copy and now < copy.until and (not age or now - copy.asked_at < age):
                return copy.document
            failed_at = self._failed_at.get(url)
            if failed_at and now - failed_at < BRAKE:
                raise Unavailable("The vendor's public keys could not be fetched a moment ago.")
            try:
                response = http.request("GET", url)
                document = json_object(response)
            except ProviderError:
                self._failed_at[url] = now
                raise
            self._failed_at.pop(url, None)
            self._copies[url] = _Copy(document, now, now + _lifetime(response.headers))
            return document
        finally:
            self._lock.release()


def _lifetime(headers: Any) -> dt.timedelta:
    """Returns how long an answer may be kept by its own word; one that says nothing, an hour."""
    control = headers.get("Cache-Control", "")
    if _KEPT_NOT.search(control):
        return SHORTEST
    found = _MAX_AGE.search(control)
    if not found:
        return USUAL
    age = headers.get("Age", "")
    seconds = int(found[1]) - (int(age) if age.isdecimal() and len(age) < 10 else 0)
    return min(max(dt.timedelta(seconds=seconds), SHORTEST), LONGEST)
