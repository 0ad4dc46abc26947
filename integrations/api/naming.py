"""Which integration is meant: by its name, or by its slug in addresses.

The reference has a pattern of both and no list of values: of two that differ in a hyphen alone, generators would make
one name, and refuse the document.
"""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from integrations.providers import BY_SLUG, PROVIDERS

INTEGRATIONS = tuple(sorted({*PROVIDERS, *BY_SLUG}))
_SCHEMA = {"type": "string", "pattern": f"^({'|'.join(INTEGRATIONS)})$"}
_HELP = "The integration's name, or its slug in addresses."

INTEGRATION = OpenApiParameter("integration", _SCHEMA, description=_HELP)


@extend_schema_field(_SCHEMA)
class IntegrationField(serializers.ChoiceField):
    """An integration in a body, as it was given."""

    def __init__(self, **options: Any):
        super().__init__(choices=INTEGRATIONS, **{"help_text": _HELP, **options})


def name_of(integration: str) -> str:
    """Returns the name of an integration that may be given by its slug."""
    return BY_SLUG[integration].name if integration in BY_SLUG else integration
