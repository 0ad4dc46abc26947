"""How deliveries stand, over all companies: for `/metrics`, the health page and the doctor. A few queries by index,
whatever has piled up."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min

from fieldcamp.webhooks.models import DeliveryTotal, WebhookDelivery, WebhookEndpoint, WebhookEvent

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
# Later than this no event is handed out where the process runs. (Deliveries may wait for longer: webhooks say how many
# a second they take.)
LATE = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class DeliveryFigures:
    """`pending` has how many deliveries wait by the state of their webhook; `oldest_due` since when the one waits that
    could be sent and is not, `oldest_event` since when an event waits to be handed out."""

    pending: dict[str, int]
    endpoints: dict[str, int]
    oldest_due: dt.timedelta | None
    oldest_event: dt.timedelta | None

    @property
    def is_late(self) -> bool:
        """Returns whether the process that sends is behind, or not running."""
        return self.oldest_event is not None and self.oldest_event > LATE


def figures(now: dt.datetime) -> DeliveryFigures:
    """Returns how it stands now."""
    waiting = WebhookDelivery.objects.filter(state__in=(State.PENDING, State.SENDING), endpoint__deleted_at=None)
    pending = dict(waiting.order_by().values_list("endpoint__status").annotate(number=Count("pk")))
    endpoints = dict(WebhookEndpoint.objects.alive().order_by().values_list("status").annotate(number=Count("pk")))
    due = waiting.filter(state=State.PENDING, endpoint__status=Status.ENABLED, endpoint__paced_until=None)
    oldest = due.filter(next_at__lte=now).aggregate(at=Min("next_at"))["at"]
    event = WebhookEvent.objects.filter(fanned_out_at=None).aggregate(at=Min("created_at"))["at"]
    return DeliveryFigures(
        pending=pending,
        endpoints=endpoints,
        oldest_due=now - oldest if oldest else None,
        oldest_event=now - event if event else None,
    )


def totals() -> dict[str, tuple[int, float]]:
    """Returns how many attempts have come to what since ever, and how many seconds they took together."""
    return {row.outcome: (row.count, row.seconds) for row in DeliveryTotal.objects.order_by("outcome")}
