"""What an attempt has come to: written once, only by whoever still holds the delivery, together with what follows for
its endpoint.

Five failures in a row, and an endpoint counts as failing: one delivery is tried now and then, and none of these probes
uses up one of a delivery's attempts. Which one goes round, the oldest first, so that one that is always refused keeps
nobody waiting. One success ends that. Locked in this order: the company's counter where the endpoint is disabled, the
endpoint, its deliveries.
"""

import datetime as dt
import random
from typing import Any

import structlog
from django.db import transaction

from fieldcamp.webhooks import policy
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.disabling import GONE, disable
from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.policy import DeliveryOutcome
from fieldcamp.webhooks.waiting import pull_forward
from integrations.transport.webhook_client import WebhookAnswer

log = structlog.get_logger(__name__)

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
_OVER = (Status.DISABLED,)


def record(delivery: WebhookDelivery, owner: str, answer: WebhookAnswer, sent_at: dt.datetime, now: dt.datetime) -> str:
    """Writes the attempt and what follows from it; the delivery's state then. "" where the delivery is not `owner`'s
    any more: then nothing is written, and whoever took it sends it again.

    `delivery.endpoint` is as it was sent to. Where its address has been changed meanwhile, the answer says nothing of
    the new one: what was accepted is delivered, all else waits for the new address.
    """
    rule = policy.rule_of(answer)
    with transaction.atomic():
        # Before the endpoint: it is about to be disabled.
        counter = locked_counter(delivery.workspace_id) if rule.outcome is DeliveryOutcome.GONE else None
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(pk=delivery.endpoint_id)
        rows = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.SENDING, lease_owner=owner)
        current = rows.select_for_update(of=("self",)).first()
        if current is None:
            log.warning("delivery_lost", delivery_id=delivery.pk)
            return ""
        keep_attempt(current, answer, sent_at)
        values: dict[str, Any] = {"last_status": answer.status, "last_error": answer.error}
        is_about_it = endpoint.url == delivery.endpoint.url and endpoint.status != Status.PENDING
        if rule.outcome is DeliveryOutcome.DELIVERED:
            values |= _ended(State.DELIVERED, now) | {"attempts": current.attempts + 1}
        elif endpoint.status in _OVER or endpoint.deleted_at:
            values |= _ended(State.SKIPPED, now)
        elif is_about_it:
            values |= _after_failure(current, endpoint, answer, now)
        else:
            values |= {"state": State.PENDING}
        if is_about_it:
            _judge(endpoint, answer, rule, now)
            endpoint.save(update_fields=_ENDPOINT_FIELDS)
            if endpoint.status == Status.FAILING and values["state"] == State.PENDING:
                values["next_at"] = now  # behind all that waits: others have their turn first
        rows.update(lease_owner="", lease_until=None, **values)
        if counter and is_about_it and endpoint.status not in _OVER:
            disable(endpoint, GONE, counter, now)
    return str(values["state"])


def _judge(endpoint: WebhookEndpoint, answer: WebhookAnswer, rule: policy.Rule, now: dt.datetime) -> None:
    """Does what the answer means for the endpoint, and for what waits for it."""
    if rule.outcome is DeliveryOutcome.DELIVERED:
        _succeeded(endpoint, now)
        return
    was_probe = endpoint.status == Status.FAILING
    if rule.counts_as_failure:
        _failed(endpoint, now)
    if endpoint.status == Status.FAILING:
        # After whatever kind of refusal: a probe that is not put off is made again at once.
        endpoint.probes += was_probe
        endpoint.probe_at = policy.next_probe(endpoint.probes, now, random.random())  # noqa: S311  (no secret)
    if rule.outcome is DeliveryOutcome.PACED:
        shortest = now + policy.SHORTEST_PACE
        endpoint.paced_until = max(policy.asked_to_wait(answer, now) or shortest, shortest)


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
    if endpoint.status == Status.FAILING:
        return {"state": State.PENDING}  # a probe: it keeps its attempts
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
        pull_forward(endpoint.pk, now)
        log.info("webhook_recovered", webhook_id=endpoint.pk, workspace_id=endpoint.workspace_id)


def _failed(endpoint: WebhookEndpoint, now: dt.datetime) -> None:
    endpoint.failures += 1
    if endpoint.failing_since is None:
        endpoint.failing_since, endpoint.told, endpoint.disable_at = now, [], None
    if endpoint.status == Status.ENABLED and endpoint.failures >= policy.FAILURES_TO_PROBE:
        endpoint.status, endpoint.probes = Status.FAILING, 0
        pull_forward(endpoint.pk, now)
        log.warning("webhook_failing", webhook_id=endpoint.pk, workspace_id=endpoint.workspace_id)
