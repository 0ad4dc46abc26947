"""What tests of webhooks need: endpoints, events, deliveries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from fieldcamp.api.scopes import SCOPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.recording import record_event

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # noqa: S105  (of the specification's test)


@pytest.fixture
def make_endpoint(workspace, settings) -> Callable[..., WebhookEndpoint]:
    """Makes an enabled endpoint that is sent everything; private addresses are allowed."""
    settings.WEBHOOK_ALLOW_PRIVATE = True

    def make(url: str = "http://127.0.0.1:9/hook", **fields: Any) -> WebhookEndpoint:
        defaults: dict[str, Any] = {
            "workspace": workspace,
            "url": url,
            "events": ["*"],
            "status": WebhookEndpoint.Status.ENABLED,
            "scopes": list(SCOPES),
            "secret": SECRET,
            "secret_hint": SECRET[-4:],
        }
        return WebhookEndpoint.objects.create(**defaults | fields)

    return make


@pytest.fixture
def make_event(workspace) -> Callable[..., WebhookEvent]:
    def make(event_type: str = "visit.updated", record_id: str = "", **fields: Any) -> WebhookEvent:
        owner = fields.pop("workspace", workspace)
        return record_event(owner.pk, event_type, {"id": record_id or "vis_1"}, record_id=record_id, **fields)

    return make


@pytest.fixture
def make_delivery(make_event) -> Callable[..., WebhookDelivery]:
    """Makes a delivery that is due, of a new event that is handed out already."""

    def make(endpoint: WebhookEndpoint, *, record_id: str = "", **fields: Any) -> WebhookDelivery:
        event = fields.pop("event", None) or make_event(workspace=endpoint.workspace, record_id=record_id)
        WebhookEvent.objects.filter(pk=event.pk).update(fanned_out_at=timezone.now())
        fields.setdefault("next_at", timezone.now())
        return WebhookDelivery.objects.create(
            workspace_id=endpoint.workspace_id, endpoint=endpoint, event=event, **fields
        )

    return make
