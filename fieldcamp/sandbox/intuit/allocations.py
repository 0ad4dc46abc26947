"""Which payment pays how much of which invoice: kept on the payment's lines, shown on the invoice as LinkedTxn."""

from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

Body = dict[str, Any]


def of(payment: Body) -> dict[str, Decimal]:
    """What a payment pays of each invoice, by the invoice's id."""
    found: dict[str, Decimal] = {}
    for line in payment.get("Line", []):
        invoice = line["LinkedTxn"][0]["TxnId"]
        found[invoice] = found.get(invoice, ZERO) + decimal(line["Amount"])
    return found


def line(invoice: str, amount: Decimal) -> Body:
    """A payment's line."""
    return {"Amount": number(amount), "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}


def payments_of(books: Books, invoice: Body) -> list[Stored]:
    """The payments that are linked to an invoice, the oldest first."""
    links = [link["TxnId"] for link in invoice.get("LinkedTxn", []) if link["TxnType"] == "Payment"]
    return [books.the("Payment", each) for each in links]


def paid(books: Books, invoice: Stored) -> Decimal:
    """How much of an invoice is paid."""
    return sum((of(payment.body)[invoice.id] for payment in payments_of(books, invoice.body)), ZERO)


def carry_over(books: Books, payment: str, new: dict[str, Decimal], old: dict[str, Decimal]) -> None:
    """After a payment has changed its invoices follow: open amount, link, SyncToken."""
    for invoice_id in {**old, **new}:
        before, now = old.get(invoice_id), new.get(invoice_id)
        if before == now:
            continue
        invoice = books.the("Invoice", invoice_id)
        body = dict(invoice.body)
        body["Balance"] = number(decimal(body["Balance"]) + (before or ZERO) - (now or ZERO))
        link = {"TxnId": payment, "TxnType": "Payment"}
        others = [each for each in body["LinkedTxn"] if each != link]
        body["LinkedTxn"] = others if now is None else [*others, link]
        books.change(invoice, body)


def release(books: Books, invoice: Stored, excess: Decimal) -> None:
    """Takes so much of the invoice's payments back, the latest first; it stays with the payments, not applied."""
    gone = []
    for payment in reversed(payments_of(books, invoice.body)):
        applied = of(payment.body)
        back = min(excess, applied[invoice.id])
        if not back:
            break
        excess -= back
        applied[invoice.id] -= back
        if not applied[invoice.id]:
            del applied[invoice.id]
            gone.append({"TxnId": payment.id, "TxnType": "Payment"})
        unapplied = decimal(payment.body["UnappliedAmt"]) + back
        lines = [line(each, amount) for each, amount in applied.items()]
        books.change(payment, payment.body | {"Line": lines, "UnappliedAmt": number(unapplied)})
    if gone:
        links = [each for each in invoice.body["LinkedTxn"] if each not in gone]
        books.change(invoice, invoice.body | {"LinkedTxn": links}, bump=False)
