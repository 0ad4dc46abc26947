"""The JSON of `/webhooks`: camelCase outside, model fields inside. What is empty is null."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from fieldcamp.api.examples import example
from fieldcamp.api.serializers import (
    InstantField,
    StrictCharField,
    StrictIntegerField,
    StrictListField,
    StrictSerializer,
)
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.replaying import ALL, FAILED
from fieldcamp.webhooks.rest.examples import (
    CREATED,
    DELIVERY,
    ENDPOINT,
    NEW_ENDPOINT,
    QUEUED,
    SHOWN,
    TESTED,
    TRY,
)
from fieldcamp.webhooks.subscriptions import EVERYTHING, ON_REQUEST, PATTERNS
from fieldcamp.workspace.rest.serializers import OptionalText

MOST_EVENTS = 100
_NAMES = [name for name in EVENT_TYPES if name != ON_REQUEST]
# What can be subscribed to, and what can be sent: a test beside.
SUBSCRIPTIONS = [(name, name) for name in (*PATTERNS, *_NAMES)]
TYPES = [(name, name) for name in EVENT_TYPES]
_STATE = WebhookEndpoint.Status


class DistinctListField(StrictListField):
    """A list in which each entry counts once."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return list(dict.fromkeys(super().to_internal_value(data)))


@extend_schema_serializer(examples=[example(NEW_ENDPOINT, request=True)])
class NewWebhookSerializer(StrictSerializer):
    """Where events are sent, and which."""

    url = StrictCharField(max_length=2048, help_text="https, a public server, no redirect. Looked up when it is saved.")
    events = DistinctListField(
        child=serializers.ChoiceField(SUBSCRIPTIONS),
        min_length=1,
        max_length=MOST_EVENTS,
        help_text=f"Types, `visit.*` for all of a resource, `{EVERYTHING}` for everything that the scopes allow. What "
        "a pattern means grows with the catalogue. `sync.started` is in no `sync.*`, `change.detected` not in `*`.",
    )
    description = OptionalText(max_length=200)
    payload = serializers.ChoiceField(
        WebhookEndpoint.Payload.choices,
        default=WebhookEndpoint.Payload.FULL,
        help_text="`thin`: the record's id only, for logs that must hold no personal data.",
    )
    onlyChanged = serializers.BooleanField(
        source="only_changed", default=True, help_text="Leaves out syncs that changed nothing."
    )
    sources = DistinctListField(
        child=serializers.ChoiceField(WebhookEvent.Source.choices),
        default=list,
        max_length=10,
        help_text="Only events that came about so; empty: all of them.",
    )
    maxPerSecond = StrictIntegerField(source="max_per_second", min_value=1, max_value=100, default=20)


class WebhookStatsSerializer(serializers.Serializer):
    """Of the events of the last 24 hours; tests are not counted."""

    delivered24h = serializers.IntegerField(help_text="Deliveries that were accepted.")
    failed24h = serializers.IntegerField(help_text="Deliveries that were given up.")
    lastDeliveredAt = InstantField(allow_null=True)
    p95Ms = serializers.IntegerField(
        allow_null=True, help_text="Nineteen of twenty of the last attempts took at most so many milliseconds."
    )


@extend_schema_serializer(examples=[example(ENDPOINT)])
class EndpointSerializer(serializers.Serializer):
    """A webhook as events show it."""

    id = serializers.CharField(read_only=True)
    url = serializers.CharField(read_only=True)
    events = serializers.ListField(child=serializers.CharField(), read_only=True)
    description = OptionalText(read_only=True, required=None, default=serializers.empty)
    status = serializers.ChoiceField(_STATE.choices, read_only=True)
    disabledReason = OptionalText(source="disabled_reason", read_only=True, required=None, default=serializers.empty)
    disabledAt = InstantField(source="disabled_at", read_only=True, allow_null=True)
    apiVersion = serializers.CharField(source="api_version", read_only=True)
    payload = serializers.ChoiceField(WebhookEndpoint.Payload.choices, read_only=True)
    onlyChanged = serializers.BooleanField(source="only_changed", read_only=True)
    sources = serializers.ListField(child=serializers.ChoiceField(WebhookEvent.Source.choices), read_only=True)
    maxPerSecond = serializers.IntegerField(source="max_per_second", read_only=True)
    scopes = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Of whoever chose its events last: events of other scopes are not sent. Stays when the key goes.",
    )
    secretHint = serializers.CharField(source="secret_hint", read_only=True, help_text="The secret's last characters.")
    previousSecretUntil = InstantField(
        source="previous_secret_until", read_only=True, allow_null=True, help_text="Until then both secrets sign."
    )
    createdBy = serializers.CharField(source="created_by", read_only=True)
    madeBy = serializers.CharField(source="made_by_key_id", read_only=True, allow_null=True, help_text="The key.")
    createdAt = InstantField(source="created_at", read_only=True)
    updatedAt = InstantField(source="updated_at", read_only=True)


@extend_schema_serializer(examples=[example(SHOWN)])
class WebhookSerializer(EndpointSerializer):
    nextStep = serializers.CharField(allow_null=True, help_text="What has to be done before events are sent, if so.")
    stats = WebhookStatsSerializer()


@extend_schema_serializer(examples=[example(CREATED)])
class WebhookCreatedSerializer(WebhookSerializer):
    secret = serializers.CharField(allow_null=True, help_text="Shown once; null in a replay.")


