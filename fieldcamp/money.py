"""Money, prices and quantities as the strings that are compared and stored: equal amounts are equal strings."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def rounded(value: Decimal | int | str) -> Decimal:
    """Returns an amount of money: two places, half up, as books round."""
    amount = Decimal(value).quantize(CENT, rounding=ROUND_HALF_UP)
    return abs(amount) if amount == 0 else amount  # no "-0.00"


def plain(value: Decimal | int | str) -> str:
    """Returns a quantity, a unit price or a rate, without needless zeros never in scientific notation: "1.5",
    "33.333333"."""
    text = f"{Decimal(value):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def cents(value: Decimal | int | str) -> str:
    """Returns an amount of money, rounded to two places: "12.50"."""
    return str(rounded(value))
