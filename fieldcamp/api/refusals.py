"""What somebody known was refused, in the audit trail: at the desk and in the API alike."""

from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from fieldcamp.api.models import ApiKey
from fieldcamp.api.services import signature
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.audit import audit

PAUSE = 60  # seconds between two entries on the same person or key at the same address


class AuditRefusals:
    """Writes each 403 down by the name of its route; who was not even known is none of the trail's business."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 403:
            _note(request)
        return response


def _note(request: Any) -> None:
    key = getattr(request, "auth", None)  # as DRF has left it
    workspace_id: str | None
    if isinstance(key, ApiKey):
        workspace_id, actor, who = key.workspace_id, signature(key), key.pk
    elif getattr(request, "user", None) is not None and request.user.is_authenticated:
        desk_user = desk_user_of(request)
        company = desk_user.member.workspace_id if desk_user.member else None
        workspace_id, actor, who = company, desk_user.name, f"user_{request.user.pk}"
    else:
        return
    match = request.resolver_match
    route = (match.view_name if match else "") or "unknown"
    if cache.add(f"refusal:{who}:{request.method}:{route}", 1, PAUSE):
        after = {"method": request.method, "route": route}
        audit("access.refused", workspace_id=workspace_id, object_id=who, actor=actor, after=after)
