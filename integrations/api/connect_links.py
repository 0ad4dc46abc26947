"""Connect links: with one of them a person without a login connects an account, after a vendor's own consent."""

import datetime as dt

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.examples import example
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, replay_or_run
from fieldcamp.api.pagination import fixed_parameters, keyset_page
from fieldcamp.api.parameters import CURSOR, LIMIT
from fieldcamp.api.services import signature
from fieldcamp.api.views import ApiView
from fieldcamp.workspace.errors import InvalidFields
from integrations.api.connect_link_serializers import (
    LIST,
    MADE,
    NEW,
    REVOKED,
    USED,
    ConnectLinkCreatedSerializer,
    ConnectLinkListSerializer,
    ConnectLinkSerializer,
    NewConnectLinkSerializer,
)
from integrations.api.naming import INTEGRATION, INTEGRATIONS, name_of
from integrations.models import ConnectLink, ConnectLinkState
from integrations.selectors.connect_links import connect_link_row, connect_link_url, connect_links_of
from integrations.services.connect_links.making import USUAL, LinkMaker, create_link, revoke_link

_FIXED = {"integration": INTEGRATIONS, "state": tuple(ConnectLinkState.values)}


class ConnectLinkView(ApiView):
    tag = "Connect links"

    @property
    def maker(self) -> LinkMaker:
        return LinkMaker(signature(self.key), key=self.key)

    def link(self, link_id: str) -> ConnectLink:
        found = connect_links_of(self.workspace).filter(pk=link_id).first()
        if found is None:
            raise ApiError("NOT_FOUND", "There is no such connect link.")
        return found


class ConnectLinkListView(ConnectLinkView):
    required_scopes = {"GET": "integrations:read", "POST": "integrations:write"}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="list_connect_links",
        parameters=[
            INTEGRATION,
            OpenApiParameter("state", str, enum=_FIXED["state"]),
            OpenApiParameter("member_id", str, description="For this person's account."),
            CURSOR,
            LIMIT,
        ],
        responses=ConnectLinkListSerializer,
        examples=[example(LIST)],
    )
    def get(self, request: Request) -> Response:
        """Connect links, the newest first. Those that ended are kept for 90 days."""
        given = fixed_parameters(request, _FIXED) | {"member_id": request.query_params.get("member_id")}
        rows = connect_links_of(self.workspace)
        if given["integration"] is not None:
            rows = rows.filter(integration=name_of(given["integration"]))
        rows = rows.filter(**{name: given[name] for name in ("state", "member_id") if given[name] is not None})
        page, meta = keyset_page(request, rows, filters=given, order="-id")
        return Response(
            {"connect_links": [connect_link_row(link) for link in page], "next_cursor": meta["next_cursor"]}
        )

    @extend_schema(
        operation_id="create_connect_link",
        request=NewConnectLinkSerializer,
        responses={201: ConnectLinkCreatedSerializer},
        examples=[example(NEW, request=True), example(MADE, status=201)],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """A link for one person: with it they connect one account, at the vendor's own consent, without a login.

        Its page says which company asks, for whose account, and for what. It works once: opening it, or breaking the
        consent off, does not use it up. The account is bound to `member_id` alone, who can connect no other account
        with it than the one that is connected already.

        Consent is not access: an account that was not connected before is in the state `setup` until it is set up by
        the company, and nothing is synced before that. One that was set up goes on.

        A replay of an `Idempotency-Key` shows the link with `url` null, because the address is not kept anywhere: if
        the first answer was lost, make another link."""
        body = NewConnectLinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)

        def run() -> IdempotentAnswer:
            seconds = sent.get("expires_in")
            try:
                link, token = create_link(
                    workspace=self.workspace,
                    integration=name_of(sent["integration"]),
                    member_id=sent.get("member_id"),
                    lifetime=USUAL if seconds is None else dt.timedelta(seconds=seconds),
                    return_url=sent.get("return_url") or "",
                    maker=self.maker,
                )
            except InvalidFields as refusal:
                raise validation_error(refusal.details) from refusal
            row = connect_link_row(link)
            return IdempotentAnswer(
                201,
                {**row, "url": connect_link_url(token)},
                {"Location": reverse("integrations-connect-link", args=[link.pk])},
                kept={**row, "url": None},
            )

        return replay_or_run(request, fingerprint_body=canonical(sent), run=run)


class OneConnectLinkView(ConnectLinkView):
    required_scopes = {"GET": "integrations:read", "DELETE": "integrations:write"}
    raises = {"DELETE": ("INVALID_TRANSITION",)}

    @extend_schema(operation_id="read_connect_link", responses=ConnectLinkSerializer, examples=[example(USED)])
    def get(self, request: Request, link_id: str) -> Response:
        """One link, with what was connected with it."""
        return Response(connect_link_row(self.link(link_id)))

    @extend_schema(
        operation_id="revoke_connect_link", responses={200: ConnectLinkSerializer}, examples=[example(REVOKED)]
    )
    def delete(self, request: Request, link_id: str) -> Response:
        """Ends the link, also for who is at the vendor's consent with it now. Twice is harmless; one that has been used
        is 409: disconnect the account instead."""
        return Response(connect_link_row(revoke_link(link=self.link(link_id), maker=self.maker)))
