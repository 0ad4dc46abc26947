"""What can be done with API keys. What a key may do to other keys the gate decides; a person's role is the desk's."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from fieldcamp.api import family, gate, idempotency, limits
from fieldcamp.api.errors import ApiError
from fieldcamp.api.models import ApiKey
from fieldcamp.api.outliving import stop_made_with
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.secret import digest, new_prefix, new_secret
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Member, Workspace

CHANGEABLE = ("name", "scopes", "expires_at", "rate_limit_override")


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

    `member` is the person who makes it at the desk. `by` is the key that asks for it, and its maker from then on: see
    `fieldcamp.api.gate`.
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
    with family.turn(workspace.pk):
        if by:
            key.made_by = _check(gate.Deed.CREATE, by, key)
        key.full_clean(exclude=["workspace", "made_by"])
        key.save(force_insert=True)
        _note("key.created", key, after=_facts(key), by=by)
    return key, secret


def update_key(key: ApiKey, *, changes: Mapping[str, Any], by: ApiKey | None = None) -> ApiKey:
    """Makes `changes` (of CHANGEABLE) to the key. ValidationError as of `create_key`.

    The keys that come from it lose what it loses. Who gives a key more than its own maker has is its maker from then
    on; after a person it has none.
    """
    deed = gate.Deed.CHANGE if set(changes) - {"name"} else gate.Deed.RENAME
    with family.turn(key.workspace_id):
        current = _live(key)
        before = _facts(current)
        if by:
            _check(deed, by, current)
        for name in CHANGEABLE:
            if name in changes:
                setattr(current, name, in_order(changes[name]) if name == "scopes" else changes[name])
        if by:
            _check(deed, by, current)
        if current.made_by and gate.exceeds(current, current.made_by):
            current.made_by = by
        _save(current, before, by)
        line = {current.pk: current}
        for child in family.made(current):
            line[child.pk], had = child, _facts(child)
            for name, value in gate.reduced(child, line[child.made_by_id or ""]).items():
                setattr(child, name, value)
            _save(child, had, by, checked=True)
    return current


def rotate_key(key: ApiKey, *, overlap: dt.timedelta, by: ApiKey | None = None) -> str:
    """Gives the key a new secret. The one before stays good for `overlap`; the one before that ends at once."""
    with family.turn(key.workspace_id):
        current = _live(key)
        if by:
            _check(gate.Deed.ROTATE, by, current, overlap)
        secret = new_secret(current.prefix)
        key.previous_digest = current.previous_digest = current.digest
        key.previous_until = current.previous_until = timezone.now() + overlap
        key.digest = current.digest = digest(secret)
        current.save(update_fields=["digest", "previous_digest", "previous_until"])
        _note("key.rotated", current, after={"previous_until": current.previous_until}, by=by)
    return secret


def revoke_key(
    key: ApiKey, *, by: ApiKey | None = None, keep_made: bool = False, stop_outliving: bool = False
) -> list[ApiKey]:
    """Ends the key for good, and the keys that come from it, which are returned; the next call with one of them is
    answered 401. Doing it twice is harmless.

    `keep_made`: the keys that come from it stay, and belong to the key that it came from itself, if any.
    `stop_outliving`: what goes on without them otherwise, their webhooks, is stopped too.
    """
    now = timezone.now()
    with family.turn(key.workspace_id):
        current = ApiKey.objects.select_for_update().get(pk=key.pk)
        if by:
            _check(gate.Deed.REVOKE, by, current)
        if current.revoked_at:
            return []
        if keep_made:
            ApiKey.objects.filter(made_by=current).update(made_by=current.made_by_id)
        also = family.made(current)
        for each in (current, *also):
            each.revoked_at = now
            each.save(update_fields=["revoked_at"])
            _note("key.revoked", each, after={"revoked_at": now}, by=by)
        if stop_outliving:
            stop_made_with([current, *also])
        key.revoked_at = now
    return also


def _check(deed: gate.Deed, by: ApiKey, key: ApiKey, overlap: dt.timedelta | None = None) -> ApiKey:
    """Asks the gate about the key `by` as it is now, in the turn, and returns it: the request that it signed may have
    waited."""
    current = ApiKey.objects.get(pk=by.pk)
    current.used_previous_secret = by.used_previous_secret or current.digest != by.digest
    makers = family.makers(current)
    if not gate.may_be_used(current, makers, timezone.now()):
        raise ApiError("UNAUTHORIZED", headers={"WWW-Authenticate": "Bearer"})
    gate.check(deed, current, key, makers, overlap)
    return current


def _live(key: ApiKey) -> ApiKey:
    return ApiKey.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=key.pk, revoked_at=None)


def _save(key: ApiKey, before: dict[str, Any], by: ApiKey | None, checked: bool = False) -> None:
    """Saves an edited key and notes what has changed. `checked`: it has got nothing that it had not before."""
    if key.expires_at != before["expires_at"]:
        key.expiry_warned_at = None
    if not checked:
        key.full_clean(exclude=["workspace", "made_by"])
    after = _facts(key)
    if after != before:
        key.save(update_fields=[*CHANGEABLE, "expiry_warned_at", "made_by"])
        _note("key.updated", key, before=before, after=after, by=by)


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
    return {name: getattr(key, name) for name in CHANGEABLE} | {"made_by": key.made_by_id}


def _note(action: str, key: ApiKey, *, by: ApiKey | None, **values: Any) -> None:
    actor = signature(by) if by else None
    audit(action, workspace_id=key.workspace_id, object_id=key.pk, object_name=key.name, actor=actor, **values)


def signature(key: ApiKey) -> str:
    """Returns the key as an actor in the audit trail."""
    return f"API key {key.name} ({key.pk})"
