"""Estimates, receipts, deposits, hours, attachments: what each is, and what it moves."""

import pytest

from .business import ALBANY, Business, applied, line, ref, tax_code
from .conftest import code


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def estimate(books, business):
    def estimate(**fields):
        return books.create("estimate", business.draft(line(business.item, 2, 50), **fields))

    return estimate


def test_an_estimate_has_what_a_real_one_has(books, business, estimate):
    business.bill()
    made = estimate()
    assert set(made) == {
        *("domain", "sparse", "Id", "SyncToken", "MetaData", "CustomField", "DocNumber", "TxnDate", "CurrencyRef"),
        *("TxnStatus", "Line", "TxnTaxDetail", "CustomerRef", "BillAddr", "FreeFormAddress", "ShipFromAddr"),
        *("TotalAmt", "ApplyTaxAfterDiscount", "PrintStatus", "EmailStatus"),
    }
    assert (made["TxnStatus"], made["DocNumber"]) == ("Pending", "1001")  # estimates have numbers of their own
    assert business.owes() == 100 and estimate()["DocNumber"] == "1002" and business.bill()["DocNumber"] == "1002"
    accepted = {"TxnStatus": "Accepted", "AcceptedBy": "Dana", "AcceptedDate": "2026-11-20"}
    later = books.changed("estimate", made, **accepted, ExpirationDate="2026-12-24")
    assert later["AcceptedBy"] == "Dana" and later["SyncToken"] == "1"
    sent = books.call("POST", f"estimate/{made['Id']}/send", sendTo="ap@northway.test").json()["Estimate"]
    assert sent["EmailStatus"] == "EmailSent"
    assert books.delete("estimate", sent).json()["Estimate"]["status"] == "Deleted"


