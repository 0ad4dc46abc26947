"""Idempotency-Key: the first answer to a request is kept in the transaction of the work itself, and repeated.

The key is claimed by inserting its row before anything else is written. A second request with the same key waits for
that transaction (PostgreSQL: on the unique index, for at most two seconds; SQLite: for its turn to write) and then
finds the answer.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from fieldcamp.api.authentication import caller
from fieldcamp.api.errors import ApiError, error_body
from fieldcamp.api.models import IdempotencyRecord
from fieldcamp.statements import Insert
from fieldcamp.workspace.erasing import Words

KEPT = dt.timedelta(hours=24)
WAIT_MS = 2000
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_ID = re.compile(r"[a-z]{3}_[0-9A-Z]{26}")  # `fieldcamp.ids`


@dataclass(frozen=True)
class IdempotentAnswer:
    """What a request is answered with: the status, JSON-ready data, and headers worth repeating (Location, ETag).

    `kept` is stored and replayed instead of `data` where that holds a secret.
    """

    status: int
    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: Any = None


@dataclass(frozen=True)
class _Given:
    """An answer in bytes."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Claimed(Exception):
    """Somebody else's transaction with this key has committed."""


@dataclass(frozen=True)
class Claim:
    workspace_id: str
    key: str
    fingerprint: str


def replay_or_run(
    request: Request,
    *,
    fingerprint_body: bytes,
    run: Callable[[], IdempotentAnswer],
    before: Callable[[], None] | None = None,
) -> HttpResponse:
    """Returns the stored answer to this request, or what `run` answers, stored in the transaction that `run` writes in.

    Without a key nothing is stored, and `run` is on its own: it brings the transaction that its work needs.
    `before` does the reads and guards that need no transaction. An ApiError raised by either keeps nothing, so that a
    later retry can succeed, and never comes before a stored answer: that is looked for when something is in the way,
    because most requests are the first with their key.
    """
    claim = claim_of(request, fingerprint_body)
    if claim is None:
        if before:
            before()
        return response_of(rendered(run()))
    try:
        if before:
            before()
        return response_of(_claim_and_run(claim, run))
    except (Claimed, ApiError) as exc:
        # After a guard's refusal too: it may have seen the very work of the first request with this key.
        if kept := kept_answer(claim):
            return kept
        if isinstance(exc, ApiError):
            raise
    try:
        return response_of(_claim_and_run(claim, run, again=True))
    except Claimed as exc:
        raise in_progress() from exc


def claim_of(request: Request, body: bytes) -> Claim | None:
    """Returns what the request says of itself with its key: which one, and what it is used for. None without a key."""
    key = idempotency_key(request)
    if key is None:
        return None
    text = f"{request.method} {request.path}\n".encode() + body
    return Claim(caller(request).workspace_id, key, hashlib.sha256(text).hexdigest())


def standing(claim: Claim) -> IdempotencyRecord | None:
    """Returns the row of the claim's key, unless it has ended. Raises 422 where the key was used for something else."""
    found = _rows(claim).filter(created_at__gte=timezone.now() - KEPT).first()
    if found and found.fingerprint != claim.fingerprint:
        raise ApiError("IDEMPOTENCY_KEY_REUSED")
    return found


def kept_answer(claim: Claim | None) -> HttpResponse | None:
    """Returns the answer that is kept for a request with this claim, None where there is none, or none yet. Raises as
    `standing`."""
    stored = standing(claim) if claim else None
    if stored is None or not stored.status:
        return None
    response = response_of(stored)
    response["Idempotent-Replayed"] = "true"
    return response


def idempotency_key(request: Request) -> str | None:
    """Returns the key that the request carries, bare or quoted."""
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _KEY.fullmatch(text):
        sentence = "Idempotency-Key must be 1 to 255 printable ASCII characters, such as a UUID."
        raise ApiError("VALIDATION_ERROR", sentence, details={"Idempotency-Key": [sentence]})
    return text


