"""Which part of an invoice that stands there an edit of its lines, its discount or its tax changes."""

from collections.abc import Mapping
from typing import Any

from integrations.errors import ProblemReason, Rejected
from integrations.providers.quickbooks.mapping import lines
from integrations.providers.quickbooks.mapping.losses import holds_more
from integrations.providers.quickbooks.mapping.overlay import Codes, overlay
from integrations.providers.quickbooks.mapping.parts import Body, decimal, ref_id
from integrations.providers.quickbooks.mapping.sales_tax import (
    TaxRules,
    bears_tax,
    chosen_tax,
    code_of,
    stated_tax,
    tax_code,
)
from integrations.providers.quickbooks.mapping.sums import is_whole
from integrations.records import Fields

LINES = ("lines", "discount", "tax_code")
INCLUSIVE, NOT_APPLICABLE = "TaxInclusive", "NotApplicable"


def touches_lines(fields: Fields) -> bool:
    return any(name in fields for name in LINES)


def relined(body: Body, fields: Fields, rules: TaxRules) -> dict[str, Any]:
    """Returns what an update says of the rows and of the tax; nothing where they are as `fields` want them. Raises
    `Rejected` for what cannot be changed without a loss."""
    if not is_whole(body):
        raise Rejected(
            "In QuickBooks this invoice bills something that stands on none of its lines, such as charges of an earlier"
            " statement. FieldCamp cannot read it in full, and so does not change its lines. Change it in QuickBooks.",
            reason=ProblemReason.UNREADABLE,
        )
    rows = body.get("Line") or []
    chosen = tax_code(body, rules)
    code = _wanted_code(body, fields, rules, chosen)
    taxed = rules.taxes if code else bears_tax(body, rules)
    wanted = fields["lines"] or [] if "lines" in fields else lines.to_lines(rows, taxed)
    discount = fields["discount"] if "discount" in fields else lines.to_discount(rows)
    said = {**fields, "lines": wanted, "tax_code": code}
    codes = Codes(taxed, lambda taxable: _code_of(body, taxable, said, rules), _renamed(rules, chosen, code))
    laid = overlay(rows, wanted, discount, codes)
    recoded = rules.mode == "manual" and chosen != code
    if laid is None:
        return _tax(said, body, rules) if recoded else {}
    counts = laid.counts or recoded
    if counts and body.get("GlobalTaxCalculation") == INCLUSIVE:
        raise holds_more(
            "In QuickBooks the prices of this invoice include the tax, which FieldCamp cannot compute. Change its"
            " amounts in QuickBooks; FieldCamp then takes them over."
        )
    if rules.mode == "none" and decimal((body.get("TxnTaxDetail") or {}).get("TotalTax")):
        raise holds_more(
            "In QuickBooks this invoice bears a tax, while the company does not collect any more: a change of its lines"
            " would take the tax off. Change it in QuickBooks, or turn sales tax on there."
        )
    # The order in which discount and tax are taken is the invoice's own where it has a discount already.
    first = {"ApplyTaxAfterDiscount": True} if discount and not lines.to_discount(rows) else {}
    return {"Line": laid.rows, **first, **(_tax(said, body, rules) if counts else _same_tax(body))}


def _wanted_code(body: Body, fields: Fields, rules: TaxRules, chosen: str | None) -> str | None:
    """Returns the code that the invoice is to have; None where it has none of its own."""
    if "tax_code" not in fields or rules.mode not in ("manual", "foreign"):
        return chosen
    code = str(fields["tax_code"] or "")
    if chosen is not None or not code:
        return code
    if rules.mode == "foreign":
        raise holds_more(
            "In QuickBooks the lines of this invoice have different tax codes, and FieldCamp knows one for all of them."
            " Choose the codes in QuickBooks; the total is compared after each sync."
        )
    return code


def _renamed(rules: TaxRules, chosen: str | None, code: str | None) -> Mapping[str, str]:
    """Returns which code of lines gives way to which, outside the US: the invoice's old one to its new one."""
    return {chosen: code} if rules.mode == "foreign" and chosen and code and chosen != code else {}


def _code_of(body: Body, taxable: bool, fields: Fields, rules: TaxRules) -> str:
    """Returns the code of a new line, or of one that bears a tax now, or none any more."""
    if rules.mode != "foreign":
        return code_of(taxable, fields, rules)
    if body.get("GlobalTaxCalculation") == NOT_APPLICABLE and not taxable:
        return ""
    named = list(lines.codes(body.get("Line") or ()))
    if taxable and fields["tax_code"] is None:
        raise holds_more(
            "In QuickBooks the lines of this invoice have different tax codes, so FieldCamp does not know that of a new"
            " taxed line. Add the line in QuickBooks; FieldCamp then takes it over."
        )
    used = "" if taxable else next((code for code in named if code in rules.exempt), "")
    return used or code_of(taxable, fields, rules)


def _tax(fields: Fields, body: Body, rules: TaxRules) -> dict[str, Any]:
    """Returns how the tax is said where an edit changes what it is computed from."""
    code = fields["tax_code"]
    if rules.mode == "manual":
        if code is None:
            raise holds_more(
                "In QuickBooks this invoice bears a tax without a tax code. Choose the code there, then retry."
            )
        return {"TxnTaxDetail": chosen_tax(fields, code)}
    if rules.mode == "automated":
        return stated_tax(fields, ref_id(body.get("TxnTaxDetail"), "TxnTaxCodeRef") or rules.some_code)
    return {}  # outside the US the lines say it


def _same_tax(body: Body) -> dict[str, Any]:
    """Returns the tax as it stands there, for an edit of words: rows that are sent without it are taxed anew."""
    detail = body.get("TxnTaxDetail") or {}
    says = ref_id(detail, "TxnTaxCodeRef") or detail.get("TaxLine") or decimal(detail.get("TotalTax"))
    return {"TxnTaxDetail": dict(detail)} if says else {}
