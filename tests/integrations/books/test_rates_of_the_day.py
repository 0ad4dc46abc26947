"""Taxes that change while invoices are out: both sides keep what was billed."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import invoicing
from fieldcamp.workspace.models import Client, Invoice, TaxRate
from integrations.models import Problem
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import TODAY, counts, said

CALIFORNIA, CHANGES = "3", "2026-11-10"


@pytest.fixture
def raised(books):
    """California's rate is another from that day on, as somebody has set it in the books."""
    return lambda: books.click("settings", action="rate", tax_rate=CALIFORNIA, percent="8.5", **{"from": CHANGES})


def bill(make_invoice, client: Client, tax: TaxRate, date: str) -> Invoice:
    return make_invoice(client, [(None, 1, "1000")], tax_rate_id=tax.pk, date=TODAY.fromisoformat(date))


def there(books, invoice: Invoice) -> tuple[Decimal, Decimal]:
    body = books.one("Invoice", DocNumber=invoice.number)
    return money(body["TotalAmt"]), money(body["TxnTaxDetail"]["TotalTax"])


def agree(books, invoice: Invoice, total: str) -> None:
    invoice.refresh_from_db()
    assert there(books, invoice)[0] == invoice.total == Decimal(total)
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.slow
def test_other_words_move_no_total_on_either_side(company, books, sync, raised, make_client, make_tax, make_invoice):
    client, tax = make_client(email="kim@reed.test"), make_tax()
    invoice = bill(make_invoice, client, tax, "2026-11-01")
    assert sync().status == "succeeded"
    raised()
    sync(mode="full")
    tax.refresh_from_db()
    assert [(part["from"][:4], part["components"][0]["rate"]) for part in tax.history] == [
        ("2014", "0.08"),
        ("2026", "0.085"),
    ]
    Client.objects.filter(pk=client.pk).update(email="another@reed.test")
    line = {"description": "Other words", "quantity": Decimal(1), "unit_price": Decimal(1000)}
    invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes={"lines": [line]})
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    agree(books, invoice, "1080.00")
    assert books.one("Invoice", DocNumber=invoice.number)["Line"][0]["Description"] == "Other words"
    assert books.one("Invoice", DocNumber=invoice.number)["BillEmail"]["Address"] == "kim@reed.test"
    assert counts(sync("full"))[:2] == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("date", "total"), [("2026-11-01", "1080.00"), ("2026-11-20", "1085.00")])
def test_a_new_invoice_has_the_rate_of_its_day(
    company, books, sync, raised, make_client, make_tax, make_invoice, date, total
):
    tax = make_tax()
    sync()
    raised()
    sync(mode="full")
    invoice = bill(make_invoice, make_client(), tax, date)
    assert sync().status == "succeeded"
    agree(books, invoice, total)


@pytest.mark.slow
def test_amounts_that_change_there_are_taxed_as_they_were_billed(
    company, books, sync, raised, make_client, make_tax, make_invoice
):
    tax = make_tax()
    invoice = bill(make_invoice, make_client(), tax, "2026-11-01")
    sync()
    raised()
    body = books.one("Invoice", DocNumber=invoice.number)
    detail = body["Line"][0]["SalesItemLineDetail"] | {"Qty": 2}
    row = body["Line"][0] | {"Amount": 2000, "SalesItemLineDetail": detail}
    books.edit("Invoice", body["Id"], Line=[row], TxnTaxDetail={"TxnTaxCodeRef": {"value": "2"}})
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    agree(books, invoice, "2160.00")
