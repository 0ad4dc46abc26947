"""Writing events down, in the transaction of what happened: a rollback leaves none, a crash after the commit loses
none. Handing them to endpoints is another step."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from fieldcamp.webhooks.event_types import API_VERSION, EVENT_TYPES
from fieldcamp.webhooks.models import WebhookEvent


def record_event(workspace_id: str, event_type: str, snapshot: Mapping[str, Any], **facts: Any) -> WebhookEvent:
    """Returns the new event, written; arguments as of `new_event`. Call it inside the transaction of the change."""
    event = new_event(workspace_id, event_type, snapshot, **facts)
    event.save(force_insert=True)
    return event


def record_events(events: Iterable[WebhookEvent]) -> None:
    """Writes many events of `new_event` at once. Call it inside the transaction of the changes."""
    WebhookEvent.objects.bulk_create(events, batch_size=500)


def new_event(
    workspace_id: str,
    event_type: str,
    snapshot: Mapping[str, Any],
    *,
    previous: Mapping[str, Any] | None = None,
    record_id: str = "",
    source: str = WebhookEvent.Source.SYSTEM,
    integration: str | None = None,
    job_id: str | None = None,
    actor: str | None = None,
    request_id: str | None = None,
    has_changes: bool = True,
) -> WebhookEvent:
    """Returns an event that is still to be written. `snapshot` is the resource as its own API shows it, JSON's types
    only; `previous` holds the old values of those of its fields that changed."""
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type} is not a type of event.")
    event = WebhookEvent(
        workspace_id=workspace_id,
        type=event_type,
        record_id=record_id,
        source=source,
        has_changes=has_changes,
        created_at=timezone.now(),
    )
    content: dict[str, Any] = {"object": snapshot}
    if previous is not None:
        content["previous_attributes"] = previous
    body = {
        "id": event.pk,
        "type": event_type,
        "created_at": event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "api_version": API_VERSION,
        "workspace_id": workspace_id,
        "source": {
            "kind": source,
            "integration": integration,
            "job_id": job_id,
            "actor": actor,
            "request_id": request_id,
        },
        "data": content,
    }
    event.body = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return event
