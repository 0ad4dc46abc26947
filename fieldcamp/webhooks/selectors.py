"""What is read of endpoints and their deliveries."""

import datetime as dt
from collections.abc import Collection

from django.db.models import QuerySet

from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.workspace.models import Workspace


def endpoints(workspace: Workspace) -> QuerySet[WebhookEndpoint]:
    """Returns the workspace's endpoints that are not deleted."""
    return WebhookEndpoint.objects.alive().filter(workspace=workspace)


def deliveries(
    endpoint: WebhookEndpoint,
    *,
    states: Collection[str] = (),
    event_type: str = "",
    event_id: str = "",
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
    return found.filter(created_at__gte=since) if since else found
