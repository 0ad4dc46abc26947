"""The order of what waits for an endpoint: the oldest first, whatever it has had to wait for."""

import datetime as dt

from django.db.models import F, Min

from fieldcamp.webhooks.models import WebhookDelivery

_STEP = dt.timedelta(microseconds=1)


def pull_forward(endpoint_id: str, now: dt.datetime) -> None:
    """Has what waits for a later attempt wait in the place that it was queued at. The endpoint is locked."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint_id, state=WebhookDelivery.State.PENDING)
    waiting.filter(next_at__gt=now).update(next_at=F("created_at"))


def first_place(endpoint_id: str, now: dt.datetime) -> dt.datetime:
    """Returns a time that is due, before all that waits for the endpoint."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint_id, state=WebhookDelivery.State.PENDING)
    first = waiting.aggregate(at=Min("next_at"))["at"]
    return min(now, first - _STEP) if first else now
