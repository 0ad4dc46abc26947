"""The tax on an invoice in each of the modes, without any books around it."""

from decimal import Decimal

import pytest

from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.sales_tax import Asked, work_out
from fieldcamp.sandbox.intuit.totals import Rate

D = Decimal
RATES = {
    "2": [Rate("3", D(8))],
    "3": [Rate("1", D("7.1")), Rate("2", D(2))],
    "TAX": [],
    "NON": [],
}


def tax(mode, *lines, discount="0", after=False, calculation="", engine="", **detail):
    of_lines = [(code, D(amount)) for code, amount in lines]
    asked = Asked(mode, of_lines, D(discount), after, detail, calculation, engine)
    return work_out(asked, RATES.get)


def code(value):
    return {"value": value}


def refused(*args, **more):
    with pytest.raises(Fault) as caught:
        tax(*args, **more)
    return caught.value.code


def amounts(detail):
    return [line["Amount"] for line in detail.get("TaxLine", [])]


def test_by_the_headers_code():
    found = tax(TaxMode.MANUAL, ("TAX", "335.25"), ("NON", "50"), TxnTaxCodeRef=code("2"))
    assert found == {
        "TxnTaxCodeRef": {"value": "2"},
        "TotalTax": 26.82,
        "TaxLine": [
            {
                "Amount": 26.82,
                "DetailType": "TaxLineDetail",
                "TaxLineDetail": {
                    "TaxRateRef": {"value": "3"},
                    "PercentBased": True,
                    "TaxPercent": 8,
                    "NetAmountTaxable": 335.25,
                },
            }
        ],
    }


def test_without_a_code_there_is_no_tax():
    assert tax(TaxMode.MANUAL, ("TAX", "100"), TotalTax=8) == {"TotalTax": 0}
    assert tax(TaxMode.NONE, ("TAX", "100"), TxnTaxCodeRef=code("2"), TotalTax=8) == {"TotalTax": 0}


@pytest.mark.parametrize(("after", "total"), [(False, 16), (True, 14.4)])
def test_a_discount_comes_off_before_or_after_the_tax(after, total):
    lines = [("TAX", "200"), ("NON", "200")]
    found = tax(TaxMode.MANUAL, *lines, discount="40", after=after, TxnTaxCodeRef=code("2"))
    assert found["TotalTax"] == total


def test_a_total_of_the_callers_own():
    found = tax(TaxMode.MANUAL, ("TAX", "100"), TxnTaxCodeRef=code("3"), TotalTax=9.12)
    assert found["TotalTax"] == 9.12 and amounts(found) == [7.12, 2]
    assert refused(TaxMode.MANUAL, ("TAX", "100"), TxnTaxCodeRef=code("3"), TotalTax=-1) == 6000


def test_the_address_decides():
    found = tax(TaxMode.AUTOMATED, ("TAX", "100"), engine="3", TxnTaxCodeRef=code("2"))
    assert found["TxnTaxCodeRef"] == code("3") and amounts(found) == [7.1, 2]
    assert tax(TaxMode.AUTOMATED, ("TAX", "100"), engine="3")["TotalTax"] == 9.1
    assert tax(TaxMode.AUTOMATED, ("TAX", "100")) == {"TotalTax": 0}
    assert tax(TaxMode.AUTOMATED, ("NON", "100"), engine="3")["TotalTax"] == 0


def test_its_tax_can_be_overridden():
    sent = {"TxnTaxCodeRef": code("any"), "TotalTax": 5}
    found = tax(TaxMode.AUTOMATED, ("TAX", "100"), engine="2", **sent)
    assert (found["TxnTaxCodeRef"], found["TotalTax"], amounts(found)) == (code("2"), 5, [5])
    assert tax(TaxMode.AUTOMATED, ("TAX", "100"), engine="2", TotalTax=5)["TotalTax"] == 8
    assert tax(TaxMode.AUTOMATED, ("TAX", "100"), engine="2", **sent, UseAutomatedSalesTax=True)["TotalTax"] == 8


def test_a_code_on_each_line():
    found = tax(TaxMode.FOREIGN, ("2", "100"), ("3", "50"))
    assert "TxnTaxCodeRef" not in found and found["TotalTax"] == 12.55 and amounts(found) == [8, 3.55, 1]
    own = [{"Amount": 7.99, "TaxLineDetail": {"TaxRateRef": {"value": "3"}}}]
    assert amounts(tax(TaxMode.FOREIGN, ("2", "100"), TaxLine=own)) == [7.99]
    assert tax(TaxMode.FOREIGN, ("", "100"), calculation="NotApplicable") == {"TotalTax": 0}


def test_refusals():
    assert refused(TaxMode.MANUAL, ("2", "100")) == 6100
    assert refused(TaxMode.AUTOMATED, ("2", "100"), engine="2") == 6100
    assert refused(TaxMode.MANUAL, ("TAX", "100"), TxnTaxCodeRef=code("99")) == 6160
    assert refused(TaxMode.MANUAL, ("TAX", "100"), TxnTaxCodeRef=code("TAX")) == 6160
    assert refused(TaxMode.FOREIGN, ("", "100")) == 6000
    assert refused(TaxMode.FOREIGN, ("99", "100")) == 6160
    assert refused(TaxMode.FOREIGN, ("2", "1"), calculation="NotApplicable", TotalTax=1) == 6170
    other = [{"Amount": 1, "TaxLineDetail": {"TaxRateRef": {"value": "1"}}}]
    assert refused(TaxMode.FOREIGN, ("2", "1"), TaxLine=other) == 6000
