"""One attempt: read, sign, send, write down. No transaction is open while it is sent.

Whoever dies between sending and writing has sent what is sent again once the lease has ended: with the same id.
"""

import datetime as dt
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.encryption import DecryptionError
from fieldcamp.webhooks import outcomes, signing
from fieldcamp.webhooks.addresses import address_rules
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from integrations.transport.webhook_client import WebhookAnswer, post

log = structlog.get_logger(__name__)

State = WebhookDelivery.State
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
    """Returns the delivery, with its endpoint as it is now; None where it is not to be sent there any more."""
    mine = _mine(delivery_id, owner)
    try:
        found = mine.filter(lease_until__gt=timezone.now()).select_related("endpoint", "event").first()
    except DecryptionError:
        log.error("webhook_secret_unreadable", delivery_id=delivery_id)
        _put_off(delivery_id, owner)
        return None
    if found and found.endpoint.status == WebhookEndpoint.Status.PENDING:
        # Its address was changed after the delivery was taken: nobody has accepted a test there.
        mine.update(state=State.PENDING, lease_owner="", lease_until=None)
        return None
    return found


def _mine(delivery_id: str, owner: str) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(pk=delivery_id, state=State.SENDING, lease_owner=owner)


def _may_be_sent(delivery: WebhookDelivery) -> bool:
    """Returns whether the endpoint's scopes allow the event now: they may have changed while it was on its way to the
    address of before, and came back from there."""
    return delivery.event.is_test or EVENT_TYPES[delivery.event.type].scope in delivery.endpoint.scopes


def _skip(delivery_id: str, owner: str) -> None:
    skipped = {"state": State.SKIPPED, "next_at": None, "finished_at": timezone.now()}
    _mine(delivery_id, owner).update(**skipped, lease_owner="", lease_until=None)


def _put_off(delivery_id: str, owner: str) -> None:
    """Has it tried again later, and where its endpoint is failing, whichever is its next probe."""
    later = timezone.now() + OWN_FAULT_PAUSE
    with transaction.atomic():
        rows = WebhookEndpoint.objects.filter(deliveries=delivery_id).select_for_update(no_key=True, of=("self",))
        endpoint = rows.only("status").first()  # without its secrets: they may be what cannot be read
        if endpoint is None:
            return
        put_off = _mine(delivery_id, owner).update(state=State.PENDING, next_at=later, lease_owner="", lease_until=None)
        if put_off and endpoint.status == WebhookEndpoint.Status.FAILING:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(probe_at=later)
