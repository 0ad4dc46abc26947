"""Writes: a handful one by one, more in batches, and a call of its own for each void.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/batch
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from integrations import errors
from integrations.providers.batches import FATAL
from integrations.providers.quickbooks.bodies import Bodies, target
from integrations.providers.quickbooks.calls import Calls, fresh_request_id, request_id
from integrations.providers.quickbooks.checks import TRANSACTIONS, is_void, refusals
from integrations.providers.quickbooks.company import Books
from integrations.providers.quickbooks.errors import explain_fault, fault_of, is_said
from integrations.providers.quickbooks.explaining import Explainer
from integrations.providers.quickbooks.finding import Finder
from integrations.providers.quickbooks.reading import to_record
from integrations.records import Operation, Verb, WriteResult
from integrations.transport.client import utc_now
from integrations.transport.exchanges import Part, carrying
from integrations.transport.meter import Metered

BATCH_SIZE = 30
SINGLY = 4  # so many go one by one: a batch may count as a read that is paid for, and its parts wait for each other
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
        self._bodies, self._explainer = Bodies(books, finder), Explainer(calls, finder, books)
        self._most = BATCH_SIZE  # fewer once a batch has taken too long
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
        answers |= self._sent(entity, parts)
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

    def _sent(self, entity: str, parts: Sequence[_Part]) -> dict[str, Answered]:
        """Sends parts, a handful one by one. Whatever comes after a lost answer or a refusal for the rate waits."""
        answers: dict[str, Answered] = {}
        size = 1 if len(parts) <= SINGLY else self._most
        for start in range(0, len(parts), size):
            chunk = parts[start : start + size]
            try:
                found = self._single(entity, chunk[0]) if size == 1 else self._batched(entity, chunk)
            except errors.Unavailable as error:
                if isinstance(error, errors.TimedOut) and size > 1:
                    self._most = max(1, self._most // 2)
                if not answers:
                    raise
                found = {part.operation.key: error for part in parts[start:]}
            answers |= found
            if len(answers) < len(parts) and any(isinstance(answer, errors.RateLimited) for answer in found.values()):
                limit = next(answer for answer in found.values() if isinstance(answer, errors.RateLimited))
                answers |= {part.operation.key: limit for part in parts if part.operation.key not in answers}
            if len(answers) == len(parts):
                break
        return answers

    def _single(self, entity: str, part: _Part) -> dict[str, Answered]:
        operation = part.operation
        keys = [entity, str(operation.verb), operation.key, operation.remote_id]
        with carrying([Part(operation.key)]):
            return {operation.key: self._posted(entity, part.body, keys)}

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
        # By one paper of Intuit's a batch is one read that is billed, by another it is so many writes, which are free.
        sent = {"BatchItemRequest": listed}
        with carrying([Part(part.operation.key) for part in parts]):
            answer = self.calls.post("batch", sent, id, cost=BATCH_COST, metered=Metered.UNSETTLED)
        found = answer.get("BatchItemResponse")
        by_id = {row.get("bId"): row for row in found if isinstance(row, dict)} if isinstance(found, list) else {}
        return {
            part.operation.key: _answer(entity, by_id.get(str(number)) or {}, self.calls.trace)
            for number, part in enumerate(parts)
        }

    def _void(self, entity: str, operation: Operation) -> Answered:
        body = target(operation) | ({"sparse": True} if entity == "Payment" else {})
        try:
            with carrying([Part(operation.key)]):
                return self._posted(entity, body, [entity, "void", operation.key], VOID[entity])
        except errors.Unavailable as error:
            return error

    def _posted(
        self, entity: str, body: dict[str, Any], keys: Sequence[str], params: Mapping[str, str] | None = None
    ) -> Answered:
        """Posts one write: what it is answered with, or the refusal. Raises `Unavailable`, and what ends the account's
        turn."""
        id = request_id(self.calls.realm_id, body, keys)
        id = fresh_request_id() if id in self._spent else id
        try:
            answer = self._post(entity, body, id, params)
            if _was_refused(answer):  # perhaps one that is remembered of an earlier try
                answer = self._post(entity, body, fresh_request_id(), params)
        except errors.Unavailable as error:
            if is_said(error):
                self._spent.add(id)  # whoever writes this again has looked whether it was done
            raise
        if isinstance(answer, FATAL):
            raise answer
        return answer

    def _post(self, entity: str, body: dict[str, Any], id: str, params: Mapping[str, str] | None) -> Answered:
        try:
            answer = _answer(entity, self.calls.post(entity.lower(), body, id, params=params), self.calls.trace)
        except errors.Unavailable:
            raise
        except errors.ProviderError as error:
            return error
        if isinstance(answer, errors.Unavailable):
            raise answer
        return answer

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


def _answer(entity: str, part: dict[str, Any], trace: str) -> Answered:
    if fault := fault_of(part):
        return explain_fault(fault, utc_now(), tid=trace)
    body = part.get(entity)
    if not isinstance(body, dict) or not body.get("Id"):
        return errors.Unavailable("QuickBooks' answer to this one was lost.")
    return body
