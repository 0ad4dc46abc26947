"""What an endpoint misses while it is disabled: remembered by the events' numbers, queued when somebody asks for it.

The numbers are those that the counter says under its lock (`counters.locked_counter`), so an event is either handed to
the endpoint or missed, whoever hands events out at the same time.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.subscriptions import subscribed

MOST = 10_000  # deliveries that one request queues
_AT_ONCE = 500
_STEP = dt.timedelta(microseconds=1)
_SKEW = dt.timedelta(seconds=10)  # between the clocks of machines
State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class MissedEvents:
    """How many missed events were queued, and how many more there are: they are kept, for whoever asks again."""

    queued: int = 0
    left: int = 0


def begin_missing(endpoint: WebhookEndpoint, counter: EventCounter, now: dt.datetime) -> None:
    """Remembers from where on the endpoint misses events. What it has missed before and was not sent stays so. The
    caller saves it."""
    if endpoint.missed_since is None:
        endpoint.missed_since, endpoint.missed_after = now, counter.last
    endpoint.missed_until = None


def forget_missed(endpoint: WebhookEndpoint) -> None:
    """Has it that nothing was missed. The caller saves it."""
    endpoint.missed_since = endpoint.missed_after = endpoint.missed_until = None


def queue_missed(endpoint: WebhookEndpoint, counter: EventCounter) -> MissedEvents:
    """Queues what the locked endpoint has missed: what waited when it was disabled, and what happened after that. The
    oldest ones, up to MOST; the endpoint remembers what is left. The caller saves it."""
    if endpoint.missed_since is None or endpoint.missed_after is None:
        return MissedEvents()
    if endpoint.missed_until is None:
        endpoint.missed_until = counter.last
    types = [each.name for each in subscribed(endpoint.events, endpoint.scopes)]
    skipped = _skipped(endpoint, types, endpoint.missed_since)
    keys = list(skipped.order_by("event__sequence", "pk").values_list("pk", flat=True)[:MOST])
    for start in range(0, len(keys), _AT_ONCE):
        part = WebhookDelivery.objects.filter(pk__in=keys[start : start + _AT_ONCE], state=State.SKIPPED)
        # In the place that each of them had.
        part.update(state=State.PENDING, next_at=F("created_at"), finished_at=None, attempts=0, last_error="")
    unsent = _unsent(endpoint, types).order_by("sequence").only("pk", "workspace_id", "sequence")
    missed = list(unsent[: MOST - len(keys)])
    queue_in_order([WebhookDelivery(workspace_id=each.workspace_id, endpoint=endpoint, event=each) for each in missed])
    if missed:
        endpoint.missed_after = missed[-1].sequence
    queued = len(keys) + len(missed)
    left = 0 if queued < MOST else skipped.count() + _unsent(endpoint, types).count()
    if not left:
        forget_missed(endpoint)
    return MissedEvents(queued, left)


def queue_in_order(deliveries: list[WebhookDelivery]) -> None:
    """Inserts them as due now, one after the other, also within one batch."""
    now = timezone.now()
    for number, each in enumerate(deliveries):
        each.next_at = each.created_at = now + number * _STEP
    WebhookDelivery.objects.bulk_create(deliveries, batch_size=_AT_ONCE)


def _skipped(endpoint: WebhookEndpoint, types: list[str], since: dt.datetime) -> QuerySet[WebhookDelivery]:
    """Returns what was not sent since then, and was not replayed since."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.SKIPPED, event__type__in=types)
    replays = WebhookDelivery.objects.filter(replay_of=OuterRef("pk"))
    settled = replays.filter(state__in=(State.PENDING, State.SENDING, State.DELIVERED))
    return rows.filter(~Exists(settled), finished_at__gte=since - _SKEW)


def _unsent(endpoint: WebhookEndpoint, types: list[str]) -> QuerySet[WebhookEvent]:
    """Returns the events that it would have been sent, and of which it has no delivery."""
    own = WebhookDelivery.objects.filter(endpoint=endpoint, event=OuterRef("pk"), replay_of=None)
    events = WebhookEvent.objects.filter(
        ~Exists(own),
        workspace=endpoint.workspace_id,
        type__in=types,
        is_test=False,
        created_at__gte=endpoint.created_at,
        sequence__gt=endpoint.missed_after,
        sequence__lte=endpoint.missed_until,
    )
    if endpoint.only_changed:
        events = events.filter(has_changes=True)
    return events.filter(source__in=endpoint.sources) if endpoint.sources else events
