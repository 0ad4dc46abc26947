"""Scopes: a view says which one each method needs."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from fieldcamp.api.authentication import caller
from fieldcamp.api.errors import ApiError
from fieldcamp.api.models import ApiKey


def required_scope(view: Any, method: str) -> str | None:
    """Returns the scope that the view's `required_scopes` asks for; HEAD reads as GET does."""
    return getattr(view, "required_scopes", {}).get("GET" if method == "HEAD" else method)


def require_scope(key: ApiKey, scope: str) -> None:
    """Raises 403 naming the scope unless the key has it."""
    if scope not in key.scopes:
        raise ApiError(
            "INSUFFICIENT_SCOPE",
            f"This API key lacks the scope {scope}. Use a key that has it, or add it to this one.",
            details={"required_scope": scope},
        )


class HasScope(BasePermission):
    """Lets a known key pass that has the scope which the view's `required_scopes` names for the method, and all of its
    `further_scopes`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth:
            for scope in (required_scope(view, request.method or ""), *getattr(view, "further_scopes", ())):
                if scope:
                    require_scope(caller(request), scope)
        return True
