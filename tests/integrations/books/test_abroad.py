"""A company outside the US: each line bears its own tax code, and the rates of a code are rounded one by one."""

from decimal import Decimal

import pytest

from integrations.models import Problem
from tests.integrations.books.bookkeeper import Bookkeeper, money
from tests.integrations.books.conftest import counts, said

REALM = "9130002"


@pytest.fixture
def books(intuit) -> Bookkeeper:
    return Bookkeeper(intuit, REALM)


@pytest.fixture
def company(books, connect_books):
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    item = books.add("Item", Name="Services", Type="Service", IncomeAccountRef={"value": account["Id"]})
    return connect_books(REALM, default_item_id=item["Id"])


@pytest.mark.slow
def test_canadian_invoices_come_to_the_same_cent(company, books, sync, make_client, make_tax, make_invoice):
    tax = make_tax("GST/PST BC", "0.12")
    sync(scope="taxes")
    tax.refresh_from_db()
    assert sorted(part["rate"] for part in tax.components) == ["0.05", "0.07"]
    free = {"item_id": None, "description": "Permit", "quantity": Decimal(1), "unit_price": Decimal("48.10"),
            "taxable": False}  # fmt: skip
    lines = [[(None, 1, "10.10"), free], [(None, 3, "33.333333")], [(None, 1, "199.99"), (None, 2, "0.37")]]
    invoices = [make_invoice(make_client(), rows, tax_rate_id=tax.pk) for rows in lines]
    invoices.append(make_invoice(make_client(), [(None, 1, "99.99")], tax_rate_id=tax.pk, discount_percent=Decimal(10)))
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    for invoice in invoices:
        there = books.one("Invoice", DocNumber=invoice.number)
        assert (money(there["TotalAmt"]), money(there["TxnTaxDetail"]["TotalTax"])) == (
            invoice.total,
            invoice.tax_total,
        )
    assert not Problem.objects.filter(resolved_at=None).exists()
    assert counts(sync("full"))[:2] == (0, 0)
