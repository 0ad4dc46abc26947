"""The first sync of a company's books: what is matched, made, brought in and asked about."""

from decimal import Decimal

import pytest

from fieldcamp.workspace.models import Client, Invoice, Item, Payment, TaxRate
from integrations.models import Link, Problem
from integrations.services.books.preview import preview_books
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import TODAY, before_the_connection, counts, said


@pytest.mark.slow
def test_everything_goes_over_in_the_order_in_which_it_depends(company, books, sync, make_client, make_item, make_tax,
                                                               make_invoice, pay):  # fmt: skip
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    item, tax = make_item(), make_tax()
    invoice = make_invoice(client, [(item, 2, "120"), (None, 1, "95.25")], tax_rate_id=tax.pk, memo="Thank you")
    payment = pay(invoice, "100", method="check", reference="CHK-1")
    job = sync()
    assert job.status == "succeeded", (job.errors, said(job, "failed"))
    customer = books.one("Customer", DisplayName="Kim Reed")
    assert customer["PrimaryEmailAddr"]["Address"] == "kim@example.test"
    posted = books.one("Invoice", DocNumber=invoice.number)
    invoice.refresh_from_db()
    assert posted["CustomerRef"]["value"] == customer["Id"]
    assert money(posted["TotalAmt"]) == invoice.total == Decimal("362.07")
    assert money(posted["TxnTaxDetail"]["TotalTax"]) == Decimal("26.82")
    assert money(posted["Balance"]) == Decimal("262.07") == invoice.balance
    received = books.one(
        "Payment", CustomerRef=customer["CustomerRef"] if "CustomerRef" in customer else posted["CustomerRef"]
    )
    assert (money(received["TotalAmt"]), received["PaymentRefNum"]) == (Decimal(100), "CHK-1")
    assert Link.objects.get(kind="payment", record_id=payment.pk).remote_id == received["Id"]
    quiet = sync()
    assert quiet.status == "succeeded" and (quiet.pulled, quiet.pushed, quiet.failed) == (0, 0, 0), said(
        quiet, "pushed"
    )
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_an_idle_sync_asks_once_for_all(company, intuit, sync, make_client):
    make_client()
    sync(), sync()
    intuit.forget_requests()
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    asked = [row["path"].rpartition("/")[2] for row in intuit.requests("/v3/company/")]
    assert asked == ["cdc"]


@pytest.mark.slow
def test_a_customer_with_the_same_email_is_the_same(company, books, sync, make_client):
    customer = books.add("Customer", DisplayName="Reed, K.", PrimaryEmailAddr={"Address": "KIM@example.test"})
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert Link.objects.get(kind="customer", record_id=client.pk).remote_id == customer["Id"]
    now = books.get("Customer", customer["Id"])
    assert (now["DisplayName"], now["GivenName"], now["FamilyName"]) == ("Reed, K.", "Kim", "Reed")
    assert len(books.all("Customer")) == 1
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_the_same_name_alone_is_asked_about(company, books, sync, make_client):
    books.add("Customer", DisplayName="Kim Reed")
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    for _ in range(2):
        job = sync()
        assert (job.status, job.failed) == ("partial", 1)
    problem = Problem.objects.get(resolved_at=None)
    assert (problem.record_id, problem.data["reason"]) == (client.pk, "match")
    assert len(books.all("Customer")) == 1


@pytest.mark.slow
def test_customers_and_items_come_in_where_that_is_chosen(connect_books, books, sync):
    address = {"Line1": "4581 Finch St.", "City": "Bayshore"}
    books.add("Customer", DisplayName="Amy's Bird Sanctuary", CompanyName="Amy's Bird Sanctuary", BillAddr=address,
              PrimaryEmailAddr={"Address": "amy@birds.test"})  # fmt: skip
    income = next(row for row in books.all("Account", "WHERE Active = true") if row["AccountType"] == "Income")
    books.add("Item", Name="Gardening", Type="Service", UnitPrice=35.5, IncomeAccountRef={"value": income["Id"]})
    connect_books(import_customers=True, import_items=True)
    job = sync()
    assert job.status == "succeeded", job.errors
    client = Client.objects.get(company_name="Amy's Bird Sanctuary")
    assert (client.email, client.billing_address["city"]) == ("amy@birds.test", "Bayshore")
    assert Item.objects.get(name="Gardening").price == Decimal("35.5")
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_what_only_the_books_have_stays_there_where_that_is_chosen(company, books, sync):
    books.add("Customer", DisplayName="Amy's Bird Sanctuary")
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert not Client.objects.exists()


