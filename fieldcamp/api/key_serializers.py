"""The JSON of `/api-keys`."""

import datetime as dt

from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from fieldcamp.api.examples import KEY, NEW_KEY, SECRET, example
from fieldcamp.api.gate import PER_MINUTE
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.serializers import (
    InstantField,
    StrictCharField,
    StrictIntegerField,
    StrictListField,
    StrictSerializer,
)

DAY = 86_400


@extend_schema_serializer(examples=[example(NEW_KEY, request=True)])
class NewApiKeySerializer(StrictSerializer):
    """What a key may do, and until when."""

    name = StrictCharField(max_length=100)
    scopes = StrictListField(
        child=serializers.ChoiceField(SCOPES),
        allow_empty=False,
        min_length=1,
        max_length=100,
        help_text="Each of them a scope of the key in use.",
    )
    expiresAt = InstantField(
        source="expires_at",
        required=False,
        allow_null=True,
        help_text="In the future, and not after the end of the key in use, which a new key has if nothing is said; "
        "null: never.",
    )
    rateLimitOverride = StrictIntegerField(
        source="rate_limit_override",
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2_147_483_647,
        help_text=f"Calls a minute, at most those of the key in use; null: {PER_MINUTE}.",
    )

    def validate_expiresAt(self, value: dt.datetime | None) -> dt.datetime | None:
        if value and value <= timezone.now():
            raise serializers.ValidationError("This time has passed.")
        return value


@extend_schema_serializer(examples=[example(KEY)])
class ApiKeySerializer(serializers.Serializer):
    id = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    prefix = serializers.CharField(read_only=True, help_text="The public part of the secret.")
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPES), read_only=True)
    expiresAt = InstantField(source="expires_at", read_only=True, allow_null=True)
    rateLimitOverride = serializers.IntegerField(source="rate_limit_override", read_only=True, allow_null=True)
    lastUsedAt = InstantField(source="last_used_at", read_only=True, allow_null=True, help_text="To the minute.")
    previousSecretUntil = InstantField(
        source="previous_until", read_only=True, allow_null=True, help_text="Until when the secret before is good."
    )
    createdBy = serializers.CharField(source="created_by", read_only=True)
    madeBy = serializers.CharField(
        source="made_by_id",
        read_only=True,
        allow_null=True,
        help_text="The key that made this one: its calls count in that key's minute, and it ends with that key.",
    )
    createdAt = InstantField(source="created_at", read_only=True)


@extend_schema_serializer(examples=[example({**KEY, "secret": SECRET})])
class ApiKeyCreatedSerializer(ApiKeySerializer):
    secret = serializers.CharField(read_only=True, allow_null=True, help_text="Shown once; null in a replay.")


@extend_schema_serializer(examples=[example({"overlapSeconds": DAY}, request=True)])
class RotationSerializer(StrictSerializer):
    overlapSeconds = StrictIntegerField(
        source="overlap_seconds",
        min_value=0,
        max_value=7 * DAY,
        default=DAY,
        help_text="How long the old secret lasts.",
    )


@extend_schema_serializer(examples=[example({"id": KEY["id"], "deleted": True})])
class DeletedSerializer(serializers.Serializer):
    id = serializers.CharField()
    deleted = serializers.BooleanField()


@extend_schema_serializer(examples=[example({"id": KEY["id"], "deleted": True, "alsoRevoked": [], "webhooks": []})])
class RevokedSerializer(DeletedSerializer):
    alsoRevoked = serializers.ListField(
        child=serializers.CharField(), help_text="The keys that were made with it, directly or through others."
    )
    webhooks = serializers.ListField(
        child=serializers.CharField(), help_text="The webhooks that these keys have made: they go on, or are paused."
    )
