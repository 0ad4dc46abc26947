"""Money and quantities: JSON numbers outside, decimals inside."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def decimal(value: Any) -> Decimal:
    """The number that the JSON showed, digit by digit."""
    return Decimal(str(value or 0))


def cents(value: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return value.quantize(CENT, ROUND_HALF_UP)


def number(value: Decimal) -> int | float:
    """As QuickBooks prints it: 100, 26.82."""
    return int(value) if value == value.to_integral_value() else float(value)
