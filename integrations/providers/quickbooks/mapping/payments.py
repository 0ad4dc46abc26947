"""Payments. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment"""

import re
from collections.abc import Mapping
from typing import Any

from fieldcamp.money import cents
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
    return {
        "customer": ref_id(body, "CustomerRef"),
        "date": text(body, "TxnDate"),
        "amount": cents(decimal(body.get("TotalAmt"))),
        "method": method_named(methods.get(ref_id(body, "PaymentMethodRef"), "")),
        "reference": text(body, "PaymentRefNum"),
        "allocations": sorted(_allocations(body), key=lambda part: part["invoice"]),
        "voided": is_voided(body),
        "unapplied": cents(decimal(body.get("UnappliedAmt"))),
        "deposited": any(row.get("TxnType") == "Deposit" for row in body.get("LinkedTxn") or ()),
    }


def _allocations(body: Body):
    for row in body.get("Line") or ():
        amount = decimal(row.get("Amount"))
        for link in row.get("LinkedTxn") or ():
            if link.get("TxnType") == "Invoice" and amount:
                yield {"invoice": str(link.get("TxnId")), "amount": cents(amount)}


def shown(fields: Fields) -> dict[str, Any]:
    return {name: fields[name] for name in ("date", "amount")}


def to_body(
    fields: Fields, methods: Methods, *, create: bool, currency: str = "", marker: Marker | None = None
) -> dict[str, Any]:
    """Returns the part of a payment that `fields` say. A method that the company does not have is left out."""
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
        body["Line"] = [
            {"Amount": number(part["amount"]), "LinkedTxn": [{"TxnId": part["invoice"], "TxnType": "Invoice"}]}
            for part in fields["allocations"] or ()
        ]
    if not create:
        return body
    body["PrivateNote"] = mark(marker)
    if currency:
        body["CurrencyRef"] = ref(currency)
    return {name: value for name, value in body.items() if value != ""}


def _method(ours: str, methods: Methods) -> str:
    return next((id for id, name in methods.items() if method_named(name) == ours), "")
