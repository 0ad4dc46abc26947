"""Taking deliveries to send: turn by turn by endpoint, never by who has most.

The endpoint's row is the lock: how many are on their way at once, and that of one record never two are, holds however
many supervisors there are. What a dead one had taken is free again when its lease ends.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.policy import IN_FLIGHT, LEASE

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
# Looked at for one that may go: those of records that are on their way wait.
_LOOKED_AT = 20


def due_endpoints(now: dt.datetime) -> QuerySet[WebhookEndpoint]:
    """Returns the endpoints that something may be sent to now. One look into an index for each endpoint, whatever waits
    behind it."""
    waiting = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=State.PENDING)
    due = Q(status=Status.ENABLED) & Exists(waiting.filter(next_at__lte=now))
    probed = Q(status=Status.FAILING, probe_at__lte=now) & Exists(waiting)
    paced = Q(paced_until=None) | Q(paced_until__lte=now)
    rows = WebhookEndpoint.objects.alive().filter(due | probed, paced)
    return rows.order_by("pk").only("pk", "workspace_id", "status", "max_per_second", "last_delivered_at", "failures")


def claim(endpoint_id: str, owner: str, now: dt.datetime, most: int = IN_FLIGHT) -> list[str]:
    """Takes up to `most` deliveries of the endpoint, the oldest first, and returns their ids; none where enough are on
    their way already. Of a failing endpoint one is taken, as a probe, however long it would have to wait still;
    one that fails goes behind the others."""
    with transaction.atomic():
        rows = WebhookEndpoint.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        endpoint = rows.filter(pk=endpoint_id, deleted_at=None).only("status", "probe_at", "paced_until").first()
        if endpoint is None or not _may_be_sent_to(endpoint, now):
            return []
        mine = WebhookDelivery.objects.filter(endpoint=endpoint_id)
        sending = list(mine.filter(state=State.SENDING).values_list("event__record_id", flat=True))
        limit = 1 if endpoint.status == Status.FAILING else IN_FLIGHT
        free = min(limit - len(sending), most)
        if free <= 0:
            return []
        waiting = mine.filter(state=State.PENDING).order_by("next_at", "pk")
        if endpoint.status != Status.FAILING:
            waiting = waiting.filter(next_at__lte=now)
        chosen = _of_different_records(waiting.values_list("pk", "event__record_id")[:_LOOKED_AT], sending, free)
        mine.filter(pk__in=chosen).update(state=State.SENDING, lease_owner=owner, lease_until=now + LEASE)
        return chosen


def _may_be_sent_to(endpoint: WebhookEndpoint, now: dt.datetime) -> bool:
    if endpoint.paced_until and endpoint.paced_until > now:
        return False
    if endpoint.status == Status.FAILING:
        return endpoint.probe_at is None or endpoint.probe_at <= now
    return endpoint.status == Status.ENABLED


def _of_different_records(rows: Iterable[tuple[str, str]], sending: Sequence[str], most: int) -> list[str]:
    """Returns the first ids of which no record is on its way, and of no record two."""
    busy = {*sending} - {""}
    chosen: list[str] = []
    for delivery_id, record_id in rows:
        if len(chosen) < most and record_id not in busy:
            chosen.append(delivery_id)
            busy |= {record_id} - {""}
    return chosen


def free_lost(now: dt.datetime) -> int:
    """Has what nobody sends any more sent again: whoever had taken it has died, before it was sent or after. How many.
    A test is nobody's to send again, and what belongs to no endpoint any more is not sent."""
    lost = WebhookDelivery.objects.filter(state=State.SENDING, lease_until__lte=now)
    keys = list(lost.order_by("pk").values_list("pk", flat=True)[:500])
    if not keys:
        return 0
    rows = WebhookDelivery.objects.filter(pk__in=keys, state=State.SENDING, lease_until__lte=now)
    free = {"lease_owner": "", "lease_until": None}
    ended = {**free, "next_at": None, "finished_at": now}
    tests = rows.filter(event__is_test=True).update(state=State.FAILED, last_error="TIMEOUT", **ended)
    over = Q(endpoint__status=Status.DISABLED) | Q(endpoint__deleted_at__isnull=False)
    skipped = rows.filter(over).update(state=State.SKIPPED, **ended)
    return tests + skipped + rows.update(state=State.PENDING, **free)


def hand_back(owner: str) -> int:
    """Frees what this process has taken and not sent; how many."""
    mine = WebhookDelivery.objects.filter(state=State.SENDING, lease_owner=owner)
    return mine.update(state=State.PENDING, lease_owner="", lease_until=None)
