"""Invoices' taxes where QuickBooks computes them itself, and where each line has a code of its own."""

from decimal import Decimal

import pytest

from integrations.transport.client import HttpClient, OneToken
from tests.integrations.providers.quickbooks.conftest import (
    QUICKBOOKS,
    customer,
    invoice,
    item,
    line,
    listed,
    rewrite,
    update,
)

NORTHERN = "9130002"


@pytest.fixture
def automated(fresh, intuit):
    rewrite(intuit, "Preferences", "1", TaxPrefs={"UsingSalesTax": True, "PartnerTaxEnabled": True})
    return fresh()


@pytest.fixture
def northern(intuit):
    """A company outside the US."""
    token = intuit.token(NORTHERN)["access_token"]
    return QUICKBOOKS.open(HttpClient(QUICKBOOKS, OneToken(token)), NORTHERN)


def write(books, container, op):
    [outcome] = books.write(container, [op])
    assert outcome.error is None, outcome.error.detail
    return outcome.record


def test_our_total_stands_beside_the_tax_that_quickbooks_computes(automated):
    assert automated.company().tax_mode == "automated"
    who, what = write(automated, "Customer", customer()), write(automated, "Item", item())
    op = invoice(who.id, what.id, lines=[line(what.id, taxable=True)], tax_total="7.77")
    bill = write(automated, "Invoice", op)
    assert (bill.fields["tax_total"], bill.fields["total"]) == ("7.77", "107.77")
    assert "tax_code" not in bill.fields  # nobody chose the one that QuickBooks found
    assert bill.fields["lines"] == op.fields["lines"]
    computed = write(automated, "Invoice", invoice(who.id, what.id, 2, lines=[line(what.id, taxable=True)]))
    assert computed.fields["tax_total"] not in ("7.77", "0.00")


def test_a_company_that_collects_no_tax(fresh, intuit):
    rewrite(intuit, "Preferences", "1", TaxPrefs={"UsingSalesTax": False})
    books = fresh()
    assert books.company().tax_mode == "none"
    who, what = write(books, "Customer", customer()), write(books, "Item", item())
    bill = write(books, "Invoice", invoice(who.id, what.id))
    assert bill.fields["tax_total"] == "0.00"


@pytest.mark.slow
def test_outside_the_us_each_line_has_a_code(northern):
    company = northern.company()
    assert (company.tax_mode, company.country) == ("foreign", "CA")
    codes = {record.fields["name"]: record for record in listed(northern, "TaxCode")[0]}
    taxed = next(code for code in codes.values() if Decimal(code.fields["rate"]) > 0)
    account = northern.references("income_account")[0].id
    who, what = write(northern, "Customer", customer()), write(northern, "Item", item(income_account=account))
    rows = [line(what.id, taxable=True), line(what.id, "1", "10")]
    op = invoice(who.id, what.id, lines=rows, tax_code=taxed.id)
    bill = write(northern, "Invoice", op)
    assert (bill.fields["lines"], bill.fields["tax_code"]) == (rows, taxed.id)
    assert Decimal(bill.fields["tax_total"]) == Decimal(taxed.fields["rate"]) * 100
    changed = write(northern, "Invoice", update(bill, lines=rows[:1], discount=None, tax_code=taxed.id))
    assert changed.fields["lines"] == rows[:1]


def test_an_invoice_without_codes_asks_nothing_of_the_company(fresh, books, intuit, made):
    who, what = made(customer()), made(item())
    _, cursor = listed(books, "Invoice")
    made(invoice(who.id, what.id))
    intuit.forget_requests()
    listed(fresh(), "Invoice", cursor)
    assert [row["path"].rsplit("/", 1)[-1] for row in intuit.requests()] == ["cdc"]
