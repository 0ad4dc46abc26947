"""Rates that change with time, and prices that hold the tax: both to the cent."""

from decimal import Decimal

import pytest

from fieldcamp.sandbox.intuit import rate_history

from .business import Business, line, percent_off, ref, tax_code
from .conftest import PLUMBING, code


@pytest.fixture
def turn(app):
    """Changes a rate from a day on."""

    def turn(rate, percent, day, realm=PLUMBING):
        books = app.vendors["intuit"].books(realm)
        with app.state.transaction():
            rate_history.change(books, books.the("TaxRate", rate), Decimal(percent), day)

    return turn


def test_the_rate_of_an_invoice_is_that_of_its_day(books, turn, clock):
    business = Business(books)
    made = business.bill(line(business.item, 1, 1000), TxnDate="2026-10-15", **tax_code("4"))
    turn("5", "4.5", "2026-12-01")
    rate = books.get("taxrate", "5")
    assert rate["RateValue"] == 4 and rate["EffectiveTaxRate"] == [
        {"RateValue": 4, "EffectiveDate": "2014-01-01T00:00:00-08:00", "EndDate": "2026-11-30T00:00:00-08:00"},
        {"RateValue": 4.5, "EffectiveDate": "2026-12-01T00:00:00-08:00"},
    ]
    reworded = books.changed("invoice", made, Line=[made["Line"][0] | {"Description": "Same again"}])
    assert reworded["TxnTaxDetail"]["TotalTax"] == 80
    assert business.bill(line(business.item, 1, 1000), **tax_code("4"))["TotalAmt"] == 1080
    later = business.bill(line(business.item, 1, 1000), TxnDate="2026-12-01", **tax_code("4"))
    assert [each["Amount"] for each in later["TxnTaxDetail"]["TaxLine"]] == [40, 45]
    assert later["TxnTaxDetail"]["TaxLine"][1]["TaxLineDetail"]["TaxPercent"] == 4.5
    clock.now += 10 * 86400
    books.sign_in()
    assert books.get("taxrate", "5")["RateValue"] == 4.5
    assert books.query("select * from TaxRate where Name = 'Albany County'")["TaxRate"][0]["RateValue"] == 4.5


def test_another_day_can_mean_another_rate(books, turn):
    business = Business(books)
    turn("3", "10", "2026-12-01")
    own = business.bill(line(business.item, 1, 100), TxnDate="2026-11-01", **tax_code("2", TotalTax=7.77))
    moved = books.changed("invoice", own, TxnDate="2026-11-30")
    assert moved["TxnTaxDetail"]["TotalTax"] == 7.77  # the same rate: what was sent stands
    assert books.changed("invoice", moved, TxnDate="2026-12-01")["TxnTaxDetail"]["TotalTax"] == 10


def test_a_rate_changes_again_and_back(books, turn):
    for percent, day in (("9", "2026-11-10"), ("10", "2026-12-01"), ("8.5", "2026-11-20")):
        turn("3", percent, day)
    rows = books.get("taxrate", "3")["EffectiveTaxRate"]
    assert [(each["RateValue"], each["EffectiveDate"][:10], each.get("EndDate", "")[:10]) for each in rows] == [
        (8, "2014-01-01", "2026-11-09"),
        (9, "2026-11-10", "2026-11-19"),
        (8.5, "2026-11-20", ""),
    ]