@pytest.mark.slow
def test_tax_codes_are_taken_over_and_none_is_made(company, books, sync, make_tax):
    same, other = make_tax("California", "0.08"), make_tax("County", "0.0725")
    before = len(books.all("TaxCode"))
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert Link.objects.get(kind="tax", record_id=same.pk).remote_id == "2"
    assert not Link.objects.filter(record_id=other.pk).exists()
    assert len(books.all("TaxCode")) == before
    tucson = TaxRate.objects.get(name__icontains="tucson")
    assert (tucson.rate, len(tucson.components)) == (Decimal("0.091"), 2)


@pytest.mark.slow
def test_an_invoice_waits_for_its_tax_to_be_mapped(
    company, books, sync, make_client, make_item, make_tax, make_invoice
):
    tax = make_tax("County", "0.08")
    invoice = make_invoice(make_client(), [(make_item(), 1, "100")], tax_rate_id=tax.pk)
    job = sync()
    assert (job.status, job.failed) == ("partial", 1)
    assert Problem.objects.get(resolved_at=None).data["reason"] == "tax_mapping"
    assert books.all("Invoice") == []
    Link.objects.filter(kind="tax", remote_id="2").update(record_id=tax.pk)
    assert sync().failed == 0
    assert books.one("Invoice", DocNumber=invoice.number)


@pytest.mark.slow
def test_an_invoice_that_the_books_have_already_is_not_posted_again(company, books, sync, make_client, make_item,
                                                                    make_invoice):  # fmt: skip
    client, item = make_client(first_name="Kim", last_name="Reed", email="kim@example.test"), make_item()
    sync()
    customer = books.one("Customer", DisplayName="Kim Reed")
    there = books.one("Item", Name=item.name)
    detail = {"ItemRef": {"value": there["Id"]}, "TaxCodeRef": {"value": "NON"}}
    line = {"Description": "Work", "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    for number, amount in (("1001", 100), ("1002", 70)):
        day, lines = TODAY.isoformat(), [{**line, "Amount": amount}]
        books.add(
            "Invoice", DocNumber=number, CustomerRef={"value": customer["Id"]}, TxnDate=day, DueDate=day, Line=lines
        )
    for number, price in (("1001", "100"), ("1002", "80")):
        make_invoice(client, [(item, 1, price)], number=number)
    before_the_connection(company)
    job = sync()
    assert (job.status, job.failed) == ("partial", 1)
    assert len(books.all("Invoice")) == 2
    assert Problem.objects.get(resolved_at=None).data["reason"] == "match"


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["customers", "items", "taxes", "invoices", "payments"])
def test_a_scope_walks_only_its_records(company, books, sync, scope, make_client, make_item, make_invoice, pay):
    pay(make_invoice(make_client(), [(make_item(), 1, "100")]), "100")
    sync(scope=scope)
    made = {name: len(books.all(name)) for name in ("Customer", "Item", "Invoice", "Payment")}
    assert {name for name, count in made.items() if count} <= {scope.removesuffix("s").title(), "Item"}
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert [len(books.all(name)) for name in ("Customer", "Invoice", "Payment")] == [1, 1, 1]
    assert Invoice.objects.get().status == "paid" and Payment.objects.count() == 1


@pytest.mark.slow
def test_what_quickbooks_has_no_room_for_is_written_once(company, books, sync, make_client):
    make_client(
        first_name="Kim: the\tplumber",
        last_name="O'Hara & Söhne 🛠",
        phone_number={"number": "555-0100 ext. 12345 (ask for Kim, mornings)"},
        billing_address={"street": "\n".join(f"Line {number}" for number in range(8)), "city": "Albany"},
    )
    assert counts(sync())[1] == 1
    (customer,) = books.all("Customer")
    assert ":" not in customer["DisplayName"] and customer["GivenName"] == "Kim the plumber"
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
def test_an_inactive_customer_is_asked_about_and_never_linked_unasked(connect_books, books, sync, make_client):
    old = books.add("Customer", DisplayName="Kim Reed", GivenName="Kim", FamilyName="Reed",
                    PrimaryEmailAddr={"Address": "kim@example.test"})  # fmt: skip
    books.edit("Customer", old["Id"], Active=False)
    client = make_client(first_name="Kim", last_name="Reed", email="kim@example.test")
    company = connect_books(import_customers=True)
    assert preview_books(company).counts["customer"].asked == 1
    for _ in range(2):
        sync()
        problem = Problem.objects.listed().get()
        assert (problem.record_id, problem.data["candidates"]) == (client.pk, [old["Id"]])
        assert "who is inactive" in problem.message
    assert len(books.all("Customer")) == 1
    books.edit("Customer", old["Id"], Active=True)
    assert sync().errors == []
    assert Link.objects.get(record_id=client.pk).remote_id == old["Id"]
