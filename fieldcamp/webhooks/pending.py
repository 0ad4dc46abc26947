"""Whether there is anything to do: the one query that an idle process asks each second."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from fieldcamp.webhooks.claiming import due_endpoints
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEvent


@dataclass(frozen=True, slots=True)
class Found:
    """`events` wait for their number, `deliveries` to be sent, `lost` ones for somebody to take them up again."""

    events: bool
    deliveries: bool
    lost: bool


def look(now: dt.datetime) -> Found:
    """Looks for all three in one statement, each by its index."""
    events = WebhookEvent.objects.filter(fanned_out_at=None).order_by()
    lost = WebhookDelivery.objects.filter(state=WebhookDelivery.State.SENDING, lease_until__lte=now).order_by()
    parts = [_exists(rows) for rows in (events, due_endpoints(now).order_by(), lost)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(sql for sql, _ in parts)}",  # noqa: S608  (composed by Django)
            [value for _, values in parts for value in values],
        )
        return Found(*(bool(value) for value in cursor.fetchone()))


def _exists(rows: "QuerySet[Model]") -> tuple[str, tuple[Any, ...]]:
    sql, values = rows.values("pk")[:1].query.sql_with_params()
    return f"EXISTS ({sql})", values
