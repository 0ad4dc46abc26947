"""Reads and writes at the simulator: what was written is what is read."""

import pytest

from integrations import errors
from integrations.providers.quickbooks.api import make_id
from integrations.records import Operation, Verb
from tests.integrations.providers.quickbooks.conftest import (
    REALM,
    TODAY,
    customer,
    invoice,
    item,
    line,
    payment,
    update,
    void,
)


def sent_as_read(record, op):
    assert {name: record.fields[name] for name in op.fields} == dict(op.fields)


def test_whose_books_they_are(http, quickbooks):
    account = quickbooks.identify(http, {"realmId": REALM})
    assert (account.id, account.name) == (REALM, "Dana's Plumbing")


@pytest.mark.parametrize("realm", ["", "../me", "9130001/../9130002", "９１３", "1" * 30])
def test_a_company_that_is_no_number_gets_into_no_address(http, quickbooks, intuit, realm):
    intuit.forget_requests()
    with pytest.raises(errors.Unavailable):
        quickbooks.identify(http, {"realmId": realm})
    with pytest.raises(errors.NeedsReconnect):
        quickbooks.open(http, realm)
    assert intuit.requests() == []


def test_the_company(books, intuit):
    company = books.company()
    assert (company.id, company.country, company.currency, company.tax_mode) == (REALM, "US", "USD", "manual")
    assert company.subscription_active and not company.multi_currency
    books.company()
    assert len(intuit.requests()) == 2


def test_what_a_person_can_choose(books):
    accounts = {row.id: row.name for row in books.references("income_account")}
    assert accounts["87"] == "Plumbing Services" and "35" not in accounts
    assert {row.name: row.detail for row in books.references("tax_code")}["California"] == "0.08"
    assert all(row.id and row.name for row in books.references("item"))


def test_containers_are_the_lists_that_are_synced(books):
    assert [row.id for row in books.containers()] == ["Customer", "Item", "TaxCode", "Invoice", "Payment"]


def test_each_kind_reads_as_it_was_written(books, made):
    who_op, what_op = customer(), item()
    who, what = made(who_op), made(what_op)
    sent_as_read(who, who_op)
    sent_as_read(what, what_op)
    bill_op = invoice(who.id, what.id, discount={"percent": "10"}, lines=[
        line(what.id, "3", "33.333333"), line(what.id, "1.25", "80", taxable=True),
    ], tax_code="2")  # fmt: skip
    bill = made(bill_op)
    sent_as_read(bill, bill_op)
    assert bill.fields["total"] == bill.fields["balance"] == "187.20"  # 200 - 10 %, and 8 % of 90
    paid_op = payment(who.id, amount="150.00", allocations=[{"invoice": bill.id, "amount": "100.00"}])
    paid = made(paid_op)
    sent_as_read(paid, paid_op)
    assert paid.fields["unapplied"] == "50.00"
    for container, record in (("Customer", who), ("Item", what), ("Payment", paid)):
        assert books.get(container, [record.id])[record.id].fields == record.fields
    again = books.get("Invoice", [bill.id])[bill.id]
    assert again.fields == {**bill.fields, "balance": "87.20"}
    assert again.marker and again.marker.remote_id == bill_op.remote_id and again.ours


def test_an_update_changes_what_it_names(books, made, company):
    record = made(customer())
    company.edit("Customer", record.id, Notes="Gate code 1234")
    seen = books.get("Customer", [record.id])[record.id]
    [outcome] = books.write("Customer", [update(seen, email="new@example.com", phone="", bill_address=None)])
    assert outcome.record.fields == {
        **record.fields, "email": "new@example.com", "phone": "", "bill_address": None,
    }  # fmt: skip
    assert company.read("Customer", record.id)["Notes"] == "Gate code 1234"


def test_a_bookkeepers_note_outlives_an_update_and_our_mark_too(books, made, company):
    bill = made(invoice(made(customer()).id, made(item()).id))
    note = company.read("Invoice", bill.id)["PrivateNote"]
    company.edit("Invoice", bill.id, PrivateNote=f"Call first\n{note}")
    seen = books.get("Invoice", [bill.id])[bill.id]
    [outcome] = books.write("Invoice", [update(seen, memo="New words")])
    assert outcome.record.marker == bill.marker
    assert company.read("Invoice", bill.id)["PrivateNote"] == f"Call first\n{note}"


