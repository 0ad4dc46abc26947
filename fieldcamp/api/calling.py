"""Idempotency-Key of what asks another server meanwhile, across which no transaction may be open."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from fieldcamp.api.idempotency import (
    Claimed,
    IdempotentAnswer,
    claim_of,
    give_back,
    in_progress,
    insert_anew,
    keep,
    kept_answer,
    rendered,
    response_of,
)


def replay_or_call(
    request: Request, *, fingerprint_body: bytes, run: Callable[[], IdempotentAnswer], longest: dt.timedelta
) -> HttpResponse:
    """Returns what `replay_or_run` does, for what is asked of another server: no transaction is open meanwhile.

    The key is claimed in a transaction of its own, and given back when `run` raises. If the process ends before that,
    it is free again after `longest`, by when no call of `run` can still be under way.
    """
    claim = claim_of(request, fingerprint_body)
    if claim is None:
        return response_of(rendered(run()))
    try:
        with transaction.atomic():
            insert_anew(claim, longest)
    except Claimed:
        if kept := kept_answer(claim):
            return kept
        raise in_progress() from None
    try:
        given = rendered(run())
    except BaseException:
        give_back(claim)
        raise
    if 200 <= given.status < 300:
        keep(claim, given)
    else:
        give_back(claim)
    return response_of(given)
