"""Tax lists, new codes, and the modes in which companies tax their invoices."""

import pytest

from fieldcamp.sandbox.intuit import preferences
from fieldcamp.sandbox.intuit.preferences import TaxMode

from .business import Business, line, ref, tax_code
from .conftest import code

HOUR = 335.25


@pytest.fixture
def mode(app):
    """Changes how the plumbing company taxes."""

    def mode(value):
        kept = app.vendors["intuit"].books("9130001")
        stored = kept.the("Preferences")
        kept.change(stored, preferences.with_tax_mode(stored.body, value))

    return mode


def taxes(invoice):
    return [each["Amount"] for each in invoice["TxnTaxDetail"].get("TaxLine", [])]


def test_the_lists(books):
    codes = {each["Id"]: each for each in books.query("select * from TaxCode")["TaxCode"]}
    assert {"TAX", "NON", "2", "3"} <= set(codes)
    assert codes["3"]["TaxGroup"] and not codes["TAX"]["TaxGroup"]
    rates = [each["TaxRateRef"]["value"] for each in codes["3"]["SalesTaxRateList"]["TaxRateDetail"]]
    assert [books.get("taxrate", each)["RateValue"] for each in rates] == [7.1, 2]
    assert books.get("taxcode", "NON")["Taxable"] is False
    agency = books.get("taxrate", "3")["AgencyRef"]["value"]
    assert books.get("taxagency", agency)["DisplayName"] == "Board of Equalization"


def test_by_the_headers_code(books):
    business = Business(books)
    made = business.bill(line(business.item, 1, HOUR), line(business.item, 1, 50, "NON"), **tax_code("2"))
    assert (made["TxnTaxDetail"]["TotalTax"], made["TotalAmt"]) == (26.82, 412.07)
    two = books.changed("invoice", made, **tax_code("3"))
    assert taxes(two) == [23.8, 6.71]
    own = books.changed("invoice", two, **tax_code("3", TotalTax=31))
    assert own["TotalAmt"] == 416.25 and sum(taxes(own)) == 31
    again = books.changed("invoice", own, Line=[line(business.item, 1, 100)])
    assert again["TxnTaxDetail"]["TotalTax"] == 9.1  # an override counts for the request that sends it
    assert code(books.post("invoice", business.draft(line(business.item, tax="2")))) == (400, "6100")
    assert code(books.post("invoice", business.draft(**tax_code("77")))) == (400, "6160")


def test_without_sales_tax(books, mode):
    mode(TaxMode.NONE)
    business = Business(books)
    made = business.bill(**tax_code("2", TotalTax=9))
    assert made["TxnTaxDetail"] == {"TotalTax": 0} and made["TotalAmt"] == 100


def test_the_address_decides(books, mode):
    mode(TaxMode.AUTOMATED)
    assert books.single("preferences")["TaxPrefs"]["PartnerTaxEnabled"] is True
    business = Business(books)
    made = business.bill(**tax_code("2"))
    assert made["TxnTaxDetail"]["TxnTaxCodeRef"] == {"value": "4"} and taxes(made) == [4, 4]
    moved = books.changed("invoice", made, ShipAddr={"City": "Tucson", "CountrySubDivisionCode": "AZ"})
    assert taxes(moved) == [7.1, 2] and moved["TotalAmt"] == 109.1
    nowhere = books.changed("invoice", moved, ShipAddr={"City": "Paris", "Country": "France"})
    assert nowhere["TxnTaxDetail"] == {"TotalTax": 0}
    assert business.bill(**tax_code("any", TotalTax=5))["TotalAmt"] == 105


def test_a_code_on_each_line(northern):
    business = Business(northern)
    item = business.item
    made = business.bill(line(item, 1, 100, "4"), line(item, 1, 50, "3"))
    assert taxes(made) == [7.5, 7] and made["TotalAmt"] == 164.5
    assert "TxnTaxCodeRef" not in made["TxnTaxDetail"]
    for tax, expected in (("TAX", "6000"), ("77", "6160")):
        assert code(northern.post("invoice", business.draft(line(item, tax=tax)))) == (400, expected)
    free = business.bill(line(item, tax="5"), GlobalTaxCalculation="NotApplicable")
    assert free["TxnTaxDetail"] == {"TotalTax": 0}
    assert northern.single(f"companyinfo/{northern.account}")["Country"] == "CA"


def test_a_new_code(books):
    agency = books.create("taxagency", DisplayName="City of Albany")
    rate = {"TaxRateName": "City", "RateValue": "7.5", "TaxAgencyId": agency["Id"], "TaxApplicableOn": "Sales"}
    sent = {"TaxCode": "City tax", "TaxRateDetails": [rate, {"TaxRateId": "3"}]}
    made = books.post("taxservice/taxcode", sent).json()
    assert made["TaxCode"] == "City tax" and made["TaxRateDetails"][0]["RateValue"] == "7.5"
    assert "TaxCode" not in books.call("GET", "cdc", entities="Invoice", changedSince="2026-11-22T00:00:00Z").text
    business = Business(books)
    assert taxes(business.bill(**tax_code(made["TaxCodeId"]))) == [7.5, 8]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"TaxRateDetails": [{"TaxRateId": "3"}]}, "2020"),
        ({"TaxCode": "A"}, "2020"),
        ({"TaxCode": "California", "TaxRateDetails": [{"TaxRateId": "3"}]}, "6240"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateId": "77"}]}, "2500"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateId": "3"}, {"TaxRateId": "3"}]}, "6000"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "B", "RateValue": "101", "TaxAgencyId": "1"}]}, "6000"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "B", "RateValue": "x", "TaxAgencyId": "1"}]}, "2090"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "B", "RateValue": "NaN", "TaxAgencyId": "1"}]}, "2090"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "B", "RateValue": "1", "TaxAgencyId": "9"}]}, "2500"),
        ({"TaxCode": "A", "TaxRateDetails": [{"TaxRateName": "California", "RateValue": "1", "TaxAgencyId": "1"}]},
         "6240"),
        ({"TaxCode": 5, "TaxRateDetails": "x"}, "2020"),
    ],
)  # fmt: skip
def test_codes_that_cannot_be(books, sent, expected):
    before = books.query("select count(*) from TaxCode")
    assert code(books.post("taxservice/taxcode", sent)) == (400, expected)
    assert books.query("select count(*) from TaxCode") == before


def test_lists_cannot_be_written(books):
    for segment, body in (("taxcode", {"Name": "X"}), ("taxrate", {"Name": "X"}), ("preferences", {"Id": "1"})):
        assert books.post(segment, body).status_code == 400
    assert books.get("customer", books.create("customer", DisplayName="T")["Id"])["DefaultTaxCodeRef"] == ref("2")
