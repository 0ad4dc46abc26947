"""Handing events to endpoints: by state, not by any number that a transaction takes before it commits.

An event is due as long as `fanned_out_at` is empty, so one that is committed late is found late and never missed. Its
number is given here, under the lock of the company's counter, which is also what keeps two supervisors apart, and keeps
endpoints from being enabled or disabled meanwhile. Locked in this order: the counter, then endpoints by their ids.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

import structlog
from django.db import connection, transaction
from django.utils import timezone

from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.recording import numbered
from fieldcamp.webhooks.subscriptions import subscribed

log = structlog.get_logger(__name__)

AT_ONCE = 500
_FINAL = (
    f"UPDATE {WebhookEvent._meta.db_table} "  # noqa: S608
    "SET sequence = %s, fanned_out_at = %s, body = %s WHERE id = %s"
)


def fan_out() -> bool:
    """Numbers what has happened and queues it for the endpoints that want it, up to 500 events of each company; whether
    there was anything. What somebody else is doing at this moment is left to them."""
    waiting = WebhookEvent.objects.filter(fanned_out_at=None).order_by()
    done = 0
    for workspace_id in waiting.values_list("workspace_id", flat=True).distinct():
        done += _fan_out(workspace_id)
    return done > 0


def _fan_out(workspace_id: str) -> int:
    EventCounter.objects.bulk_create([EventCounter(workspace_id=workspace_id)], ignore_conflicts=True)
    with transaction.atomic():
        counter = EventCounter.objects.select_for_update(skip_locked=True).filter(pk=workspace_id).first()
        if counter is None:
            return 0
        waiting = WebhookEvent.objects.filter(workspace=workspace_id, fanned_out_at=None)
        events = list(waiting.order_by("created_at", "pk")[:AT_ONCE])
        if not events:
            return 0
        now = timezone.now()
        for event in events:
            counter.last += 1
            event.sequence, event.body = counter.last, numbered(bytes(event.body), counter.last)
        counter.save(update_fields=["last"])
        _save_final(events, now)
        deliveries = list(_deliveries(workspace_id, events, now))
        WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=AT_ONCE)
    log.info("events_fanned_out", workspace_id=workspace_id, events=len(events), deliveries=len(deliveries))
    return len(events)


def _save_final(events: Sequence[WebhookEvent], now: dt.datetime) -> None:
    adapt = connection.ops.adapt_datetimefield_value
    rows = [(event.sequence, adapt(now), bytes(event.body), event.pk) for event in events]
    with connection.cursor() as cursor:
        cursor.executemany(_FINAL, rows)


def _deliveries(workspace_id: str, events: Sequence[WebhookEvent], now: dt.datetime) -> Iterator[WebhookDelivery]:
    """Yields a delivery for each event and each endpoint that wants it. An endpoint that is being disabled is waited
    for, so that nothing is queued behind its end."""
    endpoints = WebhookEndpoint.objects.receiving().filter(workspace=workspace_id).order_by("pk")
    for endpoint in endpoints.select_for_update(no_key=True, of=("self",)).defer("secret", "previous_secret"):
        types = {each.name for each in subscribed(endpoint.events, endpoint.scopes)}
        for number, event in enumerate(events):
            if event.type in types and _is_wanted(endpoint, event):
                # In the order of their numbers, also within one batch.
                due = now + dt.timedelta(microseconds=number)
                yield WebhookDelivery(
                    workspace_id=workspace_id, endpoint=endpoint, event=event, next_at=due, created_at=due
                )


def _is_wanted(endpoint: WebhookEndpoint, event: WebhookEvent) -> bool:
    return (
        not event.is_test
        and (event.has_changes or not endpoint.only_changed)
        and (not endpoint.sources or event.source in endpoint.sources)
        and event.created_at >= endpoint.created_at
    )
