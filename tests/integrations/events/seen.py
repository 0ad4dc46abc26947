"""The events that were recorded, as a test reads them."""

import json
from typing import Any

from fieldcamp.webhooks.models import WebhookEvent


def bodies(*families: str) -> list[dict[str, Any]]:
    """Returns the bodies of all events of these families (`sync`, `connection`; none: of all), oldest first."""
    rows = WebhookEvent.objects.order_by("created_at", "pk")
    found = [json.loads(bytes(row.body)) for row in rows]
    return [body for body in found if not families or body["type"].partition(".")[0] in families]


def names(*families: str) -> list[str]:
    return [body["type"] for body in bodies(*families)]


def objects(name: str) -> list[dict[str, Any]]:
    """Returns what the events of this type are about, oldest first."""
    return [body["data"]["object"] for body in bodies() if body["type"] == name]


def forget() -> None:
    WebhookEvent.objects.all().delete()
