"""What is chosen for an account and for an integration: read, and changed by the services of the desk's pages."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fieldcamp.api.errors import validation_error
from fieldcamp.api.etags import check_if_match, etag_of, tagged
from fieldcamp.api.examples import example
from fieldcamp.workspace.errors import InvalidFields
from integrations.api.acting import key_actor
from integrations.api.connection_errors import refusals_of
from integrations.api.connection_examples import BOOKS_SETTINGS, CALENDAR_SETTINGS, OPTIONS
from integrations.api.connection_serializers import (
    ConnectionChangesSerializer,
    ConnectionSettingsSerializer,
    IntegrationChangesSerializer,
    IntegrationSettingsSerializer,
    OptionsSerializer,
    plain_changes,
)
from integrations.api.connections import ConnectionsView
from integrations.models import WorkspaceIntegration
from integrations.providers.base import Provider
from integrations.records import Container, Reference
from integrations.selectors.connection_settings import integration_settings, settings_of
from integrations.services.connection_settings import change_settings, what_is_offered
from integrations.services.schedule import Interval, set_interval

_LISTS = {"income_accounts": "income_account", "items": "item", "classes": "class", "locations": "location",
          "terms": "terms"}  # fmt: skip


def _if_match(request: Request) -> Callable[[Mapping[str, Any]], None]:
    return lambda settings: check_if_match(request, etag_of(settings))


class ConnectionSettingsView(ConnectionsView):
    required_scopes = {"GET": "connections:read", "PATCH": "connections:write"}
    tagged_methods = ("GET",)
    conditional_methods = ("PATCH",)
    raises = {"PATCH": ("INVALID_TRANSITION", "INTEGRATION_NOT_CONNECTED")}

    @extend_schema(
        operation_id="read_connection_settings",
        responses=ConnectionSettingsSerializer,
        examples=[example(CALENDAR_SETTINGS, name="A calendar"), example(BOOKS_SETTINGS, name="A company's books")],
    )
    def get(self, request: Request, connection_id: str) -> Response:
        """What is chosen for an account. The ETag changes with nothing else."""
        return tagged(request, settings_of(self.one(connection_id)))

    @extend_schema(
        operation_id="update_connection_settings",
        request=ConnectionChangesSerializer,
        responses=ConnectionSettingsSerializer,
        examples=[
            example(
                {"calendar": {"direction": "push", "conflict_policy": "ask"}}, request=True, name="Of a calendar"
            ),
            example({"books": {"terms_id": "3"}, "metered_reads_per_day": 500}, request=True, name="Of books"),
            example(CALENDAR_SETTINGS, name="A calendar"),
            example(BOOKS_SETTINGS, name="A company's books"),
        ],
    )  # fmt: skip
    def patch(self, request: Request, connection_id: str) -> Response:
        """Changes what is sent of an account's settings. The ids are those of its `/options`, which the provider is
        asked for again: 503 where it does not answer.

        An account in the state `setup` is set up by it, and synced from then on: a calendar with `member_id` and
        `target_calendar_id`, books with `income_account_id`. What is not connected, or needs a person first, is 422."""
        body = ConnectionChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        connection = self.one(connection_id)
        with refusals_of(connection):
            data = change_settings(
                connection=connection,
                changes=plain_changes(body),
                user=key_actor(request),
                precondition=_if_match(request),
            )
        return Response(data, headers={"ETag": etag_of(data)})


class ConnectionOptionsView(ConnectionsView):
    required_scopes = {"GET": "connections:read"}
    raises = {"GET": ("INTEGRATION_NOT_CONNECTED",)}

    @extend_schema(
        operation_id="read_connection_options", responses=OptionsSerializer, examples=[example(OPTIONS)]
    )  # fmt: skip
    def get(self, request: Request, connection_id: str) -> Response:
        """What there is to choose from for the account's settings. The provider is asked now, so this is for a form
        that somebody looks at; 503 where it does not answer."""
        connection = self.one(connection_id)
        with refusals_of(connection):
            found = what_is_offered(connection)
        lists = {name: [_named(one) for one in found.references.get(kind, [])] for name, kind in _LISTS.items()}
        calendars = [_calendar(calendar) for calendar in found.calendars]
        return Response({"connection_id": connection.pk, "calendars": calendars, **lists})


def _named(reference: Reference) -> dict[str, str]:
    return {"id": reference.id, "name": reference.name}


def _calendar(calendar: Container) -> dict[str, Any]:
    return {
        "id": calendar.id,
        "name": calendar.name,
        "primary": calendar.primary,
        "writable": calendar.writable,
        "readable": calendar.readable,
        "owner": calendar.owner or None,
    }


class IntegrationSettingsView(ConnectionsView):
    """A view of one integration: `of(provider)` makes the one of each."""

    provider: ClassVar[Provider]
    required_scopes = {"GET": "connections:read", "PATCH": "connections:write"}
    tagged_methods = ("GET",)
    conditional_methods = ("PATCH",)

    @classmethod
    def of(cls, provider: Provider) -> type[APIView]:
        view = type(f"{provider.name.title().replace('_', '')}SettingsView", (cls,), {"provider": provider})
        shown = {"integration": provider.name, "interval_minutes": 15, "sync_on_save": True}
        return extend_schema_view(
            get=extend_schema(
                operation_id=f"read_{provider.name}_settings",
                responses=IntegrationSettingsSerializer,
                examples=[example(shown)],
            ),
            patch=extend_schema(
                operation_id=f"update_{provider.name}_settings",
                request=IntegrationChangesSerializer,
                responses=IntegrationSettingsSerializer,
                examples=[example({"interval_minutes": 15}, request=True), example(shown)],
            ),
        )(view)

    def get(self, request: Request) -> Response:
        """How often the integration is synced by itself, and whether what is saved waits for that."""
        row = WorkspaceIntegration.objects.filter(workspace=self.workspace, integration=self.provider.name).first()
        return tagged(request, integration_settings(self.provider.name, row))

    def patch(self, request: Request) -> Response:
        """Changes what is sent of it, for all accounts of the integration."""
        body = IntegrationChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        name, check = self.provider.name, _if_match(request)
        try:
            row = set_interval(
                workspace=self.workspace,
                integration=name,
                minutes=body.validated_data.get("interval_minutes", Interval.AS_IT_IS),
                on_save=body.validated_data.get("sync_on_save"),
                user=key_actor(request),
                unchanged=lambda row: check(integration_settings(name, row)),
            )
        except InvalidFields as refusal:
            raise validation_error({"interval_minutes": refusal.details["minutes"]}) from refusal
        data = integration_settings(name, row)
        return Response(data, headers={"ETag": etag_of(data)})
