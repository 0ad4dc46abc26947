"""Items whose price in the books includes a tax that nothing names: asked about, and never billed at that price."""

from decimal import Decimal

import pytest

from fieldcamp.workspace.models import Item
from integrations.models import Problem
from integrations.providers.quickbooks.mapping import items
from integrations.services.books.preview import preview_books
from integrations.services.books.preview_rows import Fate
from integrations.services.problems.answering import WrongValues, answer
from integrations.services.problems.choices import choices_of
from tests.integrations.books.bookkeeper import Bookkeeper
from tests.integrations.books.conftest import counts
from tests.integrations.books.pages import card, press
from tests.integrations.engine import finish

REALM = "9130002"
GROSS = {"Type": "Service", "UnitPrice": 112.0, "SalesTaxIncluded": True}


def asked(**which) -> list[Problem]:
    return list(Problem.objects.filter(resolved_at=None, data__reason="gross_price", **which).order_by("pk"))


@pytest.mark.parametrize(
    "more, rates, net",
    [
        ({}, {}, None),
        ({}, {"5": Decimal("0.12")}, None),
        ({"SalesTaxCodeRef": {"value": "6"}}, {"5": Decimal("0.12")}, None),
        ({"SalesTaxCodeRef": {"value": "5"}}, {"5": Decimal("0.12")}, "100"),
        ({"SalesTaxCodeRef": {"value": "5"}}, {"5": Decimal(0)}, "112"),
    ],
)
def test_a_price_with_the_tax_in_it_is_no_price(more, rates, net):
    fields = items.to_fields({"Name": "Pump", **GROSS, **more}, rates)
    assert "price" not in fields and fields["gross_price"] == "112"
    assert fields.get("net_price") == net


@pytest.mark.slow
def test_such_an_item_is_asked_about_and_taken_in_at_what_is_said(connect_books, intuit, sync, desk):
    books = Bookkeeper(intuit, REALM)
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    codes = {row["Name"]: row["Id"] for row in books.all("TaxCode")}
    made = [
        books.add("Item", Name=name, IncomeAccountRef={"value": account["Id"]}, **{**GROSS, **more})
        for name, more in (("Pump", {}), ("Hose", {"UnitPrice": 50.0}), ("Gift", {"UnitPrice": 0}), ("Seal", {}))
    ]
    company = connect_books(REALM, import_items=True)
    preview = preview_books(company)
    assert preview.counts["item"].asked == 3 and len(preview.rows["item", Fate.ASKED]) == 3
    sync()
    pump, hose, seal = asked()
    assert (Item.objects.get(name="Gift").price, Item.objects.filter(name__in=("Pump", "Hose")).exists()) == (0, False)
    assert "“Pump” in QuickBooks, 112.00, includes the tax" in pump.message
    assert counts(sync()) == (0, 0, 0, 0) and len(asked()) == 3

    browser = desk()
    page = card(browser, pump)
    assert "What is its price before tax?" in page and "With GST/PST BC in it: take it in at 100.00" in page
    assert "Try again" not in page and "Ignore until it changes" in page
    assert "Solved" in press(browser, pump, "match", choice=codes["GST/PST BC"])
    assert Item.objects.get(name="Pump").price == 100

    # By the API, and one whose tax has been told meanwhile.
    offered = {choice.id for choice in choices_of([hose])[hose.pk]}
    assert f"net:{codes['GST']}" in offered
    user, by_gst = company.workspace.members.first().user, f"net:{codes['GST']}"
    with pytest.raises(WrongValues):
        answer(problem=hose, choice=by_gst, values={"name": "Hose"}, user=user)
    finish(answer(problem=hose, choice=by_gst, values={}, user=user).job)
    books.edit("Item", made[3]["Id"], SalesTaxCodeRef={"value": codes["GST"]})
    sync()
    assert Item.objects.get(name="Hose").price == Decimal("47.6190476")
    assert Item.objects.get(name="Seal").price == Decimal("106.6666667")
    assert not asked()
    books.add("Item", Name="Valve", IncomeAccountRef={"value": account["Id"]}, **GROSS)
    sync()
    [valve] = asked()
    Item.objects.create(workspace=company.workspace, name="Valve", price=Decimal(90))
    sync()
    assert not asked(pk=valve.pk) and Item.objects.get(name="Valve").price == 90
    there = [books.get("Item", row["Id"])["SyncToken"] for row in made]
    assert [counts(sync("full"))[:2] for _ in range(2)] == [(0, 0)] * 2
    assert [books.get("Item", row["Id"])["SyncToken"] for row in made] == there


def test_what_is_not_brought_in_is_not_asked_about(connect_books, intuit, sync):
    books = Bookkeeper(intuit, REALM)
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    books.add("Item", Name="Pump", IncomeAccountRef={"value": account["Id"]}, **GROSS)
    connect_books(REALM, import_items=False)
    assert counts(sync())[3] == 0 and not asked()
