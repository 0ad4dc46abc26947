"""Money, quantities and times are written one way."""

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone

from fieldcamp import formats

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Decimal("1113.74"), "$1,113.74"), ("1113.7", "$1,113.70"), (0, "$0.00"), (None, "–"), ("", "–"),
        (Decimal("-12.5"), "−$12.50"), (Decimal("-0.001"), "$0.00"), (Decimal("0.005"), "$0.01"),
        ("1234567.891", "$1,234,567.89"), ("as agreed", "as agreed"), ("NaN", "NaN"), ("1E+1000000", "1E+1000000"),
        (True, "True"),
    ],
)  # fmt: skip
def test_money(amount, words):
    assert formats.money(amount) == words


def test_money_of_another_currency_has_its_code():
    assert formats.money("90", "EUR") == "EUR 90.00"
    assert formats.money("-90", "EUR") == "EUR −90.00"
    with formats.in_currency("EUR"):
        assert (formats.money("90"), formats.money("90", "EUR"), formats.money("90", "USD")) == (
            "€90.00", "€90.00", "USD 90.00",
        )  # fmt: skip
    with formats.in_currency("CHF"):
        assert formats.money("90") == "CHF 90.00"
    with formats.in_currency("JPY"):  # which has no cents, unless an amount has some all the same
        assert [formats.money(each) for each in ("1200.00", "-1200", "0.5", "0")] == [
            "¥1,200",
            "−¥1,200",
            "¥0.50",
            "¥0",
        ]
        assert (formats.price("12.5"), formats.price("12"), formats.money("90.5", "USD")) == (
            "¥12.5",
            "¥12",
            "USD 90.50",
        )
    assert (formats.money("1.2345", "KWD"), formats.money("-1", "KWD")) == ("KWD 1.235", "KWD −1.000")
    assert formats.money("90") == "$90.00"


@pytest.mark.parametrize(
    ("value", "words"),
    [("2.00000", "2"), ("0.50", "0.5"), ("6.333333", "6.333333"), ("1200", "1,200"), ("-1.50", "−1.5"), ("0.00", "0"),
     (None, "–"), ("x", "x")],
)  # fmt: skip
def test_quantities(value, words):
    assert formats.quantity(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("214.2500000", "$214.25"), ("6.333333", "$6.333333"), ("100", "$100.00"), ("-0.5", "−$0.50"), (None, "–")],
)
def test_prices(value, words):
    assert formats.price(value) == words


def test_rates():
    assert (formats.percent("0.0825"), formats.percent("0.08"), formats.percent("")) == ("8.25 %", "8 %", "–")


def test_times_are_the_companys_and_have_the_year_only_if_it_is_another_one():
    moment = dt.datetime(2026, 11, 28, 2, 0, 14, tzinfo=dt.UTC)
    with time_machine.travel(NOW, tick=False), timezone.override(NEW_YORK):
        assert formats.moment(moment) == "Fri 27 Nov, 21:00"
        assert formats.precise(moment) == "Fri 27 Nov, 21:00:14"
        assert formats.zoned(moment) == "Fri 27 Nov, 21:00 (EST)"
        assert formats.moment(moment.replace(year=2025)) == "Thu 27 Nov 2025, 21:00"
        assert (formats.day(moment), formats.day(moment.date())) == ("27 Nov 2026", "28 Nov 2026")
        assert (formats.moment(None), formats.day(None), formats.zoned(None)) == ("–", "–", "–")


@pytest.mark.parametrize(
    ("before", "words"),
    [(dt.timedelta(minutes=4), "4 min ago"), (dt.timedelta(hours=23), "23 h ago"),
     (dt.timedelta(hours=25), "Fri 27 Nov, 06:00"), (-dt.timedelta(minutes=30), "in 30 min")],
)  # fmt: skip
def test_a_page_tells_how_long_ago_within_a_day(before, words):
    with time_machine.travel(NOW, tick=False), timezone.override(NEW_YORK):
        page = Template("{% load desk %}{% when moment %}").render(Context({"moment": NOW - before}))
    assert f">{words}</time>" in page
    assert f'datetime="{(NOW - before).isoformat()}"' in page and "UTC" in page


def test_templates_have_the_same():
    page = Template("{% load desk %}{{ a|money }} {{ q|quantity }} {{ p|price }} {{ d|day }} {{ n|number }}")
    values = {"a": Decimal("5.5"), "q": Decimal("2.000"), "p": "1.125", "d": dt.date(2026, 11, 3), "n": 1204}
    assert page.render(Context(values)) == "$5.50 2 $1.125 3 Nov 2026 1,204"
