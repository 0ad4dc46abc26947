"""Sending again: one delivery, those of a range of time, and what an endpoint missed while it was disabled.

A replay is a delivery of its own with the same event: its id and its bytes stay, its timestamp and signature are new.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from fieldcamp.webhooks.missing import MOST, queue_in_order
from fieldcamp.webhooks.models import RECEIVING, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.subscriptions import subscribed
from fieldcamp.webhooks.waiting import first_place
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition

State = WebhookDelivery.State
_WAITING = (State.PENDING, State.SENDING)
FAILED, ALL = "failed", "all"
TEST_FIRST = "Send a test first: this webhook is enabled when its server accepts one."
DISABLED = "This webhook is disabled. Enable it first."


@dataclass(frozen=True, slots=True)
class QueuedReplays:
    """How many replays were queued; where `more` fit, the time of the first event that was left."""

    count: int
    continue_from: dt.datetime | None = None


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """Queues the delivery's event again, and returns the new delivery. One that waits for its next attempt is tried at
    once instead, and returned itself. InvalidTransition where the endpoint gets nothing, or it is being sent now."""
    now = timezone.now()
    with transaction.atomic():
        endpoint = _receiving(delivery.endpoint_id)
        current = WebhookDelivery.objects.select_for_update(of=("self",)).select_related("event").get(pk=delivery.pk)
        _check_scope(endpoint, current.event)
        if current.state == State.SENDING:
            raise InvalidTransition("This delivery is being sent at this moment. Look at its outcome first.")
        if current.state == State.PENDING:
            current.next_at = first_place(endpoint.pk, now)
            current.save(update_fields=["next_at"])
            if endpoint.probe_at:
                WebhookEndpoint.objects.filter(pk=endpoint.pk).update(probe_at=now)
            queued = current
        else:
            queued = _again(current)
            queue_in_order([queued])
        _note(endpoint, object_id=current.pk, after={"event": current.event_id, "queued": queued.pk})
    queued.endpoint = endpoint
    return queued


def replay_range(
    endpoint: WebhookEndpoint,
    since: dt.datetime,
    until: dt.datetime | None = None,
    status: str = FAILED,
    types: Collection[str] = (),
) -> QueuedReplays:
    """Queues the events again that happened from `since` to before `until` (now): those whose delivery failed or was
    not sent, or with `status` ALL every one; of `types` only, where some are named. The oldest first, up to MOST.

    What has been replayed already and waits, or was delivered so, is left out of the failed ones.
    """
    until = until or timezone.now()
    if until <= since:
        raise InvalidFields.of("until", "Must lie after since.")
    with transaction.atomic():
        current = _receiving(endpoint.pk)
        names = [each.name for each in subscribed(["*", *types], current.scopes) if not types or each.name in types]
        rows = _originals(current, status).filter(
            event__created_at__gte=since, event__created_at__lt=until, event__type__in=names
        )
        rows = rows.select_related("event").defer("event__body")
        found = list(rows.order_by("event__created_at", "pk")[: MOST + 1])
        queue_in_order([_again(each) for each in found[:MOST]])
        left = found[MOST].event.created_at if len(found) > MOST else None
        after = {"since": since, "until": until, "status": status, "types": list(types), "count": len(found[:MOST])}
        _note(current, object_id=current.pk, after=after)
    return QueuedReplays(len(found[:MOST]), left)


def _originals(endpoint: WebhookEndpoint, status: str) -> QuerySet[WebhookDelivery]:
    """Returns the first delivery of each event, of which none waits any more."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, replay_of=None, event__is_test=False)
    rows = rows.exclude(state__in=_WAITING)
    replays = WebhookDelivery.objects.filter(replay_of=OuterRef("pk"))
    if status == ALL:
        return rows.exclude(Exists(replays.filter(state__in=_WAITING)))
    settled = replays.filter(Q(state__in=_WAITING) | Q(state=State.DELIVERED))
    return rows.filter(state__in=(State.FAILED, State.SKIPPED)).exclude(Exists(settled))


def _again(delivery: WebhookDelivery) -> WebhookDelivery:
    return WebhookDelivery(
        workspace_id=delivery.workspace_id,
        endpoint_id=delivery.endpoint_id,
        event=delivery.event,
        replay_of_id=delivery.replay_of_id or delivery.pk,
    )


def _receiving(endpoint_id: str) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.alive().select_for_update(of=("self",)).select_related("workspace")
    endpoint = found.get(pk=endpoint_id)
    if endpoint.status == WebhookEndpoint.Status.PENDING:
        raise InvalidTransition(TEST_FIRST)
    if endpoint.status not in RECEIVING:
        raise InvalidTransition(DISABLED)
    return endpoint


def _check_scope(endpoint: WebhookEndpoint, event: WebhookEvent) -> None:
    """Raises where the endpoint may not be sent the event any more: a replay goes to where it leads now."""
    if event.is_test:
        raise InvalidTransition("A test is not sent again. Send another one.")
    if event.type not in {each.name for each in subscribed(["*", event.type], endpoint.scopes)}:
        raise InvalidTransition("This webhook may not be sent events of this type any more.")


def _note(endpoint: WebhookEndpoint, *, object_id: str, after: dict) -> None:
    audit("webhook.replayed", workspace_id=endpoint.workspace_id, object_id=object_id, after=after)
