"""Writing events down, in the transaction of what happened: a rollback leaves none, a crash after the commit loses
none. Handing them to endpoints is another step."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from fieldcamp.webhooks.event_types import API_VERSION, EVENT_TYPES
from fieldcamp.webhooks.models import WebhookEvent

# What stands in a body until the event has its number; nothing that a caller gives comes before it.
UNNUMBERED = b'"sequence":null,'
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class EventDraft:
    """An event to be written down: see `record_event`."""

    workspace_id: str
    event_type: str
    snapshot: Mapping[str, Any]
    previous: Mapping[str, Any] | None = None
    record_id: str = ""
    source: str = WebhookEvent.Source.SYSTEM
    integration: str | None = None
    job_id: str | None = None
    actor: str | None = None
    request_id: str | None = None
    has_changes: bool = True


def record_event(
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
    """Returns the new event. `snapshot` is the resource as its own API shows it, JSON's types only; `previous` holds
    the old values of those of its fields that changed. Call it inside the transaction of the change."""
    draft = EventDraft(
        workspace_id=workspace_id,
        event_type=event_type,
        snapshot=snapshot,
        previous=previous,
        record_id=record_id,
        source=source,
        integration=integration,
        job_id=job_id,
        actor=actor,
        request_id=request_id,
        has_changes=has_changes,
    )
    return record_events([draft])[0]


def record_events(drafts: Iterable[EventDraft]) -> list[WebhookEvent]:
    """Returns the new events, in the order in which they are numbered later: many in few statements."""
    now = timezone.now()
    events = [event_of(draft, now + dt.timedelta(microseconds=number)) for number, draft in enumerate(drafts)]
    if len(events) == 1:
        events[0].save(force_insert=True)
    else:
        WebhookEvent.objects.bulk_create(events, batch_size=_AT_ONCE)
    return events


def event_of(draft: EventDraft, at: dt.datetime, *, is_test: bool = False) -> WebhookEvent:
    """Returns the event, unsaved. Raises ValueError for a type that there is not."""
    if draft.event_type not in EVENT_TYPES:
        raise ValueError(f"{draft.event_type} is not a type of event.")
    event = WebhookEvent(
        workspace_id=draft.workspace_id,
        type=draft.event_type,
        record_id=draft.record_id,
        source=draft.source,
        has_changes=draft.has_changes,
        is_test=is_test,
        created_at=at,
    )
    content: dict[str, Any] = {"object": draft.snapshot}
    if draft.previous is not None:
        content["previous_attributes"] = draft.previous
    body = {
        "id": event.pk,
        "type": draft.event_type,
        "created_at": at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "api_version": API_VERSION,
        "workspace_id": draft.workspace_id,
        "sequence": None,
        "source": {
            "kind": draft.source,
            "integration": draft.integration,
            "job_id": draft.job_id,
            "actor": draft.actor,
            "request_id": draft.request_id,
        },
        **({"test": True} if is_test else {}),
        "data": content,
    }
    event.body = JSON.render(body)
    return event


def numbered(body: bytes, number: int) -> bytes:
    """Returns the body with the event's number: its final bytes."""
    return body.replace(UNNUMBERED, b'"sequence":%d,' % number, 1)


class _Json(JSONRenderer):
    """The API's own writer, with no choice of spaces: what a webhook says is byte for byte what a GET answers."""

    def get_indent(self, accepted_media_type: str, renderer_context: Any) -> None:
        return None


JSON = _Json()
