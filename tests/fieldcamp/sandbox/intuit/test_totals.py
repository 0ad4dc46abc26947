"""What an invoice comes to, in pure arithmetic."""

from datetime import date
from decimal import Decimal

import pytest

from fieldcamp.sandbox.intuit import amounts, terms, totals
from fieldcamp.sandbox.intuit.totals import Rate, TaxLine

D = Decimal
CALIFORNIA = Rate("3", D(8))
ARIZONA, TUCSON = Rate("1", D("7.1")), Rate("2", D(2))


def taxed(net, *rates):
    return totals.tax_lines(totals.bases([("TAX", D(net))]), lambda code: rates)


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [("3", "33.333333", "100.00"), ("3", "33.33", "99.99"), ("1.5", "0.01", "0.02"), ("-1", "0.005", "-0.01")],
)
def test_half_a_cent_goes_up(quantity, price, amount):
    assert totals.line_amount(D(quantity), D(price)) == D(amount)


def test_the_recorded_tax():
    (line,) = taxed("335.25", CALIFORNIA)
    detail = totals.tax_detail([line], "2")
    assert detail["TotalTax"] == 26.82 and detail["TaxLine"][0]["TaxLineDetail"]["NetAmountTaxable"] == 335.25


def test_each_rate_is_rounded_by_itself():
    lines = taxed("10.50", ARIZONA, TUCSON)
    assert [line.amount for line in lines] == [D("0.75"), D("0.21")]
    lines = taxed("7.25", Rate("1", D("0.9")), Rate("2", D("0.9")))
    assert sum(line.amount for line in lines) == D("0.14")  # 1.8 % at once would be 0.13


def test_codes_that_share_a_rate_share_its_line():
    of_code = totals.bases([("A", D(100)), ("B", D(50)), ("A", D("0.50"))])
    lines = totals.tax_lines(of_code, {"A": [CALIFORNIA], "B": [CALIFORNIA, TUCSON]}.__getitem__)
    assert lines == [TaxLine(CALIFORNIA, D("150.50"), D("12.04")), TaxLine(TUCSON, D(50), D("1.00"))]


def test_a_discount_before_tax_is_spread_over_taxed_and_untaxed_lines():
    of_code = totals.bases([("TAX", D(100)), ("NON", D(200))], D(10))
    assert of_code == {"TAX": D("96.67"), "NON": D("193.33")}


def test_parts_add_up():
    assert totals.split(D(10), [D(1), D(1), D(1)]) == [D("3.33"), D("3.33"), D("3.34")]
    assert totals.split(D(10), [D(1), D(0)]) == [D(10), D(0)]
    assert totals.split(D(10), [D(5), D(-5)]) == [D(0), D(0)]
    assert totals.split(D(10), []) == []


def test_a_total_of_the_callers_own_is_spread_over_the_rates():
    lines = totals.overridden(taxed("100", ARIZONA, TUCSON), D("9.11"))
    assert [line.amount for line in lines] == [D("7.11"), D("2.00")]
    lines = totals.overridden(taxed("0", ARIZONA, TUCSON), D("1"))
    assert [line.amount for line in lines] == [D("0.78"), D("0.22")]
    assert totals.overridden([], D(5)) == []


def test_numbers_as_json_writes_them():
    values = [amounts.number(D(text)) for text in ("100.00", "12.75", "-0.00", "33.333333")]
    assert values == [100, 12.75, 0, 33.333333] and [type(value) for value in values] == [int, float, int, float]
    assert amounts.decimal(0.1) == D("0.1")


def test_terms():
    net_30 = terms.standard("Net 30", 30)
    assert terms.due(net_30, date(2024, 1, 15)) == date(2024, 2, 14)
    monthly = {"Type": "DATE_DRIVEN", "DayOfMonthDue": 31, "DueNextMonthDays": 5}
    assert terms.due(monthly, date(2026, 2, 10)) == date(2026, 2, 28)
    assert terms.due(monthly, date(2026, 2, 25)) == date(2026, 3, 31)
    assert terms.due(monthly, date(2026, 12, 30)) == date(2027, 1, 31)