def canonical(data: Any) -> bytes:
    """Returns one spelling of equal JSON, for `fingerprint_body`."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def prune(now: dt.datetime) -> int:
    """Forgets answers that have been kept long enough."""
    count, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).delete()
    return count


def forget_answers(workspace_id: str, ids: Set[str], words: Words) -> int:
    """Takes the words of an erased person, and what was said of these records, out of the company's answers; how many.
    Such a request is answered 404 from then on: done again, it would bring the person back."""
    error = ApiError("NOT_FOUND", "What this request was about has been erased.")
    gone = JSONRenderer().render(error_body(error, request_id=""))
    count = 0
    for record in IdempotencyRecord.objects.filter(workspace=workspace_id).order_by("pk").iterator(chunk_size=500):
        texts = [bytes(record.body).decode(errors="replace"), json.dumps(record.headers)]
        if words.erased(texts) != texts or any(not ids.isdisjoint(_ID.findall(text)) for text in texts):
            record.status, record.body, record.headers = 404, gone, {}
            count += 1
        key = words.erased(record.key)
        record.key = record.key if key == record.key else f"{key[:200]} {record.pk}"
        record.save(update_fields=["key", "status", "body", "headers"])
    return count


# Composed once because that takes longer than running them, and most POSTs do both.
_insert = Insert(
    IdempotencyRecord,
    ["workspace_id", "key", "fingerprint", "created_at"],
    # How long to wait for another request with this key.
    first_on_postgresql=f"set_config('lock_timeout', '{WAIT_MS}ms', true)",
)
_KEEP = (
    f"UPDATE {IdempotencyRecord._meta.db_table} SET status = %s, body = %s, headers = %s "  # noqa: S608
    "WHERE workspace_id = %s AND key = %s"
)


def _rows(claim: Claim) -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.objects.filter(workspace_id=claim.workspace_id, key=claim.key)


def give_back(claim: Claim) -> None:
    """Frees the key of a claim whose work has failed."""
    _rows(claim).delete()


def _claim_and_run(claim: Claim, run: Callable[[], IdempotentAnswer], *, again: bool = False) -> _Given:
    with transaction.atomic():
        if again:
            insert_anew(claim)
        else:
            insert_claim(claim)
        answer = run()
        given = rendered(answer)
        if 200 <= given.status < 300:
            secretless = IdempotentAnswer(answer.status, answer.kept, answer.headers)
            keep(claim, given if answer.kept is None else rendered(secretless))
        else:
            transaction.set_rollback(True)
    return given


def keep(claim: Claim, given: _Given) -> None:
    """Stores the answer in the row of the claim."""
    with connection.cursor() as cursor:
        headers = json.dumps(dict(given.headers))
        cursor.execute(_KEEP, [given.status, given.body, headers, claim.workspace_id, claim.key])


def insert_claim(claim: Claim) -> None:
    try:
        inserted = _insert(claim.workspace_id, claim.key, claim.fingerprint, timezone.now())
    except OperationalError as exc:
        if getattr(exc.__cause__, "sqlstate", None) == "55P03":  # lock_not_available
            raise in_progress() from exc
        raise
    if not inserted:
        raise Claimed


def insert_anew(claim: Claim, longest: dt.timedelta = KEPT) -> None:
    """Claims a key whose row has ended: 24 hours after it was made, and for the same request `longest` after it where
    there is no answer yet. Whoever comes second finds a row that has not ended."""
    now = timezone.now()
    broken_off = Q(created_at__lte=now - longest, status=0, fingerprint=claim.fingerprint)
    _rows(claim).filter(Q(created_at__lt=now - KEPT) | broken_off).delete()
    insert_claim(claim)


def in_progress() -> ApiError:
    return ApiError("IDEMPOTENCY_IN_PROGRESS", headers={"Retry-After": "1"})


def rendered(answer: IdempotentAnswer) -> _Given:
    return _Given(answer.status, JSONRenderer().render(answer.data), answer.headers)


def response_of(given: _Given | IdempotencyRecord) -> HttpResponse:
    return HttpResponse(bytes(given.body), status=given.status, headers=given.headers, content_type="application/json")
