"""Invoices. https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice"""

from dataclasses import dataclass
from typing import Any

from fieldcamp.money import cents
from integrations.errors import ProblemReason, Rejected
from integrations.providers.quickbooks.mapping import lines
from integrations.providers.quickbooks.mapping.parts import (
    NO_TAX,
    TAX,
    Body,
    decimal,
    is_voided,
    mark,
    number,
    one_line,
    ref,
    ref_id,
    text,
    tidy,
    within,
)
from integrations.records import Fields, Marker


@dataclass(frozen=True, slots=True)
class TaxRules:
    """How the company's invoices say their tax. `mode` is the company's (`records.Company.tax_mode`); `exempt` are the
    codes of no tax, outside the US; `some_code` any code at all, `currency` what has to be named where there are
    several."""

    mode: str = "none"
    exempt: tuple[str, ...] = ()
    some_code: str = ""
    currency: str = ""


def says_code(body: Body) -> bool:
    """Returns whether only the company's rules tell what the invoice's tax codes mean."""
    named = {ref_id(body.get("TxnTaxDetail"), "TxnTaxCodeRef"), *lines.codes(body.get("Line") or ())}
    return bool(named - {"", TAX, NO_TAX})


def to_fields(body: Body, rules: TaxRules) -> dict[str, Any]:
    rows = body.get("Line") or []

    def taxed(code: str) -> bool:
        return bool(code) and code != NO_TAX and code not in rules.exempt

    return {
        "number": text(body, "DocNumber"),
        "customer": ref_id(body, "CustomerRef"),
        "date": text(body, "TxnDate"),
        "due_date": text(body, "DueDate"),
        "lines": lines.to_lines(rows, taxed),
        "discount": lines.to_discount(rows),
        "tax_code": _tax_code(body, rules, taxed),
        "memo": within(body, "CustomerMemo", "value"),
        "bill_email": within(body, "BillEmail", "Address"),
        "voided": is_voided(body),
        "total": cents(decimal(body.get("TotalAmt"))),
        "tax_total": cents(decimal((body.get("TxnTaxDetail") or {}).get("TotalTax"))),
        "balance": cents(decimal(body.get("Balance"))),
    }


def _tax_code(body: Body, rules: TaxRules, taxed) -> str:
    """Returns the code that a person chose. Where QuickBooks computes the tax itself, nobody did."""
    if rules.mode == "foreign":
        return next((code for code in lines.codes(body.get("Line") or ()) if taxed(code)), "")
    return ref_id(body.get("TxnTaxDetail"), "TxnTaxCodeRef") if rules.mode == "manual" else ""


def shown(fields: Fields) -> dict[str, Any]:
    return {name: fields[name] for name in ("number", "date", "total", "balance")}


def to_body(fields: Fields, rules: TaxRules, *, create: bool, marker: Marker | None = None) -> dict[str, Any]:
    """Returns the part of an invoice that `fields` say. Raises `Rejected` for a tax that the company has no code
    for."""
    body: dict[str, Any] = {}
    if fields.get("customer"):
        body["CustomerRef"] = ref(fields["customer"])
    if fields.get("number"):
        body["DocNumber"] = one_line(fields["number"], 21)
    for ours, theirs in (("date", "TxnDate"), ("due_date", "DueDate")):
        if fields.get(ours):
            body[theirs] = fields[ours]
    if "lines" in fields:
        body["Line"] = lines.to_rows(fields["lines"] or [], fields.get("discount"), _codes(fields, rules))
        body["ApplyTaxAfterDiscount"] = True
        body |= _tax(fields, rules, create)
    if "memo" in fields:
        body["CustomerMemo"] = {"value": tidy(fields["memo"] or "")[:1000]}
    if "bill_email" in fields:
        body["BillEmail"] = {"Address": one_line(fields["bill_email"], 100)}
    if not create:
        return body
    body["PrivateNote"] = mark(marker)
    if rules.currency:
        body["CurrencyRef"] = ref(rules.currency)
    return {name: value for name, value in body.items() if value not in ("", {"value": ""}, {"Address": ""})}


def _codes(fields: Fields, rules: TaxRules):
    def code_of(taxable: bool) -> str:
        if rules.mode != "foreign":
            return TAX if taxable else NO_TAX
        code = str(fields.get("tax_code") or "") if taxable else next(iter(rules.exempt), "")
        if not code:
            words = "a taxed line" if taxable else "a line without tax"
            raise Rejected(
                f"QuickBooks wants a tax code for each line, and there is none for {words}. Map the tax rates to"
                " QuickBooks' tax codes, then retry.",
                reason=ProblemReason.TAX_MAPPING,
            )
        return code

    return code_of


def _tax(fields: Fields, rules: TaxRules, create: bool) -> dict[str, Any]:
    code = str(fields.get("tax_code") or "")
    if rules.mode == "foreign":
        return {"GlobalTaxCalculation": "TaxExcluded"}
    if rules.mode == "manual":
        if any(line.get("taxable") for line in fields["lines"] or ()) and not code:
            raise Rejected(
                "The invoice has taxed lines and no tax code of QuickBooks. Map its tax rate to one, then retry.",
                reason=ProblemReason.TAX_MAPPING,
            )
        detail: dict[str, Any] = {"TxnTaxCodeRef": ref(code)} if code else {"TotalTax": 0}
        if code and fields.get("tax_total"):  # rounded as the client was billed, and not once more
            detail["TotalTax"] = number(fields["tax_total"])
        return {"TxnTaxDetail": detail} if code or not create else {}
    if rules.mode == "automated" and fields.get("tax_total") not in (None, ""):
        # Our total is kept only beside some code; QuickBooks replaces the code by its own.
        named = code or rules.some_code
        detail = {"TotalTax": number(fields["tax_total"]), **({"TxnTaxCodeRef": ref(named)} if named else {})}
        return {"TxnTaxDetail": detail}
    return {}
