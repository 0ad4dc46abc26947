"""`/events`, the log of what happened, and `/webhook-events`, the catalogue of types."""

import json
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import validation_error
from fieldcamp.api.pagination import decode_cursor, encode_cursor, instant_parameter, list_name, page_limit
from fieldcamp.api.parameters import CURSOR, LIMIT, instant
from fieldcamp.api.views import ok
from fieldcamp.webhooks.catalogue import example_of
from fieldcamp.webhooks.errors import ScopeMissing
from fieldcamp.webhooks.event_log import EventLog
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.rest.event_serializers import (
    CatalogueEntrySerializer,
    EventBodySerializer,
    EventListMetaSerializer,
)
from fieldcamp.webhooks.rest.views import WebhooksView
from fieldcamp.webhooks.schemas import schema_of
from fieldcamp.webhooks.subscriptions import ON_REQUEST, PATTERNS, wants

_TYPES = [*PATTERNS, *(name for name in EVENT_TYPES if name != ON_REQUEST)]
_TYPE = OpenApiParameter(
    "type", str, enum=_TYPES, many=True, description="Repeatable: events of any of these types or patterns."
)
_SINCE = instant(
    "since", "Where to begin: what happened at or after this time. Without it, and without a cursor: the oldest."
)


class EventListView(WebhooksView):
    tag = "Events"
    required_scopes = {"GET": "webhooks:read"}
    raises = {"GET": ("CURSOR_EXPIRED",)}
    meta_class = EventListMetaSerializer

    @extend_schema(
        operation_id="list_events", parameters=[_TYPE, _SINCE, CURSOR, LIMIT], responses=EventBodySerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """What happened in the last 30 days, in the order of `sequence`, as webhooks are sent it.

        Follow `meta.next_cursor` until it is null, keep `meta.resume_cursor`, and go on from there the next time: so
        nothing is missed and nothing comes twice, whoever writes meanwhile. Events of types whose scope the key lacks
        are left out; one that was named without a pattern is refused (403).
        """
        names = sorted(set(request.query_params.getlist("type")))
        events, limit, now = EventLog(self.workspace, self._types(names)), page_limit(request), timezone.now()
        name = list_name(request.path, self.workspace.pk, {"type": names})
        cursor, since = request.query_params.get("cursor"), instant_parameter(request, "since")
        if cursor is not None and since is not None:
            raise validation_error({"since": ["Send either since or cursor, not both."]})
        if cursor is not None:
            after = events.checked(int(decode_cursor(name, cursor)[0]), now)
        else:
            after = events.after_time(since, now) if since else events.pruned_to
        page = events.page(after, limit)
        resume = encode_cursor(name, [page.resume])
        return ok(
            request,
            [json.loads(bytes(event.body)) for event in page.events],
            next_cursor=resume if page.more else None,
            resume_cursor=resume,
            limit=limit,
        )

    def _types(self, names: list[str]) -> list[str]:
        """Returns the types that these name, or all, whose scope the key has."""
        if set(names) - set(_TYPES):
            raise validation_error({"type": ["There is no such type. GET /api/v1/webhook-events lists them all."]})
        for name in names:
            if name in EVENT_TYPES and EVENT_TYPES[name].scope not in self.key.scopes:
                raise ScopeMissing(EVENT_TYPES[name].scope)
        wanted = names or [*EVENT_TYPES]
        return [
            each.name for each in EVENT_TYPES.values() if each.scope in self.key.scopes and wants(wanted, each.name)
        ]


class EventView(WebhooksView):
    tag = "Events"
    required_scopes = {"GET": "webhooks:read"}

    @extend_schema(operation_id="read_event", responses=EventBodySerializer)
    def get(self, request: Request, event_id: str) -> Response:
        """One event, as webhooks are sent it. The key needs the scope of its type (403)."""
        numbered = WebhookEvent.objects.filter(Q(sequence__isnull=False) | Q(is_test=True))
        event = numbered.get(pk=event_id, workspace=self.workspace)
        scope = EVENT_TYPES[event.type].scope
        if scope not in self.key.scopes:
            raise ScopeMissing(scope)
        return ok(request, json.loads(bytes(event.body)))


class CatalogueView(WebhooksView):
    tag = "Events"
    required_scopes = {"GET": "webhooks:read"}

    @extend_schema(operation_id="list_webhook_events", responses=CatalogueEntrySerializer(many=True))
    def get(self, request: Request) -> Response:
        """All types of events that there are, each with the scope that it needs, its JSON Schema and an example. One
        page."""
        rows = [entry(name) for name in EVENT_TYPES]
        return ok(request, rows, next_cursor=None, limit=len(rows))


def entry(name: str) -> dict[str, Any]:
    """Returns what the catalogue says of a type."""
    found = EVENT_TYPES[name]
    return {
        "type": name,
        "resource": found.resource,
        "description": found.description,
        "scope": found.scope,
        "sinceVersion": found.since,
        "schema": schema_of(name),
        "example": example_of(name),
    }
