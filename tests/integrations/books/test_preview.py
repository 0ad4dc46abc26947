"""The preview of a company's first sync says what that sync then does, and writes nothing."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from fieldcamp.workspace.models import Client, Invoice, Item, Payment
from integrations.admin.first_sync import dated_in
from integrations.errors import Unavailable
from integrations.models import Direction, JobItem, Link
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.api import QuickBooksClient
from integrations.services.books import preview as books_preview
from integrations.services.books.preview import preview_books
from integrations.services.books.preview_rows import Fate, Span, span_of
from integrations.transport import patience
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import TODAY, before_the_connection

WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest.mark.slow
def test_what_is_said_beforehand_is_what_happens(connect_books, books, sync, make_client, make_item, make_tax,
                                                 make_invoice, pay):  # fmt: skip
    books.add("Customer", DisplayName="Kim Reed", PrimaryEmailAddr={"Address": "kim@example.test"})
    books.add("Customer", DisplayName="Lou Chan")  # asked about
    books.add("Customer", DisplayName="Only There", PrimaryEmailAddr={"Address": "there@example.test"})
    services = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": "1"})
    kim = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    lou = make_client(first_name="Lou", last_name="Chan", email="lou@example.test")
    new = make_client(first_name="New", last_name="Client", email="new@example.test")
    item, known, odd = make_item(), make_tax("California", "0.08"), make_tax("Odd", "0.0333")
    first = make_invoice(kim, [(item, 1, "100")], tax_rate_id=known.pk)
    make_invoice(new, [(None, 1, "50.50")])
    make_invoice(lou, [(item, 1, "10")])  # waits for its client
    make_invoice(kim, [(item, 1, "10")], tax_rate_id=odd.pk)  # waits for its tax
    pay(first, "40")
    company = connect_books(default_item_id=services["Id"], import_customers=True, import_items=True)

    before = books.vendors.state("9130001")
    with CaptureQueriesContext(
        database,
    ) as asked:
        preview = preview_books(company)
    # The call's budget and the grant are all that a look at the provider writes down.
    tables = [query["sql"] for query in asked if query["sql"].startswith(WRITES)]
    assert not [sql for sql in tables if any(name in sql for name in ("link", "workspace_", "stream", "dirty"))]
    assert books.vendors.state("9130001") == before
    assert not Link.objects.exists()

    clients, items, taxes = (preview.counts[kind] for kind in ("customer", "item", "tax"))
    invoices, payments = preview.counts["invoice"], preview.counts["payment"]
    assert (clients.linked, clients.to_create, clients.to_bring_in, clients.asked) == (1, 1, 1, 1)
    assert (items.linked, items.to_create, items.to_bring_in) == (0, 1, 1)
    assert (taxes.linked, taxes.to_create, taxes.waiting) == (1, 0, 1)
    assert (invoices.to_create, invoices.waiting, preview.total) == (2, 2, Decimal("158.50"))
    assert (payments.to_create, payments.to_bring_in) == (1, 0)
    assert (preview.reasons, preview.closed, preview.complete) == ({"tax_mapping": 1}, 0, True)

    named = {key: [(row.name, row.amount) for row in rows] for key, rows in preview.rows.items() if rows}
    assert named["invoice", Fate.NEW_THERE] == [
        (f"{invoice.number}, {invoice.client}, 20 Nov 2026", str(invoice.total))
        for invoice in Invoice.objects.filter(total__in=("108.00", "50.50")).order_by("pk")
    ]
    assert [len(named["customer", fate]) for fate in (Fate.LINKED, Fate.NEW_THERE, Fate.NEW_HERE, Fate.ASKED)] == [
        1
    ] * 4
    assert all(row.there for row in preview.rows["customer", Fate.ASKED])
    assert (preview.paid, preview.receivable) == (40, preview.total - 40)

    job = sync()
    assert sum(money(row["Balance"]) for row in books.all("Invoice")) == preview.receivable
    assert sum(money(row["TxnTaxDetail"]["TotalTax"]) for row in books.all("Invoice")) == preview.tax
    made = {
        kind: JobItem.objects.filter(job=job, kind=kind, action="create_remote", outcome="pushed").count()
        for kind in preview.counts
    }
    brought = {kind: JobItem.objects.filter(job=job, kind=kind, action="create_local").count() for kind in made}
    assert made == {kind: count.to_create for kind, count in preview.counts.items()}
    assert brought == {kind: count.to_bring_in for kind, count in preview.counts.items()}
    waiting = clients.asked  # the invoice of the client about whom somebody is asked
    assert job.failed == clients.asked + preview.reasons["tax_mapping"] + waiting
    assert (Client.objects.count(), Item.objects.count(), Payment.objects.count()) == (4, 2, 1)
    after = preview_books(company)
    assert {count.to_create + count.to_bring_in for count in after.counts.values()} == {0}


@pytest.mark.slow
def test_what_the_direction_leaves_of_it(connect_books, books, make_client):
    books.add("Customer", DisplayName="Only There")
    make_client()
    pulled = connect_books(direction=Direction.PULL, import_customers=True)
    count = preview_books(pulled).counts["customer"]
    assert (count.to_create, count.to_bring_in) == (0, 1)
    pulled.streams.exclude(kind="tax").update(direction=Direction.PUSH)
    count = preview_books(pulled).counts["customer"]
    assert (count.to_create, count.to_bring_in) == (1, 0)


@pytest.mark.slow
def test_payments_made_there_are_taken_in_and_closed_books_are_said(company, books, make_client, make_item,
                                                                    make_invoice):  # fmt: skip
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    customer = books.add("Customer", DisplayName="Kim Reed", PrimaryEmailAddr={"Address": "kim@example.test"})
    invoice = make_invoice(client, [(make_item(), 1, "100")])
    late = make_invoice(client, [(None, 1, "25")])
    line = {"Amount": 100.0, "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": company.books.default_item_id}}}  # fmt: skip
    posted = books.add(
        "Invoice", DocNumber=invoice.number, CustomerRef={"value": customer["Id"]}, TxnDate=str(TODAY), Line=[line]
    )
    books.receive(posted, "60")
    before_the_connection(company)
    preview = preview_books(company)
    assert (preview.counts["invoice"].linked, preview.counts["invoice"].to_create) == (1, 1)
    assert (preview.counts["payment"].to_bring_in, preview.total) == (1, late.total)
    [posted_days, taken_days] = dated_in(preview, "QuickBooks")
    assert posted_days == "Invoices that are made in QuickBooks: 1, all of 20 Nov 2026."
    assert taken_days.startswith("Payments that are taken into FieldCamp: 1, all of ")
    company.books.company["closed_until"] = str(TODAY)
    company.books.save()
    preview = preview_books(company)
    assert (preview.closed, preview.total) == (1, Decimal(0))


def test_what_is_too_much_for_a_preview_is_said(company, books, make_client, monkeypatch):
    for number in range(3):
        make_client(first_name=f"Client {number}")
    monkeypatch.setattr(books_preview, "MOST", 2)
    assert not preview_books(company).complete


def test_what_slow_books_have_not_told_in_time_is_said(company, make_client, monkeypatch):
    make_client(first_name="Kim")
    told = QuickBooksClient.changes

    def slowly(*args, **kwargs):
        patience.spend(3)
        return told(*args, **kwargs)

    monkeypatch.setattr(QuickBooksClient, "changes", slowly)
    with patience.within(10):
        preview = preview_books(company)
    assert list(preview.counts) == ["customer", "item", "tax"] and preview.unread == ["invoice", "payment"]
    with patience.within(2), pytest.raises(Unavailable):
        preview_books(company)


def test_a_record_that_is_listed_twice_counts_once(connect_books, books, intuit, make_client, monkeypatch):
    """Of a crowd that was made in one second, each page begins where the last one did."""
    intuit.call("POST", "bulk", json={"vendor": "intuit", "account": books.realm, "customers": 5})
    there = [row for row in books.all("Customer") if row.get("PrimaryEmailAddr")][-1]
    make_client(first_name="Somebody", email=there["PrimaryEmailAddr"]["Address"])
    monkeypatch.setattr(addresses, "PAGE", 2)
    monkeypatch.setattr(addresses.select, "__defaults__", ("", 1, 2))
    count = preview_books(connect_books(import_customers=True)).counts["customer"]
    assert (count.linked, count.asked, count.linked + count.to_bring_in + count.left) == (
        1,
        0,
        len(books.all("Customer")),
    )


def test_which_days_documents_are_of():
    days = [dt.date(2026, 1, 31), dt.date(2026, 11, 2), dt.date(2026, 2, 1), dt.date(2026, 2, 1)]
    assert span_of(days) == Span(dt.date(2026, 1, 31), dt.date(2026, 11, 2), days=3, months=3)
    assert span_of([]) is None
