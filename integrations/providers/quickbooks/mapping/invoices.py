"""Invoices. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice"""

from typing import Any

from fieldcamp.money import cents
from integrations.providers.quickbooks.mapping import lines
from integrations.providers.quickbooks.mapping.parts import (
    Body,
    decimal,
    is_voided,
    mark,
    one_line,
    ref,
    ref_id,
    text,
    tidy,
    within,
)
from integrations.providers.quickbooks.mapping.relining import relined, touches_lines
from integrations.providers.quickbooks.mapping.sales_tax import TaxRules, bears_tax, code_of, new_tax, tax_code
from integrations.providers.quickbooks.mapping.sums import is_whole
from integrations.records import Fields, Marker

DAYS = {"date": "TxnDate", "due_date": "DueDate"}
AMOUNTS = {"total": "TotalAmt", "balance": "Balance"}


def to_fields(body: Body, rules: TaxRules) -> dict[str, Any]:
    """Returns what the invoice says. Fields that it does not say are left out: lines that cannot be read in full, and a
    tax code where nobody chose one for the whole invoice."""
    rows = body.get("Line") or []
    fields = {
        "number": text(body, "DocNumber"),
        "customer": ref_id(body, "CustomerRef"),
        **{ours: text(body, theirs) for ours, theirs in DAYS.items() if body.get(theirs)},
        "memo": within(body, "CustomerMemo", "value"),
        "bill_email": within(body, "BillEmail", "Address"),
        "voided": is_voided(body),
        **{ours: cents(decimal(body[theirs])) for ours, theirs in AMOUNTS.items() if theirs in body},
        "tax_total": cents(decimal((body.get("TxnTaxDetail") or {}).get("TotalTax"))),
        **({"deposit": _deposit(body)} if "Balance" in body else {}),
    }
    if not is_whole(body):
        return fields
    code = tax_code(body, rules)
    fields |= {"lines": lines.to_lines(rows, bears_tax(body, rules)), "discount": lines.to_discount(rows)}
    return fields | ({} if code is None else {"tax_code": code})


def _deposit(body: Body) -> str:
    """Returns what was taken on the form of an invoice that says what is open of it; none is not said there."""
    taken = decimal(body.get("Deposit"))
    return cents(taken) if taken else ""


def shown(fields: Fields) -> dict[str, Any]:
    return {name: fields[name] for name in ("number", "date", "total", "balance") if name in fields}


def to_body(
    fields: Fields, rules: TaxRules, *, marker: Marker | None = None, present: Body | None = None
) -> dict[str, Any]:
    """Returns the body of a new invoice; with `present`, the part of one that stands there that `fields` change. Raises
    `Rejected` for a tax that the company has no code for, and for what cannot be changed without a loss."""
    body: dict[str, Any] = {}
    if fields.get("customer"):
        body["CustomerRef"] = ref(fields["customer"])
    if fields.get("number"):
        body["DocNumber"] = one_line(fields["number"], 21)
    for ours, theirs in DAYS.items():
        if fields.get(ours):
            body[theirs] = fields[ours]
    if "memo" in fields:
        body["CustomerMemo"] = {"value": tidy(fields["memo"] or "")[:1000]}
    if "bill_email" in fields:
        body["BillEmail"] = {"Address": one_line(fields["bill_email"], 100)}
    if present is not None:
        return body | (relined(present, fields, rules) if touches_lines(fields) else {})
    body["Line"] = lines.to_rows(
        fields.get("lines") or [], fields.get("discount"), lambda taxable: code_of(taxable, fields, rules)
    )
    body["ApplyTaxAfterDiscount"] = True
    body |= new_tax(fields, rules)
    body["PrivateNote"] = mark(marker)
    if rules.currency:
        body["CurrencyRef"] = ref(rules.currency)
    return {name: value for name, value in body.items() if value not in ("", {"value": ""}, {"Address": ""})}
