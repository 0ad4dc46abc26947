"""The deliveries of a webhook: list, read, send again."""

import datetime as dt
import json
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import validation_error
from fieldcamp.api.idempotency import IdempotentAnswer
from fieldcamp.api.pagination import (
    choice_parameter,
    decode_cursor,
    encode_cursor,
    instant_parameter,
    list_name,
    page_limit,
    truth_parameter,
)
from fieldcamp.api.parameters import CURSOR, LIMIT, choice, instant, truth
from fieldcamp.api.views import envelope, ok
from fieldcamp.webhooks import selectors, services, signing
from fieldcamp.webhooks.errors import ScopeMissing
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery
from fieldcamp.webhooks.rest.serializers import (
    AttemptSerializer,
    DeliveryDetailSerializer,
    DeliverySerializer,
)
from fieldcamp.webhooks.rest.views import WebhooksView
from fieldcamp.workspace.rest.money_serializers import NothingSerializer

_STATES = WebhookDelivery.State.values
_FILTERS = [
    choice("status", _STATES),
    truth("isTest", "Only deliveries of tests, or of what happened."),
    OpenApiParameter("type", str, enum=list(EVENT_TYPES), description="Only deliveries of this type of event."),
    OpenApiParameter("eventId", str, description="Only deliveries of this event."),
    instant("since", "Only deliveries that were queued at or after this time."),
]


class DeliveriesView(WebhooksView):
    serializer_class = DeliverySerializer

    def one(self, webhook_id: str, delivery_id: str) -> WebhookDelivery:
        endpoint = self.endpoints().get(pk=webhook_id)
        delivery = WebhookDelivery.objects.select_related("event").get(pk=delivery_id, endpoint=endpoint)
        delivery.endpoint = endpoint
        return delivery


class DeliveryListView(DeliveriesView):
    required_scopes = {"GET": "webhooks:read"}

    @extend_schema(
        operation_id="list_webhook_deliveries",
        parameters=[*_FILTERS, CURSOR, LIMIT],
        responses=DeliverySerializer(many=True),
    )
    def get(self, request: Request, webhook_id: str) -> Response:
        """What was and will be sent to the webhook, the newest first, without bodies."""
        filters = _filters(request)
        rows = selectors.deliveries(self.endpoints().get(pk=webhook_id), **filters)
        limit = page_limit(request)
        name = list_name(request.path, self.workspace.pk, filters)
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            rows = _before(rows, decode_cursor(name, cursor))
        found = list(rows.order_by("-created_at", "-id")[: limit + 1])
        page, more = found[:limit], len(found) > limit
        position = [page[-1].created_at.isoformat(), page[-1].pk] if more else []
        next_cursor = encode_cursor(name, position) if more else None
        return ok(request, [self.data(each) for each in page], next_cursor=next_cursor, limit=limit)


def _filters(request: Request) -> dict[str, Any]:
    query = request.query_params
    event_type = query.get("type", "")
    if event_type and event_type not in EVENT_TYPES:
        raise validation_error({"type": ["There is no such type. GET /api/v1/webhook-events lists them all."]})
    return {
        "states": choice_parameter(request, "status", _STATES),
        "is_test": truth_parameter(request, "isTest"),
        "event_type": event_type,
        "event_id": query.get("eventId", ""),
        "since": instant_parameter(request, "since"),
    }


def _before(rows: QuerySet[WebhookDelivery], position: list[Any]) -> QuerySet[WebhookDelivery]:
    at = dt.datetime.fromisoformat(position[0])
    # The first condition is implied by the second; it is the one that an index can use.
    return rows.filter(Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__lt=position[1])))


class DeliveryView(DeliveriesView):
    required_scopes = {"GET": "webhooks:read"}

    @extend_schema(operation_id="read_webhook_delivery", responses=DeliveryDetailSerializer)
    def get(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """One delivery with its headers and body as they are sent, and each attempt. The key needs the scope of its
        type of event (403)."""
        delivery = self.one(webhook_id, delivery_id)
        scope = EVENT_TYPES[delivery.event.type].scope
        if scope not in self.key.scopes:
            raise ScopeMissing(scope)
        tries = list(delivery.tries.order_by("number"))
        number, at = (tries[-1].number, tries[-1].at) if tries else (1, timezone.now())
        data = {
            **self.data(delivery),
            "headers": signing.shown_headers(delivery, attempt=number, now=at),
            "payload": json.loads(signing.body_of(delivery.endpoint, delivery.event)),
            "tries": AttemptSerializer(tries, many=True).data,
        }
        return ok(request, data)


class DeliveryReplayView(DeliveriesView):
    required_scopes = {"POST": "webhooks:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(operation_id="replay_webhook_delivery", request=None, responses={202: DeliverySerializer})
    def post(self, request: Request, webhook_id: str, delivery_id: str) -> HttpResponseBase:
        """Sends the event again: a new delivery with the same event's id, signed anew. One that waits for its next
        attempt is tried at once instead. Enable a disabled webhook first (409)."""
        NothingSerializer().run_validation(request.data)

        def run() -> IdempotentAnswer:
            queued = services.replay(self.one(webhook_id, delivery_id))
            location = reverse("webhook-delivery", args=[webhook_id, queued.pk])
            return IdempotentAnswer(202, envelope(request, self.data(queued)), {"Location": location})

        return self.once(request, run)
