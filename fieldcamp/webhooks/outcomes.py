"""What an attempt has come to: written once, only by whoever still holds the delivery, together with what follows for
its endpoint.

Five failures in a row, and an endpoint counts as failing: only its oldest delivery is tried, now and then, and none of
these probes uses up one of a delivery's attempts. One success ends that. Locked in this order: the endpoint, then its
deliveries.
"""

import datetime as dt
import random
from typing import Any

import structlog
from django.db import transaction

from fieldcamp.webhooks import policy
from fieldcamp.webhooks.disabling import GONE, disable
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.policy import DeliveryOutcome
from integrations.transport.webhook_client import WebhookAnswer

log = structlog.get_logger(__name__)

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
_OVER = (Status.DISABLED,)


def record(delivery: WebhookDelivery, owner: str, answer: WebhookAnswer, sent_at: dt.datetime, now: dt.datetime) -> str:
    """Writes the attempt and what follows from it; the delivery's state then. "" where the delivery is not `owner`'s
    any more: then nothing is written, and whoever took it sends it again."""
    rule = policy.rule_of(answer)
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(pk=delivery.endpoint_id)
        rows = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.SENDING, lease_owner=owner)
        current = rows.select_for_update(of=("self",)).first()
        if current is None:
            log.warning("delivery_lost", delivery_id=delivery.pk)
            return ""
        keep_attempt(current, answer, sent_at)
        values: dict[str, Any] = {"last_status": answer.status, "last_error": answer.error}
        if rule.outcome is DeliveryOutcome.DELIVERED:
            values |= _ended(State.DELIVERED, now) | {"attempts": current.attempts + 1}
            _succeeded(endpoint, now)
        else:
            values |= _after_failure(current, endpoint, answer, now)
            if rule.counts_as_failure:
                _failed(endpoint, now)
            if rule.outcome is DeliveryOutcome.PACED:
                endpoint.paced_until = policy.asked_to_wait(answer, now) or now + policy.SHORTEST_PACE
        rows.update(lease_owner="", lease_until=None, **values)
        endpoint.save(update_fields=_ENDPOINT_FIELDS)
        if rule.outcome is DeliveryOutcome.GONE and endpoint.status not in _OVER:
            disable(endpoint, GONE, now)
    return str(values["state"])


_ENDPOINT_FIELDS = (
    "status", "failures", "failing_since", "probe_at", "probes", "told", "disable_at", "paced_until",
    "last_delivered_at",
)  # fmt: skip


def keep_attempt(delivery: WebhookDelivery, answer: WebhookAnswer, sent_at: dt.datetime) -> DeliveryAttempt:
    """Writes the attempt down; numbers go on over probes, which are no attempts of the schedule."""
    return DeliveryAttempt.objects.create(
        delivery=delivery,
        number=DeliveryAttempt.objects.filter(delivery=delivery).count() + 1,
        at=sent_at,
        ms=answer.ms,
        status=answer.status,
        error=answer.error,
        excerpt=answer.excerpt,
    )


def _ended(state: str, now: dt.datetime) -> dict[str, Any]:
    return {"state": state, "next_at": None, "finished_at": now}


def _after_failure(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, answer: WebhookAnswer, now: dt.datetime
) -> dict[str, Any]:
    """Returns what becomes of a delivery that was not accepted."""
    if endpoint.status in _OVER or endpoint.deleted_at:
        return _ended(State.SKIPPED, now)
    if endpoint.status == Status.FAILING:
        return {"state": State.PENDING}  # a probe: it keeps its place and its attempts
    attempts = delivery.attempts + 1
    due = policy.next_attempt(attempts, now, random.random())  # noqa: S311  (no secret)
    if due is None:
        return {**_ended(State.FAILED, now), "attempts": attempts}
    if answer.status in (429, 503) and (asked := policy.asked_to_wait(answer, now)):
        due = max(due, asked)
    return {"state": State.PENDING, "attempts": attempts, "next_at": due}


def _succeeded(endpoint: WebhookEndpoint, now: dt.datetime) -> None:
    """Ends what was wrong with the endpoint: what waits for it goes on at once, also what had to wait for long."""
    endpoint.last_delivered_at = now
    endpoint.failures = endpoint.probes = 0
    endpoint.failing_since = endpoint.probe_at = endpoint.disable_at = None
    endpoint.told = []
    if endpoint.status == Status.FAILING:
        endpoint.status = Status.ENABLED
        WebhookDelivery.objects.filter(endpoint=endpoint, state=State.PENDING, next_at__gt=now).update(next_at=now)
        log.info("webhook_recovered", webhook_id=endpoint.pk, workspace_id=endpoint.workspace_id)


def _failed(endpoint: WebhookEndpoint, now: dt.datetime) -> None:
    endpoint.failures += 1
    if endpoint.failing_since is None:
        endpoint.failing_since, endpoint.told, endpoint.disable_at = now, [], None
    spread = random.random()  # noqa: S311  (no secret)
    if endpoint.status == Status.FAILING:
        endpoint.probes += 1
        endpoint.probe_at = policy.next_probe(endpoint.probes, now, spread)
    elif endpoint.status == Status.ENABLED and endpoint.failures >= policy.FAILURES_TO_PROBE:
        endpoint.status, endpoint.probes = Status.FAILING, 0
        endpoint.probe_at = policy.next_probe(0, now, spread)
        log.warning("webhook_failing", webhook_id=endpoint.pk, workspace_id=endpoint.workspace_id)
