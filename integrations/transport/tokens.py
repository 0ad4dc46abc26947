"""The refresh rule: of many callers one asks the provider, saves what it got, and only then is it used.

The store keeps one grant; its version moves with every new token. A provider that rotates refresh tokens kills the
old one with the answer, so an answer that was not saved would lock the account out.
"""

import datetime as dt
import random as random_module
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from integrations.errors import NeedsPermission, NeedsReconnect, Transient, Unavailable
from integrations.records import Tokens
from integrations.transport.client import utc_now
from integrations.transport.patience import left, pause

EARLY = dt.timedelta(seconds=225)  # a token that ends while it is under way would be refused
LAST_CALL = dt.timedelta(seconds=30)
CLAIM = dt.timedelta(seconds=30)  # longer than a refresh can take
LONGEST_WAIT = 10.0
POLL = 0.05


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as it is stored now."""

    version: int
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: dt.datetime | None

    def lives_until(self, moment: dt.datetime) -> bool:
        return self.expires_at is not None and self.expires_at > moment


class GrantStore(Protocol):
    """One connection's grant. Each method is one short transaction of its own."""

    def read(self) -> Grant:
        """Returns the grant; raises `NeedsReconnect` where it is known to be dead."""

    def claim(self, version: int, now: dt.datetime, until: dt.datetime) -> bool:
        """Makes the caller the one who refreshes this version, until then; false if somebody else does."""

    def release(self, version: int) -> None:
        """Gives an unused claim back."""

    def save(self, version: int, tokens: Tokens, now: dt.datetime) -> bool:
        """Replaces this version by new tokens; false if it is not the current one any more."""

    def died(self, version: int, error: NeedsReconnect) -> None:
        """Notes that the provider has ended the grant; no effect if the version has moved on."""

    def lacks(self, missing: tuple[str, ...], error: NeedsPermission) -> None:
        """Notes that the grant has lost permissions."""


class RefreshingTokens:
    """A `TokenSource` over a store. `refresh` asks the provider; `needed` maps scope to the words of its tick box."""

    def __init__(
        self,
        store: GrantStore,
        refresh: Callable[[str], Tokens],
        needed: Mapping[str, str],
        *,
        clock: Callable[[], dt.datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ):
        self._store, self._refresh, self._needed = store, refresh, needed
        self._clock, self._sleep, self._random = clock, sleep, random

    def access_token(self) -> str:
        try:
            return self._token(lambda grant: grant.lives_until(self._clock() + EARLY))
        except Transient:
            grant = self._store.read()
            if grant.access_token and grant.lives_until(self._clock() + LAST_CALL):
                return grant.access_token  # it was to be renewed early; that can wait
            raise

    def renewed(self, rejected: str) -> str:
        return self._token(lambda grant: grant.access_token != rejected)

    def _token(self, good: Callable[[Grant], bool]) -> str:
        waited = 0.0
        while True:
            grant = self._store.read()
            if grant.access_token and good(grant):
                return grant.access_token
            now = self._clock()
            if self._store.claim(grant.version, now, now + CLAIM):
                if token := self._renew(grant):
                    return token
                continue  # the version moved while we were away: a person has reconnected or disconnected
            if waited >= LONGEST_WAIT or left() <= 0:
                raise Unavailable("Another process is renewing the access; this did not end in time.")
            wait = POLL * (1 + self._random())
            pause(self._sleep, wait)
            waited += wait

    def _renew(self, grant: Grant) -> str | None:
        try:
            if not grant.refresh_token:
                raise NeedsReconnect("The access has ended and cannot be renewed. Reconnect the account.", proven=True)
            tokens = self._refresh(grant.refresh_token)
        except NeedsReconnect as error:
            error.proven = True  # here alone: an API that says the same in the same words is no token endpoint
            if self._store.read().version != grant.version:
                return None  # an answer that came late was saved meanwhile: ours was to the token before it
            self._store.died(grant.version, error)
            raise
        except Exception:
            self._store.release(grant.version)
            raise
        if not self._store.save(grant.version, tokens, self._clock()):
            return None
        if tokens.scopes is not None and (missing := missing_permissions(self._needed, tokens.scopes)):
            lack = lacking(missing)
            self._store.lacks(missing, lack)
            raise lack
        return tokens.access_token


def missing_permissions(needed: Mapping[str, str], granted: frozenset[str]) -> tuple[str, ...]:
    """Returns the tick boxes, in words, that were left empty."""
    return tuple(words for scope, words in needed.items() if scope not in granted)


def lacking(missing: tuple[str, ...]) -> NeedsPermission:
    boxes = " and ".join(f"“{words}”" for words in missing)
    words = f"Permission is missing: {boxes}. Reconnect and tick every box."
    return NeedsPermission(words, missing=missing, proven=True)
