"""What an API key may be allowed to do: `<resource>:<read|write>`."""

from typing import Any

from django.core.exceptions import ValidationError

RESOURCES = (
    "clients", "visits", "team", "integrations", "api_keys", "invoices", "payments", "items", "taxes", "problems",
    "webhooks", "connections",
)  # fmt: skip
SCOPES = tuple(f"{resource}:{access}" for resource in RESOURCES for access in ("read", "write"))
CHOICES = [(scope, scope) for scope in SCOPES]


def validate_scopes(value: Any) -> None:
    """Refuses anything but a list of known scopes."""
    if not isinstance(value, list) or not all(isinstance(scope, str) for scope in value):
        raise ValidationError("Scopes are a list of texts such as visits:read.")
    unknown = sorted(set(value) - set(SCOPES))
    if unknown:
        raise ValidationError(f"Unknown scopes: {', '.join(unknown)}. Known are {', '.join(SCOPES)}.")
