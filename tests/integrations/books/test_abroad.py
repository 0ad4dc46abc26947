"""A company outside the US: each line bears its own tax code, and the rates of a code are rounded one by one."""

from decimal import Decimal
from functools import partial

import pytest

from fieldcamp.workspace import invoicing
from fieldcamp.workspace.catalog import update_item
from fieldcamp.workspace.models import Item
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


@pytest.mark.slow
def test_an_invoice_whose_prices_there_include_the_tax(company, books, sync, make_client, make_tax, make_invoice):
    """What FieldCamp posts says that its prices do not; a bookkeeper may turn that round."""
    tax = make_tax("GST/PST BC", "0.12")
    sync(scope="taxes")
    invoice = make_invoice(make_client(), [(None, 3, "33.33"), (None, 1, "19.99")], tax_rate_id=tax.pk)
    sync()
    there = books.one("Invoice", DocNumber=invoice.number)
    assert there["GlobalTaxCalculation"] == "TaxExcluded"
    turned = books.edit("Invoice", there["Id"], GlobalTaxCalculation="TaxInclusive", Line=there["Line"])
    assert turned["Line"][0]["SalesItemLineDetail"]["TaxInclusiveAmt"] > turned["Line"][0]["Amount"]
    assert [counts(sync(mode))[1] for mode in ("incremental", "full")] == [0, 0]
    gross = {**turned["Line"][1]["SalesItemLineDetail"], "TaxInclusiveAmt": 56.0}
    gross.pop("UnitPrice")
    lines = [turned["Line"][0], {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": gross}]
    books.edit("Invoice", there["Id"], Line=lines)
    assert counts(sync())[:2] == (1, 0)
    invoice.refresh_from_db()
    there = books.get("Invoice", there["Id"])
    assert (invoice.total, invoice.balance) == (money(there["TotalAmt"]), money(there["Balance"]))
    assert invoice.tax_total == money(there["TxnTaxDetail"]["TotalTax"])
    assert not Problem.objects.filter(resolved_at=None).exists()
    more = [{"item_id": None, "description": "More", "quantity": Decimal(1), "unit_price": Decimal(5), "taxable": True}]
    invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes={"lines": more, "memo": "Hi"})
    assert counts(sync())[1] == 0
    assert "include the tax" in Problem.objects.get(resolved_at=None, code="RECORD_REJECTED").message
    assert books.get("Invoice", there["Id"]) == there


@pytest.mark.slow
def test_items_come_in_with_their_price_before_tax(connect_books, books, sync):
    """Whatever the books hold in that field: with the tax in it, less than nothing, or a share."""
    codes = {row["Name"]: row["Id"] for row in books.all("TaxCode")}
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    add = partial(books.add, "Item", Type="Service", IncomeAccountRef={"value": account["Id"]})
    gross = {"UnitPrice": 111.99, "SalesTaxIncluded": True}
    made = add(Name="Pump", SalesTaxCodeRef={"value": codes["GST/PST BC"]}, **gross)
    add(Name="Nobody knows", **gross)
    add(Name="Rebate", UnitPrice=-25.0)
    at = {"vendor": "intuit", "account": REALM, "entity": "Item"}
    for number, more in (("9001", {"Type": "Discount"}), ("9002", {"RatePercent": 12.5})):
        body = {"Name": f"Share {number}", "UnitPrice": 0.125, **more}
        books.vendors.call("POST", "record", json=at | {"id": number, "body": body})
    connect_books(REALM, import_items=True)
    job = sync()
    assert "includes the tax, and by which rate is not said" in " ".join(said(job, "failed"))
    prices = dict(Item.objects.values_list("name", "price"))
    assert (prices["Pump"], prices["Rebate"]) == (Decimal("99.9910714"), -25)
    assert not [name for name in prices if name == "Nobody knows" or name.startswith("Share")]
    assert [counts(sync("full"))[:2] for _ in range(2)] == [(0, 0)] * 2
    assert Problem.objects.filter(resolved_at=None, data__reason="gross_price").count() == 1
    item = Item.objects.get(name="Rebate")
    update_item(workspace=item.workspace, item_id=item.pk, changes={"description": "By hand"})
    books.edit("Item", made["Id"], SalesTaxCodeRef={"value": codes["GST"]})
    assert counts(sync())[:2] == (0, 1)
    assert Item.objects.get(name="Pump").price == prices["Pump"]


@pytest.mark.slow
def test_a_price_that_includes_the_tax_stays_each_sides_own(company, books, sync, make_item):
    """FieldCamp's prices are before tax: 112.00 with the tax is no price of FieldCamp's."""
    item = make_item(name="Pump check", price=Decimal(100))
    sync()
    there = books.one("Item", Name="Pump check")
    books.edit("Item", there["Id"], UnitPrice=112.0, SalesTaxIncluded=True)
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full")] == [(0, 0), (0, 0)]
    item.refresh_from_db()
    assert item.price == 100
    Item.objects.filter(pk=item.pk).update(price=Decimal(110), description="Twice a year")
    assert counts(sync())[:2] == (0, 1)
    there = books.get("Item", there["Id"])
    assert (there["UnitPrice"], there["Description"]) == (112, "Twice a year")
    books.edit("Item", there["Id"], UnitPrice=120.0, SalesTaxIncluded=False)
    sync()
    assert books.get("Item", there["Id"])["UnitPrice"] == 110  # both have edited it: FieldCamp wins for items
    assert not Problem.objects.filter(resolved_at=None).exists()
