"""Money, quantities and times as people read them: one way for all pages, mails and tables that are for reading.

Times are those of the zone that is in force (the desk and the mails activate the company's), amounts are in the
currency that is (`in_currency`). Templates have the same as filters (`{% load desk %}`).
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext_lazy as _

from fieldcamp.money import plain, rounded

EMPTY = "–"
MINUS = "\N{MINUS SIGN}"
HOME = "USD"
# ISO 4217, of where the books that can be connected are kept; what a company may choose as its own.
CURRENCIES: dict[str, Any] = {
    "AUD": _("Australian dollar"), "CAD": _("Canadian dollar"), "CHF": _("Swiss franc"), "EUR": _("Euro"),
    "GBP": _("Pound sterling"), "INR": _("Indian rupee"), "JPY": _("Japanese yen"), "MXN": _("Mexican peso"),
    "NZD": _("New Zealand dollar"), "SGD": _("Singapore dollar"), "USD": _("US dollar"), "ZAR": _("South African rand"),
}  # fmt: skip
_SIGNS = {
    "AUD": "$", "CAD": "$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "MXN": "$", "NZD": "$", "SGD": "$",
    "USD": "$",
}  # fmt: skip
# The places that the amounts of a currency have, where they are not two (ISO 4217).
_PLACES = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
_MILL = Decimal("0.001")
# Django's letters: https://docs.djangoproject.com/en/5.2/ref/templates/builtins/#date
_DAY, _SHORT_DAY, _MONTH, _CLOCK, _SECONDS = "j M Y", "j M", "M Y", "H:i", "H:i:s"
_THIS_YEAR, _OTHER_YEAR = "D j M", "D j M Y"
_LONG, _LONG_OTHER_YEAR = "l j F", "l j F Y"
_EXACT = "D j M Y, H:i:s T"

_currency: ContextVar[str] = ContextVar("currency", default=HOME)


@contextmanager
def in_currency(code: str) -> Iterator[None]:
    """Has amounts shown as a company reads them that keeps its books in this currency."""
    token = _currency.set(code or HOME)
    try:
        yield
    finally:
        _currency.reset(token)


def set_currency(code: str) -> None:
    """Has it so until the `in_currency` that is open ends, for who learns only within it whose amounts these are."""
    _currency.set(code or HOME)


def money(amount: Any, currency: str = "") -> str:
    """Returns `$1,113.74`; `EUR 90.00` in a currency that is not the company's; `¥1,114` in one without cents, as long
    as the amount has none; `–` for nothing. What is no number is returned as it is."""
    value = _decimal(amount)
    if value is None:
        return _shown(amount)
    places = _places(currency)
    value = value.quantize(_MILL, ROUND_HALF_UP) if places == 3 else rounded(value)
    return _signed(value, places or (2 if value % 1 else 0), currency)


def difference(amount: Decimal) -> str:
    """Returns `+$5.00`, `−$5.00`; `–` where there is none."""
    return f"{'+' if amount > 0 else ''}{money(amount)}" if amount else EMPTY


def price(amount: Any, currency: str = "") -> str:
    """Returns a unit price: as money, with more places where it has them (`$6.333333`)."""
    value = _decimal(amount)
    if value is None:
        return _shown(amount)
    places = len(plain(value).partition(".")[2])
    return _signed(value, max(places, _places(currency)), currency)


def quantity(value: Any) -> str:
    """Returns `2`, `1.5`, `1,200`: no needless zeros."""
    number = _decimal(value)
    if number is None:
        return _shown(value)
    text = plain(abs(number))
    grouped = number_format(text, decimal_pos=len(text.partition(".")[2]), force_grouping=True)
    return f"{MINUS if number < 0 and text != '0' else ''}{grouped}"


def percent(fraction: Any) -> str:
    """Returns `8.25 %` for 0.0825."""
    value = _decimal(fraction)
    return _shown(fraction) if value is None else f"{quantity(value * 100)} %"


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    # More digits than any amount has are no amount, and take a while to write out.
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None


def _shown(value: Any) -> str:
    return EMPTY if value is None or value == "" else str(value)


def _places(currency: str) -> int:
    return _PLACES.get(currency or _currency.get(), 2)


def _signed(value: Decimal, places: int, currency: str) -> str:
    home = _currency.get()
    code = currency or home
    sign = _SIGNS.get(code, "") if code == home else ""
    amount = number_format(abs(value), decimal_pos=places, force_grouping=True)
    minus = MINUS if value < 0 and any(digit in amount for digit in "123456789") else ""
    return f"{minus}{sign}{amount}" if sign else f"{code} {minus}{amount}"


def day(date: dt.date | dt.datetime | None) -> str:
    """Returns `27 Nov 2026`. Of an instant it is the day in the zone in force; a date belongs to no zone."""
    if not date:
        return EMPTY
    return date_format(timezone.localtime(date) if isinstance(date, dt.datetime) else date, _DAY)


def short_day(date: dt.date) -> str:
    """Returns `27 Nov`, for axes and spans whose other end says the year."""
    return date_format(date, _SHORT_DAY)


def weekday(date: dt.date) -> str:
    """Returns `Fri 27 Nov`, with the year only if it is another one."""
    return date_format(date, _THIS_YEAR if date.year == timezone.localdate().year else _OTHER_YEAR)


def long_day(date: dt.date) -> str:
    """Returns `Friday 27 November`, as a heading, with the year only if it is another one."""
    return date_format(date, _LONG if date.year == timezone.localdate().year else _LONG_OTHER_YEAR)


def month(date: dt.date) -> str:
    """Returns `Nov 2026`."""
    return date_format(date, _MONTH)


def clock(moment: dt.datetime) -> str:
    """Returns `21:00`."""
    return date_format(timezone.localtime(moment), _CLOCK)


def seconds(moment: dt.datetime) -> str:
    """Returns `21:00:14`, as only the pages of jobs say it."""
    return date_format(timezone.localtime(moment), _SECONDS)


def moment(at: dt.datetime | None) -> str:
    """Returns `Fri 27 Nov, 21:00`, with the year only if it is another one."""
    if not at:
        return EMPTY
    local = timezone.localtime(at)
    return f"{weekday(local.date())}, {date_format(local, _CLOCK)}"


def precise(at: dt.datetime) -> str:
    """Returns `Fri 27 Nov, 21:00:14`."""
    return f"{weekday(timezone.localtime(at).date())}, {seconds(at)}"


def zoned(at: dt.datetime | None) -> str:
    """Returns `Fri 27 Nov, 21:00 (EST)`, for mails and pages whose reader may be in another zone than the company."""
    return f"{moment(at)} ({date_format(timezone.localtime(at), 'T')})" if at else EMPTY


def exact(at: dt.datetime) -> str:
    """Returns the instant to the second, with its zone, as it is shown on hover."""
    return date_format(timezone.localtime(at), _EXACT)


def number(value: Any) -> str:
    """Returns `1,204`."""
    return quantity(value)
