"""Invoices.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

import hashlib
from datetime import date
from decimal import Decimal

from fieldcamp.sandbox.intuit import (
    allocations,
    credits,
    errors,
    line_kinds,
    links,
    people,
    sales_form,
    stock,
    terms,
    transactions,
)
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, numbers, references
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import day, flag, ref
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

USER_ID = "9130347957983546"  # who is shown as the last to have changed an invoice
UNDEPOSITED_FUNDS = "4"
LINK = "https://developer.intuit.com/comingSoonview/scs-v1-{}?locale=en_US&cta=v3invoicelink"
ONLINE = ("AllowOnlineCreditCardPayment", "AllowOnlineACHPayment")


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    sales_form.complete(books, draft, old, sent)
    _complete(books, draft, old, sent)
    sales_form.number_(books, draft, old)
    _check_category(books, draft)
    sales_form.count(books, draft, old, sent)
    links.prepare(books, draft, old, sent)
    paid = allocations.paid(books, old) if old else ZERO
    if old is not None and paid and draft["CustomerRef"] != old.body["CustomerRef"]:
        raise errors.business("The customer cannot be changed while a payment is linked.", "CustomerRef")
    owed = _owed(draft)
    if owed < ZERO:
        raise errors.business("The deposit cannot be more than the total of the invoice.", "Deposit")
    draft["Balance"] = number(max(owed - paid, ZERO))
    stock.check(books, draft)
    transactions.check_period(books, draft, old)


def _complete(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    """The defaults of an invoice: terms, the day when it is due, how it may be paid."""
    customer = sales_form.customer_of(books, draft)
    if old is None and "SalesTermRef" in customer:
        draft.setdefault("SalesTermRef", customer["SalesTermRef"])
    if "DueDate" not in draft or ("SalesTermRef" in sent and "DueDate" not in sent):
        draft["DueDate"] = _due(books, draft)
    for name in ("AllowIPNPayment", "AllowOnlinePayment", *ONLINE):
        draft.setdefault(name, False)
    if draft.get("Deposit"):
        draft.setdefault("DepositToAccountRef", {"value": UNDEPOSITED_FUNDS})
    else:
        draft.pop("Deposit", None)  # clients send 0


def _check_category(books: Books, draft: Body) -> None:
    """Where a company wants a class or a location, a sale without one is refused in the words that a missing tax rate
    is refused in. A class is on each line, or once on the sale, as the preferences say."""
    wanted = books.switch("category_required", "")
    if not wanted:
        return
    there = "DepartmentRef" in draft
    if wanted == "class":
        sold = [line["SalesItemLineDetail"] for line in draft["Line"] if "SalesItemLineDetail" in line]
        by_line = books.preference("AccountingInfoPrefs", "ClassTrackingPerTxnLine")
        there = all("ClassRef" in detail for detail in sold) if by_line else "ClassRef" in draft
    if not there:
        raise errors.business(f"Make sure all your transactions have a {wanted} before you save.")


def _due(books: Books, draft: Body) -> str:
    term = draft.get("SalesTermRef") or books.preference("SalesFormsPrefs", "DefaultTerms")
    stored = books.get("Term", term["value"]) if term else None
    day_of = date.fromisoformat(draft["TxnDate"])
    return (terms.due(stored.body, day_of) if stored else day_of).isoformat()


def _owed(body: Body) -> Decimal:
    """What is to be paid after the deposit that was taken with it."""
    return decimal(body.get("TotalAmt")) - decimal(body.get("Deposit"))


def _settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """The customer owes more or less; what was paid too much goes back to the payments; open credits are applied."""
    for stored, sign in ((old, -1), (new, 1)):
        if stored is not None:
            people.adjust_balance(books, stored.body["CustomerRef"]["value"], _owed(stored.body) * sign)
    stock.move(books, new, old, -1)
    links.settle(books, new, old)
    if new is not None and old is not None:
        excess = allocations.paid(books, new) - _owed(new.body)
        if excess > ZERO:
            allocations.release(books, new, excess)
    elif new is not None:
        credits.apply_to_invoice(books, new)


def _void(books: Books, draft: Body, old: Stored) -> None:
    transactions.check_period(books, {}, old)
    if transactions.is_void(draft):
        return
    linked = bool(allocations.payments_of(books, draft))
    if linked and books.switch("void_refused_with_payments", True):
        raise errors.business(
            "This invoice is linked to a payment. Remove the payment from the invoice before you void it."
        )
    sales_form.void(draft)
    draft.pop("Deposit", None)
    draft["LinkedTxn"] = [link for link in draft["LinkedTxn"] if link["TxnType"] == "Payment"]  # released next


def _before_delete(books: Books, old: Stored) -> None:
    transactions.check_period(books, {}, old)
    if allocations.payments_of(books, old.body):
        text_ = "This transaction is linked to others. Remove the links before you delete it."
        raise Fault(800, "Delete not allowed", text_)


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    sales_form.respond(books, shown, stored)
    made = shown["MetaData"]
    shown["MetaData"] = {"CreateTime": made["CreateTime"], "LastModifiedByRef": {"value": USER_ID}} | made


def _add_link(books: Books, shown: Body, stored: Stored) -> None:
    """The address on which the customer sees it: of invoices that can be paid there and have somebody's e-mail."""
    if any(shown.get(name) for name in ONLINE) and shown.get("BillEmail", {}).get("Address"):
        shown["InvoiceLink"] = LINK.format(hashlib.sha512(f"{books.realm} {stored.id}".encode()).hexdigest()[:100])


INVOICE = Entity(
    name="Invoice",
    segment="invoice",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("CustomerRef", "Line"),
    fields={
        **sales_form.FIELDS,
        "DueDate": day(),
        "SalesTermRef": ref("Term"),
        "LinkedTxn": line_kinds.LINKS,
        "Deposit": numeric(0),
        "DepositToAccountRef": ref("Account"),
        "AllowOnlineCreditCardPayment": flag(),
        "AllowOnlineACHPayment": flag(),
    },
    ignored=sales_form.IGNORED
    | {"InvoiceLink", "AllowIPNPayment", "AllowOnlinePayment", "EInvoiceStatus", "TxnStatus"},
    refs=sales_form.REFS | {"SalesTermRef": ("Term",), "DepositToAccountRef": ("Account",)},
    filterable={
        **sales_form.FILTERS,
        **days("DueDate"),
        **references("SalesTermRef"),
        **numbers("Balance"),
    },
    prepare=_prepare,
    settle=_settle,
    void=_void,
    before_delete=_before_delete,
    respond=_respond,
    actions={"send": sales_form.send},
    includes={"invoiceLink": _add_link},
)
