"""Test deliveries: sent at once, while whoever asks waits, with an event that nothing has happened for.

A test is signed and sent as everything else, once. It is kept with the deliveries, counts for nothing, and nobody sends
it again.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from fieldcamp.encryption import DecryptionError
from fieldcamp.webhooks import policy, sending
from fieldcamp.webhooks.catalogue import object_example, previous_example
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.enabling import confirm
from fieldcamp.webhooks.errors import TooManyTests
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.outcomes import keep_attempt
from fieldcamp.webhooks.recording import new_event
from fieldcamp.webhooks.subscriptions import ON_REQUEST
from integrations.transport.webhook_client import WebhookAnswer

State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What became of a test: `status` is what was answered (None where nothing was, then `error` is one of our words),
    `ms` how long that took, `excerpt` the beginning of the answer; `enabled` whether it has enabled the endpoint."""

    __test__ = False  # nothing of pytest's

    event_id: str
    delivered: bool
    status: int | None
    error: str
    ms: int
    excerpt: str
    enabled: bool


def send_test(endpoint: WebhookEndpoint, event_type: str = ON_REQUEST) -> TestOutcome:
    """Sends a test of this type and returns what became of it; one that is accepted enables a pending endpoint.
    Raises TooManyTests while two of the company's are on their way.

    It waits for the server, twenty seconds at most: no transaction may be open.
    """
    owner = f"test:{uuid.uuid4().hex[:12]}"
    delivery = _begun(endpoint, event_type, owner)
    sent_at = timezone.now()
    try:
        answer = sending.send(delivery, 1, sent_at)
    except (DecryptionError, ValueError):  # our own fault: the secret cannot be read
        answer = WebhookAnswer(0, error="INTERNAL")
    _end(delivery, owner, answer, sent_at)
    enabled = answer.is_accepted and confirm(endpoint)
    return TestOutcome(
        event_id=delivery.event_id,
        delivered=answer.is_accepted,
        status=answer.status,
        error=answer.error,
        ms=answer.ms,
        excerpt=answer.excerpt,
        enabled=enabled,
    )


def _begun(endpoint: WebhookEndpoint, event_type: str, owner: str) -> WebhookDelivery:
    """Writes the test down as one that is on its way, under the company's lock."""
    workspace_id, now = endpoint.workspace_id, timezone.now()
    example, previous = object_example(EVENT_TYPES[event_type]), previous_example(EVENT_TYPES[event_type])
    event = new_event(
        workspace_id, event_type, example, previous=previous, source=WebhookEvent.Source.SYSTEM, is_test=True
    )
    event.fanned_out_at = now  # by hand: no other endpoint gets it
    with transaction.atomic():
        locked_counter(workspace_id)
        if _on_their_way(workspace_id, now) >= policy.TESTS_AT_ONCE:
            raise TooManyTests(f"{policy.TESTS_AT_ONCE} tests are on their way already. Wait for their outcome.")
        event.save(force_insert=True)
        return WebhookDelivery.objects.create(
            workspace_id=workspace_id,
            endpoint=endpoint,
            event=event,
            state=State.SENDING,
            lease_owner=owner,
            lease_until=now + policy.LEASE,
        )


def _on_their_way(workspace_id: str, now: dt.datetime) -> int:
    """Returns how many tests are. Read by the index of leases, which only what is being sent has."""
    sending_now = WebhookDelivery.objects.filter(state=State.SENDING, lease_until__gt=now)
    return sending_now.filter(workspace=workspace_id, lease_owner__startswith="test:").count()


def _end(delivery: WebhookDelivery, owner: str, answer: WebhookAnswer, sent_at: dt.datetime) -> None:
    state = State.DELIVERED if answer.is_accepted else State.FAILED
    ended = {"lease_owner": "", "lease_until": None, "finished_at": timezone.now(), "attempts": 1}
    with transaction.atomic():
        mine = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.SENDING, lease_owner=owner)
        if mine.update(state=state, last_status=answer.status, last_error=answer.error, **ended):
            keep_attempt(delivery, answer, sent_at)
