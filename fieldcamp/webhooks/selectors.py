"""What is read of endpoints and their deliveries."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from fieldcamp.webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.models import Workspace

_DAY = dt.timedelta(days=1)
_TIMED = (
    500  # accepted attempts of deliveries of the last day that the time of an endpoint is taken from, the newest ones
)
State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class EndpointStats:
    """What became of an endpoint's deliveries in the last 24 hours, and in how many milliseconds its server answered
    nineteen of twenty; None where it accepted none."""

    delivered: int = 0
    failed: int = 0
    p95_ms: int | None = None


def endpoints(workspace: Workspace) -> QuerySet[WebhookEndpoint]:
    """Returns the workspace's endpoints that are not deleted."""
    return WebhookEndpoint.objects.alive().filter(workspace=workspace)


def stats_of(found: Iterable[WebhookEndpoint]) -> dict[str, EndpointStats]:
    """Returns the numbers of each endpoint by its id: three queries, however many there are."""
    keys = [endpoint.pk for endpoint in found]
    since = timezone.now() - _DAY
    counted = (
        WebhookDelivery.objects.filter(endpoint__in=keys, finished_at__gte=since, event__is_test=False)
        .values("endpoint")
        .annotate(
            delivered=Count("pk", filter=Q(state=State.DELIVERED)), failed=Count("pk", filter=Q(state=State.FAILED))
        )
    )
    times = _p95(keys, since)
    found_counts = {row["endpoint"]: (row["delivered"], row["failed"]) for row in counted}
    return {key: EndpointStats(*found_counts.get(key, (0, 0)), times.get(key)) for key in keys}


def _p95(keys: Collection[str], since: dt.datetime) -> dict[str, int]:
    newest = (
        WebhookDelivery.objects.filter(endpoint__in=keys, created_at__gte=since, state=State.DELIVERED)
        .annotate(place=Window(RowNumber(), partition_by=F("endpoint"), order_by=[F("created_at").desc()]))
        .filter(place__lte=_TIMED)
        .order_by()
        .values_list("pk", flat=True)
    )
    accepted = DeliveryAttempt.objects.filter(delivery__in=list(newest), status__gte=200, status__lt=300)
    times: dict[str, list[int]] = defaultdict(list)
    for key, ms in accepted.order_by().values_list("delivery__endpoint", "ms"):
        times[key].append(ms)
    return {key: sorted(found)[math.ceil(len(found) * 0.95) - 1] for key, found in times.items()}


def deliveries(
    endpoint: WebhookEndpoint,
    *,
    states: Collection[str] = (),
    event_type: str = "",
    event_id: str = "",
    is_test: bool | None = None,
    since: dt.datetime | None = None,
) -> QuerySet[WebhookDelivery]:
    """Returns the endpoint's deliveries that were queued at or after `since`, of any of the `states`."""
    found = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").defer("event__body")
    if states:
        found = found.filter(state__in=states)
    if event_type:
        found = found.filter(event__type=event_type)
    if event_id:
        found = found.filter(event=event_id)
    if is_test is not None:
        found = found.filter(event__is_test=is_test)
    return found.filter(created_at__gte=since) if since else found


__all__ = ["EndpointStats", "deliveries", "endpoints", "stats_of"]
