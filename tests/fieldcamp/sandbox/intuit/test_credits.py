"""Credit memos, and how they settle invoices: by a payment of nothing, beside money, or by themselves."""

import pytest

from .business import Business, applied, line, ref
from .conftest import PLUMBING, code

NOTE = "Created by QB Online to link credits to charges."


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def memo(books, business):
    def memo(amount=30, **fields):
        return books.create("creditmemo", business.draft(line(business.item, 1, amount), **fields))

    return memo


@pytest.fixture
def by_itself(app):
    kept = app.vendors["intuit"].books(PLUMBING)
    stored = kept.the("Preferences")
    kept.change(stored, stored.body | {"SalesFormsPrefs": stored.body["SalesFormsPrefs"] | {"AutoApplyCredit": True}})


def credit(memo, amount):
    """A payment's line that uses a credit memo."""
    return {"Amount": amount, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]}


def test_a_credit_memo_has_what_a_real_one_has(books, business):
    business.bill(DocNumber="1049")
    made = books.create("creditmemo", business.draft(line(business.item, 1, 100, "NON")))
    assert set(made) == {
        *("RemainingCredit", "domain", "sparse", "Id", "SyncToken", "MetaData", "CustomField", "DocNumber", "TxnDate"),
        *("CurrencyRef", "Line", "TxnTaxDetail", "CustomerRef", "BillAddr", "FreeFormAddress", "ShipFromAddr"),
        *("TotalAmt", "ApplyTaxAfterDiscount", "PrintStatus", "EmailStatus", "Balance"),
    }
    assert (made["DocNumber"], made["Balance"], made["RemainingCredit"], made["SyncToken"]) == ("1050", 100, 100, "0")
    assert business.owes() == 0
    assert books.query("select * from CreditMemo where DocNumber = '1050'")["CreditMemo"][0]["TotalAmt"] == 100


def test_a_payment_of_nothing_applies_it(books, business, memo):
    bill, given = business.bill(), memo(30)
    assert business.owes() == 70
    paid = business.pay(0, applied(bill, 30), credit(given, 30), PrivateNote=NOTE)
    assert (paid["UnappliedAmt"], paid["TotalAmt"]) == (0, 0) and "DepositToAccountRef" not in paid
    pairs = [
        {each["value"]["Name"]: each["value"]["Value"] for each in row["LineEx"]["any"]}
        for row in business.again(paid)["Line"]
    ]
    assert [each["txnOpenBalance"] for each in pairs] == ["100.00", "30.00"]
    assert [each["txnReferenceNumber"] for each in pairs] == [bill["DocNumber"], given["DocNumber"]]
    later, used = business.again(bill), books.get("creditmemo", given["Id"])
    assert later["Balance"] == 70 and later["LinkedTxn"] == [{"TxnId": paid["Id"], "TxnType": "Payment"}]
    assert (used["RemainingCredit"], used["Balance"], used["SyncToken"]) == (0, 0, "1") and "LinkedTxn" not in used
    assert business.owes() == 70
    assert code(books.delete("creditmemo", used)) == (400, "800")
    assert code(books.change("creditmemo", used, Line=[line(business.item, 1, 20)])) == (400, "6000")
    assert books.delete("payment", paid).json()["Payment"]["status"] == "Deleted"
    assert books.get("creditmemo", given["Id"])["RemainingCredit"] == 30 and business.again(bill)["Balance"] == 100
    assert books.delete("creditmemo", books.get("creditmemo", given["Id"])).status_code == 200
    assert business.owes() == 100


