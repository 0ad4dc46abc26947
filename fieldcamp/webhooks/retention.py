"""What of events and deliveries is deleted for good, at night, some at a time."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint, WebhookEvent

DELIVERED_KEPT = dt.timedelta(days=30)
FAILED_KEPT = dt.timedelta(days=90)
_AT_ONCE = 1_000
State = WebhookDelivery.State


def prune(now: dt.datetime) -> dict[str, int]:
    """Deletes events that are older than `EVENT_RETENTION_DAYS`, deliveries that arrived a month ago, and those that
    did not after three; how many of each. An event stays as long as a delivery of it does."""
    return {
        "delivered": _delete(
            WebhookDelivery.objects.filter(state=State.DELIVERED, finished_at__lt=now - DELIVERED_KEPT)
        ),
        "undelivered": _delete(
            WebhookDelivery.objects.filter(state__in=(State.FAILED, State.SKIPPED), finished_at__lt=now - FAILED_KEPT)
        ),
        # Of an endpoint that was paused and forgotten.
        "forgotten": _delete(WebhookDelivery.objects.filter(state=State.PENDING, created_at__lt=now - FAILED_KEPT)),
        "events": _prune_events(now - dt.timedelta(days=settings.EVENT_RETENTION_DAYS)),
        "webhooks": _delete(WebhookEndpoint.objects.filter(deleted_at__lt=now - FAILED_KEPT)),
    }


def _prune_events(before: dt.datetime) -> int:
    old = WebhookEvent.objects.filter(created_at__lt=before, fanned_out_at__isnull=False)
    highest = old.filter(sequence__isnull=False).order_by().values_list("workspace_id").annotate(last=Max("sequence"))
    for workspace_id, last in highest:
        # Before they go: a reader in between is told so, and does not miss any silently.
        EventCounter.objects.filter(pk=workspace_id, pruned_to__lt=last).update(pruned_to=last)
    needed = WebhookDelivery.objects.filter(event=OuterRef("pk"))
    return _delete(old.filter(~Exists(needed)))


def _delete(rows: "QuerySet[Any]") -> int:
    """Deletes them with what hangs on them, so few at a time that nobody waits long for the write lock."""
    count = 0
    while True:
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
        if not keys:
            return count
        with transaction.atomic():
            rows.filter(pk__in=keys).delete()
        count += len(keys)
        if len(keys) < _AT_ONCE:
            return count
