"""Grants and budgets in the database, as the transport asks for them."""

import datetime as dt
import json
from typing import Any

import structlog
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from fieldcamp.encryption import DecryptionError
from integrations.accounts.state import mark_needs_permission, mark_needs_reconnect
from integrations.errors import Misconfigured, NeedsPermission, NeedsReconnect
from integrations.models import ConnectionState, OAuthGrant, ProviderBudget
from integrations.records import Tokens
from integrations.transport.tokens import Grant

log = structlog.get_logger(__name__)


def token_values(tokens: Tokens, now: dt.datetime) -> dict[str, Any]:
    """Returns a token answer as columns. What an answer leaves out (refresh token, scopes) stays as it is stored."""
    values: dict[str, Any] = {
        "access_token": tokens.access_token,
        "expires_at": tokens.expires_at,
        "answer": json.dumps(dict(tokens.raw)),
        "refresh_claimed_until": None,
        "refreshed_at": now,
    }
    if tokens.refresh_token:
        values["refresh_token"] = tokens.refresh_token
        values["refresh_expires_at"] = tokens.refresh_expires_at
    if tokens.scopes is not None:
        values["scopes"] = sorted(tokens.scopes)
    return values


def forget_tokens(connection_id: str) -> None:
    """Deletes what is stored of the grant. Who is renewing it at this moment saves nothing."""
    OAuthGrant.objects.filter(connection_id=connection_id).update(
        access_token="", refresh_token="", answer="", scopes=[], expires_at=None, refresh_expires_at=None,
        refresh_claimed_until=None, version=F("version") + 1,
    )  # fmt: skip


class OrmGrantStore:
    """`GrantStore` over OAuthGrant. Every write is one conditional UPDATE; none is open across a call."""

    def __init__(self, connection_id: str):
        self.connection_id = connection_id

    def _current(self, version: int) -> QuerySet[OAuthGrant]:
        return OAuthGrant.objects.filter(connection_id=self.connection_id, version=version)

    def read(self) -> Grant:
        try:
            row = OAuthGrant.objects.select_related("connection").filter(connection_id=self.connection_id).first()
        except DecryptionError as error:
            raise Misconfigured(str(error)) from None  # the operator's fault: nobody has to reconnect
        if row is None or row.connection.state == ConnectionState.DISCONNECTED:
            raise NeedsReconnect("This account is not connected.", proven=True)
        connection = row.connection
        if connection.state == ConnectionState.NEEDS_RECONNECT and connection.refused_at is None:
            raise NeedsReconnect(connection.state_reason or "This account has to be reconnected.", proven=True)
        return Grant(row.version, row.access_token, row.refresh_token, row.expires_at)

    def claim(self, version: int, now: dt.datetime, until: dt.datetime) -> bool:
        free = Q(refresh_claimed_until=None) | Q(refresh_claimed_until__lte=now)
        return self._current(version).filter(free).update(refresh_claimed_until=until) == 1

    def release(self, version: int) -> None:
        self._current(version).update(refresh_claimed_until=None)

    def save(self, version: int, tokens: Tokens, now: dt.datetime) -> bool:
        return self._current(version).update(version=version + 1, **token_values(tokens, now)) == 1

    def died(self, version: int, error: NeedsReconnect) -> None:
        if self._current(version).update(refresh_claimed_until=None):
            mark_needs_reconnect(self.connection_id, str(error))

    def lacks(self, missing: tuple[str, ...], error: NeedsPermission) -> None:
        mark_needs_permission(self.connection_id, str(error))


class OrmBudgetStore:
    """`BudgetStore` over ProviderBudget: compare and swap, so that processes share one count."""

    def __init__(self, connection_id: str):
        self.connection_id = connection_id
        self._read = ProviderBudget()

    def read(self) -> tuple[int, dict[int, int]]:
        row, _ = ProviderBudget.objects.get_or_create(connection_id=self.connection_id)
        self._read = row
        return row.version, {int(number): count for number, count in row.buckets.items()}

    def swap(self, version: int, buckets: dict[int, int]) -> bool:
        new, old = {str(number): count for number, count in buckets.items()}, self._read.buckets
        taken = sum(max(count - old.get(number, 0), 0) for number, count in new.items())
        today = timezone.now().astimezone(dt.UTC).date()
        before = self._read.calls_today if self._read.day == today else 0
        row = ProviderBudget.objects.filter(connection_id=self.connection_id, version=version)
        return row.update(version=version + 1, buckets=new, day=today, calls_today=before + taken) == 1

    def paced(self, now: dt.datetime) -> bool:
        return ProviderBudget.objects.filter(connection_id=self.connection_id, paced_until__gt=now).exists()

    def pace(self, until: dt.datetime) -> None:
        ProviderBudget.objects.update_or_create(connection_id=self.connection_id, defaults={"paced_until": until})
