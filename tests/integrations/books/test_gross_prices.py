"""Items whose price in the books includes a tax that nothing names: asked about, and never billed at that price."""

from decimal import Decimal

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Item
from integrations.books.facts import taxes_are_wanted
from integrations.books.items import _price_before_tax
from integrations.books.taxes import Taxes
from integrations.calendar.window import window_at
from integrations.ledger.problems import open_problem
from integrations.models import Link, Problem
from integrations.providers.quickbooks.mapping import items
from integrations.services.books.decisions import NotPossible, settle_match
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
    assert "What is its price before tax?" in page and "With GST/PST BC in it: take it in at $100.00" in page
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


@pytest.mark.slow
def test_what_is_not_brought_in_is_not_asked_about(connect_books, intuit, sync):
    books = Bookkeeper(intuit, REALM)
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    books.add("Item", Name="Pump", IncomeAccountRef={"value": account["Id"]}, **GROSS)
    connect_books(REALM, import_items=False)
    assert counts(sync())[3] == 0 and not asked()


@pytest.mark.parametrize(
    ("seen", "decision", "price"),
    [
        ({"gross_price": "112"}, {"price": "100", "gross": "112"}, "100"),
        ({"gross_price": "224"}, {"price": "100", "gross": "112"}, None),
        ({"gross_price": "112"}, {"price": "100"}, None),  # of which nobody knows to which price it belongs
        ({"gross_price": "112"}, None, None),
        ({"gross_price": "0"}, None, "0"),
        ({}, {"price": "100"}, None),
        ({"gross_price": "224", "net_price": "200"}, {"price": "100", "gross": "112"}, "200"),
    ],
)
def test_an_answer_is_about_one_price(seen, decision, price):
    assert _price_before_tax(seen, decision) == price


@pytest.mark.slow
@pytest.mark.once
def test_a_price_that_changes_after_the_answer_is_asked_about_anew(connect_books, intuit, sync, admin_user):
    books = Bookkeeper(intuit, REALM)
    account = next(row for row in books.all("Account") if row["AccountType"] == "Income")
    pump = books.add("Item", Name="Pump", IncomeAccountRef={"value": account["Id"]}, **GROSS)
    connect_books(REALM, import_items=True)
    code = next(row["Id"] for row in books.all("TaxCode") if row["Name"] == "GST")
    sync(scope="item")
    [question] = asked()
    # No tax was read by then: one choice there is, and the next sync reads them.
    assert [choice.id for choice in choices_of([question])[question.pk]] == ["net:none"]
    assert "No tax in it: take it in at $112.00" in choices_of([question])[question.pk][0].label
    sync()
    [question] = asked()
    assert {"net:none", f"net:{code}"} <= {choice.id for choice in choices_of([question])[question.pk]}
    settle_match(problem=question, choice=code, user=admin_user)  # and before a sync has carried it out
    books.edit("Item", pump["Id"], UnitPrice=224.0)
    sync()
    [question] = asked()
    assert "224.00" in question.message and not Item.objects.filter(name="Pump").exists()

    # An answer to a question whose price is another by now is none.
    link = Link.objects.get(kind="item", remote_id=pump["Id"])
    Link.objects.filter(pk=link.pk).update(seen={**link.seen, "gross_price": "300"})
    with pytest.raises(NotPossible):
        settle_match(problem=question, choice="none", user=admin_user)
    Link.objects.filter(pk=link.pk).update(seen=link.seen)
    with pytest.raises(NotPossible):
        settle_match(problem=question, choice="99", user=admin_user)
    finish(answer(problem=question, choice="net:none", values={}, user=admin_user).job)
    assert Item.objects.get(name="Pump").price == 224 and not asked()


@pytest.mark.slow
def test_the_taxes_are_read_where_it_is_asked_which_one_a_price_includes_and_none_is_known(company):
    stream = company.streams.get(kind="tax")
    taxes = Taxes(stream, window_at(timezone.now()))
    assert not taxes_are_wanted(taxes)
    problem = open_problem(company, "RECORD_REJECTED", "Which?", now=timezone.now(), kind="item", record_id="1",
                           data={"reason": "gross_price", "price": "112"})  # fmt: skip
    assert taxes_are_wanted(taxes)
    known = Link.objects.create(stream=stream, kind="tax", remote_id="3", seen={"name": "GST"})
    assert not taxes_are_wanted(taxes)  # there is one to choose
    known.delete()
    Problem.objects.filter(pk=problem.pk).update(ignored_at=timezone.now())
    assert not taxes_are_wanted(taxes)
