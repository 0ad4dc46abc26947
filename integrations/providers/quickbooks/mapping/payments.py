"""Payments. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import cents
from integrations.errors import ProblemReason, Rejected
from integrations.providers.quickbooks.mapping.parts import (
    Body,
    decimal,
    is_voided,
    mark,
    number,
    one_line,
    ref,
    ref_id,
    text,
)
from integrations.providers.quickbooks.mapping.sums import allocations_are_whole
from integrations.records import Fields, Marker

Methods = Mapping[str, str]  # the company's payment methods: name by id

# Companies name their methods as they like; the first that fits counts.
_WORDS = {
    "cash": r"cash",
    "check": r"check|cheque",
    "card": r"visa|master ?card|amex|american express|discover|diners|card|credit|debit",
    "bank_transfer": r"bank|transfer|wire|ach|eft|direct",
}
OTHER = "other"


def method_named(name: str) -> str:
    """Returns what we call a payment method of that name."""
    return next((ours for ours, words in _WORDS.items() if re.search(rf"(?i)\b({words})\b", name)), OTHER)


def to_fields(body: Body, methods: Methods) -> dict[str, Any]:
    """Returns what the payment says. Fields that it does not say are left out: a method that nobody chose, and what it
    pays where that cannot be told invoice by invoice."""
    fields = {
        "customer": ref_id(body, "CustomerRef"),
        **({"date": text(body, "TxnDate")} if body.get("TxnDate") else {}),
        "amount": cents(decimal(body.get("TotalAmt"))),
        "reference": text(body, "PaymentRefNum"),
        "voided": is_voided(body),
        "unapplied": cents(decimal(body.get("UnappliedAmt"))),
        "deposited": any(row.get("TxnType") == "Deposit" for row in body.get("LinkedTxn") or ()),
    }
    if name := methods.get(ref_id(body, "PaymentMethodRef")):
        fields["method"] = method_named(name)
    if allocations_are_whole(body):
        fields["allocations"] = sorted(_allocations(body), key=lambda part: part["invoice"])
        if "UnappliedAmt" in body:
            fields |= _beside(body)
    return fields


def _beside(body: Body) -> dict[str, str]:
    """Returns what credits have added to the money, and what of it pays for something else than invoices. Rows say by
    their kind what they link, yet not always in which direction (a journal entry): the amounts tell that."""
    rows = body.get("Line") or ()
    paid = sum((decimal(row.get("Amount")) for row in rows if invoice_of(row)), Decimal(0))
    credited = sum((decimal(row.get("Amount")) for row in rows if _is_credit(row)), Decimal(0))
    rest = decimal(body.get("TotalAmt")) + credited - paid - decimal(body["UnappliedAmt"])
    credited, elsewhere = (credited, rest) if rest >= 0 else (credited - rest, Decimal(0))
    return {"credited": cents(credited) if credited else "", "elsewhere": cents(elsewhere) if elsewhere else ""}


def _is_credit(row: Body) -> bool:
    return any(link.get("TxnType") == "CreditMemo" for link in row.get("LinkedTxn") or ())


def _allocations(body: Body) -> Iterator[dict[str, str]]:
    for row in body.get("Line") or ():
        amount = decimal(row.get("Amount"))
        if (invoice := invoice_of(row)) and amount:
            yield {"invoice": invoice, "amount": cents(amount)}


def invoice_of(row: Body) -> str:
    """Returns the invoice that a row settles; "" where it settles something else, a credit memo for one."""
    return next((str(link.get("TxnId")) for link in row.get("LinkedTxn") or () if link.get("TxnType") == "Invoice"), "")


def shown(fields: Fields) -> dict[str, Any]:
    return {name: fields[name] for name in ("date", "amount")}


def to_body(
    fields: Fields,
    methods: Methods,
    *,
    currency: str = "",
    marker: Marker | None = None,
    present: Body | None = None,
) -> dict[str, Any]:
    """Returns the body of a new payment; with `present`, the part of one that stands there that `fields` change. A
    method that the company does not have is left out. Raises `Rejected` for what cannot be changed without a loss."""
    body: dict[str, Any] = {}
    if fields.get("customer"):
        body["CustomerRef"] = ref(fields["customer"])
    if fields.get("date"):
        body["TxnDate"] = fields["date"]
    if "amount" in fields:
        body["TotalAmt"] = number(fields["amount"])
    if fields.get("method") and (id := _method(fields["method"], methods)):
        body["PaymentMethodRef"] = ref(id)
    if "reference" in fields:
        body["PaymentRefNum"] = one_line(fields["reference"], 21)
    if "allocations" in fields:
        body |= _applied(fields["allocations"] or (), present)
    if present is not None:
        return body
    body["PrivateNote"] = mark(marker)
    if currency:
        body["CurrencyRef"] = ref(currency)
    return {name: value for name, value in body.items() if value != ""}


def _applied(allocations: Sequence[Fields], present: Body | None) -> dict[str, Any]:
    """Returns the rows of what it pays, laid over those that stand there: the whole array is replaced, and rows that
    settle other things than invoices are not ours to take off."""
    wanted = {part["invoice"]: decimal(part["amount"]) for part in allocations}
    rows = list((present or {}).get("Line") or ())
    if present is not None and not allocations_are_whole(present):
        raise Rejected(
            "In QuickBooks this payment settles one invoice by several rows, or several by one, which FieldCamp cannot"
            " tell apart. Change what it pays in QuickBooks.",
            reason=ProblemReason.UNREADABLE,
        )
    kept = []
    for row in rows:
        invoice, amount = invoice_of(row), decimal(row.get("Amount"))
        share = wanted.pop(invoice, None) if invoice else amount
        if share is not None:
            own = {name: value for name, value in row.items() if name != "LineEx"}  # reads alone carry it
            kept.append(own if share == amount else {**own, "Amount": number(share)})
    new = [
        {"Amount": number(share), "LinkedTxn": [{"TxnId": invoice, "TxnType": "Invoice"}]}
        for invoice, share in wanted.items()
    ]
    unchanged = not new and [decimal(row["Amount"]) for row in kept] == [decimal(row.get("Amount")) for row in rows]
    return {} if present is not None and unchanged else {"Line": kept + new}


def _method(ours: str, methods: Methods) -> str:
    return next((id for id, name in methods.items() if method_named(name) == ours), "")
