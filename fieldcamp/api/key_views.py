"""`/api-keys`: list, create, retrieve, update, revoke, rotate. A secret is in the answer that makes it, only there."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api import services
from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.key_serializers import (
    ApiKeyCreatedSerializer,
    ApiKeySerializer,
    NewApiKeySerializer,
    RevokedSerializer,
    RotationSerializer,
)
from fieldcamp.api.models import ApiKey
from fieldcamp.api.outliving import made_with
from fieldcamp.api.pagination import keyset_page, truth_parameter
from fieldcamp.api.parameters import CURSOR, LIMIT
from fieldcamp.api.round_trips import edit_of
from fieldcamp.api.views import ApiView, envelope, ok
from fieldcamp.workspace.tracking import attributed

_OUTSIDE = {"expires_at": "expiresAt", "rate_limit_override": "rateLimitOverride"}


_STOP = OpenApiParameter(
    "stopWebhooks", {"type": "string", "enum": ["true", "false"]}, description="Pauses their webhooks as well."
)


class KeysView(ApiView):
    """Revoked keys are history: they are in the admin and its audit trail, and not found here."""

    tag = "API keys"
    enveloped = True

    def live(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(workspace=self.workspace, revoked_at=None)

    def one(self, key_id: str) -> ApiKey:
        found = self.live().filter(pk=key_id).first()
        if found is None:
            raise ApiError("NOT_FOUND", "There is no such API key.")
        return found

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ValidationError):
            details = getattr(exc, "message_dict", {"body": exc.messages})
            exc = validation_error({_OUTSIDE.get(name, name): texts for name, texts in details.items()})
        return super().handle_exception(exc)


class KeyListView(KeysView):
    required_scopes = {"GET": "api_keys:read", "POST": "api_keys:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("INSUFFICIENT_SCOPE", "INVALID_TRANSITION")}

    @extend_schema(operation_id="list_api_keys", parameters=[CURSOR, LIMIT], responses=ApiKeySerializer(many=True))
    def get(self, request: Request) -> Response:
        """The workspace's live and expired keys, oldest first, never with their secrets."""
        rows, meta = keyset_page(request, self.live(), filters={})
        return ok(request, ApiKeySerializer(rows, many=True).data, **meta)

    @extend_schema(operation_id="create_api_key", request=NewApiKeySerializer, responses={201: ApiKeyCreatedSerializer})
    def post(self, request: Request) -> HttpResponseBase:
        """A new key, with its secret, which is shown this once.

        A key gives away neither a scope (403) nor a rate limit or an end (400) that it does not have itself. The new
        key is its own (`madeBy`): the calls of both count in its minute, and it ends with it. What is done to keys
        needs a key's newest secret (409 with the one before a rotation).

        A replay of an `Idempotency-Key` shows the key with `secret` null, because the secret is not kept anywhere: if
        the first answer was lost, rotate the key.
        """
        body = NewApiKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)

        def run() -> IdempotentAnswer:
            key, secret = services.create_key(
                workspace=self.workspace,
                created_by=services.signature(self.key),
                by=self.key,
                **{"expires_at": self.key.expires_at, **body.validated_data},
            )
            data = dict(ApiKeySerializer(key).data)
            return IdempotentAnswer(
                201,
                envelope(request, {**data, "secret": secret}),
                {"Location": reverse("api-key", args=[key.pk])},
                kept=envelope(request, {**data, "secret": None}),
            )

        return replay_or_run(request, fingerprint_body=canonical(request.data), run=run)


_SHAPES = (NewApiKeySerializer(), NewApiKeySerializer(partial=True))
_SHOWING = ApiKeySerializer()
_MOVING = frozenset({"lastUsedAt"})  # with this very call


class KeyView(KeysView):
    required_scopes = {"GET": "api_keys:read", "PATCH": "api_keys:write", "DELETE": "api_keys:write"}
    raises = {"PATCH": ("INVALID_TRANSITION",), "DELETE": ("INVALID_TRANSITION",)}

    @extend_schema(operation_id="read_api_key", responses=ApiKeySerializer)
    def get(self, request: Request, key_id: str) -> Response:
        """One key, without its secret."""
        return ok(request, ApiKeySerializer(self.one(key_id)).data)

    @extend_schema(operation_id="update_api_key", request=NewApiKeySerializer, responses=ApiKeySerializer)
    def patch(self, request: Request, key_id: str) -> Response:
        """Changes the fields that are sent. A key handles only keys that may do no more than itself, before and after
        (403 for a scope, 400 for a rate limit or an end); of itself it changes nothing but the name, and of the keys
        that it was made with nothing at all (409). The keys that were made with this one lose what it loses."""
        key = self.one(key_id)
        shown = dict(ApiKeySerializer(key).data)
        edit = edit_of(*_SHAPES, request.data, shown, key, whole=False, showing=_SHOWING, moving=_MOVING)
        # What is sent as it stands is no change of a right, which a key makes of none that is its own.
        changes = {name: value for name, value in edit.changes.items() if getattr(key, name) != value}
        key = services.update_key(key, changes=changes, by=self.key)
        return ok(request, ApiKeySerializer(key).data)

    @extend_schema(operation_id="revoke_api_key", parameters=[_STOP], responses={200: RevokedSerializer})
    def delete(self, request: Request, key_id: str) -> Response:
        """Revokes the key for good, and the keys that were made with it: calls with them are answered 401 from now on.

        A key revokes neither itself nor a key that it was made with (409), nor one that may do more than itself (403,
        400). Webhooks that they have made go on (`webhooks` names them), unless `stopWebhooks` is true.
        """
        stop = truth_parameter(request, _STOP.name) or False
        key = self.one(key_id)
        with attributed(actor=services.signature(self.key)):
            also = services.revoke_key(key, by=self.key, stop_outliving=stop)
        webhooks = list(made_with([key, *also]))
        data = {"id": key_id, "deleted": True, "alsoRevoked": [each.pk for each in also], "webhooks": webhooks}
        return ok(request, data)


class KeyRotateView(KeysView):
    required_scopes = {"POST": "api_keys:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(operation_id="rotate_api_key", request=RotationSerializer, responses={200: ApiKeyCreatedSerializer})
    def post(self, request: Request, key_id: str) -> HttpResponseBase:
        """A new secret for the key, shown this once. The one before stays good for `overlapSeconds`.

        A key may rotate itself, with its newest secret and at least an hour of overlap, and keys that may do no more
        than itself, but none that it was made with. A replaced secret reads and writes records until it ends, and
        changes no key.
        """
        body = RotationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        overlap = dt.timedelta(seconds=body.validated_data["overlap_seconds"])

        def run() -> IdempotentAnswer:
            key = self.one(key_id)
            secret = services.rotate_key(key, overlap=overlap, by=self.key)
            data: dict[str, Any] = dict(ApiKeySerializer(key).data)
            return IdempotentAnswer(
                200,
                envelope(request, {**data, "secret": secret}),
                kept=envelope(request, {**data, "secret": None}),
            )

        return replay_or_run(request, fingerprint_body=canonical(request.data), run=run)
