"""Writes: one batch for what is made and changed, a call of its own for each void.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/batch
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from integrations import errors
from integrations.errors import ProblemReason
from integrations.providers.batches import FATAL
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.calls import Calls, fresh_request_id, request_id
from integrations.providers.quickbooks.checks import Checks, is_void
from integrations.providers.quickbooks.company import ALL, Books
from integrations.providers.quickbooks.errors import explain_fault, fault_of
from integrations.providers.quickbooks.finding import Finder
from integrations.providers.quickbooks.mapping import customers, invoices, items, payments
from integrations.providers.quickbooks.mapping.parts import name, without_deleted
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
        self.calls, self.books, self.finder = calls, books, finder
        self._spent: set[str] = set()  # request ids under which QuickBooks keeps an answer that helps nobody

    def write(self, entity: str, operations: Sequence[Operation]) -> list[WriteResult]:
        if len(operations) > BATCH_SIZE:
            raise ValueError(f"QuickBooks takes {BATCH_SIZE} writes in a batch, not {len(operations)}.")
        refused = Checks(self.books, self.finder).refusals(entity, operations) if operations else {}
        names = self._names_of_revived(entity, operations)
        parts: list[_Part] = []
        answers: dict[str, Answered] = dict(refused)
        for operation in operations:
            if operation.key in answers or is_void(operation):
                continue
            try:
                body = self._body(entity, operation)
                parts.append(_Part(operation, names.get(operation.key, {}) | body))
            except errors.Rejected as error:
                answers[operation.key] = error
        if parts:
            answers |= self._batched(entity, parts)
        for operation in operations:
            if operation.key not in answers:
                answers[operation.key] = self._void(entity, operation)
        self._look_closer(entity, operations, answers)
        for answer in answers.values():
            if isinstance(answer, FATAL):
                raise answer
        if any(isinstance(answer, errors.RateLimited) for answer in answers.values()):
            self.calls.http.slow_down()
        return [self._outcome(entity, operation, answers[operation.key]) for operation in operations]

    # --- bodies -----------------------------------------------------------------------------------------------------

    def _body(self, entity: str, operation: Operation) -> dict[str, Any]:
        fields, create = operation.fields, operation.verb is Verb.CREATE
        body: dict[str, Any]
        if entity == "Customer":
            body = customers.to_body(fields, create=create)
        elif entity == "Item":
            body = items.to_body(fields, create=create)
        elif entity == "Invoice":
            body = invoices.to_body(fields, self.books.tax_rules, create=create, marker=operation.marker)
        else:
            methods = self.books.payment_methods if fields.get("method") else {}
            currency = self.books.company.currency if create and self.books.company.multi_currency else ""
            body = payments.to_body(fields, methods, create=create, currency=currency, marker=operation.marker)
        return body if create else {**body, **_target(operation), "sparse": True}

    def _names_of_revived(self, entity: str, operations: Sequence[Operation]) -> dict[str, dict[str, str]]:
        """Returns the names of what is made active again: QuickBooks has renamed it, and does not give the name back by
        itself."""
        revived = [
            operation
            for operation in operations
            if entity == "Item" and operation.verb is Verb.UPDATE and operation.fields.get("active") is True
        ]
        there = self.finder.read(entity, [operation.remote_id for operation in revived])
        return {
            operation.key: {"Name": without_deleted(there[operation.remote_id], "Name")}
            for operation in revived
            if operation.remote_id in there
        }

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
        body = _target(operation) | ({"sparse": True} if entity == "Payment" else {})
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

    def _look_closer(self, entity: str, operations: Sequence[Operation], answers: dict[str, Answered]) -> None:
        """Looks closer where two faults do not say enough: who has a name, and whether what is gone is the record or
        what it names."""
        taken, missing = [], []
        for operation in operations:
            error = answers[operation.key]
            reason = error.reason if isinstance(error, errors.ProviderError) else ""
            if reason == ProblemReason.DUPLICATE_NAME and entity == "Customer" and operation.fields.get("display_name"):
                taken.append(operation)
            elif reason == ProblemReason.INACTIVE_REFERENCE and operation.verb is Verb.UPDATE:
                missing.append(operation)
        if taken:
            self._name_the_holders(taken, answers)
        if missing:
            there = self.finder.read(entity, [operation.remote_id for operation in missing])
            for operation in missing:
                if operation.remote_id not in there:
                    answers[operation.key] = errors.Gone("QuickBooks does not have this any more.")

    def _name_the_holders(self, operations: Sequence[Operation], answers: dict[str, Answered]) -> None:
        names = {operation.key: name(operation.fields["display_name"]) for operation in operations}
        among = f"DisplayName IN {addresses.among(sorted(set(names.values())))}"
        for entity in ("Customer", "Vendor", "Employee"):
            holders = {str(row.get("DisplayName")).casefold(): row for row in self.calls.select(entity, among, ALL)}
            for key, taken in list(names.items()):
                if row := holders.get(taken.casefold()):
                    answers[key] = _taken(entity, taken, row, answers[key])
                    del names[key]

    def _outcome(self, entity: str, operation: Operation, answer: Answered) -> WriteResult:
        if isinstance(answer, errors.ProviderError):
            return WriteResult(operation.key, error=answer)
        record = to_record(entity, answer, self.books)
        if operation.verb is Verb.CREATE:
            record = replace(record, made_with=operation.remote_id)
        return WriteResult(operation.key, record)


def _target(operation: Operation) -> dict[str, Any]:
    return {"Id": operation.remote_id, "SyncToken": operation.tag}


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


def _taken(entity: str, taken: str, row: dict[str, Any], error: Answered) -> errors.Rejected:
    detail = f"{entity} {row['Id']}. {error.detail}" if isinstance(error, errors.ProviderError) else ""
    if entity == "Customer":
        state = "an inactive" if row.get("Active") is False else "another"
        message = f"QuickBooks has {state} customer called “{taken}” already. Link the two, or rename one."
        return errors.Rejected(message, detail=detail, reason=ProblemReason.DUPLICATE_NAME)
    who = entity.lower()
    article = "an" if who[0] in "aeiou" else "a"
    return errors.Rejected(
        f"In QuickBooks {article} {who} is called “{taken}”, and names are shared there. Rename one of the two.",
        detail=detail,
        reason=ProblemReason(f"name_taken_by_{who}"),
    )
