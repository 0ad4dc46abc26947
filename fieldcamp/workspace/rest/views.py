"""`/visits`, `/clients` and `/team`: parse, call one service, render."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from fieldcamp.api.errors import validation_error
from fieldcamp.api.pagination import instant_parameter
from fieldcamp.api.parameters import SINCE
from fieldcamp.workspace import selectors, services
from fieldcamp.workspace.models import VisitStatus
from fieldcamp.workspace.rest.reference import CLIENT_FILTERS, VISIT_FILTERS, list_reference, record_reference
from fieldcamp.workspace.rest.resources import CreateMixin, EditableView, ListView, RecordView, scopes_of
from fieldcamp.workspace.rest.serializers import ClientSerializer, MemberSerializer, VisitSerializer


@list_reference("visits", VisitSerializer, VISIT_FILTERS, "visit")
class VisitListView(CreateMixin, ListView):
    tag = "Visits"
    required_scopes = scopes_of("visits")
    serializer_class = VisitSerializer
    create = staticmethod(services.create_visit)

    def filters(self, request: Request) -> dict[str, Any]:
        statuses = sorted(set(request.query_params.getlist("visitStatus")))
        unknown = [status for status in statuses if status not in VisitStatus.values]
        if unknown:
            raise validation_error({"visitStatus": [f"Must be one of {', '.join(VisitStatus.values)}."]})
        return {
            "statuses": statuses,
            "technician_id": request.query_params.get("technicianId", ""),
            "client_id": request.query_params.get("clientId", ""),
            "since": instant_parameter(request, "since"),
            "scheduled_from": instant_parameter(request, "scheduledFrom"),
            "scheduled_to": instant_parameter(request, "scheduledTo"),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.visits(workspace=self.workspace, **filters)


@record_reference("visit", VisitSerializer)
class VisitView(EditableView):
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
class ClientListView(CreateMixin, ListView):
    tag = "Clients"
    required_scopes = scopes_of("clients")
    serializer_class = ClientSerializer
    create = staticmethod(services.create_client)

    def filters(self, request: Request) -> dict[str, Any]:
        return {
            "search": request.query_params.get("search", ""),
            "stage": request.query_params.get("stage", ""),
            "since": instant_parameter(request, "since"),
        }

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.clients(workspace=self.workspace, **filters)


@record_reference("client", ClientSerializer)
class ClientView(EditableView):
    tag = "Clients"
    required_scopes = scopes_of("clients")
    serializer_class = ClientSerializer

    def rows(self) -> QuerySet:
        return selectors.clients(workspace=self.workspace)

    def update(self, record_id: str, changes: Mapping[str, Any], check: Callable[[Any], None]) -> Any:
        return services.update_client(workspace=self.workspace, client_id=record_id, changes=changes, check=check)

    def remove(self, record_id: str, check: Callable[[Any], None]) -> Any:
        return services.delete_client(workspace=self.workspace, client_id=record_id, check=check)


@list_reference("team", MemberSerializer, [SINCE])
class TeamView(ListView):
    tag = "Team"
    required_scopes = {"GET": "team:read"}
    serializer_class = MemberSerializer
    by_update = False

    def filters(self, request: Request) -> dict[str, Any]:
        # People carry no time of change: `since` is checked, and everybody is answered, so that nobody is missed.
        instant_parameter(request, "since")
        return {}

    def rows(self, **filters: Any) -> QuerySet:
        return selectors.team(workspace=self.workspace)


@record_reference("team_member", MemberSerializer, editable=False)
class MemberView(RecordView):
    tag = "Team"
    required_scopes = {"GET": "team:read"}
    serializer_class = MemberSerializer

    def rows(self) -> QuerySet:
        return selectors.team(workspace=self.workspace)
