"""Credit memos: what a customer gets back without money, until it is applied to invoices.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/creditmemo
"""

from fieldcamp.sandbox.intuit import allocations, credits, errors, people, sales_form, stock, transactions
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, numbers, references
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import ref
from fieldcamp.sandbox.intuit.store import Stored


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    sales_form.complete(books, draft, old, sent)
    sales_form.number_(books, draft, old, entity="CreditMemo")
    sales_form.count(books, draft, old, sent)
    draft.setdefault("LinkedTxn", [])  # for the sandbox alone: answers do not carry it
    used = allocations.paid(books, old) if old else 0
    left = decimal(draft["TotalAmt"]) - used
    if left < 0 or (used and old and draft["CustomerRef"] != old.body["CustomerRef"]):
        raise errors.business("This credit memo is applied to invoices. Remove it from them before you change it.")
    draft["Balance"] = draft["RemainingCredit"] = number(left)
    stock.check(books, draft)
    transactions.check_period(books, draft, old)


def _settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """The customer owes so much less."""
    for stored, sign in ((old, 1), (new, -1)):
        if stored is not None:
            people.adjust_balance(
                books, stored.body["CustomerRef"]["value"], decimal(stored.body.get("TotalAmt")) * sign
            )
    stock.move(books, new, old, 1)
    if new is not None and old is None:
        credits.apply_memo(books, new)


def _before_delete(books: Books, old: Stored) -> None:
    transactions.check_period(books, {}, old)
    if allocations.payments_of(books, old.body):
        text = "This transaction is linked to others. Remove the links before you delete it."
        raise Fault(800, "Delete not allowed", text)


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    sales_form.respond(books, shown, stored)
    shown.pop("LinkedTxn", None)


CREDIT_MEMO = Entity(
    name="CreditMemo",
    segment="creditmemo",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("CustomerRef", "Line"),
    fields={**sales_form.FIELDS, "SalesTermRef": ref("Term"), "InvoiceRef": ref("Invoice")},
    ignored=sales_form.IGNORED | {"RemainingCredit", "PaymentMethodRef", "LinkedTxn"},
    refs=sales_form.REFS | {"SalesTermRef": ("Term",)},
    filterable={**sales_form.FILTERS, **references("SalesTermRef"), **numbers("Balance")},
    prepare=_prepare,
    settle=_settle,
    before_delete=_before_delete,
    respond=_respond,
    actions={"send": sales_form.send},
)
