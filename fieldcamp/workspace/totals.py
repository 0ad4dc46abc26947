"""What an invoice comes to: pure functions over decimals, the one place where this is computed.

Amounts are rounded half up to cents, where QuickBooks rounds as well: each line, the discount, and each component of
the tax by itself.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fieldcamp.money import rounded

ZERO = Decimal("0.00")
# https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice: 11 digits before the point.
LARGEST = Decimal("99999999999.99")


@dataclass(frozen=True)
class Totals:
    """All that an invoice shows below its lines; total = subtotal - discount + tax."""

    subtotal: Decimal
    discount: Decimal
    taxable: Decimal
    tax: Decimal
    total: Decimal


def line_amount(quantity: Decimal, unit_price: Decimal) -> Decimal:
    return rounded(quantity * unit_price)


def discount_of(subtotal: Decimal, percent: Decimal | None, amount: Decimal | None) -> Decimal:
    """Returns what is taken off: never more than there is."""
    wanted = rounded(subtotal * percent / 100) if percent is not None else rounded(amount or 0)
    return min(max(wanted, ZERO), max(subtotal, ZERO))


def totals_of(
    lines: Iterable[tuple[Decimal, bool]],
    *,
    percent: Decimal | None = None,
    amount: Decimal | None = None,
    rates: Sequence[Decimal] = (),
) -> Totals:
    """Returns the totals of lines (amount, taxable), one discount or none, and the rates of the tax's components.

    The discount lessens the taxable part in proportion, before the tax.
    """
    rows = list(lines)
    subtotal = sum((row for row, _ in rows), ZERO)
    discount = discount_of(subtotal, percent, amount)
    taxable = sum((row for row, is_taxable in rows if is_taxable), ZERO)
    if discount:
        taxable = rounded(taxable * (subtotal - discount) / subtotal)
    taxable = max(taxable, ZERO)
    tax = sum((rounded(taxable * rate) for rate in rates), ZERO)
    return Totals(subtotal, discount, taxable, tax, subtotal - discount + tax)


def is_overdue(due_date: dt.date | None, today: dt.date) -> bool:
    return due_date is not None and due_date < today
