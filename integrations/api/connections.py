"""Connected accounts: how each stands, paused, resumed and disconnected, by the services of the desk's buttons."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.etags import tagged
from fieldcamp.api.examples import example
from fieldcamp.api.idempotency import IdempotentAnswer, canonical, claim_of, kept_answer, replay_or_run
from fieldcamp.api.pagination import fixed_parameters, keyset_page, truth_parameter
from fieldcamp.api.parameters import CURSOR, LIMIT, truth
from fieldcamp.api.permissions import require_scope
from fieldcamp.api.views import ApiView
from fieldcamp.workspace.models import Member
from integrations.api.acting import key_actor
from integrations.api.connection_errors import refusals_of
from integrations.api.connection_examples import BROKEN_ROW, DISCONNECTED, LEAVING, LIST, PAUSED, ROW
from integrations.api.connection_serializers import (
    ConnectionListSerializer,
    ConnectionRowSerializer,
    DisconnectedSerializer,
    DisconnectSerializer,
)
from integrations.api.naming import INTEGRATION, INTEGRATIONS, NO_CONNECTION, name_of
from integrations.api.serializers import EmptySerializer
from integrations.models import Connection, ConnectionState
from integrations.selectors.connections import READ_WITH, connection_row, connection_rows
from integrations.selectors.stalls import stalls_of
from integrations.services import connections, leaving

VISITS = "visits:write"


class ConnectionsView(ApiView):
    tag = "Connections"

    def rows(self) -> QuerySet[Connection]:
        return Connection.objects.filter(workspace=self.workspace).select_related(*READ_WITH)

    def one(self, connection_id: str) -> Connection:
        found = self.rows().filter(pk=connection_id).first()
        if found is None:
            raise ApiError("NOT_FOUND", NO_CONNECTION)
        return found


class ConnectionListView(ConnectionsView):
    required_scopes = {"GET": "integrations:read"}

    @extend_schema(
        operation_id="list_connections",
        parameters=[
            INTEGRATION,
            OpenApiParameter("state", str, enum=ConnectionState.values),
            OpenApiParameter("member_id", str, description="Whose calendars they are."),
            truth("stalled", "Only accounts that are stalled, or that are not."),
            truth("removing_events", "Only accounts whose events are being taken away, or that are not."),
            CURSOR,
            LIMIT,
        ],
        responses=ConnectionListSerializer,
        examples=[example(LIST)],
    )
    def get(self, request: Request) -> Response:
        """All accounts that are or were connected, in the order in which they came; each is in exactly one state."""
        filters = _filters(request)
        rows: Any = Connection.objects.filter(workspace=self.workspace)
        if filters["integration"]:
            rows = rows.filter(integration=name_of(filters["integration"]))
        if filters["state"]:
            rows = rows.in_state(filters["state"])
        if filters["member_id"] is not None:
            rows = rows.filter(member=filters["member_id"])
        if filters["removing_events"] is not None:
            rows = rows.filter(leaving__isnull=not filters["removing_events"])
        if filters["stalled"] is not None:
            stalled = [stall.connection.pk for stall in stalls_of(self.workspace, timezone.now())]
            rows = rows.filter(pk__in=stalled) if filters["stalled"] else rows.exclude(pk__in=stalled)
        page, meta = keyset_page(request, rows.select_related(*READ_WITH), filters=filters)
        return Response({"connections": connection_rows(page, timezone.now()), "next_cursor": meta["next_cursor"]})


def _filters(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = fixed_parameters(request, {"integration": INTEGRATIONS, "state": ConnectionState.values})
    given["member_id"] = request.query_params.get("member_id")
    return given | {name: truth_parameter(request, name) for name in ("stalled", "removing_events")}


class OneConnectionView(ConnectionsView):
    required_scopes = {"GET": "integrations:read"}
    tagged_methods = ("GET",)

    @extend_schema(
        operation_id="read_connection",
        responses=ConnectionRowSerializer,
        examples=[example(ROW), example(BROKEN_ROW, name="Somebody has to connect it again")],
    )
    def get(self, request: Request, connection_id: str) -> Response:
        """One account. Where `connect_url` is set, send its person there."""
        return tagged(request, connection_row(self.one(connection_id), timezone.now()))


class ConnectionActionView(ConnectionsView):
    required_scopes = {"POST": "integrations:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("INTEGRATION_NOT_CONNECTED",)}

    def act(self, request: Request, connection_id: str, service: Callable[..., Connection]) -> HttpResponseBase:
        EmptySerializer(data=request.data).is_valid(raise_exception=True)

        def run() -> IdempotentAnswer:
            connection = self.one(connection_id)
            with refusals_of(connection):
                service(connection=connection, user=key_actor(request))
            return IdempotentAnswer(200, connection_row(self.one(connection_id), timezone.now()))

        return replay_or_run(request, fingerprint_body=canonical({}), run=run)


class ConnectionPauseView(ConnectionActionView):
    @extend_schema(
        operation_id="pause_connection",
        request=EmptySerializer,
        responses=ConnectionRowSerializer,
        examples=[example({}, request=True), example(PAUSED)],
    )
    def post(self, request: Request, connection_id: str) -> HttpResponseBase:
        """Takes an account off the schedule until it is resumed. A sync that is running goes on, and it can still be
        synced by a trigger. Twice is harmless. What is not connected, or needs a person first, is 422."""
        return self.act(request, connection_id, connections.pause)


class ConnectionResumeView(ConnectionActionView):
    @extend_schema(
        operation_id="resume_connection",
        request=EmptySerializer,
        responses=ConnectionRowSerializer,
        examples=[example({}, request=True), example(ROW)],
    )
    def post(self, request: Request, connection_id: str) -> HttpResponseBase:
        """Puts a paused account back on the schedule. Twice is harmless. What is not connected, or needs a person
        first, is 422."""
        return self.act(request, connection_id, connections.resume)


class ConnectionDisconnectView(ConnectionsView):
    required_scopes = {"POST": "connections:write"}
    idempotent_methods = ("POST",)
    raises = {"POST": ("INVALID_TRANSITION",)}

    @extend_schema(
        operation_id="disconnect_connection",
        request=DisconnectSerializer,
        responses=DisconnectedSerializer,
        examples=[
            example({}, request=True, name="Leave everything there"),
            example({"remove_events": True}, request=True, name="Take our events away first"),
            example(DISCONNECTED, name="Disconnected"),
            example(LEAVING, name="Its events are being removed"),
        ],
    )
    def post(self, request: Request, connection_id: str) -> HttpResponseBase:
        """Disconnects an account: its tokens are wiped, and the access is withdrawn at the provider, unless another
        company uses the same account. Its history stays; connecting it again takes it up where it was.

        With `remove_events` FieldCamp's events are taken out of the calendar first, by the job in `job_id`; the account
        is disconnected when that ends. What is disconnected already is answered with its row."""
        body = DisconnectSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)
        # The provider is told, and no transaction is open across that: the answer is kept afterwards. Done again after
        # a crash in between, it finds the account disconnected.
        if kept := kept_answer(claim_of(request, canonical(sent))):
            return kept
        connection = self.one(connection_id)
        choices = leaving.LeaveChoices(
            remove_events=sent.get("remove_events", False),
            remove_busy=sent.get("remove_busy_times", False),
            visits_to=self._technician(sent["visits_to"]) if "visits_to" in sent else None,
        )
        with refusals_of(connection):
            _, job = leaving.leave(connection=connection, choices=choices, user=key_actor(request), disconnecting=True)

        def run() -> IdempotentAnswer:
            row = connection_row(self.one(connection_id), timezone.now())
            place = {"Location": reverse("integrations-job", args=[job.pk])} if job else {}
            return IdempotentAnswer(200, {**row, "job_id": job.pk if job else None}, place)

        return replay_or_run(request, fingerprint_body=canonical(sent), run=run)

    def _technician(self, member_id: str) -> Member:
        require_scope(self.key, VISITS)
        found = Member.objects.filter(workspace=self.workspace, pk=member_id).first()
        if found is None:
            raise validation_error({"visits_to": ["There is no such member."]})
        return found