def inclusive(item, gross, tax, **more):
    """A line of that much with its tax."""
    detail = {"ItemRef": ref(item), "TaxInclusiveAmt": gross, "TaxCodeRef": {"value": tax}} | more
    return {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def test_prices_that_hold_the_tax_come_to_themselves(northern):
    """The amounts of a real Australian invoice; there the one rate was 10 percent."""
    business = Business(northern)
    agency = northern.create("taxagency", DisplayName="ATO")["Id"]
    rate = {"TaxRateName": "GST 10", "RateValue": "10", "TaxAgencyId": agency, "TaxApplicableOn": "Sales"}
    ten = northern.post("taxservice/taxcode", {"TaxCode": "GST 10", "TaxRateDetails": [rate]}).json()["TaxCodeId"]
    costs = (
        *((305.46, 3, 277.69, 92.5633333), (3419.8, 2, 3108.91, 1554.455), (87.5, 2, 79.55, 39.775)),
        *((42.8, 2, 38.91, 19.455), (54.12, 2, 49.2, 24.6), (19.97, 1, 18.15, 18.15), (21.98, 1, 19.98, 19.98)),
    )
    lines = [inclusive(business.item, gross, ten, Qty=many) for gross, many, _, _ in costs]
    made = business.bill(*lines, GlobalTaxCalculation="TaxInclusive")
    kept = [each["SalesItemLineDetail"] for each in made["Line"][:-1]]
    assert [each["Amount"] for each in made["Line"][:-1]] == [net for _, _, net, _ in costs]
    assert [each["UnitPrice"] for each in kept] == [price for _, _, _, price in costs]
    assert [each["TaxInclusiveAmt"] for each in kept] == [gross for gross, _, _, _ in costs]
    assert made["Line"][-1]["Amount"] == 3592.39 and made["TxnTaxDetail"]["TotalTax"] == 359.24
    assert made["TotalAmt"] == 3951.63 and made["GlobalTaxCalculation"] == "TaxInclusive"
    again = northern.changed("invoice", made, Line=made["Line"])
    assert again == made  # what was read and is sent back changes nothing


@pytest.mark.parametrize("gross", [0.01, 0.05, 9.99, 10, 33.33, 99.99, 100, 4495.16])
@pytest.mark.parametrize("tax", ["2", "3", "4", "5"])
def test_no_cent_is_lost(northern, gross, tax):
    business = Business(northern)
    lines = [inclusive(business.item, gross, tax), inclusive(business.item, gross, "3")]
    made = business.bill(*lines, GlobalTaxCalculation="TaxInclusive")
    assert Decimal(str(made["TotalAmt"])) == 2 * Decimal(str(gross))
    nets = sum(Decimal(str(each["Amount"])) for each in made["Line"][:-1])
    taxes = sum(Decimal(str(each["Amount"])) for each in made["TxnTaxDetail"]["TaxLine"])
    assert nets + taxes == 2 * Decimal(str(gross)) and taxes == Decimal(str(made["TxnTaxDetail"]["TotalTax"]))


def test_an_amount_alone_is_without_tax(northern):
    business = Business(northern)
    made = business.bill(line(business.item, 2, 50, "2"), GlobalTaxCalculation="TaxInclusive")
    assert made["TotalAmt"] == 113 and made["Line"][0]["SalesItemLineDetail"]["TaxInclusiveAmt"] == 113
    plain = business.bill(line(business.item, 2, 50, "2"))
    assert plain["GlobalTaxCalculation"] == "TaxExcluded" and plain["TotalAmt"] == 113
    assert "TaxInclusiveAmt" not in plain["Line"][0]["SalesItemLineDetail"]
    half = business.bill(inclusive(business.item, 113, "2"), percent_off(50), GlobalTaxCalculation="TaxInclusive")
    assert (half["TotalAmt"], half["TxnTaxDetail"]["TotalTax"]) == (56.5, 6.5)
    turned = northern.changed("invoice", made, GlobalTaxCalculation="NotApplicable")
    assert turned["TotalAmt"] == 100 and "TaxInclusiveAmt" not in turned["Line"][0]["SalesItemLineDetail"]


def test_a_company_of_the_united_states_has_no_such_prices(books):
    business = Business(books)
    made = business.bill(line(business.item, 1, 100), GlobalTaxCalculation="TaxInclusive", **tax_code("2"))
    assert "GlobalTaxCalculation" not in made and made["TotalAmt"] == 108


def test_one_lines_code_can_differ_from_the_others(northern):
    """A code of each line's own: GST only, and GST with PST."""
    business = Business(northern)
    both = [line(business.item, 1, 99.99, "4"), line(business.item, 1, 4495.16, "4")]
    made = business.bill(*both)
    assert made["TxnTaxDetail"]["TotalTax"] == 551.42
    mixed = northern.changed("invoice", made, Line=[made["Line"][0], line(business.item, 1, 4495.16, "3", Id="2")])
    assert mixed["TxnTaxDetail"]["TotalTax"] == 236.76
    assert [each["TaxLineDetail"]["NetAmountTaxable"] for each in mixed["TxnTaxDetail"]["TaxLine"]] == [4595.15, 99.99]
    assert code(northern.change("invoice", mixed, Line=[line(business.item, 1, 1, "TAX")])) == (400, "6000")
