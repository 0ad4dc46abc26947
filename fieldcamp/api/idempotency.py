"""Idempotency-Key: the first answer to a request is kept in the transaction of the work itself, and repeated.

The key is claimed by inserting its row before anything else is written. A second request with the same key waits for
that transaction (PostgreSQL: on the unique index, for at most two seconds; SQLite: for its turn to write) and then
finds the answer.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from fieldcamp.api.authentication import caller
from fieldcamp.api.errors import ApiError
from fieldcamp.api.models import IdempotencyRecord

KEPT = dt.timedelta(hours=24)
WAIT_MS = 2000
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True)
class Answer:
    """What a request is answered with: the status, JSON-ready data, and headers worth repeating (Location, ETag).

    `kept` is stored and replayed instead of `data` where that holds a secret.
    """

    status: int
    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: Any = None


class _Claimed(Exception):
    """Somebody else's transaction with this key has committed."""


def replay_or_run(
    request: Request,
    *,
    fingerprint_body: bytes,
    run: Callable[[], Answer],
    before: Callable[[], None] | None = None,
) -> HttpResponse:
    """The stored answer to this request, or what `run` answers, stored in the transaction that `run` writes in.

    Without a key nothing is stored, and `run` is on its own: it brings the transaction that its work needs.
    `before` does the reads and guards that need no transaction: after the look for a stored answer, so that a replay
    never meets them. An ApiError raised by either keeps nothing, so that a later retry can succeed.
    """
    key = idempotency_key(request)
    if key is None:
        if before:
            before()
        return _response(_rendered(run()))
    workspace_id = caller(request).workspace_id
    fingerprint = _fingerprint(request, fingerprint_body)
    stored = _find(workspace_id, key)
    if stored and not _expired(stored):
        return _replay(stored, fingerprint)
    try:
        if before:
            before()
        return _response(_claim_and_run(workspace_id, key, fingerprint, run, expired=stored))
    except (_Claimed, ApiError) as exc:
        # Also after a guard's refusal: it may have seen the very work of the first request with this key.
        stored = _find(workspace_id, key)
        if stored and not _expired(stored):
            return _replay(stored, fingerprint)
        if isinstance(exc, ApiError):
            raise
        raise _in_progress() from exc


def idempotency_key(request: Request) -> str | None:
    """The key that the request carries, bare or quoted."""
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
    """One spelling of equal JSON, for `fingerprint_body`."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def prune(now: dt.datetime) -> int:
    """Forgets answers that have been kept long enough."""
    count, _ = IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).delete()
    return count


def _fingerprint(request: Request, body: bytes) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + body).hexdigest()


# Written out because composing these takes longer than running them, and every POST does them.
_TABLE = IdempotencyRecord._meta.db_table
_IS_THERE = f"SELECT 1 FROM {_TABLE} WHERE workspace_id = %s AND key = %s"  # noqa: S608
_CLAIM = (
    f"INSERT INTO {_TABLE} (workspace_id, key, fingerprint, status, body, headers, created_at) "  # noqa: S608
    "VALUES (%s, %s, %s, 0, %s, '{}', %s)"
)
_KEEP = f"UPDATE {_TABLE} SET status = %s, body = %s, headers = %s WHERE workspace_id = %s AND key = %s"  # noqa: S608


def _find(workspace_id: str, key: str) -> IdempotencyRecord | None:
    with connection.cursor() as cursor:
        cursor.execute(_IS_THERE, [workspace_id, key])
        if cursor.fetchone() is None:
            return None
    return IdempotencyRecord.objects.filter(workspace_id=workspace_id, key=key).first()


def _expired(record: IdempotencyRecord) -> bool:
    return record.created_at < timezone.now() - KEPT


def _claim_and_run(
    workspace_id: str, key: str, fingerprint: str, run: Callable[[], Answer], *, expired: IdempotencyRecord | None
) -> IdempotencyRecord:
    with transaction.atomic():
        _claim(workspace_id, key, fingerprint, expired)
        answer = run()
        given = _rendered(answer)
        kept = given if answer.kept is None else _rendered(Answer(answer.status, answer.kept, answer.headers))
        if 200 <= given.status < 300:
            with connection.cursor() as cursor:
                headers = json.dumps(dict(kept.headers))
                cursor.execute(_KEEP, [kept.status, bytes(kept.body), headers, workspace_id, key])
        else:
            transaction.set_rollback(True)
    return given


def _claim(workspace_id: str, key: str, fingerprint: str, expired: IdempotencyRecord | None) -> None:
    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_MS}ms"])
        if expired:
            expired.delete()
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [workspace_id, key, fingerprint, b"", now])
    except IntegrityError as exc:
        raise _Claimed from exc
    except OperationalError as exc:
        if getattr(exc.__cause__, "sqlstate", None) == "55P03":  # lock_not_available
            raise _in_progress() from exc
        raise


def _in_progress() -> ApiError:
    return ApiError("IDEMPOTENCY_IN_PROGRESS", headers={"Retry-After": "1"})


def _rendered(answer: Answer) -> IdempotencyRecord:
    """The answer as bytes, not saved."""
    body = JSONRenderer().render(answer.data)
    return IdempotencyRecord(status=answer.status, body=body, headers=dict(answer.headers))


def _response(record: IdempotencyRecord) -> HttpResponse:
    return HttpResponse(
        bytes(record.body), status=record.status, headers=record.headers, content_type="application/json"
    )


def _replay(record: IdempotencyRecord, fingerprint: str) -> HttpResponse:
    if record.fingerprint != fingerprint:
        raise ApiError("IDEMPOTENCY_KEY_REUSED")
    response = _response(record)
    response["Idempotent-Replayed"] = "true"
    return response
