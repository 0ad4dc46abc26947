"""One attempt: read, sign, send, write down. No transaction is open while it is sent.

Whoever dies between sending and writing has sent what is sent again once the lease has ended: with the same id.
"""

import datetime as dt
from dataclasses import dataclass

import structlog
from django.utils import timezone

from fieldcamp.encryption import DecryptionError
from fieldcamp.webhooks import outcomes, signing
from fieldcamp.webhooks.addresses import address_rules
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery
from integrations.transport.webhook_client import WebhookAnswer, post

log = structlog.get_logger(__name__)

# Our own fault: tried again, and not held against the endpoint.
OWN_FAULT_PAUSE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SentAttempt:
    """What became of an attempt: the delivery's state then ("" where it was somebody else's by then), the answer."""

    state: str
    answer: WebhookAnswer


def deliver(delivery_id: str, owner: str) -> SentAttempt | None:
    """Makes one attempt of a delivery that `owner` has claimed; None where nothing could be sent."""
    delivery = _claimed(delivery_id, owner)
    if delivery is None:
        return None
    if not _may_be_sent(delivery):
        _skip(delivery_id, owner)
        return None
    number = DeliveryAttempt.objects.filter(delivery=delivery_id).count() + 1
    sent_at = timezone.now()
    try:
        answer = send(delivery, number, sent_at)
    except Exception as error:  # our own: a lost encryption key, a body that cannot be read
        log.error("delivery_not_sent", delivery_id=delivery_id, error=type(error).__name__)
        _put_off(delivery_id, owner)
        return None
    state = outcomes.record(delivery, owner, answer, sent_at, timezone.now())
    log.info(
        "delivery_tried",
        delivery_id=delivery_id,
        webhook_id=delivery.endpoint_id,
        status=answer.status,
        error=answer.error,
        ms=answer.ms,
        state=state,
    )
    return SentAttempt(state, answer)


def send(delivery: WebhookDelivery, number: int, now: dt.datetime) -> WebhookAnswer:
    """Signs and sends once, with timestamp and signatures of now."""
    endpoint = delivery.endpoint
    body = signing.body_of(endpoint, delivery.event)
    headers = signing.headers_of(delivery, endpoint, body, attempt=number, now=now)
    return post(endpoint.url, body, headers, address_rules())


def _claimed(delivery_id: str, owner: str) -> WebhookDelivery | None:
    mine = WebhookDelivery.objects.filter(pk=delivery_id, state=WebhookDelivery.State.SENDING, lease_owner=owner)
    try:
        return mine.filter(lease_until__gt=timezone.now()).select_related("endpoint", "event").first()
    except DecryptionError:
        log.error("webhook_secret_unreadable", delivery_id=delivery_id)
        _put_off(delivery_id, owner)
        return None


def _may_be_sent(delivery: WebhookDelivery) -> bool:
    """Returns whether the endpoint's scopes allow the event now: they may have changed while it was on its way to the
    address of before, and came back from there."""
    return delivery.event.is_test or EVENT_TYPES[delivery.event.type].scope in delivery.endpoint.scopes


def _skip(delivery_id: str, owner: str) -> None:
    mine = WebhookDelivery.objects.filter(pk=delivery_id, state=WebhookDelivery.State.SENDING, lease_owner=owner)
    skipped = {"state": WebhookDelivery.State.SKIPPED, "next_at": None, "finished_at": timezone.now()}
    mine.update(**skipped, lease_owner="", lease_until=None)


def _put_off(delivery_id: str, owner: str) -> None:
    mine = WebhookDelivery.objects.filter(pk=delivery_id, state=WebhookDelivery.State.SENDING, lease_owner=owner)
    later = timezone.now() + OWN_FAULT_PAUSE
    mine.update(state=WebhookDelivery.State.PENDING, next_at=later, lease_owner="", lease_until=None)
