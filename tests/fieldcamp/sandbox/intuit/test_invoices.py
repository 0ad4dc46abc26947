"""Invoices: defaults, lines, numbers, totals."""

import pytest

from .business import ALBANY, Business, line, off, percent_off, ref, tax_code
from .conftest import code


@pytest.fixture
def business(books):
    return Business(books)


def test_what_is_not_sent(business):
    made = business.bill(TxnDate="2024-01-15")
    assert made["DueDate"] == "2024-02-14" and made["DocNumber"] == "1001" and made["SyncToken"] == "0"
    assert (made["TotalAmt"], made["Balance"], made["TxnTaxDetail"]) == (100, 100, {"TotalTax": 0})
    assert made["BillAddr"].items() > business.customer["BillAddr"].items() and "ShipAddr" not in made
    assert made["CurrencyRef"] == {"value": "USD", "name": "United States Dollar"}
    assert business.bill()["TxnDate"] == "2026-11-22"


def test_the_customers_terms_and_addresses(books, business):
    other = {"Line1": "1 Dock St", "City": "Troy"}
    regular = books.create("customer", DisplayName="Regular", SalesTermRef=ref("2"), ShipAddr=other)
    made = business.bill(CustomerRef=ref(regular), TxnDate="2026-11-01", BillAddr=ALBANY)
    assert made["SalesTermRef"] == {"value": "2", "name": "Net 15"} and made["DueDate"] == "2026-11-16"
    assert made["ShipAddr"].items() > regular["ShipAddr"].items() and made["BillAddr"]["Line1"] == ALBANY["Line1"]
    later = books.changed("invoice", made, SalesTermRef=ref("3"))
    assert later["DueDate"] == "2026-12-01"
    assert books.changed("invoice", later, DueDate="2026-12-24")["DueDate"] == "2026-12-24"


def test_lines_are_numbered_and_summed_up(business):
    made = business.bill(
        line(business.item, 3, 33.333333, "NON"),
        {"DetailType": "DescriptionOnly", "Description": "Thank you"},
        line(business.item, 2, 12.5, "TAX", Description="Visit"),
        {"DetailType": "SubTotalLineDetail", "Amount": 1, "SubTotalLineDetail": {}},
    )
    first, remark, last, subtotal = made["Line"]
    assert [(each["Id"], each["LineNum"]) for each in (first, remark, last)] == [("1", 1), ("2", 2), ("3", 3)]
    assert first["SalesItemLineDetail"]["ItemRef"] == {"value": business.item["Id"], "name": "Labor"}
    assert first["SalesItemLineDetail"]["ItemAccountRef"]["name"] == "Plumbing Services"
    assert first["Amount"] == 100 and last["Description"] == "Visit" and "Amount" not in remark
    assert subtotal == {"Amount": 125, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}


def test_amount_must_be_quantity_times_price(books, business):
    wrong = line(business.item, 3, 33.33) | {"Amount": 100}
    assert code(books.post("invoice", business.draft(wrong))) == (400, "6070")
    priceless = line(business.item, 3, 0) | {"Amount": 100}
    del priceless["SalesItemLineDetail"]["UnitPrice"]
    assert business.bill(priceless)["Line"][0]["SalesItemLineDetail"]["UnitPrice"] == 33.3333333


def test_a_sparse_update_without_lines_keeps_them(books, business):
    made = business.bill(line(business.item, 1, 335.25), **tax_code("2"))
    later = books.changed("invoice", made, PrivateNote="Gate code 1234")
    same = set(made) - {"SyncToken", "MetaData"}
    assert {name: later[name] for name in same} == {name: made[name] for name in same}
    assert later["SyncToken"] == "1" and later["TotalAmt"] == 362.07


def test_lines_that_are_sent_replace_all(books, business):
    made = business.bill(line(business.item, 1, 10), line(business.item, 1, 20))
    second = made["Line"][1]["Id"]
    later = books.changed("invoice", made, Line=[line(business.item, 1, 5), line(business.item, 2, 20, Id=second)])
    assert [each.get("Id") for each in later["Line"]] == ["3", second, None] and later["TotalAmt"] == 45
    assert code(books.change("invoice", later, Line=[])) == (400, "2250")


def test_a_full_update_drops_what_is_not_sent(books, business):
    made = business.bill(CustomerMemo={"value": "Thanks"}, DueDate="2027-01-01", **tax_code("2"))
    body = {name: made[name] for name in ("Id", "SyncToken", "CustomerRef", "TxnDate")}
    later = books.create("invoice", body, Line=[line(business.item)])
    assert "CustomerMemo" not in later and later["DueDate"] == "2026-12-22" and later["TotalAmt"] == 100
    assert code(books.post("invoice", body | {"SyncToken": later["SyncToken"]})) == (400, "2020")


