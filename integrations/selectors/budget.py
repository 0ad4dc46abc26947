"""How many calls the connections have made at their provider: in the last minute, and today."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.models import Connection, ProviderBudget
from integrations.providers import PROVIDERS
from integrations.transport.budget import BUCKET, BUCKETS


@dataclass(frozen=True)
class Usage:
    """`limit` is what a minute may hold at most while the provider has asked to slow down (`paced`)."""

    minute: int
    today: int
    limit: int
    paced: bool


def usage_of(connections: Sequence[Connection], now: dt.datetime) -> dict[str, Usage]:
    """Returns the usage by connection; one query."""
    rows = {row.connection_id: row for row in ProviderBudget.objects.filter(connection__in=connections)}
    return {
        connection.pk: _usage(rows.get(connection.pk), PROVIDERS[connection.integration].requests_per_minute, now)
        for connection in connections
    }


def _usage(row: ProviderBudget | None, limit: int, now: dt.datetime) -> Usage:
    if row is None:
        return Usage(0, 0, limit, False)
    first = int(now.timestamp() // BUCKET) - BUCKETS
    minute = sum(count for number, count in row.buckets.items() if int(number) > first)
    today = row.calls_today if row.day == now.astimezone(dt.UTC).date() else 0
    return Usage(minute, today, limit, bool(row.paced_until and row.paced_until > now))
