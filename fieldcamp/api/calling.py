"""Idempotency-Key of what asks another server meanwhile, across which no transaction may be open."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from fieldcamp.api.authentication import caller
from fieldcamp.api.idempotency import (
    KEPT,
    Claim,
    Claimed,
    IdempotentAnswer,
    find,
    fingerprint_of,
    idempotency_key,
    in_progress,
    insert_claim,
    rendered,
    replayed,
    response_of,
)
from fieldcamp.api.models import IdempotencyRecord


def replay_or_call(
    request: Request, *, fingerprint_body: bytes, run: Callable[[], IdempotentAnswer], longest: dt.timedelta
) -> HttpResponse:
    """Returns what `replay_or_run` does, for what is asked of another server: no transaction is open meanwhile.

    The key is claimed in a transaction of its own, and given back when `run` raises. If the process ends before that,
    it is free again after `longest`, by when no call of `run` can still be under way.
    """
    key = idempotency_key(request)
    if key is None:
        return response_of(rendered(run()))
    claim = Claim(caller(request).workspace_id, key, fingerprint_of(request, fingerprint_body))
    try:
        with transaction.atomic():
            insert_claim(claim)
    except Claimed:
        stored = find(claim)
        if stored and stored.created_at + (KEPT if stored.status else longest) > timezone.now():
            if stored.status or stored.fingerprint != claim.fingerprint:
                return replayed(stored, claim.fingerprint)
            raise in_progress() from None
        _claim_again(claim, stored)
    mine = IdempotencyRecord.objects.filter(workspace_id=claim.workspace_id, key=claim.key)
    try:
        given = rendered(run())
    except BaseException:
        mine.delete()
        raise
    if 200 <= given.status < 300:
        mine.update(status=given.status, body=given.body, headers=dict(given.headers))
    else:
        mine.delete()
    return response_of(given)


def _claim_again(claim: Claim, old: IdempotencyRecord | None) -> None:
    """Claims a key whose row has ended. Whoever comes second finds another row than the one that has been looked at."""
    try:
        with transaction.atomic():
            if old:
                IdempotencyRecord.objects.filter(pk=old.pk, created_at=old.created_at).delete()
            insert_claim(claim)
    except Claimed:
        raise in_progress() from None
