"""What is sent for each write: a new record as a whole, of one that stands there what has changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations import errors
from integrations.providers.quickbooks.checks import TRANSACTIONS, is_void
from integrations.providers.quickbooks.company import Books
from integrations.providers.quickbooks.finding import Finder
from integrations.providers.quickbooks.mapping import customers, invoices, items, payments
from integrations.providers.quickbooks.mapping.categories import with_categories, with_class_of_new_rows
from integrations.providers.quickbooks.mapping.parts import Body, without_deleted
from integrations.providers.quickbooks.mapping.relining import touches_lines
from integrations.providers.quickbooks.mapping.sales_tax import TaxRules
from integrations.records import Operation, Verb


class Bodies:
    def __init__(self, books: Books, finder: Finder):
        self.books, self.finder = books, finder

    def present(self, entity: str, operations: Sequence[Operation], closed_until: str) -> dict[str, Body]:
        """Reads what stands there of those that are judged by it, or that our fields are laid over: all in one go."""
        ids = [op.remote_id for op in operations if op.verb is Verb.UPDATE and _is_read(entity, op, closed_until)]
        return dict(self.finder.read(entity, ids))

    def body(self, entity: str, operation: Operation, there: Mapping[str, Body]) -> dict[str, Any]:
        """Returns one write's body; {} for an update of what is so already. Raises `Rejected`, `Stale` where what our
        rows would be laid over has moved on, and `Gone`."""
        if operation.verb is Verb.CREATE:
            return self._new(entity, operation)
        present = there.get(operation.remote_id)
        if _is_laid_over(entity, operation):
            if present is None:
                raise errors.Gone("QuickBooks does not have this any more.")
            if str(present.get("SyncToken") or "0") != operation.tag:
                raise errors.Stale("It has been changed in QuickBooks meanwhile.")
        changed = self._changed(entity, operation, present or {})
        return {**changed, **target(operation), "sparse": True} if changed else {}

    def _new(self, entity: str, operation: Operation) -> dict[str, Any]:
        fields, marker = operation.fields, operation.marker
        if entity == "Customer":
            return customers.to_body(fields, create=True)
        if entity == "Item":
            return items.to_body(fields, create=True)
        if entity == "Invoice":
            company = self.books.company
            body = invoices.to_body(fields, self.books.tax_rules, marker=marker)
            return with_categories(body, fields, company.class_tracking, company.locations)
        currency = self.books.company.currency if self.books.company.multi_currency else ""
        return payments.to_body(fields, self._methods(operation), currency=currency, marker=marker)

    def _changed(self, entity: str, operation: Operation, present: Body) -> dict[str, Any]:
        fields = operation.fields
        if entity == "Customer":
            return customers.to_body(fields, create=False)
        if entity == "Item":
            # QuickBooks has renamed what was made inactive, and does not give the name back by itself.
            name = {"Name": without_deleted(present, "Name")} if present else {}
            return name | items.to_body(fields, create=False)
        if entity == "Invoice":
            rules = self.books.tax_rules if touches_lines(fields) else TaxRules()
            body = invoices.to_body(fields, rules, present=present)
            chosen, tracking = str(fields.get("class") or ""), self.books.company.class_tracking
            return with_class_of_new_rows(body, present, chosen, tracking)
        return payments.to_body(fields, self._methods(operation), present=present)

    def _methods(self, operation: Operation) -> Mapping[str, str]:
        return self.books.payment_methods if operation.fields.get("method") else {}


def target(operation: Operation) -> dict[str, Any]:
    """Returns which record in which version an operation is about."""
    return {"Id": operation.remote_id, "SyncToken": operation.tag}


def _is_read(entity: str, operation: Operation, closed_until: str) -> bool:
    if entity in TRANSACTIONS and (closed_until or is_void(operation)):
        return True
    return _is_laid_over(entity, operation) or entity == "Item" and operation.fields.get("active") is True


def _is_laid_over(entity: str, operation: Operation) -> bool:
    """Returns whether it changes a part that is replaced as a whole."""
    if is_void(operation):
        return False
    fields = operation.fields
    return entity == "Invoice" and touches_lines(fields) or entity == "Payment" and "allocations" in fields
