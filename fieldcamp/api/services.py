"""What can be done with API keys. What a key may do to other keys is decided here; a person's role is the desk's."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from fieldcamp.api import idempotency, limits
from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.api.models import ApiKey
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.secret import digest, new_prefix, new_secret
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Member, Workspace

CHANGEABLE = ("name", "scopes", "expires_at", "rate_limit_override")
# A key that makes its own new secret keeps the old one so long, for the case that the answer is lost.
OWN_OVERLAP = dt.timedelta(hours=1)


def create_key(
    *,
    workspace: Workspace,
    name: str,
    scopes: Iterable[str] = SCOPES,
    expires_at: dt.datetime | None = None,
    rate_limit_override: int | None = None,
    created_by: str = "",
    member: Member | None = None,
    by: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """Creates a key and returns it with its secret, which is not kept anywhere. ValidationError for unknown scopes or a
    bad name.

    `member` is the person who makes it at the desk. `by` is the key that asks for it: it gives away neither a scope
    nor a rate that it does not have itself.
    """
    prefix = new_prefix()
    secret = new_secret(prefix)
    key = ApiKey(
        workspace=workspace,
        name=name,
        prefix=prefix,
        digest=digest(secret),
        scopes=in_order(scopes),
        expires_at=expires_at,
        rate_limit_override=rate_limit_override,
        created_by=created_by,
        member=member,
    )
    if by:
        _check_grant(by, key)
    key.full_clean(exclude=["workspace"])
    with transaction.atomic():
        key.save(force_insert=True)
        _note("key.created", key, after=_facts(key), by=by)
    return key, secret


def update_key(key: ApiKey, *, changes: Mapping[str, Any], by: ApiKey | None = None) -> ApiKey:
    """Makes `changes` (of CHANGEABLE) to the key. ValidationError as of `create_key`."""
    with transaction.atomic():
        current = ApiKey.objects.select_for_update().get(pk=key.pk, revoked_at=None)
        before = _facts(current)
        if by:
            if by.pk == current.pk and set(changes) - {"name"}:
                raise ApiError("INVALID_TRANSITION", "A key changes nothing of itself but its name. Use another key.")
            _check_grant(by, current)
        for name in CHANGEABLE:
            if name in changes:
                setattr(current, name, in_order(changes[name]) if name == "scopes" else changes[name])
        if by:
            _check_grant(by, current)
        if current.expires_at != before["expires_at"]:
            current.expiry_warned_at = None
        current.full_clean(exclude=["workspace"])
        current.save(update_fields=[*CHANGEABLE, "expiry_warned_at"])
        if _facts(current) != before:
            _note("key.updated", current, before=before, after=_facts(current), by=by)
    return current


def rotate_key(key: ApiKey, *, overlap: dt.timedelta, by: ApiKey | None = None) -> str:
    """Gives the key a new secret. The one before stays good for `overlap`; the one before that ends at once."""
    with transaction.atomic():
        current = ApiKey.objects.select_for_update().get(pk=key.pk, revoked_at=None)
        if by:
            _check_grant(by, current)
            _check_own_rotation(by, current, overlap)
        secret = new_secret(current.prefix)
        key.previous_digest = current.previous_digest = current.digest
        key.previous_until = current.previous_until = timezone.now() + overlap
        key.digest = current.digest = digest(secret)
        current.save(update_fields=["digest", "previous_digest", "previous_until"])
        _note("key.rotated", current, after={"previous_until": current.previous_until}, by=by)
    return secret


def revoke_key(key: ApiKey, *, by: ApiKey | None = None) -> None:
    """Ends the key for good; the next call with it is answered 401. Doing it twice is harmless."""
    if by and by.pk == key.pk:
        raise ApiError("INVALID_TRANSITION", "A key does not revoke itself. Use another key, or the admin.")
    now = timezone.now()
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            key.revoked_at = now
            _note("key.revoked", key, after={"revoked_at": now}, by=by)


def keys_made_by(member: Member) -> QuerySet[ApiKey]:
    """Returns the keys that this person made at the desk and that still work."""
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
    return ApiKey.objects.filter(workspace_id=member.workspace_id, member=member).exclude(ended)


def revoke_keys_of(member: Member) -> int:
    """Ends all keys that the person made; how many."""
    with transaction.atomic():
        keys = list(keys_made_by(member))
        for key in keys:
            revoke_key(key)
    return len(keys)


def in_order(scopes: Iterable[str]) -> list[str]:
    """Returns each scope once, in the order of SCOPES; unknown ones last, for the validator to find."""
    wanted = set(scopes)
    return [scope for scope in SCOPES if scope in wanted] + sorted(wanted - set(SCOPES))


def prune(now: dt.datetime) -> int:
    """Forgets old counters and old answers; how many rows went."""
    return limits.prune(now) + idempotency.prune(now)


def _facts(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in CHANGEABLE}


def _note(action: str, key: ApiKey, *, by: ApiKey | None, **values: Any) -> None:
    actor = signature(by) if by else None
    audit(action, workspace_id=key.workspace_id, object_id=key.pk, object_name=key.name, actor=actor, **values)


def signature(key: ApiKey) -> str:
    """Returns the key as an actor in the audit trail."""
    return f"API key {key.name} ({key.pk})"


def _check_grant(by: ApiKey, key: ApiKey) -> None:
    """Refuses a key that handles one that may do more than itself: with the other's secret it would have that power."""
    lacking = [scope for scope in key.scopes if scope in SCOPES and scope not in by.scopes]
    if lacking:
        raise ApiError(
            "INSUFFICIENT_SCOPE",
            f"This API key lacks the scope {lacking[0]}, so it can neither grant it nor handle a key that has it.",
            details={"required_scope": lacking[0]},
        )
    own, wanted = (limits.per_minute(each) for each in (by, key))
    if wanted > own:
        raise validation_error({"rateLimitOverride": [f"At most {own}, which is the limit of the key in use."]})


def _check_own_rotation(by: ApiKey, key: ApiKey, overlap: dt.timedelta) -> None:
    if by.pk != key.pk:
        return
    if by.used_previous_secret:
        # Else whoever found the old secret could make itself a new one.
        raise ApiError("INVALID_TRANSITION", "This key has a newer secret already. Rotate it with that one.")
    if overlap < OWN_OVERLAP:
        least = int(OWN_OVERLAP.total_seconds())
        raise validation_error({"overlapSeconds": [f"At least {least} when a key makes its own new secret."]})