def test_an_invoice_closes_the_estimate_that_it_links(books, business, estimate, clock):
    made, link = estimate(), {"TxnType": "Estimate"}
    link["TxnId"] = made["Id"]
    clock.now += 60
    bill = business.bill(line(business.item, 2, 50, LinkedTxn=[link]), LinkedTxn=[link])
    assert bill["LinkedTxn"] == [link] and bill["Line"][0]["LinkedTxn"] == [link]
    closed = books.get("estimate", made["Id"])
    assert (closed["TxnStatus"], closed["SyncToken"]) == ("Closed", "0")
    assert closed["LinkedTxn"] == [{"TxnId": bill["Id"], "TxnType": "Invoice"}]
    assert closed["MetaData"]["LastUpdatedTime"] > closed["MetaData"]["CreateTime"]
    assert code(books.post("invoice", business.draft(LinkedTxn=[link]))) == (400, "620")
    assert code(books.delete("estimate", closed)) == (400, "800")
    paid = business.pay(10, applied(bill, 10))
    both = business.again(bill)
    assert [each["TxnType"] for each in both["LinkedTxn"]] == ["Estimate", "Payment"]
    kept = books.changed("invoice", both, Line=[line(business.item, 3, 50, Id="1")])  # silent about where it comes from
    assert kept["Line"][0]["LinkedTxn"] == [link] and len(kept["LinkedTxn"]) == 2
    gone = books.changed("invoice", kept, Line=[line(business.item, 3, 50)])
    assert gone["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]
    opened = books.get("estimate", made["Id"])
    assert opened["TxnStatus"] == "Pending" and "LinkedTxn" not in opened
    again = books.changed("invoice", gone, LinkedTxn=[link])
    assert [each["TxnType"] for each in again["LinkedTxn"]] == ["Payment", "Estimate"]
    assert books.changed("invoice", again, LinkedTxn=[])["LinkedTxn"] == gone["LinkedTxn"]


def test_what_cannot_be_linked(books, business, estimate):
    other = books.create("customer", DisplayName="Other")
    theirs = estimate(CustomerRef=ref(other))
    for link in (
        {"TxnId": theirs["Id"], "TxnType": "Estimate"},
        {"TxnId": "999", "TxnType": "Estimate"},
        {"TxnId": "999", "TxnType": "TimeActivity"},
    ):
        assert code(books.post("invoice", business.draft(LinkedTxn=[link]))) == (400, "620")
    assert code(books.post("invoice", business.draft(LinkedTxn=[{"TxnId": "1", "TxnType": "Nonsense"}]))) == (
        400,
        "2170",
    )
    charge = {"TxnId": "29", "TxnType": "StatementCharge"}  # only QuickBooks' own pages link one
    assert business.bill(LinkedTxn=[charge])["LinkedTxn"] == []


def test_hours_are_billed_by_the_invoice_that_links_them(books, business):
    worker = books.create("employee", GivenName="Emily", FamilyName="Platt")
    body = {"NameOf": "Employee", "EmployeeRef": ref(worker), "CustomerRef": ref(business.customer), "Hours": 3}
    made = books.create("timeactivity", body, BillableStatus="Billable", HourlyRate=15, ItemRef=ref(business.item))
    assert (made["Id"], made["Minutes"], made["Taxable"], made["TxnDate"]) == ("1", 0, False, "2026-11-22")
    assert made["EmployeeRef"]["name"] == "Emily Platt" and made["ItemRef"]["name"] == "Labor"
    link = {"TxnId": made["Id"], "TxnType": "TimeActivity"}
    bill = business.bill(line(business.item, 3, 15, LinkedTxn=[link]))
    assert bill["LinkedTxn"] == [link]  # what a line comes from, the invoice comes from
    billed = books.get("timeactivity", made["Id"])
    assert (billed["BillableStatus"], billed["SyncToken"]) == ("HasBeenBilled", "0")
    assert code(books.change("timeactivity", billed, BillableStatus="Billable")) == (400, "6000")
    assert code(books.delete("timeactivity", billed)) == (400, "800")
    assert books.delete("invoice", bill).status_code == 200
    assert books.query("select * from TimeActivity where BillableStatus = 'Billable'")["TimeActivity"][0]["Id"] == "1"
    assert books.changed("timeactivity", billed, Hours=4)["Hours"] == 4
    for wrong, expected in (
        ({"EmployeeRef": None}, "2020"),
        ({"Hours": None}, "2020"),
        ({"BillableStatus": "Billable", "HourlyRate": None}, "2020"),
        ({"BillableStatus": "HasBeenBilled"}, "6000"),
    ):
        assert code(books.post("timeactivity", body | wrong)) == (400, expected)
    timed = {"Hours": None, "StartTime": "2026-11-20T08:00:00-08:00", "EndTime": "2026-11-20T10:00:00-08:00"}
    assert "Hours" not in books.create("timeactivity", body | timed)
    assert books.call("GET", "cdc", entities="TimeActivity", changedSince="2026-11-22T00:00:00Z").status_code == 400


def test_a_sales_receipt(books, business):
    sold = {"Line": [line(business.item)]}
    made = books.create("salesreceipt", sold, PaymentRefNum="10264", PaymentMethodRef=ref("2"))
    assert made["DepositToAccountRef"] == {"value": "4", "name": "Undeposited Funds"}
    assert made["PaymentMethodRef"] == {"value": "2", "name": "Check"} and "CustomerRef" not in made
    assert (made["Balance"], made["TotalAmt"], made["DocNumber"]) == (0, 100, "1001")
    named = books.create("salesreceipt", sold, CustomerRef=ref(business.customer), **tax_code("2"))
    assert named["TotalAmt"] == 108 and named["BillAddr"]["City"] == ALBANY["City"] and business.owes() == 0
    gone = books.post(
        "salesreceipt", {"Id": named["Id"], "SyncToken": "0", "sparse": True}, operation="update", include="void"
    ).json()["SalesReceipt"]
    assert (gone["TotalAmt"], gone["PrivateNote"], gone["Line"][0]["Amount"]) == (0, "Voided", 0)
    assert books.delete("salesreceipt", gone).status_code == 200
    assert code(books.post("salesreceipt", {})) == (400, "2020")


def test_a_refund_receipt(books, business):
    sold = {"Line": [line(business.item)], "CustomerRef": ref(business.customer)}
    assert code(books.post("refundreceipt", sold)) == (400, "2020")
    made = books.create("refundreceipt", sold, DepositToAccountRef=ref("35"))
    assert (made["PaymentRefNum"], made["Balance"], made["TotalAmt"]) == ("To Print", 0, 100)
    assert made["DepositToAccountRef"]["name"] == "Checking" and business.owes() == 0
    printed = books.changed("refundreceipt", made, PrintStatus="PrintComplete", PaymentRefNum="117")
    assert printed["PaymentRefNum"] == "117"
    assert code(books.void("refundreceipt", printed)) == (400, "500")
    assert books.delete("refundreceipt", printed).status_code == 200


def test_a_deposit_as_recorded(books, business, clock):
    first = business.pay(226.75)
    second = business.pay(220, PaymentMethodRef=ref("2"), PaymentRefNum="6552")
    cash = books.create("salesreceipt", {"Line": [line(business.item, 1, 80)]})
    rows = [(first, "Payment", 226.75), (second, "Payment", 220), (cash, "SalesReceipt", 80)]
    lines = [{"Amount": much, "LinkedTxn": [{"TxnId": each["Id"], "TxnType": kind}]} for each, kind, much in rows]
    back = {"AccountRef": ref("36"), "Amount": 200, "Memo": "Money to savings"}
    clock.now += 60
    made = books.create("deposit", DepositToAccountRef=ref("35"), Line=lines, CashBack=back)
    assert made["TotalAmt"] == 326.75 and made["TxnTaxDetail"] == {}
    assert made["CashBack"]["AccountRef"]["name"] == "Savings" and made["DepositToAccountRef"]["name"] == "Checking"
    assert made["Line"][0] == {
        "Amount": 226.75,
        "LinkedTxn": [{"TxnId": first["Id"], "TxnType": "Payment", "TxnLineId": "0"}],
    }
    assert made["Line"][1]["DepositLineDetail"] == {"PaymentMethodRef": {"value": "2"}, "CheckNum": "6552"}
    deposited = business.again(first)
    assert deposited["LinkedTxn"] == [{"TxnId": made["Id"], "TxnType": "Deposit"}]
    assert {**deposited, "LinkedTxn": 0} == {**first, "LinkedTxn": 0}  # neither its token nor its times have moved
    assert code(books.change("payment", deposited, PrivateNote="x")) == (400, "6540")
    receipt = books.get("salesreceipt", cash["Id"])
    assert receipt["LinkedTxn"][0]["TxnType"] == "Deposit"
    assert code(books.change("salesreceipt", receipt, PrivateNote="x")) == (400, "6540")
    fewer = books.changed("deposit", made, Line=made["Line"][1:])
    assert fewer["TotalAmt"] == 100 and "LinkedTxn" not in business.again(first)
    assert books.changed("payment", first, PrivateNote="free again")["SyncToken"] == "1"
    assert books.delete("deposit", fewer).status_code == 200
    assert "LinkedTxn" not in business.again(second)


def test_money_that_came_by_itself(books, business):
    detail = {"AccountRef": ref("34"), "Entity": {"value": business.customer["Id"], "type": "Customer"}}
    made = books.create(
        "deposit",
        DepositToAccountRef=ref("35"),
        Line=[{"Amount": 100, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}],
    )
    (row,) = made["Line"]
    assert (row["Id"], row["LineNum"], row["CustomExtensions"]) == ("1", 1, [])
    assert row["DepositLineDetail"]["AccountRef"] == {"value": "34", "name": "Opening Balance Equity"}
    assert row["DepositLineDetail"]["Entity"]["name"] == "Northway Hardware"
    assert books.query("select * from Deposit where TotalAmt = '100'")["totalCount"] == 1


def test_deposits_that_cannot_be(books, business):
    banked, paid = business.pay(5, DepositToAccountRef=ref("35")), business.pay(10)

    def row(known, amount, kind="Payment"):
        return {"Amount": amount, "LinkedTxn": [{"TxnId": known["Id"], "TxnType": kind}]}

    for lines, account, expected in (
        ([row(banked, 5)], "35", "620"),
        ([row(paid, 9)], "35", "620"),
        ([row({"Id": "999"}, 9)], "35", "620"),
        ([row(paid, 10, "Invoice")], "35", "620"),
        ([row(paid, 10), row(paid, 10)], "35", "6000"),
        ([{"Amount": 1}], "35", "2020"),
        ([{"LinkedTxn": [{"TxnId": paid["Id"], "TxnType": "Payment"}]}], "35", "2020"),
        ([], "35", "2250"),
        ([row(paid, 10)], "79", "6430"),
    ):
        refused = books.post("deposit", {"DepositToAccountRef": ref(account), "Line": lines})
        assert code(refused) == (400, expected), lines
    books.create("deposit", DepositToAccountRef=ref("35"), Line=[row(paid, 10)])
    assert code(books.post("deposit", {"DepositToAccountRef": ref("35"), "Line": [row(paid, 10)]})) == (400, "620")


def test_a_deposit_that_was_taken_with_an_invoice(books, business):
    made = business.bill(Deposit=40)
    assert (made["Balance"], made["Deposit"], made["TotalAmt"]) == (60, 40, 100) and business.owes() == 60
    assert made["DepositToAccountRef"] == {"value": "4", "name": "Undeposited Funds"}
    assert code(books.post("payment", business.payment(61, applied(made, 61)))) == (400, "6000")
    business.pay(60, applied(made, 60))
    assert business.again(made)["Balance"] == 0 and business.owes() == 0
    assert code(books.change("invoice", business.again(made), Deposit=101)) == (400, "6000")
    assert "Deposit" not in business.bill(Deposit=0)


def test_a_note_on_an_invoice(books, business):
    bill = business.bill()
    target = {"EntityRef": {"type": "Invoice", "value": bill["Id"]}, "IncludeOnSend": "false"}
    made = books.create("attachable", Note="This is an attached note.", AttachableRef=[target])
    assert made["AttachableRef"] == [{"EntityRef": {"type": "Invoice", "value": bill["Id"]}, "IncludeOnSend": False}]
    file = books.create("attachable", FileName="receipt.jpg", ContentType="image/jpeg", Category="Receipt")
    asked = f"AttachableRef.EntityRef.Type = 'invoice' and AttachableRef.EntityRef.value = '{bill['Id']}'"
    rows = books.query(f"select * from Attachable where {asked}")["Attachable"]
    assert [each["Id"] for each in rows] == [made["Id"]]
    assert books.create("attachable", file | {"Note": "x"})["SyncToken"] == "1"
    assert books.post("attachable", made, operation="delete").json()["Attachable"]["status"] == "Deleted"
    target["EntityRef"]["value"] = "999"
    for body, expected in (
        ({"Note": "x", "AttachableRef": [target]}, "2500"),
        ({}, "2020"),
        ({"Note": "x" * 2001}, "2050"),
    ):
        assert code(books.post("attachable", body)) == (400, expected)
