"""Credits that QuickBooks applies by itself, where a company wants that (`AutoApplyCredit`).

What links them is a payment of nothing: https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment
"""

from decimal import Decimal

from fieldcamp.sandbox.intuit import allocations, engine
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored

NOTE = "Created by QB Online to link credits to charges."
OPEN_CREDITS = "NOT deleted AND json_extract(body, '$.RemainingCredit') > 0 AND " + (
    "json_extract(body, '$.CustomerRef.value') COLLATE NOCASE = ?"
)
OPEN_INVOICES = "NOT deleted AND json_extract(body, '$.Balance') > 0 AND " + (
    "json_extract(body, '$.CustomerRef.value') COLLATE NOCASE = ?"
)


def link(books: Books, customer: str, invoices: dict[str, Decimal], memos: dict[str, Decimal], day: str = "") -> str:
    """Settles invoices with credit memos by a payment of nothing; its id."""
    lines = allocations.lines(invoices, memos)
    body = {"CustomerRef": {"value": customer}, "TotalAmt": 0, "PrivateNote": NOTE, "Line": lines}
    body |= {"TxnDate": day} if day else {}
    return str(engine.write(books, books.entities["Payment"], body)["Id"])


def apply_to_invoice(books: Books, invoice: Stored) -> None:
    """The customer's open credit memos settle a new invoice, the oldest first."""
    if not wanted(books):
        return
    customer, left = invoice.body["CustomerRef"]["value"], decimal(invoice.body["Balance"])
    used: dict[str, Decimal] = {}
    for memo in books.rows("CreditMemo", OPEN_CREDITS, customer):
        amount = min(left, decimal(memo.body["RemainingCredit"]))
        if amount:
            used[memo.id] = amount
            left -= amount
    if used:
        link(books, customer, {invoice.id: sum(used.values(), Decimal(0))}, used, invoice.body["TxnDate"])


def apply_memo(books: Books, memo: Stored) -> None:
    """A new credit memo settles the customer's open invoices, the oldest first."""
    if not wanted(books):
        return
    customer, left = memo.body["CustomerRef"]["value"], decimal(memo.body["RemainingCredit"])
    settled: dict[str, Decimal] = {}
    for invoice in books.rows("Invoice", OPEN_INVOICES, customer, order="json_extract(body, '$.TxnDate'), n"):
        amount = min(left, decimal(invoice.body["Balance"]))
        if amount:
            settled[invoice.id] = amount
            left -= amount
    if settled:
        link(books, customer, settled, {memo.id: sum(settled.values(), Decimal(0))}, memo.body["TxnDate"])


def wanted(books: Books) -> bool:
    """Whether this company applies credits by itself."""
    return bool(books.preference("SalesFormsPrefs", "AutoApplyCredit", False))
