"""What is done with one webhook: a new secret, a test, on and off, sending again."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from fieldcamp.api.calling import replay_or_call
from fieldcamp.api.etags import etag_of
from fieldcamp.api.idempotency import IdempotentAnswer, canonical
from fieldcamp.api.views import envelope
from fieldcamp.webhooks import services
from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.webhooks.rest.serializers import (
    EnablingSerializer,
    QueuedReplaysSerializer,
    RangeReplaySerializer,
    SecretRotationSerializer,
    WebhookCreatedSerializer,
    WebhookEnabledSerializer,
    WebhookSerializer,
    WebhookTestedSerializer,
    WebhookTestSerializer,
    next_step,
)
from fieldcamp.webhooks.rest.views import WebhooksView
from fieldcamp.workspace.rest.money_serializers import NothingSerializer

LONGEST_TEST = dt.timedelta(minutes=1)  # an attempt ends within 20 seconds


class WebhookActionView(WebhooksView):
    """POST: does one thing with a webhook, once for each Idempotency-Key."""

    idempotent_methods: Sequence[str] = ("POST",)
    body_class: ClassVar[type[Serializer]] = NothingSerializer
    raises = {"POST": ("INVALID_TRANSITION",)}

    def values(self, request: Request) -> dict[str, Any]:
        return dict(self.body_class().run_validation(request.data))

    def one(self, webhook_id: str) -> WebhookEndpoint:
        return self.endpoints().get(pk=webhook_id)

    def answer(
        self, request: Request, endpoint: WebhookEndpoint, kept: dict[str, Any] | None = None, **more: Any
    ) -> IdempotentAnswer:
        """Returns the endpoint and `more`; a replay shows `kept` instead of that."""
        [data] = self.shown([endpoint])
        return IdempotentAnswer(
            200,
            envelope(request, {**data, **more}),
            {"ETag": etag_of(self.data(endpoint))},
            kept=envelope(request, {**data, **kept}) if kept else None,
        )


class WebhookRotateView(WebhookActionView):
    body_class = SecretRotationSerializer
    raises = {}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        request=SecretRotationSerializer,
        responses={200: WebhookCreatedSerializer},
    )
    def post(self, request: Request, webhook_id: str) -> HttpResponseBase:
        """A new secret, shown this once. For `overlapHours` deliveries are signed with both, so that nothing is refused
        while yours is exchanged; the secret before the last rotation ends at once.

        The key needs the scopes of all that is sent there (403). A replay of an `Idempotency-Key` shows `secret` null.
        """
        overlap = dt.timedelta(hours=self.values(request)["overlapHours"])

        def run() -> IdempotentAnswer:
            endpoint, secret = services.rotate_secret(self.one(webhook_id), overlap, scopes=self.key.scopes)
            return self.answer(request, endpoint, {"secret": None}, secret=secret)

        return self.once(request, run)


class WebhookTestView(WebhookActionView):
    body_class = WebhookTestSerializer
    raises = {}

    @extend_schema(operation_id="test_webhook", request=WebhookTestSerializer, responses={200: WebhookTestedSerializer})
    def post(self, request: Request, webhook_id: str) -> HttpResponseBase:
        """Sends an event of this type with made-up content and `"test": true`, signed as any other, and answers what
        became of it, within 20 seconds. One attempt; it works whatever the webhook's status is, and one that is
        accepted enables a pending webhook. Two at a time of a workspace (429). Without an `Idempotency-Key` each call
        sends one."""
        event_type = self.values(request)["type"]

        def run() -> IdempotentAnswer:
            with self.signed():
                outcome = services.send_test(self.one(webhook_id), event_type)
            endpoint = self.one(webhook_id)
            data = {
                "eventId": outcome.event_id,
                "delivered": outcome.delivered,
                "responseStatus": outcome.status,
                "error": outcome.error or None,
                "ms": outcome.ms,
                "responseExcerpt": outcome.excerpt or None,
                "enabled": outcome.enabled,
                "nextStep": next_step(endpoint),
            }
            return IdempotentAnswer(200, envelope(request, data))

        body = canonical(request.data)
        return replay_or_call(request, fingerprint_body=body, run=run, longest=LONGEST_TEST)


class WebhookEnableView(WebhookActionView):
    body_class = EnablingSerializer

    @extend_schema(operation_id="enable_webhook", request=EnablingSerializer, responses={200: WebhookEnabledSerializer})
    def post(self, request: Request, webhook_id: str) -> HttpResponseBase:
        """Sends to it again, whatever it failed with before. A pending one is enabled by an accepted test (409)."""
        replay_missed = self.values(request)["replayMissed"]

        def run() -> IdempotentAnswer:
            endpoint, missed = services.enable(self.one(webhook_id), replay_missed)
            return self.answer(request, endpoint, missedQueued=missed.queued, missedLeft=missed.left)

        return self.once(request, run)


class WebhookPauseView(WebhookActionView):
    @extend_schema(operation_id="pause_webhook", request=None, responses={200: WebhookSerializer})
    def post(self, request: Request, webhook_id: str) -> HttpResponseBase:
        """Sends nothing until it is resumed; its events wait, and none is lost while they are kept."""
        self.values(request)
        return self.once(request, lambda: self.answer(request, services.pause(self.one(webhook_id))))


class WebhookResumeView(WebhookActionView):
    @extend_schema(operation_id="resume_webhook", request=None, responses={200: WebhookSerializer})
    def post(self, request: Request, webhook_id: str) -> HttpResponseBase:
        """Sends to a paused webhook again, what has waited first."""
        self.values(request)
        return self.once(request, lambda: self.answer(request, services.resume(self.one(webhook_id))))


class WebhookReplayView(WebhookActionView):
    body_class = RangeReplaySerializer

    @extend_schema(
        operation_id="replay_webhook", request=RangeReplaySerializer, responses={202: QueuedReplaysSerializer}
    )
    def post(self, request: Request, webhook_id: str) -> HttpResponseBase:
        """Queues the events of a range of time again, the oldest 10,000 of them; `continueFrom` says where to go on.
        They keep their ids, and are signed anew. What was replayed already and accepted is left out of the failed
        ones, so asking twice sends nothing twice. Enable a disabled webhook first (409)."""
        values = self.values(request)

        def run() -> IdempotentAnswer:
            found = services.replay_range(self.one(webhook_id), **values)
            data = {"queued": found.count, "continueFrom": found.continue_from}
            return IdempotentAnswer(
                202, envelope(request, data), {"Location": reverse("webhook-deliveries", args=[webhook_id])}
            )

        return self.once(request, run)
