"""The base of every API view: authenticate → scope → rate limit → the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import override
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from fieldcamp.api import limits
from fieldcamp.api.authentication import caller, touch
from fieldcamp.api.deprecations import deprecation_of
from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.idempotency import idempotency_key
from fieldcamp.api.models import ApiKey
from fieldcamp.api.negotiation import JsonOnly
from fieldcamp.api.query import refuse_unknown
from fieldcamp.formats import in_currency, set_currency
from fieldcamp.workspace.models import Workspace


class ApiView(APIView):
    """A view under `/api/v1`: `required_scopes` names the scope that each method needs.

    `self.key` and `self.workspace` are the caller's. A view without authentication (`authentication_classes = []`)
    has neither, and draws on no quota.
    """

    content_negotiation_class = JsonOnly
    required_scopes: dict[str, str] = {}
    further_scopes: Sequence[str] = ()  # what each of its methods needs as well
    # For the reference (fieldcamp.api.openapi): what the code below does, where it cannot be seen from outside.
    tag = ""
    enveloped = False
    raises: Mapping[str, Sequence[str]] = {}
    idempotent_methods: Sequence[str] = ()
    tagged_methods: Sequence[str] = ()
    conditional_methods: Sequence[str] = ()
    conditional_creation = False
    beside_writes: Mapping[str, type[Serializer]] = {}  # lists that writes answer beside `data`: name → shape of a row
    meta_class: type[Serializer] | None = None  # what `meta` holds, where it is more than usual
    list_meta_class: type[Serializer] | None = None  # the same of a list alone
    list_also: type[Serializer] | None = None  # another shape that rows of a list may have
    quota: limits.Quota | None = None

    @property
    def list_included(self) -> Mapping[str, type[Serializer]]:
        """Returns what rows of a list have besides where it is asked for: name → shape."""
        return {}

    @property
    def key(self) -> ApiKey:
        return caller(self.request)

    @property
    def workspace(self) -> Workspace:
        return self.key.workspace

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with override("en"), in_currency(""):  # whatever the browser would rather read
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        renderer, media_type = self.perform_content_negotiation(request, force=True)
        request.accepted_renderer, request.accepted_media_type = renderer, media_type
        self.perform_authentication(request)
        if request.auth:
            set_currency(caller(request).workspace.currency)
            # A call that lacks the scope is a call too, so it is counted before it is refused.
            self.quota = limits.take(caller(request), also=lambda: touch(caller(request), timezone.now()))
        self.check_permissions(request)
        if self.quota:
            self.quota.check()
        self.perform_content_negotiation(request)
        _refuse_nul(request, kwargs)
        refuse_unknown(request, type(self))
        if request.method in self.idempotent_methods:
            idempotency_key(request)  # a malformed one is refused before anything is looked for

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.quota:
            for name, value in self.quota.headers.items():
                response[name] = value
        route = request.resolver_match.route if request.resolver_match else ""
        if deprecated := deprecation_of(request.method or "", route):
            for name, value in deprecated.headers.items():
                response[name] = value
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Returns which methods there are, in the Allow header."""
        return Response(status=204)


def _refuse_nul(request: Request, kwargs: dict[str, Any]) -> None:
    """Refuses NUL, which PostgreSQL takes in no text: in an id it is an unknown one, in a parameter a mistake."""
    if any("\x00" in str(value) for value in kwargs.values()):
        raise ApiError("NOT_FOUND")
    for name, values in request.query_params.lists():
        if any("\x00" in text for text in (name, *values)):
            raise validation_error({name.replace("\x00", "") or "query": ["Must not have a NUL character."]})


def ok(request: Request, data: Any, *, status: int = 200, headers: dict[str, str] | None = None, **meta: Any):
    """FieldCamp's success envelope around `data`; further `meta` in snake_case."""
    return Response(envelope(request, data, **meta), status=status, headers=headers)


def envelope(request: Request, data: Any, **meta: Any) -> dict[str, Any]:
    return {"success": True, "data": data, "meta": {"request_id": getattr(request, "request_id", ""), **meta}}


class NotFoundView(ApiView):
    """An address that does not exist: 404 with or without a key; a known key's quota is drawn on as by any call."""

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except ApiError:
            request.auth = None

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise ApiError(
            "NOT_FOUND", "There is no such address in this API. Check it against the reference at /api/docs."
        )

    options = http_method_not_allowed

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}
