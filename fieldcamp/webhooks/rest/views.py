"""`/webhooks`: list, create, read, change, delete."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from fieldcamp.api.errors import ApiError
from fieldcamp.api.etags import check_if_match, etag_of, is_unchanged
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.key_serializers import DeletedSerializer
from fieldcamp.api.pagination import choice_parameter, keyset_page, truth_parameter
from fieldcamp.api.parameters import CURSOR, LIMIT, choice, truth
from fieldcamp.api.round_trips import ChangedMeanwhile, edit_of, try_again
from fieldcamp.api.services import signature
from fieldcamp.api.views import envelope, ok
from fieldcamp.webhooks import monitoring, selectors, services
from fieldcamp.webhooks.checked_urls import CheckedUrl, checked_url
from fieldcamp.webhooks.errors import EventsExpired, ScopeMissing, TooManyTests
from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.webhooks.rest.serializers import (
    EndpointSerializer,
    NewWebhookSerializer,
    WebhookCreatedSerializer,
    WebhookSerializer,
    next_step,
)
from fieldcamp.workspace.rest.resources import WorkspaceView, scopes_of
from fieldcamp.workspace.tracking import attributed

Check = Callable[[WebhookEndpoint], None]


class WebhooksView(WorkspaceView):
    """What all views of webhooks share: their errors in the API's words, and the key's name on what is done."""

    tag = "Webhooks"
    required_scopes = scopes_of("webhooks")
    serializer_class: ClassVar[type[Serializer]] = EndpointSerializer

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ScopeMissing):
            exc = ApiError("INSUFFICIENT_SCOPE", str(exc), details={"required_scope": exc.scope})
        elif isinstance(exc, EventsExpired):
            resync_from = exc.resync_from.strftime("%Y-%m-%dT%H:%M:%SZ")
            exc = ApiError("CURSOR_EXPIRED", str(exc), details={"resync_from": resync_from})
        elif isinstance(exc, TooManyTests):
            exc = ApiError("RATE_LIMITED", str(exc), headers={"Retry-After": "5"})
        return super().handle_exception(exc)

    def signed(self):
        return attributed(actor=signature(self.key))

    def endpoints(self) -> QuerySet[WebhookEndpoint]:
        return selectors.endpoints(self.workspace).select_related("workspace")

    def shown(self, found: list[WebhookEndpoint]) -> list[dict[str, Any]]:
        """Returns the endpoints as answers show them: with their numbers, which are no part of their tags."""
        days, p95s = monitoring.of_last_day(found), monitoring.p95_of(found)
        return [
            {
                **self.data(each),
                "nextStep": next_step(each),
                "stats": {
                    "delivered24h": days[each.pk].delivered,
                    "failed24h": days[each.pk].failed,
                    "lastDeliveredAt": each.last_delivered_at,
                    "p95Ms": p95s.get(each.pk),
                },
            }
            for each in found
        ]

    def answered(self, request: Request, endpoint: WebhookEndpoint, status: int = 200) -> Response:
        [data] = self.shown([endpoint])
        return ok(request, data, status=status, headers={"ETag": etag_of(self.data(endpoint))})

    def once(
        self, request: Request, run: Callable[[], IdempotentAnswer], before: Callable[[], None] | None = None
    ) -> HttpResponseBase:
        """Returns the answer of `run`, which is done once for each Idempotency-Key, in the key's name."""

        def signed() -> IdempotentAnswer:
            with self.signed():
                return run()

        return replay_or_run(request, fingerprint_body=canonical(request.data), run=signed, before=before)


_FILTERS = [
    choice("status", WebhookEndpoint.Status.values),
    choice("payload", WebhookEndpoint.Payload.values),
    truth("onlyChanged", "Only webhooks that leave out syncs which changed nothing, or that do not."),
]


