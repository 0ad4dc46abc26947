"""Examples of the reference: real shapes with made-up ids."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

KEY: dict[str, Any] = {
    "id": "key_01HZX2Q8YV3D1G0N3WJ2P7K9MB",
    "name": "Nightly import",
    "prefix": "fc_live_9XcPq2mT4vLk",
    "scopes": ["visits:read", "integrations:read"],
    "expiresAt": "2027-05-29T00:00:00Z",
    "rateLimitOverride": None,
    "lastUsedAt": None,
    "previousSecretUntil": None,
    "createdBy": "Olivia Hart",
    "madeBy": None,
    "createdAt": "2026-05-29T14:21:08Z",
}
NEW_KEY = {"name": "Nightly import", "scopes": ["visits:read", "integrations:read"]}
SECRET = "fc_live_…"  # noqa: S105


def example(value: Any, *, request: bool = False, name: str = "Example", status: int | None = None) -> OpenApiExample:
    """Returns one example of a request or of an answer."""
    codes = [str(status)] if status else None
    return OpenApiExample(name, value=value, request_only=request, response_only=not request, status_codes=codes)
