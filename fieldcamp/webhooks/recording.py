"""Writing events down, in the transaction of what happened: a rollback leaves none, a crash after the commit loses
none. Handing them to endpoints is another step."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from fieldcamp.webhooks.event_types import API_VERSION, EVENT_TYPES
from fieldcamp.webhooks.models import WebhookEvent

# What stands in a body until the event has its number; nothing that a caller gives comes before it.
UNNUMBERED = b'"sequence":null,'
_AT_ONCE = 500
LARGEST = 262_144  # bytes of a body; of what is larger the id is told, and the rest is to be had from the API


def record_event(workspace_id: str, event_type: str, snapshot: Mapping[str, Any], **facts: Any) -> WebhookEvent:
    """Returns the new event, written; arguments as of `new_event`. Call it inside the transaction of the change."""
    event = new_event(workspace_id, event_type, snapshot, **facts)
    event.save(force_insert=True)
    return event


def record_events(events: Iterable[WebhookEvent]) -> None:
    """Writes many events of `new_event` at once. Call it inside the transaction of the changes."""
    found = list(events)
    if len(found) == 1:
        found[0].save(force_insert=True)
    else:
        WebhookEvent.objects.bulk_create(found, batch_size=_AT_ONCE)


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
    is_test: bool = False,
) -> WebhookEvent:
    """Returns an event that is still to be written. `snapshot` is the resource as its own API shows it, JSON's types
    only; `previous` holds the old values of those of its fields that changed. One that would be larger than `LARGEST`
    has the id alone, and `truncated`. ValueError for a type that there is not."""
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type} is not a type of event.")
    event = WebhookEvent(
        workspace_id=workspace_id,
        type=event_type,
        record_id=record_id,
        source=source,
        has_changes=has_changes,
        is_test=is_test,
        created_at=timezone.now(),
    )
    content: dict[str, Any] = {"object": snapshot}
    if previous is not None:
        content["previous_attributes"] = previous
    at = event.created_at.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    body = {
        "id": event.pk,
        "type": event_type,
        "created_at": at.replace("+00:00", "Z"),
        "api_version": API_VERSION,
        "workspace_id": workspace_id,
        "sequence": None,
        "source": {
            "kind": source,
            "integration": integration,
            "job_id": job_id,
            "actor": actor,
            "request_id": request_id,
        },
        **({"test": True} if is_test else {}),
        "data": content,
    }
    event.body = JSON.render(body)
    if len(event.body) > LARGEST:
        event.body = JSON.render({**body, "data": {"object": {"id": snapshot.get("id")}, "truncated": True}})
    return event


def numbered(body: bytes, number: int) -> bytes:
    """Returns the body with the event's number: its final bytes."""
    return body.replace(UNNUMBERED, b'"sequence":%d,' % number, 1)


class _Json(JSONRenderer):
    """The API's own writer, with no choice of spaces: what a webhook says is byte for byte what a GET answers."""

    def get_indent(self, accepted_media_type: str, renderer_context: Any) -> None:
        return None


JSON = _Json()
