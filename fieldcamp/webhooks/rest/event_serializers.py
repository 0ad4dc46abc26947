"""The JSON of `/events` and `/webhook-events`."""

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from fieldcamp.api.examples import example
from fieldcamp.webhooks.catalogue import example_of
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.rest.serializers import TYPES


class EventSourceSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(WebhookEvent.Source.choices)
    integration = serializers.CharField(allow_null=True)
    job_id = serializers.CharField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    request_id = serializers.CharField(allow_null=True)


@extend_schema_field({"type": "object", "additionalProperties": True})
class AnyObjectField(serializers.JSONField):
    """An object whose shape is said elsewhere."""


class EventDataSerializer(serializers.Serializer):
    object = AnyObjectField()
    previous_attributes = AnyObjectField(required=False)


@extend_schema_serializer(examples=[example(example_of("visit.updated"))])
class EventBodySerializer(serializers.Serializer):
    """An event. `data.object` is of its type: `/webhook-events` has the schema of each."""

    id = serializers.CharField()
    type = serializers.ChoiceField(TYPES)
    created_at = serializers.DateTimeField()
    api_version = serializers.CharField()
    workspace_id = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True)
    source = EventSourceSerializer()  # type: ignore[assignment]
    test = serializers.BooleanField(required=False)
    data = EventDataSerializer()  # type: ignore[assignment]


class EventListMetaSerializer(serializers.Serializer):
    request_id = serializers.CharField()
    next_cursor = serializers.CharField(allow_null=True, help_text="Send it as `cursor`; null: the last page.")
    resume_cursor = serializers.CharField(help_text="Send it as `cursor` the next time, for what happens from now on.")
    limit = serializers.IntegerField()


@extend_schema_serializer(
    examples=[
        example(
            {
                "type": "visit.updated",
                "resource": "visit",
                "description": EVENT_TYPES["visit.updated"].description,
                "scope": "visits:read",
                "sinceVersion": EVENT_TYPES["visit.updated"].since,
                "schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
                "example": example_of("visit.updated"),
            }
        )
    ]
)
class CatalogueEntrySerializer(serializers.Serializer):
    type = serializers.ChoiceField(TYPES)
    resource = serializers.CharField()
    description = serializers.CharField()
    scope = serializers.CharField(help_text="The key needs it to subscribe.")
    sinceVersion = serializers.CharField(help_text="The first `api_version` that has it.")
    schema = AnyObjectField(help_text="JSON Schema (2020-12) of the whole event.")
    example = AnyObjectField()
