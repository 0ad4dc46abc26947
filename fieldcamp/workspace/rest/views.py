"""`/visits`, `/clients` and `/team`: parse, call one service, render."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from fieldcamp.api.errors import ApiError
from fieldcamp.api.pagination import choice_parameter, instant_parameter, search_parameter, truth_parameter
from fieldcamp.workspace import selectors, services
from fieldcamp.workspace.merging import merge_clients
from fieldcamp.workspace.models import Client, Role, Visit, VisitStatus
from fieldcamp.workspace.rest.overlaps import VisitWarningSerializer, warnings_of
from fieldcamp.workspace.rest.reference import (
    CLIENT_FILTERS,
    TEAM_FILTERS,
    VISIT_FILTERS,
    action_reference,
    list_reference,
    record_reference,
)
from fieldcamp.workspace.rest.resources import (
    ActionView,
    CreateMixin,
    EditableView,
    ListView,
    RecordListView,
    RecordView,
    WorkspaceView,
    scopes_of,
)
from fieldcamp.workspace.rest.serializers import ClientSerializer, MemberSerializer, MergeSerializer, VisitSerializer


class VisitWarnings(WorkspaceView):
    """Whatever is written of a visit, the answer says what it overlaps."""

    beside_writes = {"warnings": VisitWarningSerializer}

    def beside(self, record: Visit) -> dict[str, Any]:
        return {"warnings": warnings_of(record)}


@list_reference("visits", VisitSerializer, VISIT_FILTERS, "visit")
class VisitListView(VisitWarnings, CreateMixin, RecordListView):
    tag = "Visits"
    required_scopes = scopes_of("visits")
    serializer_class = VisitSerializer
    create = staticmethod(services.create_visit)

    def filters(self, request: Request) -> dict[str, Any]:
        return {
            "statuses": choice_parameter(request, "visitStatus", VisitStatus.values),
            "technician_id": request.query_params.get("technicianId", ""),
            "client_id": request.query_params.get("clientId", ""),
            "scheduled_from": instant_parameter(request, "scheduledFrom"),
            "scheduled_to": instant_parameter(request, "scheduledTo"),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.visits(workspace=self.workspace, **filters)


@record_reference("visit", VisitSerializer)
class VisitView(VisitWarnings, EditableView):
    tag = "Visits"
    raises = {"PATCH": ("INVALID_TRANSITION",), "PUT": ("INVALID_TRANSITION",)}
    required_scopes = scopes_of("visits")
    serializer_class = VisitSerializer

    def rows(self) -> QuerySet:
        return selectors.visits(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Callable[[Any], None]) -> Any:
        return services.update_visit(workspace=self.workspace, visit_id=record_id, changes=changes, check=check)

    def remove(self, record_id: str, check: Callable[[Any], None]) -> Any:
        return services.delete_visit(workspace=self.workspace, visit_id=record_id, check=check)


@list_reference("clients", ClientSerializer, CLIENT_FILTERS, "client")
class ClientListView(CreateMixin, RecordListView):
    tag = "Clients"
    required_scopes = scopes_of("clients")
    serializer_class = ClientSerializer
    create = staticmethod(services.create_client)

    def filters(self, request: Request) -> dict[str, Any]:
        return {
            "search": search_parameter(request),
            "stage": request.query_params.get("stage", ""),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.clients(workspace=self.workspace, **filters)


@record_reference("client", ClientSerializer)
class ClientView(EditableView):
    tag = "Clients"
    required_scopes = scopes_of("clients")
    serializer_class = ClientSerializer

    def told(self, exc: Exception, record_id: str) -> Exception:
        if isinstance(exc, Client.DoesNotExist):
            return self._merged(record_id) or exc
        return super().told(exc, record_id)

    def _merged(self, record_id: str) -> ApiError | None:
        """Returns the answer of a client that is no more since it was merged: where all that was its has gone."""
        rows = Client.objects.filter(workspace=self.workspace, pk=record_id)
        into = rows.values_list("merged_into", flat=True).first()
        if into is None:
            return None
        sentence = f"This client was merged into {into}. Use that one, and keep its id instead."
        return ApiError("NOT_FOUND", sentence, details={"merged_into": into})

    def rows(self) -> QuerySet:
        return selectors.clients(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Callable[[Any], None]) -> Any:
        return services.update_client(workspace=self.workspace, client_id=record_id, changes=changes, check=check)

    def remove(self, record_id: str, check: Callable[[Any], None]) -> Any:
        return services.delete_client(workspace=self.workspace, client_id=record_id, check=check)


@action_reference("merge_client", ClientSerializer, MergeSerializer)
class ClientMergeView(ActionView):
    tag = "Clients"
    required_scopes = {"POST": "clients:write"}
    serializer_class = ClientSerializer
    body_class = MergeSerializer

    def act(self, record_id: str, check: Callable[[Any], None], **values: Any) -> Any:
        return merge_clients(workspace=self.workspace, client_id=record_id, into_id=values["into"], check=check)

    def post(self, request: Request, record_id: str) -> HttpResponseBase:
        """Merges the client into another, which is answered: visits, invoices, payments and places go there, and what
        that one lacks of e-mail, phone and addresses it takes over. The client is deleted."""
        return self.run(request, record_id)


@list_reference("team", MemberSerializer, TEAM_FILTERS)
class TeamView(ListView):
    tag = "Team"
    required_scopes = {"GET": "team:read"}
    serializer_class = MemberSerializer

    def filters(self, request: Request) -> dict[str, Any]:
        # People carry no time of change: `since` is checked, and everybody is answered, so that nobody is missed.
        instant_parameter(request, "since")
        return {
            "roles": choice_parameter(request, "role", Role.values),
            "is_technician": truth_parameter(request, "isTechnician"),
            "is_active": truth_parameter(request, "isActive"),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.team(workspace=self.workspace, **filters)


@record_reference("team_member", MemberSerializer, editable=False)
class MemberView(RecordView):
    tag = "Team"
    required_scopes = {"GET": "team:read"}
    serializer_class = MemberSerializer

    def rows(self) -> QuerySet:
        return selectors.team(workspace=self.workspace)
