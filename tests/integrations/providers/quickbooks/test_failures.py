"""What goes wrong with books, and what a person is told of it."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from fieldcamp.formats import day
from integrations import errors
from tests.integrations.providers.quickbooks.conftest import (
    REALM,
    TODAY,
    customer,
    invoice,
    item,
    line,
    payment,
    refusal,
    rewrite,
    update,
    void,
)


def switch(intuit, **values) -> None:
    intuit.call("POST", "switches", json={"vendor": "intuit", "account": REALM, **values})


def close_books(intuit) -> None:
    rewrite(intuit, "Preferences", "1", AccountingInfoPrefs={"BookCloseDate": TODAY})


NAMES = {"Vendor": {"DisplayName": "Pat Jones"}, "Employee": {"GivenName": "Pat", "FamilyName": "Jones"}}


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("active", [True, False])
def test_a_name_that_a_customer_has(books, company, active):
    there = company.make("Customer", DisplayName="client 1")
    if not active:
        company.edit("Customer", there["Id"], Active=False, DisplayName="client 1")
    [outcome] = books.write("Customer", [customer()])
    if active:
        assert outcome.error.reason == "duplicate_name" and "another customer" in str(outcome.error)
        assert f"Customer {there['Id']}" in outcome.error.detail


@pytest.mark.parametrize(
    ("entity", "reason"), [("Vendor", "name_taken_by_vendor"), ("Employee", "name_taken_by_employee")]
)
def test_a_name_that_somebody_else_has(books, company, entity, reason):
    company.make(entity, **NAMES[entity])
    error = refusal(books, customer(display_name="Pat Jones"))
    assert isinstance(error, errors.Rejected)
    assert error.reason == reason and entity.lower() in str(error)


def test_a_refusal_is_not_remembered_once_its_cause_is_gone(books, company):
    """QuickBooks answers the same request id with the same words for a day."""
    there = company.make("Customer", DisplayName="Client 1")
    assert refusal(books, customer()).reason == "duplicate_name"
    company.edit("Customer", there["Id"], DisplayName="Somebody else")
    [outcome] = books.write("Customer", [customer()])
    assert outcome.error is None


def test_one_refusal_is_no_others(books, company, made, what):
    company.make("Customer", DisplayName="Client 2")
    outcomes = books.write("Customer", [customer(1), customer(2), customer(3)])
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert len([row for row in company.rows("Customer") if row["DisplayName"] in ("Client 1", "Client 3")]) == 2


# --- versions and references ------------------------------------------------------------------------------------------


def test_what_has_moved_on_is_stale(books, who, company):
    company.edit("Customer", who.id, GivenName="Dora")
    assert isinstance(refusal(books, update(who, email="x@example.com")), errors.Stale)
    seen = books.get("Customer", [who.id])[who.id]
    [outcome] = books.write("Customer", [update(seen, email="x@example.com")])
    assert outcome.record.fields["given_name"] == "Dora"


def test_what_was_deleted_is_gone(books, made, who, what, company):
    bill = made(invoice(who.id, what.id))
    company.delete("Invoice", bill.id)
    assert isinstance(refusal(books, update(bill, memo="x")), errors.Gone)
    assert isinstance(refusal(books, void(bill)), errors.Gone)


def test_what_is_inactive_or_gone_is_named(books, who, what, made, company, intuit):
    other = made(item(2, name="Sump check"))
    company.edit("Item", other.id, Active=False)
    error = refusal(books, invoice(who.id, what.id, lines=[line(what.id), line(other.id)]))
    assert isinstance(error, errors.Rejected) and error.reason == "inactive_reference"
    assert str(error) == (
        "The item “Sump check” is inactive in QuickBooks. Make it active there, or choose another; then retry."
    )
    gone = refusal(books, invoice(who.id, "9999", 2))
    assert str(gone) == "The item of the line “Work” is gone from QuickBooks. Choose another, then retry."
    company.edit("Customer", who.id, Active=False)
    error = refusal(books, invoice(who.id, what.id, 3))
    assert "The customer “Client 1” is inactive" in str(error) and error.detail
    error = refusal(books, invoice("9999", what.id, 4))
    assert "The customer is gone from QuickBooks. It may have been merged" in str(error)
    error = refusal(books, item(3, income_account="9999"))
    assert (error.reason, "The account is gone" in str(error)) == ("inactive_reference", True)


def test_what_is_inactive_is_named_where_an_edit_does_not_touch_it(books, who, what, made, company):
    """QuickBooks refuses the whole for a row that is sent as it stands."""
    other, bill_lines = made(item(2, name="Sump check")), [line(what.id)]
    bill = made(invoice(who.id, what.id, lines=[*bill_lines, line(other.id)]))
    company.edit("Item", other.id, Active=False)
    seen = books.get("Invoice", [bill.id])[bill.id]
    lines = [line(what.id, "3"), line(other.id)]
    error = refusal(books, update(seen, lines=lines, discount=None, tax_code=""))
    assert "The item “Sump check” is inactive" in str(error)


def test_an_item_without_an_account_is_not_sent(books, intuit):
    assert refusal(books, item(income_account="")).reason == "item_mapping"
    assert not any(row["method"] == "POST" for row in intuit.requests())


# --- transactions -----------------------------------------------------------------------------------------------------


def test_an_invoice_with_payments_is_not_voided(books, made, who, what, intuit):
    bill = made(invoice(who.id, what.id))
    made(payment(who.id, allocations=[{"invoice": bill.id, "amount": "30.00"}]))
    seen = books.get("Invoice", [bill.id])[bill.id]
    intuit.forget_requests()
    error = refusal(books, void(seen))
    assert error.reason == "has_payments" and "30.00" in str(error)
    assert all(row["method"] == "GET" for row in intuit.requests())


def test_closed_books_are_not_written_to(fresh, made, who, what, intuit):
    bill = made(invoice(who.id, what.id))
    close_books(intuit)
    intuit.forget_requests()
    books = fresh()
    for op in (invoice(who.id, what.id, 2), update(bill, memo="x"), void(bill), payment(who.id)):
        error = refusal(books, op)
        assert error.reason == "closed_period" and str(error).count(day(dt.date.fromisoformat(TODAY))) == 2
    assert not any(row["method"] == "POST" for row in intuit.requests())


def test_books_that_were_closed_a_moment_ago(books, made, who, what, intuit):
    made(invoice(who.id, what.id))
    close_books(intuit)
    assert refusal(books, invoice(who.id, what.id, 2)).reason == "closed_period"  # by QuickBooks itself


def test_a_payment_in_a_deposit_is_left_alone(books, made, who, intuit):
    paid = made(payment(who.id))
    assert not paid.fields["deposited"]
    rewrite(intuit, "Payment", paid.id, LinkedTxn=[{"TxnId": "900", "TxnType": "Deposit"}])
    seen = books.get("Payment", [paid.id])[paid.id]
    assert seen.fields["deposited"]
    assert refusal(books, void(seen)).reason == "deposited"
    assert refusal(books, update(seen, reference="R2")).reason == "deposited"


def test_a_number_that_is_taken(books, made, who, what, intuit):
    rewrite(intuit, "Preferences", "1", SalesFormsPrefs={"CustomTxnNumbers": True})
    switch(intuit, duplicate_number_warning=True)
    made(invoice(who.id, what.id))
    other = replace(invoice(who.id, what.id, 2), fields=invoice(who.id, what.id, 1).fields)
    assert refusal(books, other).reason == "duplicate_number"


def test_more_than_is_open_cannot_be_paid(books, made, who, what):
    bill = made(invoice(who.id, what.id))
    made(payment(who.id, amount="60.00", allocations=[{"invoice": bill.id, "amount": "60.00"}]))
    error = refusal(books, payment(who.id, 2, amount="101.00", allocations=[{"invoice": bill.id, "amount": "100.00"}]))
    assert isinstance(error, errors.Rejected) and error.reason == "over_applied"
    assert "Invoice FC-1 has 40.00 open in QuickBooks, and this payment applies 100.00 to it." in str(error)
    assert error.detail.startswith("6000")


def test_an_invoice_that_is_gone_cannot_be_paid(books, made, who, what, company):
    bill = made(invoice(who.id, what.id))
    company.delete("Invoice", bill.id)
    error = refusal(books, payment(who.id, allocations=[{"invoice": bill.id, "amount": "100.00"}]))
    assert error.reason == "inactive_reference" and "An invoice that this payment pays is gone" in str(error)


@pytest.mark.parametrize("number", [1, 5])
def test_a_refusal_holds_intuits_name_of_the_call(books, company, number):
    company.make("Customer", DisplayName="Client 0")
    outcomes = books.write("Customer", [customer(n) for n in range(number)])
    assert "(intuit_tid 1-" in outcomes[0].error.detail


def test_what_a_payment_pays_already_is_open_to_it(books, made, who, what):
    bill = made(invoice(who.id, what.id))
    paid = made(payment(who.id, amount="60.00", allocations=[{"invoice": bill.id, "amount": "60.00"}]))
    seen = books.get("Payment", [paid.id])[paid.id]
    error = refusal(books, update(seen, amount="120.00", allocations=[{"invoice": bill.id, "amount": "110.00"}]))
    assert "has 100.00 open" in str(error)
    error = refusal(books, update(seen, amount="-1.00", allocations=[{"invoice": bill.id, "amount": "60.00"}]))
    assert (error.reason, error.detail[:4]) == (None, "6000")  # another rule: nothing is said that is not so


def test_a_tax_that_is_not_mapped_is_not_sent(books, who, what, intuit):
    intuit.forget_requests()
    error = refusal(books, invoice(who.id, what.id, lines=[line(what.id, taxable=True)]))
    assert error.reason == "tax_mapping"
    assert not any(row["method"] == "POST" for row in intuit.requests())


def test_a_lapsed_subscription_reads_and_does_not_write(books, who, intuit):
    switch(intuit, subscription="lapsed")
    with pytest.raises(errors.Suspended) as caught:
        books.write("Customer", [customer(2)])
    assert (caught.value.reason, caught.value.code) == ("subscription", "PROVIDER_UNAVAILABLE")
    assert books.get("Customer", [who.id])[who.id].tag == who.tag
    assert not books.company().subscription_active
    switch(intuit, subscription="active")
    [outcome] = books.write("Customer", [customer(2)])
    assert outcome.error is None


def test_a_user_who_is_no_administrator_any_more(books, intuit):
    switch(intuit, user_is_admin=False)
    with pytest.raises(errors.NeedsReconnect):
        books.company()


def test_an_answer_that_lacks_a_part_is_lost_for_that_part(books, intuit):
    there = [
        {"bId": str(n), "Customer": {"Id": str(77 + n), "DisplayName": "x", "SyncToken": "0"}} for n in range(1, 5)
    ]
    intuit.fault("status", path="/batch", status=200, body={"BatchItemResponse": there})
    lost, *done = books.write("Customer", [customer(n) for n in range(5)])
    assert isinstance(lost.error, errors.Unavailable) and [one.record.id for one in done] == ["78", "79", "80", "81"]


@pytest.mark.parametrize("number", [1, 5])
def test_what_quickbooks_failed_at_is_not_asked_for_by_the_same_name_again(books, intuit, number):
    """It would be answered by the same failure for a day."""
    fault = {"Fault": {"Error": [{"Message": "An application error has occurred", "Detail": "x", "code": "10000"}]}}
    parts = [{"bId": str(n), **fault} for n in range(5)]
    body = {"BatchItemResponse": parts, "time": "2026-11-23T00:00:00Z"} if number > 1 else fault
    path = "/batch" if number > 1 else "/customer"
    intuit.fault("status", method="POST", path=f"{path}$", status=200, body=body)
    operations = [customer(n) for n in range(number)]
    if number == 1:
        with pytest.raises(errors.Unavailable):
            books.write("Customer", operations)
    else:
        assert all(isinstance(one.error, errors.Unavailable) for one in books.write("Customer", operations))
    assert [one.error for one in books.write("Customer", operations)] == [None] * number
    first, second = intuit.requests(path)
    assert first["query"] != second["query"]


def test_no_token_is_ever_printed(books, intuit, tokens):
    body = {
        "fault": {"error": [{"message": "m", "detail": f"Token expired: {tokens['access_token']}", "code": "3200"}]}
    }
    intuit.fault("status", path="/query", status=401, body=body, times=2)
    with pytest.raises(errors.NeedsReconnect) as caught:
        books.get("Customer", ["1"])
    assert tokens["access_token"] not in json.dumps([str(caught.value), caught.value.detail])
