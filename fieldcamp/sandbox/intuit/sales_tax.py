"""The tax on an invoice in each of the modes.

https://developer.intuit.com/app/developer/qbo/docs/workflows/manage-sales-tax-for-us-locales
https://developer.intuit.com/app/developer/qbo/docs/workflows/manage-sales-tax-for-non-us-locales
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit import errors, totals
from fieldcamp.sandbox.intuit.amounts import cents, decimal
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.totals import ZERO, Rate, TaxLine

Body = dict[str, Any]

PSEUDO = ("TAX", "NON")
NO_CODE = "Make sure all your transactions have a GST/HST rate before you save."
INCLUSIVE, NOT_APPLICABLE = "TaxInclusive", "NotApplicable"


@dataclass(frozen=True)
class Asked:
    """What an invoice's tax depends on. `lines` are the codes and amounts of its lines, `grosses` what they cost with
    tax, `detail` the TxnTaxDetail as it was sent, `engine_code` the code that automated sales tax finds for the
    address, or an empty string."""

    mode: TaxMode
    lines: Sequence[tuple[str, Decimal]]
    discount: Decimal
    after_discount: bool
    detail: Body
    calculation: str = ""
    engine_code: str = ""
    grosses: Sequence[Decimal] = ()


Rates = Callable[[str], Sequence[Rate] | None]  # of a code in the company's list; None for one that is not there


def work_out(asked: Asked, rates: Rates) -> Body:
    """The invoice's TxnTaxDetail."""
    if asked.mode == TaxMode.NONE:
        return totals.tax_detail([])
    of_code = totals.bases(asked.lines, asked.discount if asked.after_discount else ZERO)
    if asked.mode == TaxMode.FOREIGN:
        return _foreign(asked, of_code, rates)
    if any(code not in PSEUDO for code in of_code):
        raise Fault(6100, "Invalid tax code", "Invalid tax code: on a line of a US company it must be TAX or NON.")
    sent = _code(asked.detail)
    code = asked.engine_code if asked.mode == TaxMode.AUTOMATED else sent
    if not code:
        return totals.tax_detail([])
    lines = totals.tax_lines({code: of_code.get("TAX", ZERO)}, lambda each: _known(rates, each))
    if asked.mode == TaxMode.AUTOMATED and (not sent or asked.detail.get("UseAutomatedSalesTax")):
        return totals.tax_detail(lines if of_code.get("TAX") else [], code)
    return _with_override(lines, code, asked.detail)


def _with_override(lines: Sequence[TaxLine], code: str, detail: Body) -> Body:
    """A TotalTax that was sent is honoured, and spread over the rates."""
    if "TotalTax" not in detail:
        return totals.tax_detail(lines, code)
    total = cents(decimal(detail["TotalTax"]))
    if total < ZERO:
        raise errors.business("The tax cannot be negative.")
    return totals.tax_detail(totals.overridden(lines, total), code, total)


def _foreign(asked: Asked, of_code: dict[str, Decimal], rates: Rates) -> Body:
    named = asked.detail.get("TaxLine") or []
    if asked.calculation == NOT_APPLICABLE:
        if named or asked.detail.get("TotalTax"):
            raise Fault(
                6170,
                "Tax detail not allowed",
                "TxnTaxDetail must not be given when GlobalTaxCalculation is NotApplicable.",
            )
        return totals.tax_detail([])
    if any(not code or code in PSEUDO for code in of_code):
        raise errors.business(NO_CODE)
    lines = _worked_out(asked, of_code, lambda code: _known(rates, code))
    wanted = {_rate(line): cents(decimal(line.get("Amount", 0))) for line in named}
    unknown = sorted(set(wanted) - {line.rate.id for line in lines})
    if unknown:
        raise errors.business(f"Tax rate {unknown[0]} applies to no line of this transaction.")
    return totals.tax_detail([TaxLine(each.rate, each.net, wanted.get(each.rate.id, each.amount)) for each in lines])


def _worked_out(asked: Asked, of_code: dict[str, Decimal], rates: Callable[[str], Sequence[Rate]]) -> list[TaxLine]:
    if asked.calculation != INCLUSIVE:
        return totals.tax_lines(of_code, rates)
    nets = totals.bases(asked.lines, asked.discount)
    before = totals.bases(asked.lines)
    whole = totals.bases([(code, cost) for (code, _), cost in zip(asked.lines, asked.grosses, strict=True)])
    # A discount takes as large a part of the gross amount as of the net one.
    grosses = {
        code: cents(whole[code] * net / before[code]) if before[code] else whole[code] for code, net in nets.items()
    }
    return totals.inclusive_tax_lines(nets, grosses, rates)


def _known(rates: Rates, code: str) -> Sequence[Rate]:
    found = rates(code)
    if found is None or code in PSEUDO:
        raise Fault(
            6160, "Invalid tax code reference", f"Invalid TaxCodeRef: {code} is not a tax code of this company."
        )
    return found


def _code(detail: Body) -> str:
    return str((detail.get("TxnTaxCodeRef") or {}).get("value") or "")


def _rate(line: Body) -> str:
    return str(((line.get("TaxLineDetail") or {}).get("TaxRateRef") or {}).get("value") or "")
