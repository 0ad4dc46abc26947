"""Endpoints, events and deliveries as they are stored."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks import services
from fieldcamp.webhooks.checked_urls import CheckedUrl
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.disabling import GONE, disable
from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.recording import record_event

URL = "https://receiver.example/hooks"


def make_endpoint(
    workspace, url: str = URL, *, events=("visit.*",), scopes=SCOPES, status: str = "enabled", **values: Any
) -> WebhookEndpoint:
    """An endpoint, enabled unless told otherwise."""
    endpoint, _ = services.create_endpoint(
        workspace=workspace, url=CheckedUrl(url), events=list(events), scopes=scopes, **values
    )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(status=status)
    endpoint.refresh_from_db()
    return endpoint


def disabled(endpoint: WebhookEndpoint, reason: str = GONE) -> None:
    """Has the endpoint disabled as an answer does."""
    with transaction.atomic():
        counter = locked_counter(endpoint.workspace_id)
        disable(WebhookEndpoint.objects.get(pk=endpoint.pk), reason, counter, timezone.now())
    endpoint.refresh_from_db()


def happened(
    workspace,
    event_type: str = "visit.created",
    *,
    endpoint: WebhookEndpoint | None = None,
    state: str = WebhookDelivery.State.FAILED,
    at: dt.datetime | None = None,
    **values: Any,
) -> Any:
    """An event that was numbered and handed out; its delivery to the endpoint, where one is given."""
    event = record_event(workspace.pk, event_type, {"id": "vis_1"})
    at = at or timezone.now()
    counter, _ = EventCounter.objects.get_or_create(workspace=workspace)
    EventCounter.objects.filter(pk=counter.pk).update(last=F("last") + 1)
    WebhookEvent.objects.filter(pk=event.pk).update(created_at=at, fanned_out_at=at, sequence=counter.last + 1)
    event.refresh_from_db()
    if endpoint is None:
        return event
    return WebhookDelivery.objects.create(workspace=workspace, endpoint=endpoint, event=event, state=state, **values)
