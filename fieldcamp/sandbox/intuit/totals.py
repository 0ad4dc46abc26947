"""What an invoice comes to. Pure arithmetic in decimals: half a cent is rounded up, away from zero."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.intuit.amounts import cents, number

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate of a code."""

    id: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class TaxLine:
    """What one rate takes of what it applies to."""

    rate: Rate
    net: Decimal
    amount: Decimal


def line_amount(quantity: Decimal, price: Decimal) -> Decimal:
    """What so many at that price cost. The price may have more places than money has."""
    return cents(quantity * price)


def discount_amount(subtotal: Decimal, percent: Decimal) -> Decimal:
    """So many percent off."""
    return cents(subtotal * percent / HUNDRED)


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The amount in parts as large as the weights say, to the cent; the last part that weighs anything takes the
    rest."""
    total = sum(weights, ZERO)
    if total == ZERO:
        return [ZERO for _ in weights]
    parts = [cents(amount * weight / total) for weight in weights]
    last = max(n for n, weight in enumerate(weights) if weight != ZERO)
    parts[last] += amount - sum(parts, ZERO)
    return parts


def bases(lines: Iterable[tuple[str, Decimal]], discount: Decimal = ZERO) -> dict[str, Decimal]:
    """What each tax code applies to, by the code's id. A discount is spread over all lines by their amounts: pass one
    only where it comes off before the tax (ApplyTaxAfterDiscount)."""
    of_code: dict[str, Decimal] = {}
    for code, amount in lines:
        of_code[code] = of_code.get(code, ZERO) + amount
    shares = split(discount, list(of_code.values()))
    return {code: base - share for (code, base), share in zip(of_code.items(), shares, strict=True)}


def tax_lines(of_code: Mapping[str, Decimal], rates: Callable[[str], Sequence[Rate]]) -> list[TaxLine]:
    """One line for each rate, rounded by itself; codes that share a rate share its line."""
    nets: dict[Rate, Decimal] = {}
    for code, base in of_code.items():
        for rate in rates(code):
            nets[rate] = nets.get(rate, ZERO) + base
    return [TaxLine(rate, net, cents(net * rate.percent / HUNDRED)) for rate, net in nets.items()]


def inclusive_tax_lines(
    nets: Mapping[str, Decimal], grosses: Mapping[str, Decimal], rates: Callable[[str], Sequence[Rate]]
) -> list[TaxLine]:
    """One line for each rate where prices hold the tax: together they are to the cent what lies between net and gross,
    so that the total is what the prices say."""
    found: dict[Rate, TaxLine] = {}
    for code, net in nets.items():
        lines = tax_lines({code: net}, rates)
        for line in overridden(lines, grosses[code] - net):
            before = found.get(line.rate, TaxLine(line.rate, ZERO, ZERO))
            found[line.rate] = TaxLine(line.rate, before.net + line.net, before.amount + line.amount)
    return list(found.values())


def overridden(lines: Sequence[TaxLine], total: Decimal) -> list[TaxLine]:
    """The same rates, and the total that the caller wants, spread over them as they would have shared it."""
    weights = [line.amount for line in lines]
    if not any(weights):
        weights = [line.rate.percent or Decimal(1) for line in lines]
    return [replace(line, amount=part) for line, part in zip(lines, split(total, weights), strict=True)]


def tax_detail(lines: Sequence[TaxLine], code: str = "", total: Decimal | None = None) -> dict[str, Any]:
    """The TxnTaxDetail of an answer."""
    if total is None:
        total = sum((line.amount for line in lines), ZERO)
    detail: dict[str, Any] = {"TxnTaxCodeRef": {"value": code}} if code else {}
    detail["TotalTax"] = number(total)
    if lines:
        detail["TaxLine"] = [_tax_line(line) for line in lines]
    return detail


def _tax_line(line: TaxLine) -> dict[str, Any]:
    detail = {
        "TaxRateRef": {"value": line.rate.id},
        "PercentBased": True,
        "TaxPercent": number(line.rate.percent),
        "NetAmountTaxable": number(line.net),
    }
    return {"Amount": number(line.amount), "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