def test_money_and_credit_settle_together(books, business, memo):
    bill, given = business.bill(), memo(30)
    paid = business.pay(75, applied(bill, 100), credit(given, 30))
    assert paid["UnappliedAmt"] == 5 and business.again(bill)["Balance"] == 0 and business.owes() == -5
    less = books.changed("payment", paid, Line=[applied(bill, 100), credit(given, 25)])
    assert less["UnappliedAmt"] == 0 and books.get("creditmemo", given["Id"])["RemainingCredit"] == 5
    noted = books.changed("payment", less, PrivateNote="by hand")
    assert noted["Line"] == less["Line"]
    lower = books.changed("invoice", business.again(bill), Line=[line(business.item, 1, 20)])
    assert (lower["Balance"], lower["TotalAmt"]) == (0, 20)
    back = business.again(paid)
    assert [each["Amount"] for each in back["Line"]] == [20, 20] and back["UnappliedAmt"] == 75
    assert books.get("creditmemo", given["Id"])["RemainingCredit"] == 10


@pytest.mark.parametrize(
    ("total", "invoice", "credits", "expected"),
    [(0, 30, 20, "6000"), (0, 20, 30, "6000"), (0, 40, 40, "6000"), (0, 0, 30, "6000"), (10, 30, 15, "6000")],
)
def test_credits_that_do_not_fit(books, business, memo, total, invoice, credits, expected):
    bill, given = business.bill(), memo(30)
    lines = [applied(bill, invoice)] if invoice else []
    refused = books.post("payment", business.payment(total, *lines, credit(given, credits)))
    assert code(refused) == (400, expected)
    assert "Business Validation Error" in refused.json()["Fault"]["Error"][0]["Detail"]


def test_another_customers_credit(books, business, memo):
    given = memo(30)
    stranger = books.create("customer", DisplayName="Stranger")
    bill = business.bill(CustomerRef=ref(stranger))
    body = business.payment(0, applied(bill, 30), credit(given, 30), CustomerRef=ref(stranger))
    assert code(books.post("payment", body)) == (400, "620")


def test_voiding_an_invoice_opens_its_credits_again(books, business, memo):
    books.switch(void_refused_with_payments=False)
    bill, given = business.bill(), memo(30)
    paid = business.pay(0, applied(bill, 30), credit(given, 30))
    gone = books.void("invoice", business.again(bill)).json()["Invoice"]
    assert (gone["LinkedTxn"], gone["Balance"]) == ([], 0)
    assert business.again(paid)["Line"] == [] and business.again(paid)["UnappliedAmt"] == 0
    assert books.get("creditmemo", given["Id"])["RemainingCredit"] == 30 and business.owes() == -30


def test_credits_apply_themselves_where_that_is_wanted(books, business, memo, by_itself):
    first, second = memo(30, TxnDate="2026-11-01"), memo(90, TxnDate="2026-11-02")
    bill = business.bill(TxnDate="2026-11-05")
    assert bill["Balance"] == 0 and bill["LinkedTxn"][0]["TxnType"] == "Payment"
    linked = books.get("payment", bill["LinkedTxn"][0]["TxnId"])
    assert (linked["TotalAmt"], linked["PrivateNote"], linked["TxnDate"]) == (0, NOTE, "2026-11-05")
    assert [each["Amount"] for each in linked["Line"]] == [100, 30, 70]
    assert [books.get("creditmemo", each["Id"])["RemainingCredit"] for each in (first, second)] == [0, 20]
    other = business.bill(line(business.item, 1, 50))
    assert other["Balance"] == 30
    third = memo(45)
    assert third["RemainingCredit"] == 15 and business.again(other)["Balance"] == 0 and business.owes() == -15


def test_credits_wait_where_it_is_not(business, memo):
    memo(30)
    assert business.bill()["Balance"] == 100


def test_in_a_closed_period(books, business, memo, app):
    from fieldcamp.sandbox.intuit import preferences

    given = memo(30, TxnDate="2026-09-01")
    bill = business.bill()
    kept = app.vendors["intuit"].books(PLUMBING)
    kept.change(kept.the("Preferences"), preferences.with_books_closed(kept.the("Preferences").body, "2026-09-30"))
    assert code(books.change("creditmemo", given, Line=[line(business.item)])) == (400, "6210")
    assert code(books.post("payment", business.payment(0, applied(bill, 30), credit(given, 30)))) == (400, "6210")