@extend_schema_serializer(examples=[example({**SHOWN, "missedQueued": 312, "missedLeft": 0})])
class WebhookEnabledSerializer(WebhookSerializer):
    missedQueued = serializers.IntegerField(help_text="How many missed events were queued, of 10,000 at most.")
    missedLeft = serializers.IntegerField(
        help_text="How many more were missed: they are kept, and the next such request queues them."
    )


@extend_schema_serializer(examples=[example({"overlapHours": 24}, request=True)])
class SecretRotationSerializer(StrictSerializer):
    overlapHours = StrictIntegerField(
        min_value=0, max_value=168, default=24, help_text="How long both secrets sign. 0: the old one ends at once."
    )


@extend_schema_serializer(examples=[example({"replayMissed": True}, request=True)])
class EnablingSerializer(StrictSerializer):
    replayMissed = serializers.BooleanField(
        default=False,
        help_text="Sends what it missed while it was disabled as well, 10,000 events at most, the oldest first.",
    )


@extend_schema_serializer(examples=[example({"type": "visit.updated"}, request=True)])
class WebhookTestSerializer(StrictSerializer):
    type = serializers.ChoiceField(TYPES, default=ON_REQUEST)


@extend_schema_serializer(examples=[example(TESTED)])
class WebhookTestedSerializer(serializers.Serializer):
    eventId = serializers.CharField()
    delivered = serializers.BooleanField(help_text="Whether it was accepted: answered 2xx in time.")
    responseStatus = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="Why nothing was answered, in one word.")
    ms = serializers.IntegerField(help_text="How long it took.")
    responseExcerpt = serializers.CharField(allow_null=True, help_text="The beginning of what was answered.")
    enabled = serializers.BooleanField(help_text="Whether the webhook was pending and is enabled now.")
    nextStep = serializers.CharField(allow_null=True)


@extend_schema_serializer(
    examples=[example({"since": "2026-05-29T00:00:00Z", "status": FAILED, "types": ["visit.updated"]}, request=True)]
)
class RangeReplaySerializer(StrictSerializer):
    since = InstantField(help_text="Events that happened at or after this time.")
    until = InstantField(required=False, allow_null=True, default=None, help_text="And before this one; null: now.")
    status = serializers.ChoiceField(
        [(FAILED, FAILED), (ALL, ALL)], default=FAILED, help_text="`failed`: those given up, and those not sent."
    )
    types = DistinctListField(child=serializers.ChoiceField(TYPES), default=list, max_length=MOST_EVENTS)


@extend_schema_serializer(examples=[example({"queued": 312, "continueFrom": None}, status=202)])
class QueuedReplaysSerializer(serializers.Serializer):
    queued = serializers.IntegerField(help_text="10,000 at most, the oldest first.")
    continueFrom = InstantField(allow_null=True, help_text="Where there were more: the `since` of the next request.")


@extend_schema_serializer(examples=[example(DELIVERY), example(QUEUED, name="Queued", status=202)])
class DeliverySerializer(serializers.Serializer):
    id = serializers.CharField(read_only=True)
    eventId = serializers.CharField(source="event_id", read_only=True)
    eventType = serializers.CharField(source="event.type", read_only=True)
    status = serializers.ChoiceField(WebhookDelivery.State.choices, source="state", read_only=True)
    attempts = serializers.IntegerField(read_only=True)
    nextAttemptAt = InstantField(source="next_at", read_only=True, allow_null=True)
    responseStatus = serializers.IntegerField(source="last_status", read_only=True, allow_null=True)
    error = OptionalText(
        source="last_error", read_only=True, required=None, default=serializers.empty,
        help_text="Why the last attempt was answered nothing, in one word.",
    )  # fmt: skip
    replayOf = serializers.CharField(source="replay_of_id", read_only=True, allow_null=True)
    isTest = serializers.BooleanField(source="event.is_test", read_only=True)
    createdAt = InstantField(source="created_at", read_only=True)
    finishedAt = InstantField(source="finished_at", read_only=True, allow_null=True)


class AttemptSerializer(serializers.Serializer):
    attempt = serializers.IntegerField(source="number", read_only=True)
    at = InstantField(read_only=True)
    ms = serializers.IntegerField(read_only=True)
    responseStatus = serializers.IntegerField(source="status", read_only=True, allow_null=True)
    error = OptionalText(read_only=True, required=None, default=serializers.empty)
    responseExcerpt = OptionalText(source="excerpt", read_only=True, required=None, default=serializers.empty)


@extend_schema_serializer(
    examples=[
        example(
            {
                **DELIVERY,
                "headers": {"webhook-id": DELIVERY["eventId"], "webhook-signature": "v1,…"},
                "payload": {"id": DELIVERY["eventId"], "type": DELIVERY["eventType"]},
                "tries": [TRY],
            }
        )
    ]
)
class DeliveryDetailSerializer(DeliverySerializer):
    headers = serializers.DictField(child=serializers.CharField(), help_text="As sent; signatures are cut off.")
    payload = serializers.JSONField(help_text="The body as sent.")
    tries = AttemptSerializer(many=True)


def next_step(endpoint: WebhookEndpoint) -> str | None:
    """Returns what has to be done before events are sent to the endpoint; None where they are."""
    here = f"/api/v1/webhooks/{endpoint.pk}"
    return {
        _STATE.PENDING: f"Send a test: POST {here}/test. Events are sent as soon as one is accepted.",
        _STATE.PAUSED: f"Resume it: POST {here}/resume. What happened meanwhile is sent then.",
        _STATE.DISABLED: f"Enable it: POST {here}/enable, with replayMissed for what it has missed.",
    }.get(_STATE(endpoint.status))
