"""How an invoice says its tax, in each of the company's modes.

https://developer.intuit.com/app/developer/qbo/docs/workflows/manage-sales-tax-for-us-locales
https://developer.intuit.com/app/developer/qbo/docs/workflows/manage-sales-tax-for-non-us-locales
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.errors import ProblemReason, Rejected
from integrations.providers.quickbooks.mapping import lines
from integrations.providers.quickbooks.mapping.parts import NO_TAX, TAX, Body, decimal, number, ref, ref_id
from integrations.records import Fields


@dataclass(frozen=True, slots=True)
class TaxRules:
    """How the company's invoices say their tax. `mode` is the company's (`records.Company.tax_mode`); `exempt` are the
    codes of no tax, outside the US; `some_code` any code at all, `currency` what has to be named where there are
    several."""

    mode: str = "none"
    exempt: tuple[str, ...] = ()
    some_code: str = ""
    currency: str = ""

    def taxes(self, code: str) -> bool:
        """Returns whether a line with this code bears a tax."""
        return bool(code) and code != NO_TAX and code not in self.exempt


def says_code(body: Body) -> bool:
    """Returns whether only the company's rules tell what the invoice's tax codes mean."""
    return bool(_named(body) - {"", NO_TAX})


def codes(body: Body) -> set[str]:
    """Returns the ids of the tax codes that the invoice names."""
    return _named(body) - {"", NO_TAX, TAX}


def _named(body: Body) -> set[str]:
    return {ref_id(body.get("TxnTaxDetail"), "TxnTaxCodeRef"), *lines.codes(body.get("Line") or ())}


def tax_code(body: Body, rules: TaxRules) -> str | None:
    """Returns the code that a person chose for the invoice, "" for none; None where nobody has chosen one for the
    whole: QuickBooks computes the tax itself, or its lines bear several."""
    if rules.mode == "foreign":
        taxed = {code for code in lines.codes(body.get("Line") or ()) if rules.taxes(code)}
        return next(iter(taxed), "") if len(taxed) < 2 else None
    if rules.mode != "manual" and says_code(body):
        return None
    detail = body.get("TxnTaxDetail") or {}
    code = ref_id(detail, "TxnTaxCodeRef")
    return code if code or not decimal(detail.get("TotalTax")) else None


def bears_tax(body: Body, rules: TaxRules) -> Callable[[str], bool]:
    """Returns what says whether a line with this code bears a tax. Where the company chooses one for the whole invoice
    and this one has none, no line does, however it is marked."""
    if rules.mode == "manual" and tax_code(body, rules) == "":
        return lambda _code: False
    return rules.taxes


def code_of(taxable: bool, fields: Fields, rules: TaxRules) -> str:
    """Returns the code of a new line."""
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


def new_tax(fields: Fields, rules: TaxRules) -> dict[str, Any]:
    """Returns how a new invoice says its tax."""
    code = str(fields.get("tax_code") or "")
    if rules.mode == "foreign":
        return {"GlobalTaxCalculation": "TaxExcluded"}
    if rules.mode == "manual":
        detail = chosen_tax(fields, code)
        return {"TxnTaxDetail": detail} if code else {}
    return stated_tax(fields, code or rules.some_code) if rules.mode == "automated" else {}


def chosen_tax(fields: Fields, code: str) -> dict[str, Any]:
    """Returns a tax that a code for the whole invoice says."""
    if not code and any(line.get("taxable") for line in fields.get("lines") or ()):
        raise Rejected(
            "The invoice has taxed lines and no tax code of QuickBooks. Map its tax rate to one, then retry.",
            reason=ProblemReason.TAX_MAPPING,
        )
    detail: dict[str, Any] = {"TxnTaxCodeRef": ref(code)} if code else {"TotalTax": 0}
    if code and fields.get("tax_total"):  # rounded as the client was billed, and not once more
        detail["TotalTax"] = number(fields["tax_total"])
    return detail


def stated_tax(fields: Fields, code: str) -> dict[str, Any]:
    """Returns a tax that stands in the place of the computed one. It is kept only beside some code, which QuickBooks
    replaces by its own."""
    if fields.get("tax_total") in (None, ""):
        return {}
    return {"TxnTaxDetail": {"TotalTax": number(fields["tax_total"]), **({"TxnTaxCodeRef": ref(code)} if code else {})}}