def test_thirty_writes_are_one_call(books, intuit):
    outcomes = books.write("Customer", [customer(number) for number in range(30)])
    assert all(outcome.record.made_with == make_id(f"customer {n}") for n, outcome in enumerate(outcomes))
    assert [row["path"].rsplit("/", 1)[-1] for row in intuit.requests()] == ["batch"]


def test_more_than_a_batch_is_a_mistake_of_the_caller(books):
    with pytest.raises(ValueError, match="30"):
        books.write("Customer", [customer(number) for number in range(31)])


def test_no_operation_is_no_call(books, intuit):
    assert books.write("Invoice", []) == []
    assert books.get("Invoice", []) == {}
    assert books.get("TaxCode", []) == {}
    assert intuit.requests() == []


def test_what_never_was_is_a_tombstone(books):
    found = books.get("Customer", ["999999", "odd id'; drop"])
    assert all(record.gone for record in found.values())


def test_an_inactive_record_is_read_under_its_name(books, made, company):
    record = made(customer())
    company.edit("Customer", record.id, Active=False)
    seen = books.get("Customer", [record.id])[record.id]
    assert (seen.fields["active"], seen.fields["display_name"]) == (False, "Client 1")


def test_an_item_is_made_inactive_and_active_again(books, made):
    record = made(item())
    for active in (False, True):
        [outcome] = books.write("Item", [update(record, active=active)])
        record = outcome.record
        assert (record.fields["active"], record.fields["name"]) == (active, "Drain 1")


def test_a_void_is_a_call_of_its_own_and_read_as_one(books, made, intuit):
    bill = made(invoice(made(customer()).id, made(item()).id))
    [outcome] = books.write("Invoice", [void(bill)])
    assert outcome.record.fields["voided"] and outcome.record.fields["total"] == "0.00"
    assert outcome.record.marker == bill.marker
    assert books.get("Invoice", [bill.id])[bill.id].fields["voided"]


def test_a_payment_is_voided_and_its_invoice_open_again(books, made):
    who, what = made(customer()), made(item())
    bill = made(invoice(who.id, what.id))
    paid = made(payment(who.id, allocations=[{"invoice": bill.id, "amount": "100.00"}]))
    [outcome] = books.write("Payment", [void(paid)])
    assert outcome.error is None and outcome.record.fields["voided"]
    assert books.get("Invoice", [bill.id])[bill.id].fields["balance"] == "100.00"


def test_a_payment_is_moved_to_another_invoice(books, made):
    who, what = made(customer()), made(item())
    first, second = (made(invoice(who.id, what.id, number)) for number in (1, 2))
    paid = made(payment(who.id, allocations=[{"invoice": first.id, "amount": "100.00"}]))
    moved = [{"invoice": second.id, "amount": "60.00"}]
    [outcome] = books.write("Payment", [update(paid, amount="100.00", allocations=moved)])
    assert outcome.record.fields["allocations"] == moved
    assert outcome.record.fields["unapplied"] == "40.00"


def test_nothing_is_deleted_and_no_tax_code_made(books, made):
    record = made(customer())
    [outcome] = books.write("Customer", [Operation("d", Verb.DELETE, "customer", record.id, tag=record.tag)])
    assert isinstance(outcome.error, errors.Rejected)
    [outcome] = books.write("TaxCode", [Operation("t", Verb.CREATE, "tax", make_id("t"), {"name": "x"})])
    assert outcome.error.reason == "tax_mapping"
    assert not books.get("Customer", [record.id])[record.id].gone


def test_a_tax_code_and_its_rates(books):
    found = {
        record.fields["name"]: record.fields
        for record in books.get("TaxCode", ["2", "3", "TAX"]).values()
        if not record.gone
    }
    assert found["Tucson"]["rate"] == "0.091" and len(found["Tucson"]["components"]) == 2
    assert set(found) == {"California", "Tucson"}


def test_a_void_that_was_never_posted_makes_nothing(books, made, company):
    op = invoice(made(customer()).id, made(item()).id, voided=True, date=TODAY)
    [outcome] = books.write("Invoice", [op])
    assert isinstance(outcome.error, errors.Rejected)
    assert company.rows("Invoice") == []