@pytest.mark.parametrize(
    ("discount", "after", "total", "tax"),
    [
        (percent_off(10), False, 382, 16 + 6),
        (percent_off(10), True, 379.8, 19.8),
        (off(40), True, 379.8, 19.8),
    ],
)
def test_discounts(business, discount, after, total, tax):
    lines = [line(business.item, 1, 275), line(business.item, 1, 125, "NON"), discount]
    made = business.bill(*lines, ApplyTaxAfterDiscount=after, **tax_code("2"))
    assert (made["TotalAmt"], made["TxnTaxDetail"]["TotalTax"]) == (total, tax)
    assert made["Line"][-1]["Amount"] == 40 and "Id" not in made["Line"][-1]
    assert made["Line"][-1]["DiscountLineDetail"]["PercentBased"] is ("Amount" not in discount)


def test_a_negative_line_and_a_negative_total(books, business):
    credit = line(business.item, -1, 30, "NON")
    assert business.bill(line(business.item), credit)["TotalAmt"] == 70
    assert code(books.post("invoice", business.draft(credit))) == (400, "6000")


def test_more_lines_than_there_may_be(books, business):
    lines = [line(business.item, 1, 1)] * 750
    assert business.bill(*lines)["TotalAmt"] == 750
    assert code(books.post("invoice", business.draft(*lines, lines[0]))) == (400, "6000")


def test_numbers_go_on_after_the_last(books, business):
    assert [business.bill()["DocNumber"] for _ in range(2)] == ["1001", "1002"]
    assert business.bill(DocNumber="A-7")["DocNumber"] == "A-7"
    assert business.bill(DocNumber="2050")["DocNumber"] == "2050"
    assert business.bill()["DocNumber"] == "2051"
    assert business.bill(DocNumber="2050")["DocNumber"] == "2050"  # two with one number are legal
    assert code(books.post("invoice", business.draft(DocNumber="9" * 22))) == (400, "2050")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"CustomerRef": {"value": "999"}}, "2500"),
        ({"CustomerRef": None}, "2020"),
        ({"Line": None}, "2020"),
        ({"Line": [{"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}]}, "2020"),
        ({"Line": [{"Amount": 5}]}, "2020"),
        ({"Line": [{"DetailType": "Nonsense"}]}, "2170"),
        ({"Line": "none"}, "2010"),
        ({"CurrencyRef": {"value": "CAD"}}, "6000"),
        ({"TxnDate": "yesterday"}, "2190"),
        ({"Status": "Paid"}, "2010"),
        ({"EmailStatus": "NeedToSend"}, "6420"),
        ({"BillEmail": {"Address": "nobody"}}, "2210"),
        ({"PrivateNote": "x" * 4001}, "2050"),
    ],
)
def test_refusals(books, business, fields, expected):
    assert code(books.post("invoice", business.draft() | fields)) == (400, expected)
    assert "Invoice" not in books.query("select * from Invoice") and business.owes() == 0


def test_discount_refusals(books, business):
    empty = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {}}
    for lines, expected in (([empty], "6090"), ([off(-1)], "2290"), ([off(1), off(2)], "6000")):
        assert code(books.post("invoice", business.draft(line(business.item), *lines))) == (400, expected)


def test_what_was_made_inactive_cannot_be_used(books, business):
    made = business.bill()
    books.changed("item", business.item, Active=False)
    assert code(books.post("invoice", business.draft())) == (400, "610")
    assert books.changed("invoice", made, PrivateNote="still fine")["TotalAmt"] == 100
    books.changed("customer", business.customer, Active=False)
    assert code(books.post("invoice", business.draft())) == (400, "610")


def test_sending(books, business):
    made = business.bill()
    assert code(books.call("POST", f"invoice/{made['Id']}/send")) == (400, "6420")
    response = books.call("POST", f"invoice/{made['Id']}/send", sendTo="ap@northway.test")
    sent = response.json()["Invoice"]
    assert sent["EmailStatus"] == "EmailSent" and sent["BillEmail"] == {"Address": "ap@northway.test"}
    assert sent["DeliveryInfo"]["DeliveryType"] == "Email" and sent["SyncToken"] == "1"


def test_the_customer_owes_it(books, business):
    made = business.bill(line(business.item, 1, 80))
    business.bill(line(business.item, 1, 20))
    assert business.owes() == 100
    books.changed("invoice", made, Line=[line(business.item, 1, 50)])
    assert business.owes() == 70
    assert books.get("customer", business.customer["Id"])["SyncToken"] == "0"


def test_queries(books, business):
    for amount in (10, 20, 30):
        business.bill(line(business.item, 1, amount))
    rows = books.query(f"select * from Invoice where CustomerRef = '{business.customer['Id']}' and TotalAmt > '15'")
    assert [row["TotalAmt"] for row in rows["Invoice"]] == [20, 30]
    assert books.query("select count(*) from Invoice where DocNumber = '1002'")["totalCount"] == 1
