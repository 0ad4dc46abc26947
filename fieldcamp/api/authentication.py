"""Who is calling: `Authorization: Bearer fc_live_…` or `X-Api-Key`."""

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from fieldcamp.api import family, gate
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
    """Returns the key of an authenticated request."""
    return cast(ApiKey, request.auth)


def unauthorized(message: str = "") -> ApiError:
    return ApiError("UNAUTHORIZED", message, headers={"WWW-Authenticate": "Bearer"})


def presented_secret(headers) -> str | None:
    """Returns the secret that the request carries, None if it carries none; two different ones or a garbled one are
    refused."""
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
    """Returns the live key that this is the secret of. Unknown, revoked and expired look the same."""
    if not is_wellformed(secret):
        return None
    key = _by_prefix(prefix_of(secret))
    if key is None:
        return None
    key.makers = family.makers(key)
    if not gate.may_be_used(key, key.makers, now):
        return None
    if matches(secret, key.digest):
        return key
    if key.previous_until and key.previous_until > now and matches(secret, key.previous_digest):
        key.used_previous_secret = True
        return key
    return None


@functools.cache
def _look_up() -> Any:
    """Returns the query for a key and its workspace, composed once: that takes longer than running it, for every
    call."""
    compiler = ApiKey.objects.select_related("workspace").filter(prefix="").query.get_compiler(DEFAULT_DB_ALIAS)
    sql, _ = compiler.as_sql()
    names = [column.target.attname for column, _, _ in compiler.select]
    converters = compiler.get_converters([column for column, _, _ in compiler.select])
    return compiler, sql, names, converters


def _by_prefix(prefix: str) -> ApiKey | None:
    compiler, sql, names, converters = _look_up()
    with connection.cursor() as cursor:
        cursor.execute(sql, [prefix])
        row = cursor.fetchone()
    if row is None:
        return None
    values = next(iter(compiler.apply_converters([row], converters)))
    end = len(ApiKey._meta.concrete_fields)
    key = ApiKey.from_db(connection.alias, names[:end], values[:end])
    key.workspace = Workspace.from_db(connection.alias, names[end:], values[end:])
    return key


_TOUCH = (
    f"UPDATE {ApiKey._meta.db_table} SET last_used_at = %s "  # noqa: S608
    "WHERE id = %s AND (last_used_at IS NULL OR last_used_at <= %s)"
)


def touch(key: ApiKey, now: dt.datetime) -> None:
    """Remembers the use, at most once a minute however many processes see it."""
    stale = now - TOUCH_EVERY
    if key.last_used_at is None or key.last_used_at <= stale:
        adapt = connection.ops.adapt_datetimefield_value
        with connection.cursor() as cursor:
            cursor.execute(_TOUCH, [adapt(now), key.pk, adapt(stale)])


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
        return ApiCaller(key.workspace), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
