"""Void, delete, closed books, deposits, a lapsed subscription, and numbers of one's own."""

import pytest

from fieldcamp.sandbox.intuit import preferences

from .business import Business, applied, line, percent_off, tax_code
from .conftest import code


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def prefer(app):
    """Changes the plumbing company's preferences as its page does."""

    def prefer(change):
        kept = app.vendors["intuit"].books("9130001")
        stored = kept.the("Preferences")
        kept.change(stored, change(stored.body))

    return prefer


def closed(day):
    return lambda body: preferences.with_books_closed(body, day)


def test_voiding_an_invoice(books, business):
    lines = [line(business.item, 2, 100), percent_off(10)]
    made = business.bill(*lines, **tax_code("2"), PrivateNote="call first")
    gone = books.void("invoice", made).json()["Invoice"]
    assert (gone["TotalAmt"], gone["Balance"], gone["TxnTaxDetail"]["TotalTax"]) == (0, 0, 0)
    assert [each["Amount"] for each in gone["Line"]] == [0, 0, 0] and gone["LinkedTxn"] == []
    assert gone["Line"][0]["SalesItemLineDetail"]["Qty"] == 0
    assert gone["PrivateNote"] == "Voided - call first" and gone["DocNumber"] == made["DocNumber"]
    assert gone["SyncToken"] == "1" and business.owes() == 0
    assert books.void("invoice", gone).json()["Invoice"]["SyncToken"] == "1"
    assert books.void("invoice", business.bill()).json()["Invoice"]["PrivateNote"] == "Voided"


def test_voiding_what_is_paid(books, business):
    made = business.bill()
    paid = business.pay(80, applied(made, 80))
    assert code(books.void("invoice", business.again(made))) == (400, "6000")
    books.switch(void_refused_with_payments=False)
    gone = books.void("invoice", business.again(made)).json()["Invoice"]
    assert (gone["TotalAmt"], gone["Balance"], gone["LinkedTxn"]) == (0, 0, [])
    assert business.again(paid)["UnappliedAmt"] == 80 and business.owes() == -80


def test_deleting_an_invoice(books, business):
    made = business.bill()
    paid = business.pay(80, applied(made, 80))
    assert code(books.delete("invoice", business.again(made))) == (400, "800")
    books.changed("payment", paid, Line=[])
    assert books.delete("invoice", business.again(made)).json()["Invoice"]["status"] == "Deleted"
    assert code(books.call("GET", f"invoice/{made['Id']}")) == (400, "610") and business.owes() == -80
    assert code(books.post("payment", business.payment(1, applied(made, 1)))) == (400, "620")


def test_closed_books(books, business, prefer):
    old, new = business.bill(TxnDate="2026-09-30"), business.bill(TxnDate="2026-10-01")
    paid = business.pay(10, applied(old, 10), TxnDate="2026-09-30")
    prefer(closed("2026-09-30"))
    assert books.single("preferences")["AccountingInfoPrefs"]["BookCloseDate"] == "2026-09-30"
    old = business.again(old)
    for refused in (
        books.post("invoice", business.draft(TxnDate="2026-09-30")),
        books.change("invoice", old, Line=[line(business.item, 1, 5)]),
        books.change("invoice", old, TxnDate="2026-10-02"),
        books.change("invoice", new, TxnDate="2026-09-01"),
        books.void("invoice", old),
        books.delete("invoice", old),
        books.post("payment", business.payment(5, applied(old, 5))),
        books.change("payment", paid, TotalAmt=20),
        books.void("payment", paid),
        books.delete("payment", paid),
    ):
        assert code(refused) == (400, "6210")
    assert books.changed("invoice", old, PrivateNote="a note may change")["SyncToken"] == "2"
    assert books.changed("invoice", new, Line=[line(business.item, 1, 5)])["TotalAmt"] == 5
    prefer(closed(""))
    assert "BookCloseDate" not in books.single("preferences")["AccountingInfoPrefs"]
    assert books.void("invoice", business.again(new)).status_code == 200


