"""Which payment settles how much of which invoice, and with which credit memos: kept on the payment's lines, shown on
the invoice as LinkedTxn. Money that a customer gets back is settled in the same way: by what it is taken of.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment
"""

from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

Body = dict[str, Any]

INVOICE, CREDIT = "Invoice", "CreditMemo"
CHARGES = ("Expense", "Check")  # purchases by which a customer got money back, as they were paid
KINDS = (INVOICE, CREDIT, *CHARGES)
# Where what is open of each stands.
OPEN = {INVOICE: ("Balance",), CREDIT: ("Balance", "RemainingCredit"), **dict.fromkeys(CHARGES, ("Balance",))}


def linked(books: Books, kind: str, txn: str) -> Stored | None:
    """What a link of a payment leads to."""
    stored = books.get("Purchase" if kind in CHARGES else kind, txn)
    return stored if stored is None or kind_of(stored) == kind else None


def kind_of(stored: Stored) -> str:
    """How links call it."""
    if stored.type != "Purchase":
        return stored.type
    return "Check" if stored.body["PaymentType"] == "Check" else "Expense"


def charges(payment: Body) -> list[Body]:
    """A payment's lines of money that was paid back of it."""
    return [each for each in payment.get("Line", []) if each["LinkedTxn"][0].get("TxnType") in CHARGES]


def paid_back(payment: Body) -> Decimal:
    """How much of a payment was paid back, and of the credits beside it."""
    return sum((decimal(each["Amount"]) for each in charges(payment)), ZERO)


def of(payment: Body, kind: str = INVOICE) -> dict[str, Decimal]:
    """What a payment settles of each invoice (or uses of each credit memo), by its id."""
    found: dict[str, Decimal] = {}
    for line in payment.get("Line", []):
        for link in line.get("LinkedTxn", []):
            if link.get("TxnType") == kind:
                found[link["TxnId"]] = found.get(link["TxnId"], ZERO) + decimal(line.get("Amount"))
    return found


def line(txn: str, amount: Decimal, kind: str = INVOICE) -> Body:
    """A payment's line."""
    return {"Amount": number(amount), "LinkedTxn": [{"TxnId": txn, "TxnType": kind}]}


def lines(invoices: dict[str, Decimal], credits: dict[str, Decimal]) -> list[Body]:
    """All lines of a payment."""
    return [
        *(line(each, amount) for each, amount in invoices.items() if amount),
        *(line(each, amount, CREDIT) for each, amount in credits.items() if amount),
    ]


def payments_of(books: Books, settled: Body) -> list[Stored]:
    """The payments that are linked to an invoice or a credit memo, the oldest first."""
    links = [link["TxnId"] for link in settled.get("LinkedTxn", []) if link.get("TxnType") == "Payment"]
    return [found for found in (books.get("Payment", each) for each in links) if found]


def paid(books: Books, invoice: Stored) -> Decimal:
    """How much of an invoice is paid, or of a credit memo used."""
    found = (of(payment.body, kind_of(invoice)).get(invoice.id, ZERO) for payment in payments_of(books, invoice.body))
    return sum(found, ZERO)


def carry_over(books: Books, payment: str, new: Body, old: Body) -> None:
    """After a payment has changed, what it settles follows: open amount, link, SyncToken."""
    for kind in KINDS:
        after, before = of(new, kind), of(old, kind)
        for txn in {**before, **after}:
            if before.get(txn) != after.get(txn):
                _follow(books, kind, txn, payment, after.get(txn), before.get(txn))


def _follow(books: Books, kind: str, txn: str, payment: str, now: Decimal | None, before: Decimal | None) -> None:
    stored = linked(books, kind, txn)
    if stored is None:
        return
    body = dict(stored.body)
    for name in OPEN[kind]:
        body[name] = number(decimal(body.get(name)) + (before or ZERO) - (now or ZERO))
    link = {"TxnId": payment, "TxnType": "Payment"}
    others = [each for each in body.get("LinkedTxn", []) if each != link]
    body["LinkedTxn"] = others if now is None else [*others, link]
    books.change(stored, body)


def release(books: Books, invoice: Stored, excess: Decimal) -> None:
    """Takes so much of the invoice's payments back, the latest first; it stays with the payments, not applied, and
    credit memos are open again."""
    gone = []
    for payment in reversed(payments_of(books, invoice.body)):
        applied, credits = of(payment.body), of(payment.body, CREDIT)
        back = min(excess, applied.get(invoice.id, ZERO))
        if not back:
            continue
        excess -= back
        applied[invoice.id] -= back
        if not applied[invoice.id]:
            gone.append({"TxnId": payment.id, "TxnType": "Payment"})
        settled = sum(applied.values(), ZERO) + paid_back(payment.body)
        used = _shortened(credits, settled)
        unapplied = decimal(payment.body["TotalAmt"]) - settled + sum(used.values(), ZERO)
        body = payment.body | {"Line": lines(applied, used) + charges(payment.body), "UnappliedAmt": number(unapplied)}
        books.change(payment, body)
        for memo in credits:
            if used.get(memo) != credits[memo]:
                _follow(books, CREDIT, memo, payment.id, used.get(memo), credits[memo])
    if gone:
        links = [each for each in invoice.body["LinkedTxn"] if each not in gone]
        books.change(invoice, invoice.body | {"LinkedTxn": links}, bump=False)


def _shortened(credits: dict[str, Decimal], most: Decimal) -> dict[str, Decimal]:
    """No more of the credits than there is to settle with them, the first ones first."""
    found: dict[str, Decimal] = {}
    for memo, amount in credits.items():
        found[memo] = min(amount, most - sum(found.values(), ZERO))
    return {memo: amount for memo, amount in found.items() if amount}
