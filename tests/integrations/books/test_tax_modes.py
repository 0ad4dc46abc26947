"""Companies whose books compute the tax by themselves, from the address."""

from decimal import Decimal

import pytest

from fieldcamp.workspace import invoicing
from tests.integrations.books.bookkeeper import money
from tests.integrations.books.conftest import counts, said
from tests.integrations.providers.quickbooks.conftest import rewrite


@pytest.fixture
def company(books, connect_books, intuit):
    """With automated sales tax, as all companies in the US have it that were founded after 2017."""
    rewrite(intuit, "Preferences", "1", TaxPrefs={"UsingSalesTax": True, "PartnerTaxEnabled": True})
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    return connect_books(default_item_id=item["Id"])


@pytest.fixture
def posted(company, sync, make_client, make_tax, make_invoice):
    """Taxed in FieldCamp with California's 8 %, though QuickBooks finds Arizona's 9.1 % by the address."""
    address = {"street": "1 Main", "city": "Tucson", "state": "AZ", "postalCode": "85719"}
    client = make_client(first_name="Kim", last_name="Reed", billing_address=address, property_address=address)
    invoice = make_invoice(client, [(None, 1, "95.25")], tax_rate_id=make_tax().pk)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    invoice.refresh_from_db()
    return invoice


def counterpart(books, invoice):
    return books.one("Invoice", DocNumber=invoice.number)


@pytest.mark.slow
def test_our_tax_stands_and_nobody_writes_again(posted, books, sync):
    there = counterpart(books, posted)
    assert money(there["TotalAmt"]) == posted.total == Decimal("102.87")
    books.receive(there, "50.00", TxnDate="2026-11-20")
    job = sync()
    assert counts(job)[1] == 0, said(job, "pushed")
    posted.refresh_from_db()
    assert posted.balance == Decimal("52.87")
    assert counts(sync("full"))[:2] == (0, 0)
    assert counterpart(books, posted)["Line"] == there["Line"]


@pytest.mark.slow
def test_an_edit_here_keeps_our_tax_there(posted, books, sync):
    line = {"item_id": None, "description": "Pipe", "quantity": Decimal(1), "unit_price": Decimal("99.99")}
    invoicing.update_invoice(workspace=posted.workspace, invoice_id=posted.pk, changes={"lines": [line]})
    job = sync()
    assert counts(job)[1] == 1, said(job, "failed")
    posted.refresh_from_db()
    assert money(counterpart(books, posted)["TotalAmt"]) == posted.total == Decimal("107.99")
    assert counts(sync())[:2] == (0, 0)