def test_deposited_and_settled(app, books, business):
    from fieldcamp.sandbox.intuit import deposit, payment

    kept = app.vendors["intuit"].books("9130001")
    made, card = business.pay(10), business.pay(20)
    deposit.put(kept, [kept.the("Payment", made["Id"])])
    made = business.again(made)
    assert made["LinkedTxn"][0]["TxnType"] == "Deposit" and made["SyncToken"] == "0"
    for refused in (
        books.change("payment", made, PrivateNote="x"),
        books.void("payment", made),
        books.delete("payment", made),
    ):
        assert code(refused) == (400, "6540")
    deposit.take_back(kept, kept.the("Payment", made["Id"]))
    assert books.void("payment", business.again(made)).status_code == 200
    payment.settle_card(kept, kept.the("Payment", card["Id"]))
    card = business.again(card)
    assert code(books.void("payment", card)) == code(books.delete("payment", card)) == (400, "6450")
    assert books.change("payment", card, PrivateNote="ok").status_code == 200


def test_a_lapsed_subscription(books, business):
    made, paid = business.bill(), business.pay(5)
    books.switch(subscription="lapsed")
    for refused in (
        books.post("customer", {"DisplayName": "New"}),
        books.post("invoice", business.draft()),
        books.change("invoice", made, PrivateNote="x"),
        books.void("invoice", made),
        books.delete("invoice", made),
        books.void("payment", paid),
        books.call("POST", f"invoice/{made['Id']}/send", sendTo="a@b.test"),
        books.post("taxservice/taxcode", {"TaxCode": "X", "TaxRateDetails": [{"TaxRateId": "3"}]}),
    ):
        assert code(refused) == (400, "6190")
    status = {"Name": "SubscriptionStatus", "Value": "EXPIRED"}
    assert status in books.single(f"companyinfo/{books.account}")["NameValue"]
    assert business.again(made)["TotalAmt"] == 100
    books.switch(subscription=None)
    assert status | {"Value": "PAID"} in books.single(f"companyinfo/{books.account}")["NameValue"]
    assert books.void("invoice", made).status_code == 200


def test_numbers_of_ones_own(books, business, prefer):
    prefer(lambda body: preferences.with_sales_forms(body, CustomTxnNumbers=True))
    assert "DocNumber" not in business.bill()
    assert business.bill(DocNumber="AUTO_GENERATE")["DocNumber"] == "1001"
    first = business.bill(DocNumber="F-1")
    assert business.bill(DocNumber="F-1")["DocNumber"] == "F-1"
    books.switch(duplicate_number_warning=True)
    refused = books.post("invoice", business.draft(DocNumber="f-1"))
    assert code(refused) == (400, "6140")
    assert f"TxnType=Invoice with TxnId={first['Id']}" in refused.json()["Fault"]["Error"][0]["Detail"]
    assert books.changed("invoice", first, PrivateNote="its own number")["DocNumber"] == "F-1"


def test_a_company_that_wants_a_class_or_a_location(books, business, prefer):
    made = business.bill()
    chosen = {"value": books.create("class", Name="Own")["Id"]}
    books.switch(category_required="class")
    refused = books.post("invoice", business.draft())
    assert code(refused) == (400, "6000") and "have a class before you save" in refused.text
    assert business.bill(ClassRef=chosen)["ClassRef"]["value"] == chosen["value"]
    tracked = {"ClassTrackingPerTxnLine": True}
    prefer(lambda body: body | {"AccountingInfoPrefs": body["AccountingInfoPrefs"] | tracked})
    assert code(books.post("invoice", business.draft(ClassRef=chosen))) == (400, "6000")
    sold = line(business.item, 1, 5)
    sold["SalesItemLineDetail"]["ClassRef"] = chosen
    assert business.bill(sold)["TotalAmt"] == 5
    books.switch(category_required="location")
    assert code(books.post("invoice", business.draft())) == (400, "6000")
    books.switch(category_required=None)
    assert books.changed("invoice", made, PrivateNote="as before")["PrivateNote"] == "as before"
