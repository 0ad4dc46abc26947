"""Writes: one batch for what is made and changed, a call of its own for each void.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/batch
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from integrations import errors
from integrations.providers.batches import FATAL
from integrations.providers.quickbooks.bodies import Bodies, target
from integrations.providers.quickbooks.calls import Calls, fresh_request_id, request_id
from integrations.providers.quickbooks.checks import TRANSACTIONS, is_void, refusals
from integrations.providers.quickbooks.company import Books
from integrations.providers.quickbooks.errors import explain_fault, fault_of
from integrations.providers.quickbooks.explaining import Explainer
from integrations.providers.quickbooks.finding import Finder
from integrations.providers.quickbooks.reading import to_record
from integrations.records import Operation, Verb, WriteResult
from integrations.transport.client import utc_now

BATCH_SIZE = 30
BATCH_COST = 12  # 40 batches a minute are allowed, beside 500 calls
REFUSED = (errors.Rejected, errors.Suspended)
VOID = {"Invoice": {"operation": "void"}, "Payment": {"operation": "update", "include": "void"}}
Answered = dict[str, Any] | errors.ProviderError


@dataclass(frozen=True, slots=True)
class _Part:
    operation: Operation
    body: dict[str, Any]


class Writer:
    def __init__(self, calls: Calls, books: Books, finder: Finder):
        self.calls, self.books = calls, books
        self._bodies, self._explainer = Bodies(books, finder), Explainer(calls, finder)
        self._spent: set[str] = set()  # request ids under which QuickBooks keeps an answer that helps nobody

    def write(self, entity: str, operations: Sequence[Operation]) -> list[WriteResult]:
        if len(operations) > BATCH_SIZE:
            raise ValueError(f"QuickBooks takes {BATCH_SIZE} writes in a batch, not {len(operations)}.")
        closed = self.books.company.closed_until if operations and entity in TRANSACTIONS else ""
        there = self._bodies.present(entity, operations, closed)
        answers: dict[str, Answered] = dict(refusals(entity, operations, there, closed))
        parts: list[_Part] = []
        for operation in operations:
            if operation.key in answers or is_void(operation):
                continue
            try:
                body = self._bodies.body(entity, operation, there)
            except (errors.Rejected, errors.Stale, errors.Gone) as error:
                answers[operation.key] = error
                continue
            if body:
                parts.append(_Part(operation, body))
            else:  # it is so already
                answers[operation.key] = dict(there[operation.remote_id])
        if parts:
            answers |= self._batched(entity, parts)
        sent = {part.operation.key: part.body for part in parts}
        for operation in operations:
            if operation.key not in answers:
                sent[operation.key] = {}
                answers[operation.key] = self._void(entity, operation)
        self._explainer.explain(entity, operations, sent, there, answers)
        for answer in answers.values():
            if isinstance(answer, FATAL):
                raise answer
        if any(isinstance(answer, errors.RateLimited) for answer in answers.values()):
            self.calls.http.slow_down()
        return [self._outcome(entity, operation, answers[operation.key]) for operation in operations]

    # --- sending ----------------------------------------------------------------------------------------------------

    def _batched(self, entity: str, parts: Sequence[_Part]) -> dict[str, Answered]:
        keys = [f"{part.operation.key} {part.operation.remote_id}" for part in parts]
        id = request_id(self.calls.realm_id, [part.body for part in parts], [entity, *keys])
        id = fresh_request_id() if id in self._spent else id
        try:
            answers = self._batch(entity, parts, id)
        except REFUSED:
            return self._batch(entity, parts, fresh_request_id())
        if any(_is_ill(answer) for answer in answers.values()):
            self._spent.add(id)  # whoever writes these again has looked whether they were done
        # A refusal may be one that QuickBooks remembers of an earlier try, before the trouble was mended. Nothing was
        # written by it, so it is asked again, by a name that it does not know.
        again = [part for part in parts if _was_refused(answers[part.operation.key])]
        return answers | self._batch(entity, again, fresh_request_id()) if again else answers

    def _batch(self, entity: str, parts: Sequence[_Part], id: str) -> dict[str, Answered]:
        listed = [
            {"bId": str(number), "operation": str(part.operation.verb), entity: part.body}
            for number, part in enumerate(parts)
        ]
        answer = self.calls.post("batch", {"BatchItemRequest": listed}, id, cost=BATCH_COST)
        found = answer.get("BatchItemResponse")
        by_id = {row.get("bId"): row for row in found if isinstance(row, dict)} if isinstance(found, list) else {}
        return {part.operation.key: _answer(entity, by_id.get(str(number)) or {}) for number, part in enumerate(parts)}

    def _void(self, entity: str, operation: Operation) -> Answered:
        body = target(operation) | ({"sparse": True} if entity == "Payment" else {})
        id = request_id(self.calls.realm_id, body, [entity, "void", operation.key])
        answer = self._posted(entity, body, id)
        if _was_refused(answer):
            answer = self._posted(entity, body, fresh_request_id())
        if isinstance(answer, FATAL):
            raise answer
        return answer

    def _posted(self, entity: str, body: dict[str, Any], id: str) -> Answered:
        try:
            return _answer(entity, self.calls.post(entity.lower(), body, id, params=VOID[entity]))
        except errors.ProviderError as error:
            return error

    # --- answers ----------------------------------------------------------------------------------------------------

    def _outcome(self, entity: str, operation: Operation, answer: Answered) -> WriteResult:
        if isinstance(answer, errors.ProviderError):
            return WriteResult(operation.key, error=answer)
        record = to_record(entity, answer, self.books)
        if operation.verb is Verb.CREATE:
            record = replace(record, made_with=operation.remote_id)
        return WriteResult(operation.key, record)


def _was_refused(answer: Answered) -> bool:
    return isinstance(answer, (*REFUSED, errors.RateLimited))


def _is_ill(answer: Answered) -> bool:
    return isinstance(answer, errors.Unavailable)


def _answer(entity: str, part: dict[str, Any]) -> Answered:
    if fault := fault_of(part):
        return explain_fault(fault, utc_now())
    body = part.get(entity)
    if not isinstance(body, dict) or not body.get("Id"):
        return errors.Unavailable("QuickBooks' answer to this one was lost.")
    return body
