"""Payments: applied, moved, voided, deposited."""

import pytest

from .business import Business, applied, line, ref
from .conftest import code


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def bill(business):
    return business.bill()


def linked(invoice):
    return [link["TxnId"] for link in invoice["LinkedTxn"]]


def test_a_payment_for_nothing_in_particular(books, business):
    paid = business.pay(100)
    assert (paid["UnappliedAmt"], paid["Line"], paid["ProcessPayment"]) == (100, [], False)
    assert paid["DepositToAccountRef"] == {"value": "4"} and paid["TxnDate"] == "2026-11-22"
    assert business.owes() == -100
    assert code(books.post("payment", {"CustomerRef": ref(business.customer)})) == (400, "6000")


def test_a_payment_of_an_invoice(business, bill):
    paid = business.pay(60, applied(bill, 45))
    assert paid["UnappliedAmt"] == 15 and business.owes() == 40
    later = business.again(bill)
    assert (later["Balance"], later["TotalAmt"], later["SyncToken"]) == (55, 100, "1")
    assert later["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]


def test_what_a_read_adds_to_the_lines(books, business, bill):
    paid = business.again(business.pay(60, applied(bill, 60)))
    pairs = [each["value"] for each in paid["Line"][0]["LineEx"]["any"]]
    assert {each["Name"]: each["Value"] for each in pairs} == {
        "txnId": bill["Id"],
        "txnOpenBalance": "100.00",
        "txnReferenceNumber": bill["DocNumber"],
    }
    assert code(books.change("payment", paid, Line=paid["Line"])) == (400, "2010")  # as a read has it, it is no input


def test_lines_are_replaced_as_a_whole(books, business, bill):
    other = business.bill(line(business.item, 1, 80))
    paid = business.pay(100, applied(bill, 100))
    moved = books.changed("payment", paid, Line=[applied(other, 70)])
    assert moved["UnappliedAmt"] == 30
    assert (business.again(bill)["Balance"], linked(business.again(bill))) == (100, [])
    assert (business.again(other)["Balance"], linked(business.again(other))) == (10, [paid["Id"]])
    noted = books.changed("payment", moved, PrivateNote="by phone")
    assert len(noted["Line"]) == 1 and business.again(other)["SyncToken"] == "1"
    free = books.changed("payment", noted, Line=[])
    assert free["UnappliedAmt"] == 100 and business.again(other)["Balance"] == 80 and business.owes() == 80


def test_too_much(books, business, bill):
    assert code(books.post("payment", business.payment(200, applied(bill, 100.01)))) == (400, "6000")
    assert code(books.post("payment", business.payment(50, applied(bill, 60)))) == (400, "6000")
    twice = business.payment(50, applied(bill, 20), applied(bill, 30))
    assert code(books.post("payment", twice)) == (400, "6000")
    business.pay(70, applied(bill, 70))
    assert code(books.post("payment", business.payment(70, applied(bill, 40)))) == (400, "6000")
    assert business.again(bill)["Balance"] == 30 and business.owes() == 30


def test_another_customers_invoice(books, business, bill):
    stranger = books.create("customer", DisplayName="Stranger")
    refused = books.post("payment", business.payment(10, applied(bill, 10), CustomerRef=ref(stranger)))
    assert code(refused) == (400, "620")
    assert code(books.post("payment", business.payment(10, applied({"Id": "999"}, 10)))) == (400, "620")
    child = books.create("customer", DisplayName="Shop", ParentRef=ref(business.customer), Job=True)
    assert business.pay(10, applied(bill, 10), CustomerRef=ref(child))["UnappliedAmt"] == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"TotalAmt": -1}, "6000"),
        ({"Line": [{"Amount": 5}]}, "2020"),
        ({"Line": [{"LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}]}, "2020"),
        ({"Line": [{"Amount": 0, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}]}, "6000"),
        ({"CurrencyRef": {"value": "CAD"}}, "6000"),
        ({"PaymentMethodRef": {"value": "77"}}, "2500"),
        ({"DocNumber": "7"}, "2010"),
    ],
)
def test_refusals(books, business, fields, expected):
    assert code(books.post("payment", business.payment(10) | fields)) == (400, expected)


def test_voiding(books, business, bill):
    paid = business.pay(100, applied(bill, 90), PrivateNote="cash")
    gone = books.void("payment", paid).json()["Payment"]
    assert (gone["TotalAmt"], gone["UnappliedAmt"], gone["Line"]) == (0, 0, [])
    assert gone["PrivateNote"] == "Voided - cash" and gone["SyncToken"] == "1"
    assert business.again(bill)["Balance"] == 100 and linked(business.again(bill)) == [] and business.owes() == 100
    assert books.void("payment", gone).json()["Payment"]["SyncToken"] == "1"


def test_deleting(books, business, bill):
    paid = business.pay(100, applied(bill, 90))
    assert books.delete("payment", paid).json()["Payment"]["status"] == "Deleted"
    assert business.again(bill)["Balance"] == 100 and business.owes() == 100
    assert code(books.call("GET", f"payment/{paid['Id']}")) == (400, "610")


def test_lowering_an_invoice_that_is_paid(books, business, bill):
    first, second = business.pay(60, applied(bill, 60)), business.pay(40, applied(bill, 40))
    lower = books.changed("invoice", business.again(bill), Line=[line(business.item, 1, 50)])
    assert (lower["TotalAmt"], lower["Balance"], linked(lower)) == (50, 0, [first["Id"]])
    assert business.again(second)["UnappliedAmt"] == 40 and business.again(second)["Line"] == []
    assert business.again(first)["UnappliedAmt"] == 10 and business.owes() == -50
    assert code(books.change("invoice", lower, CustomerRef=ref(books.create("customer", DisplayName="B")))) == (
        400,
        "6000",
    )


def test_the_currency_comes_from_the_customer(northern):
    business = Business(northern)
    assert business.pay(5)["CurrencyRef"] == {"value": "CAD", "name": "Canadian Dollar"}


def test_queries(books, business):
    business.pay(10, PaymentRefNum="CHK-1")
    business.pay(20, TxnDate="2026-11-01")
    assert books.query("select * from Payment where PaymentRefNum = 'CHK-1'")["Payment"][0]["TotalAmt"] == 10
    found = books.query(f"select * from Payment where CustomerRef = '{business.customer['Id']}' and TotalAmt = '20'")
    assert found["Payment"][0]["TxnDate"] == "2026-11-01"
    assert books.call("GET", "query", query="select * from Payment where DocNumber = '1'").status_code == 400