class WebhookListView(WebhooksView):
    body_class = NewWebhookSerializer
    idempotent_methods = ("POST",)
    conditional_creation = True
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(
        operation_id="list_webhooks", parameters=[*_FILTERS, CURSOR, LIMIT], responses=WebhookSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """The workspace's webhooks, oldest first, never with their secrets."""
        filters = {
            "status__in": choice_parameter(request, "status", WebhookEndpoint.Status.values),
            "payload__in": choice_parameter(request, "payload", WebhookEndpoint.Payload.values),
            "only_changed": truth_parameter(request, "onlyChanged"),
        }
        given = {name: value for name, value in filters.items() if value not in (None, [])}
        rows, meta = keyset_page(request, self.endpoints().filter(**given), filters=given)
        return ok(request, self.shown(rows), **meta)

    @extend_schema(
        operation_id="create_webhook", request=NewWebhookSerializer, responses={201: WebhookCreatedSerializer}
    )
    def post(self, request: Request) -> HttpResponseBase:
        """A new webhook, with the secret that its deliveries are signed with, which is shown this once.

        It is `pending` until a test was accepted (`nextStep`). The key needs the scope of each type that it subscribes
        to (403 names the one that it lacks); a pattern means those of its types whose scope the key has. The scopes
        are the webhook's own from then on: rotating or revoking the key changes nothing. There are 20 webhooks at most
        (409), and no two with one address and the same events (400).

        A replay of an `Idempotency-Key` shows `secret` null: if the first answer was lost, rotate the secret.
        """
        values = dict(NewWebhookSerializer().run_validation(request.data))
        found: list[CheckedUrl] = []

        def before() -> None:
            found.append(checked_url(values["url"]))

        def run() -> IdempotentAnswer:
            endpoint, secret = services.create_endpoint(
                workspace=self.workspace,
                scopes=self.key.scopes,
                by=self.key,
                created_by=signature(self.key),
                **{**values, "url": found[-1]},
            )
            [data] = self.shown([endpoint])
            return IdempotentAnswer(
                201,
                envelope(request, {**data, "secret": secret}),
                {"Location": f"{request.path}/{endpoint.pk}", "ETag": etag_of(self.data(endpoint))},
                kept=envelope(request, {**data, "secret": None}),
            )

        return self.once(request, run, before)


_SHAPES = (NewWebhookSerializer(), NewWebhookSerializer(partial=True))
_SHOWING = EndpointSerializer()
_MOVING = frozenset({"stats", "nextStep"})  # with each delivery, and with the test


class WebhookView(WebhooksView):
    tagged_methods = ("GET",)
    conditional_methods = ("PATCH", "PUT", "DELETE")

    @extend_schema(operation_id="read_webhook", responses=WebhookSerializer)
    def get(self, request: Request, webhook_id: str) -> Response:
        """One webhook, without its secret. `stats` is no part of its ETag."""
        endpoint = self.endpoints().get(pk=webhook_id)
        etag = etag_of(self.data(endpoint))
        if is_unchanged(request, etag):
            return Response(status=304, headers={"ETag": etag})
        return self.answered(request, endpoint)

    @extend_schema(operation_id="update_webhook", request=NewWebhookSerializer, responses=WebhookSerializer)
    def patch(self, request: Request, webhook_id: str) -> Response:
        """Changes the fields that are sent.

        Another `url` has to accept a test again before anything is sent there; what happens until then is sent after
        it. Whoever changes `url`, `events` or `payload` needs the scopes of all that is sent there (403), and from then
        on their scopes are the webhook's.
        """
        return self._changed(request, webhook_id, partial=True)

    @extend_schema(operation_id="replace_webhook", request=NewWebhookSerializer, responses=WebhookSerializer)
    def put(self, request: Request, webhook_id: str) -> Response:
        """Replaces all fields: one that is left out gets its default. Otherwise as PATCH."""
        return self._changed(request, webhook_id, partial=False)

    def _changed(self, request: Request, webhook_id: str, *, partial: bool) -> Response:
        return self.answered(request, try_again(lambda: self._change(request, webhook_id, partial=partial)))

    def _change(self, request: Request, webhook_id: str, *, partial: bool) -> WebhookEndpoint:
        current = self.endpoints().get(pk=webhook_id)
        shown, whole = self.data(current), not partial
        edit = edit_of(*_SHAPES, request.data, shown, current, whole=whole, showing=_SHOWING, moving=_MOVING)
        changes = edit.changes
        if "url" in changes:
            # What has been checked already, and what an ETag refuses, is not looked up.
            self._check(request, current)
            changes["url"] = CheckedUrl(current.url) if changes["url"] == current.url else checked_url(changes["url"])

        def check(found: WebhookEndpoint) -> None:
            self._check(request, found)
            if edit.as_read and found.updated_at != current.updated_at:
                raise ChangedMeanwhile

        with self.signed():
            return services.change_endpoint(
                workspace=self.workspace,
                endpoint_id=webhook_id,
                changes=changes,
                scopes=self.key.scopes,
                by=self.key,
                check=check,
            )

    @extend_schema(operation_id="delete_webhook", responses={200: DeletedSerializer})
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Deletes it: nothing more is sent, and what waits is not sent either."""
        with self.signed():
            services.delete_endpoint(
                workspace=self.workspace, endpoint_id=webhook_id, check=lambda found: self._check(request, found)
            )
        return ok(request, {"id": webhook_id, "deleted": True})

    def _check(self, request: Request, endpoint: WebhookEndpoint) -> None:
        if "If-Match" in request.headers:
            check_if_match(request, etag_of(self.data(endpoint)))
