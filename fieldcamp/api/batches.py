"""Many items in one call: each done by itself, or all of them or none, and with an Idempotency-Key each of them once.

Items that stand by themselves have a transaction each, so that a process that dies midway has done some of them. Under
the call's Idempotency-Key a row without an answer is written first, and with each item's work, in its transaction, the
item's own row. A repeat of the call finds the rows of what was done, repeats what they say, and does the rest; two
calls at once share the work in the same manner. When all is done, the first row gets the whole answer, for further
repeats.
"""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpResponse
from rest_framework.request import Request

from fieldcamp.api.errors import ApiError, error_of_item, explain
from fieldcamp.api.idempotency import (
    Claim,
    Claimed,
    IdempotentAnswer,
    claim_of,
    in_progress,
    insert_anew,
    insert_claim,
    keep,
    kept_answer,
    rendered,
    replay_or_run,
    response_of,
    standing,
)
from fieldcamp.workspace.telling import together

Row = dict[str, Any]  # "status", and "data" or "error"
Work = Callable[[int], Row]  # does the item of this number; raises what cannot be done
Answer = Callable[[list[Row]], Any]

# A mark that no caller's key can have: those are ASCII.
_PART = "…{head} {number}"


def run_batch(
    request: Request, count: int, work: Work, answer: Answer, *, fingerprint_body: bytes, before: Callable[[], None]
) -> HttpResponse:
    """Does each item by itself and returns `answer` of the rows, in order; or the stored answer of the first such call.

    `before` may refuse the call, before anything is done; it is not asked about a repeat of what has been answered.
    """
    claim = claim_of(request, fingerprint_body)
    if claim is None:
        before()
        return response_of(rendered(IdempotentAnswer(200, answer([_tried(work, number) for number in range(count)]))))
    if kept := kept_answer(claim):
        return kept
    before()
    head = _begun(claim)
    parts = [replace(claim, key=_PART.format(head=head, number=number)) for number in range(count)]
    rows = [_tried(lambda number: _once(parts[number], work, number), number) for number in range(count)]
    found = rendered(IdempotentAnswer(200, answer(rows)))
    # Items that can be done later are left to a repeat: it finds no answer yet, and tries them again.
    if not any(_passes(row) for row in rows):
        keep(claim, found)
    return response_of(found)


def run_atomic_batch(
    request: Request,
    count: int,
    work: Work,
    answer: Answer,
    *,
    fingerprint_body: bytes,
    before: Callable[[], None],
    lock: Callable[[], None],
) -> HttpResponse:
    """Does all items or none, in the transaction of the stored answer; else 422 BATCH_REJECTED, which names those that
    cannot be done.

    `before` as of `run_batch`. `lock` locks in one order what the items are about, so that two such calls do not wait
    for each other.
    """
    if kept := kept_answer(claim_of(request, fingerprint_body)):
        return kept
    before()

    def run() -> IdempotentAnswer:
        with together():
            lock()
            rows = [_tried(work, number, apart=True) for number in range(count)]
            failed = [{"index": index, **row} for index, row in enumerate(rows) if "error" in row]
            if failed:
                raise ApiError("BATCH_REJECTED", details={"failed": len(failed), "items": failed})
        return IdempotentAnswer(200, answer(rows))

    return replay_or_run(request, fingerprint_body=fingerprint_body, run=run)


def _begun(claim: Claim) -> int:
    """Returns the number of the call's row, which is made unless a call before this one has done so."""
    with contextlib.suppress(Claimed), transaction.atomic():
        insert_anew(claim)
    stored = standing(claim)
    if stored is None:
        raise in_progress()
    return stored.pk


def _once(claim: Claim, work: Work, number: int) -> Row:
    """Does the item and writes down that it was done, in one transaction; or returns what is written."""
    try:
        with transaction.atomic():
            insert_claim(claim)
            row = work(number)
            given = rendered(IdempotentAnswer(row["status"], row))
            keep(claim, given)
    except Claimed:
        stored = standing(claim)
        if stored is None:
            raise in_progress() from None
        body: Mapping[str, Any] = json.loads(bytes(stored.body))
        # What was said of somebody who has been erased since is an error, in the envelope.
        return {"status": stored.status, "error": body["error"]} if stored.status >= 400 else dict(body)
    return row


def _tried(work: Work, number: int, *, apart: bool = False) -> Row:
    """Returns the item's row, or the row that says why it could not be done. `apart`: its writes can be undone while
    the others' stay; what ends the whole transaction is raised."""
    try:
        if not apart:
            return work(number)
        with transaction.atomic():
            return work(number)
    except Exception as exc:
        if apart and isinstance(exc, (OperationalError, InterfaceError)):
            raise
        error = explain(exc)
        return {"status": error.status, "error": error_of_item(error)}


def _passes(row: Row) -> bool:
    return row["status"] >= 500 or row.get("error", {}).get("code") == "IDEMPOTENCY_IN_PROGRESS"


def duplicates(ids: Sequence[str | None]) -> dict[int, int]:
    """Returns the number of each item whose id an earlier one has, with that one's number."""
    first: dict[str, int] = {}
    found = {}
    for number, each in enumerate(ids):
        if each and first.setdefault(each, number) != number:
            found[number] = first[each]
    return found
