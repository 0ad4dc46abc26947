"""What can be done with API keys. Who may do it is the caller's question."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from fieldcamp.api import idempotency, limits
from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.secret import digest, new_prefix, new_secret
from fieldcamp.workspace.models import Workspace


def create_key(
    *,
    workspace: Workspace,
    name: str,
    scopes: Iterable[str] = SCOPES,
    expires_at: dt.datetime | None = None,
    rate_limit_override: int | None = None,
    created_by: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept anywhere. ValidationError for unknown scopes or a bad name."""
    wanted = set(scopes)
    prefix = new_prefix()
    secret = new_secret(prefix)
    key = ApiKey(
        workspace=workspace,
        name=name,
        prefix=prefix,
        digest=digest(secret),
        scopes=[scope for scope in SCOPES if scope in wanted] + sorted(wanted - set(SCOPES)),
        expires_at=expires_at,
        rate_limit_override=rate_limit_override,
        created_by=created_by,
    )
    key.full_clean(exclude=["workspace"])
    key.save(force_insert=True)
    return key, secret


def rotate_key(key: ApiKey, *, overlap: dt.timedelta) -> str:
    """A new secret for the key. The one before stays good for `overlap`; the one before that ends at once."""
    with transaction.atomic():
        current = ApiKey.objects.select_for_update().get(pk=key.pk)
        secret = new_secret(current.prefix)
        key.previous_digest = current.previous_digest = current.digest
        key.previous_until = current.previous_until = timezone.now() + overlap
        key.digest = current.digest = digest(secret)
        current.save(update_fields=["digest", "previous_digest", "previous_until"])
    return secret


def revoke_key(key: ApiKey) -> None:
    """Ends the key for good; the next call with it is answered 401. Doing it twice is harmless."""
    now = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        key.revoked_at = now


def prune(now: dt.datetime) -> int:
    """Daily work: forgets old counters and old answers. Returns how many rows went."""
    return limits.prune(now) + idempotency.prune(now)
