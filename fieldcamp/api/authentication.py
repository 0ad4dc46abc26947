"""Who is calling: `Authorization: Bearer fc_live_…` or `X-Api-Key`."""

import datetime as dt
from dataclasses import dataclass
from typing import cast

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from fieldcamp.api.errors import ApiError
from fieldcamp.api.models import ApiKey
from fieldcamp.api.secret import is_wellformed, matches, prefix_of
from fieldcamp.workspace.models import Workspace

TOUCH_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class ApiCaller:
    """What DRF calls the user: nobody in particular, in one workspace."""

    workspace: Workspace
    is_authenticated: bool = True
    is_active: bool = True


def caller(request: Request) -> ApiKey:
    """The key of an authenticated request."""
    return cast(ApiKey, request.auth)


def unauthorized(message: str = "") -> ApiError:
    return ApiError("UNAUTHORIZED", message, headers={"WWW-Authenticate": "Bearer"})


def presented_secret(headers) -> str | None:
    """The secret that the request carries, None if it carries none; two different ones or a garbled one are refused."""
    found = []
    authorization = headers.get("Authorization", "").strip()
    if authorization:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized("Send the API key as `Authorization: Bearer fc_live_…`.")
        found.append(value.strip())
    if "X-Api-Key" in headers:
        found.append(headers["X-Api-Key"].strip())
    if len(set(found)) > 1:
        raise unauthorized("Authorization and X-Api-Key carry different keys. Send one of them.")
    return found[0] if found else None


def find_key(secret: str, now: dt.datetime) -> ApiKey | None:
    """The live key that this is the secret of. Unknown, revoked and expired look the same."""
    if not is_wellformed(secret):
        return None
    key = ApiKey.objects.select_related("workspace").filter(prefix=prefix_of(secret)).first()
    if key is None or key.revoked_at or (key.expires_at and key.expires_at <= now):
        return None
    if matches(secret, key.digest):
        return key
    if key.previous_until and key.previous_until > now and matches(secret, key.previous_digest):
        key.used_previous_secret = True
        return key
    return None


def touch(key: ApiKey, now: dt.datetime) -> None:
    """Remembers the use, at most once a minute however many processes see it."""
    stale = now - TOUCH_EVERY
    if key.last_used_at is None or key.last_used_at <= stale:
        unused = Q(last_used_at=None) | Q(last_used_at__lte=stale)
        ApiKey.objects.filter(unused, pk=key.pk).update(last_used_at=now)


class ApiKeyAuthentication(BaseAuthentication):
    """`request.auth` becomes the ApiKey, `request.user` an ApiCaller with its workspace."""

    def authenticate(self, request: Request) -> tuple[ApiCaller, ApiKey]:
        secret = presented_secret(request.headers)
        if secret is None:
            raise unauthorized("The API key is missing. Send it as `Authorization: Bearer fc_live_…`.")
        now = timezone.now()
        key = find_key(secret, now)
        if key is None:
            raise unauthorized("The API key is unknown, expired or revoked. Create a new one in the settings.")
        touch(key, now)
        return ApiCaller(key.workspace), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
