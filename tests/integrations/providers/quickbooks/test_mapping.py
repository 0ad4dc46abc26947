"""QuickBooks' bodies as recorded from it, and ours as they are sent."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import Rejected
from integrations.kinds import KINDS
from integrations.providers.quickbooks.mapping import customers, invoices, items, payments, sales_tax, taxes
from integrations.providers.quickbooks.mapping.invoices import TaxRules
from integrations.providers.quickbooks.mapping.parts import mark, marker_of
from integrations.records import Marker

RECORDED = Path(__file__).parent / "recorded"
MARKER = Marker("wsp_1", "inv_1", "0" * 31 + "a")
MANUAL = TaxRules("manual")
LINE = {"item": "5", "description": "Pump", "quantity": "2", "unit_price": "12.75", "amount": "25.50", "taxable": True}


def recorded(name: str, entity: str) -> dict:
    return json.loads((RECORDED / f"{name}.json").read_text())[0]["response"][entity]


def test_every_kind_has_exactly_its_fields():
    read = {
        "customer": customers.to_fields(recorded("create-customer", "Customer")),
        "item": items.to_fields(recorded("create-item", "Item")),
        "tax": taxes.to_fields({"Id": "2", "Name": "x"}, {}, dt.date(2026, 1, 1)),
        "invoice": invoices.to_fields(recorded("get-invoice", "Invoice"), MANUAL),
        "payment": payments.to_fields(recorded("create-payment", "Payment"), {}),
    }
    unsaid = {
        "payment": {"method"},
        "item": {"net_price", "gross_price"},
    }  # nobody chose one; its price does not include the tax
    beside = {"invoice": {"bill_email"}}  # of use to whoever makes one
    for name, fields in read.items():
        kept = {*KINDS[name].fields, *KINDS[name].noted} - unsaid.get(name, set())
        assert set(fields) - beside.get(name, set()) == kept, name


def test_a_recorded_customer():
    assert customers.to_fields(recorded("create-customer", "Customer")) == {
        "display_name": "Test Customer May 2026 Regen",
        "given_name": "Test",
        "family_name": "Customer",
        "company": "",
        "email": "testcustomer@example.com",
        "phone": "(555) 555-1234",
        "bill_address": {
            "street": "123 Test Street",
            "city": "Mountain View",
            "state": "CA",
            "postalCode": "94042",
            "country": "USA",
        },
        "ship_address": None,
        "active": True,
        "currency": "USD",
        "parent": "",
    }


def test_a_recorded_invoice():
    fields = invoices.to_fields(recorded("get-invoice", "Invoice"), MANUAL)
    assert [line["amount"] for line in fields["lines"]] == ["275.00", "12.75", "47.50"]
    assert fields["lines"][2] == {
        "item": "3",
        "description": "Concrete for fountain installation",
        "quantity": "5",
        "unit_price": "9.5",
        "amount": "47.50",
        "taxable": True,
    }
    assert (fields["tax_code"], fields["tax_total"], fields["total"]) == ("2", "26.82", "362.07")
    assert (fields["discount"], fields["voided"], fields["number"]) == (None, False, "1037")
    assert sales_tax.says_code(recorded("get-invoice", "Invoice"))
    assert not sales_tax.says_code(recorded("create-invoice", "Invoice"))


def test_a_recorded_item_and_payment():
    item = items.to_fields(recorded("create-item", "Item"))
    assert (item["type"], item["price"], item["income_account"], item["taxable"]) == ("service", "0", "79", False)
    payment = payments.to_fields(recorded("create-payment", "Payment"), {})
    assert (payment["amount"], payment["unapplied"], payment["allocations"]) == ("100.00", "100.00", [])
    assert (payment["deposited"], payment["voided"]) == (False, False) and "method" not in payment


def settling(total, unapplied, **rows):
    """A payment with rows of these kinds, one each."""
    links = [{"Amount": amount, "LinkedTxn": [{"TxnId": str(number), "TxnType": kind}]}
             for number, (kind, amount) in enumerate(rows.items())]  # fmt: skip
    return {"CustomerRef": {"value": "1"}, "TotalAmt": total, "UnappliedAmt": unapplied, "Line": links}


@pytest.mark.parametrize(
    ("body", "credited", "elsewhere"),
    [
        (settling(100, 40, Invoice=60), "", ""),
        (settling(0, 0, Invoice=30, CreditMemo=30), "30.00", ""),
        (settling(60, 0, Invoice=100, CreditMemo=40), "40.00", ""),
        (settling(150, 30, Invoice=100, Expense=20), "", "20.00"),
        (settling(50, 0, Check=50), "", "50.00"),
        (settling(30, 25, Invoice=20, Expense=10, CreditMemo=25), "25.00", "10.00"),
        (settling(0, 0, Expense=30, CreditMemo=30), "30.00", "30.00"),  # a credit memo that was paid back
        (settling(0, 0, Invoice=30, JournalEntry=30), "30.00", ""),  # a journal entry as a credit …
        (settling(30, 0, JournalEntry=30), "", "30.00"),  # … and as a charge
    ],
)
def test_what_stands_on_a_payment_beside_money_and_invoices(body, credited, elsewhere):
    fields = payments.to_fields(body, {})
    assert (fields["credited"], fields["elsewhere"]) == (credited, elsewhere)
    unsaid = {name: value for name, value in body.items() if name != "UnappliedAmt"}
    assert not {"credited", "elsewhere"} & payments.to_fields(unsaid, {}).keys()


@pytest.mark.parametrize(
    ("more", "said"),
    [({"Deposit": 20}, "20.00"), ({"Deposit": 0}, ""), ({}, ""), ({"Balance": None, "Deposit": 20}, "20.00")],
)
def test_a_deposit_on_the_form(more, said):
    body = {**recorded("get-invoice", "Invoice"), **more}
    assert invoices.to_fields(body, MANUAL)["deposit"] == said
    assert "Deposit" not in invoices.to_body(invoices.to_fields(body, MANUAL), MANUAL)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Smith: Kitchen\tremodel\n", "Smith Kitchen remodel"),
        (" a  b ", "a b"),
        ("x" * 120, "x" * 100),
        ("Ünïcode & Söhne's", "Ünïcode & Söhne's"),
    ],
)
def test_names_as_quickbooks_takes_them(name, sent):
    assert customers.to_body({"display_name": name}, create=False) == {"DisplayName": sent}


def test_a_long_street_loses_nothing():
    lines = [f"line {number}" for number in range(1, 8)]
    body = customers.address_body({"street": "\n".join(lines), "city": "Troy"})
    assert body["Line5"] == "line 5, line 6, line 7"
    assert customers.address(body) == {
        "street": "line 1\nline 2\nline 3\nline 4\nline 5, line 6, line 7",
        "city": "Troy",
    }


def test_what_is_emptied_is_sent_empty_and_nothing_else_is_sent():
    body = customers.to_body({"email": "", "bill_address": None}, create=False)
    assert body["PrimaryEmailAddr"] == {"Address": ""}
    assert set(body) == {"PrimaryEmailAddr", "BillAddr"} and not any(body["BillAddr"].values())
    assert customers.to_body({"email": "", "bill_address": None, "display_name": "A"}, create=True) == {
        "DisplayName": "A"
    }


def test_an_inactive_records_name_is_read_without_what_quickbooks_added():
    body = {"DisplayName": "Amy (deleted)", "Active": False}
    assert customers.to_fields(body)["display_name"] == "Amy"
    assert customers.to_fields({"DisplayName": "Amy (deleted)", "Active": True})["display_name"] == "Amy (deleted)"


def test_an_amount_is_quantity_times_price_as_quickbooks_rounds_it():
    line = {**LINE, "quantity": "3", "unit_price": "33.333333", "amount": "99.99"}
    [row] = invoices.to_body({"lines": [line], "discount": None, "tax_code": "2"}, MANUAL)["Line"]
    assert row["Amount"] == 100
    assert json.dumps(row["SalesItemLineDetail"]["UnitPrice"]) == "33.333333"


@given(st.decimals(min_value=0, max_value=99999, places=7))
def test_prices_are_printed_as_they_are(price):
    line = {**LINE, "unit_price": f"{price:f}", "quantity": "1"}
    body = invoices.to_body({"lines": [line], "tax_code": "2"}, MANUAL)
    sent = json.loads(json.dumps(body), parse_float=str, parse_int=str)["Line"][0]["SalesItemLineDetail"]["UnitPrice"]
    assert type(price)(sent) == price
    assert len(sent) <= 13


@pytest.mark.parametrize(
    ("discount", "row"),
    [
        ({"percent": "10"}, {"Amount": 2.55, "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}),
        ({"amount": "5.00"}, {"Amount": 5, "DiscountLineDetail": {"PercentBased": False}}),
    ],
)
def test_a_discount_is_a_line_of_its_own(discount, row):
    body = invoices.to_body({"lines": [LINE], "discount": discount, "tax_code": "2"}, MANUAL)
    assert body["Line"][1] == {**row, "DetailType": "DiscountLineDetail"}
    assert body["ApplyTaxAfterDiscount"] is True
    assert invoices.to_fields({"Line": body["Line"]}, MANUAL)["discount"] == discount


def test_groups_are_opened_and_words_kept():
    sale = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    rows = [
        {"DetailType": "GroupLineDetail", "GroupLineDetail": {"GroupItemRef": {"value": "9"}, "Line": [sale, sale]}},
        {"DetailType": "DescriptionOnly", "Description": "Thank you", "DescriptionLineDetail": {}},
        {"Amount": 20, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
    ]
    lines = invoices.to_fields({"Line": rows}, MANUAL)["lines"]
    assert [(line["description"], line["quantity"], line["amount"]) for line in lines] == [
        ("", "1", "10.00"),
        ("", "1", "10.00"),
        ("Thank you", "0", "0.00"),
    ]
    again = invoices.to_body({"lines": lines[2:], "discount": None, "tax_code": ""}, MANUAL)
    assert again["Line"] == [{"Description": "Thank you", "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}]


def codes(rules: TaxRules, **fields) -> tuple[list[str], dict]:
    body = invoices.to_body(
        {"lines": [LINE, {**LINE, "taxable": False}], "discount": None, **fields}, rules, marker=MARKER
    )
    return [row["SalesItemLineDetail"]["TaxCodeRef"]["value"] for row in body["Line"]], body


def test_the_tax_in_each_mode():
    words, body = codes(MANUAL, tax_code="3")
    assert (words, body["TxnTaxDetail"]) == (["TAX", "NON"], {"TxnTaxCodeRef": {"value": "3"}})
    words, body = codes(TaxRules("automated", some_code="2"), tax_code="", tax_total="1.23")
    assert body["TxnTaxDetail"] == {"TotalTax": 1.23, "TxnTaxCodeRef": {"value": "2"}}
    words, body = codes(TaxRules("none"), tax_code="")
    assert "TxnTaxDetail" not in body
    words, body = codes(TaxRules("foreign", exempt=("4",)), tax_code="7")
    assert (words, body["GlobalTaxCalculation"]) == (["7", "4"], "TaxExcluded")
    read = invoices.to_fields(body, TaxRules("foreign", exempt=("4",)))
    assert (read["tax_code"], [line["taxable"] for line in read["lines"]]) == ("7", [True, False])


@pytest.mark.parametrize(
    ("rules", "code"), [(MANUAL, ""), (TaxRules("foreign", exempt=("4",)), ""), (TaxRules("foreign"), "7")]
)
def test_a_tax_without_a_code_is_refused_before_it_is_sent(rules, code):
    with pytest.raises(Rejected) as caught:
        codes(rules, tax_code=code)
    assert caught.value.reason == "tax_mapping"


def test_our_mark_is_the_last_line_that_says_so():
    _, body = codes(MANUAL, tax_code="3")
    ours = Marker("", "", MARKER.remote_id)
    assert marker_of(body) == ours
    assert marker_of({"PrivateNote": f"Voided - {body['PrivateNote']}"}) == ours
    assert marker_of({"PrivateNote": f"Call first\r\n{body['PrivateNote']}\r\n"}) == ours
    assert marker_of({"PrivateNote": "FieldCamp says hello"}) is None


@given(st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}"))
def test_our_mark_says_the_whole_id_and_nothing_that_a_customer_would_wonder_at(id):
    note = mark(Marker("wsp_1", "inv_1", id))
    assert re.fullmatch(r"Ref [0-9A-Z]{26}", note)
    assert marker_of({"PrivateNote": note}) == Marker("", "", id)


def test_marks_that_were_written_before_are_read():
    note = f"Call first\nFieldCamp wsp_1/inv_1/{MARKER.remote_id}"
    assert marker_of({"PrivateNote": note}) == MARKER


@pytest.mark.parametrize(
    "note",
    ["Ref 1013", "Ref PO-2026-0001", f"Ref {'8' * 26}", f"Ref {'0' * 25}U", f"Ref {'0' * 27}", f"X-Ref {'0' * 26}"],
)
def test_a_reference_of_the_bookkeepers_is_no_mark(note):
    assert marker_of({"PrivateNote": note}) is None


def test_a_void_is_zeros_and_a_word():
    body = {"TotalAmt": 0, "PrivateNote": "Voided\nx"}
    assert invoices.to_fields(body, MANUAL)["voided"] and payments.to_fields(body, {})["voided"]
    assert not invoices.to_fields({"TotalAmt": 0}, MANUAL)["voided"]
    assert not invoices.to_fields({"TotalAmt": 5, "PrivateNote": "Voided"}, MANUAL)["voided"]


@pytest.mark.parametrize(
    ("name", "ours"),
    [("Cash", "cash"), ("Cheque", "check"), ("Visa", "card"), ("Credit Card", "card"), ("ACH", "bank_transfer"),
     ("Wire transfer", "bank_transfer"), ("Barter", "other"), ("Cashmere", "other")],
)  # fmt: skip
def test_payment_methods_by_their_names(name, ours):
    assert payments.method_named(name) == ours


def test_a_payment_to_and_fro():
    methods = {"1": "Cash", "2": "Check"}
    fields = {
        "customer": "24", "date": "2026-11-20", "amount": "100.00", "method": "check", "reference": "CHK-1",
        "allocations": [{"invoice": "67", "amount": "60.00"}, {"invoice": "68", "amount": "0.10"}], "voided": False,
    }  # fmt: skip
    body = payments.to_body(fields, methods, marker=MARKER)
    assert body["TotalAmt"] == 100 and body["PaymentMethodRef"] == {"value": "2"}
    read = payments.to_fields(body, methods)
    assert {name: read[name] for name in fields} == fields


def test_tax_codes_hold_what_their_rates_say_today():
    rates = {
        "1": {"Id": "1", "Name": "AZ State tax", "RateValue": 7.1},
        "2": {
            "Id": "2",
            "Name": "Tucson City",
            "RateValue": 2,
            "EffectiveTaxRate": [
                {
                    "RateValue": 1.5,
                    "EffectiveDate": "2020-01-01T00:00:00-08:00",
                    "EndDate": "2025-12-31T00:00:00-08:00",
                },
                {"RateValue": 2, "EffectiveDate": "2026-01-01T00:00:00-08:00"},
            ],
        },
    }
    code = {
        "Id": "3", "Name": "Tucson", "SyncToken": "0",
        "SalesTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value": "1"}}, {"TaxRateRef": {"value": "2"}}]},
    }  # fmt: skip
    fields = taxes.to_fields(code, rates, dt.date(2026, 11, 1))
    assert fields["rate"] == "0.091"
    assert fields["components"] == [{"name": "AZ State tax", "rate": "0.071"}, {"name": "Tucson City", "rate": "0.02"}]
    earlier = taxes.to_fields(code, rates, dt.date(2025, 11, 1))
    assert earlier["rate"] == "0.086"
    assert taxes.tag(code, fields) != taxes.tag(code, earlier)
    city = {"name": "Tucson City", "rate": "0.015"}
    assert (
        fields["history"]
        == earlier["history"]
        == [
            {"from": "2020-01-01", "components": [fields["components"][0], city]},
            {"from": "2026-01-01", "components": fields["components"]},
        ]
    )
    assert taxes.to_fields(code, {"1": rates["1"]}, dt.date(2026, 11, 1))["history"] == []
    assert not taxes.is_code({"Id": "TAX"})
