"""Which integration is meant: by its name, or by its slug in addresses.

The reference has a pattern of both and no list of values: of two that differ in a hyphen alone, generators would make
one name, and refuse the document.
"""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from fieldcamp.api.errors import ApiError
from fieldcamp.workspace.models import Workspace
from integrations.models import Connection
from integrations.providers import BY_SLUG, PROVIDERS

INTEGRATIONS = tuple(sorted({*PROVIDERS, *BY_SLUG}))
_SCHEMA = {"type": "string", "pattern": f"^({'|'.join(INTEGRATIONS)})$"}
_HELP = "The integration's name, or its slug in addresses."

NO_CONNECTION = "There is no such connection. GET /integrations/connections names those that there are."
Row = TypeVar("Row", bound=Model)

INTEGRATION = OpenApiParameter("integration", _SCHEMA, description=_HELP)
OF_CONNECTION = OpenApiParameter("connection_id", str, description="Of this account alone.")


@extend_schema_field(_SCHEMA)
class IntegrationField(serializers.ChoiceField):
    """An integration in a body, as it was given."""

    def __init__(self, **options: Any):
        super().__init__(choices=INTEGRATIONS, **{"help_text": _HELP, **options})


def name_of(integration: str) -> str:
    """Returns the name of an integration that may be given by its slug."""
    return BY_SLUG[integration].name if integration in BY_SLUG else integration


def narrowed(
    rows: QuerySet[Row], workspace: Workspace, integration: str | None, connection_id: str | None, *,
    by: tuple[str, str] = ("integration", "connection"),
) -> QuerySet[Row]:  # fmt: skip
    """Returns those rows of one integration ("" or None for all) and account (None for all); `by` is where a row has
    them. Raises NOT_FOUND: an account of somebody else does not exist for the caller."""
    of_integration, of_connection = by
    if integration:
        rows = rows.filter(**{of_integration: name_of(integration)})
    if connection_id is None:
        return rows
    if not Connection.objects.filter(pk=connection_id, workspace=workspace).exists():
        raise ApiError("NOT_FOUND", NO_CONNECTION)
    return rows.filter(**{of_connection: connection_id})
