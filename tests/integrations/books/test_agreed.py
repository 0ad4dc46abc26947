"""What is taken over in a form of ours is agreed: nobody has edited it, so nobody writes it back."""

import random
from decimal import Decimal
from typing import Any

import pytest

from fieldcamp.workspace import catalog, invoicing, services
from fieldcamp.workspace.models import Client, Invoice, Item
from tests.integrations.books.bookkeeper import Bookkeeper, money
from tests.integrations.books.conftest import counts, said

ENTITIES = ("Customer", "Item", "Invoice", "Payment")


@pytest.fixture
def importing(connect_books):
    return connect_books(import_customers=True, import_items=True)


def tokens(books: Bookkeeper) -> dict[tuple[str, str], str]:
    return {(entity, row["Id"]): row["SyncToken"] for entity in ENTITIES for row in books.all(entity)}


def difference(before: dict, after: dict) -> set[str]:
    """The properties of a body that are others now, besides those that move with each write."""
    moving = {"SyncToken", "MetaData", "V4IDPseudonym"}
    return {name for name in {*before, *after} - moving if before.get(name) != after.get(name)}


def customer_bodies(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Customers with each property there or not, in forms that FieldCamp has no room or no words for."""
    texts = {
        "GivenName": ["Ann", "J" * 100, "Mary  Jo"], "FamilyName": ["O'Neil", "von Ü", "x" * 90],
        "CompanyName": ["Lee & Sons", "c" * 100], "Title": ["Dr."], "Suffix": ["Jr."], "Notes": ["Dog\nbites"],
    }  # fmt: skip
    inner = {
        "PrimaryEmailAddr": (
            "Address",
            ["A.B{n}@Example.test", "a{n}@x.test,b{n}@x.test", "a{n}@x.test ,  B{n}@x.test"],
        ),
        "PrimaryPhone": ("FreeFormNumber", ["(518) 555-0100", "+1 518 555 0150 x2", "see notes"]),
    }
    addresses: list[dict[str, str]] = [
        {"Line1": "1 Main St"},
        {"Line1": "Attn: Ann", "Line2": "", "Line3": "Gate 4", "City": "Troy"},
        {f"Line{n}": f"Line {n}" for n in range(1, 6)} | {"Country": "USA", "PostalCode": "12180-0001"},
        {"City": "Troy", "CountrySubDivisionCode": "NY"},
    ]
    bodies = []
    for n in range(count):
        body: dict[str, Any] = {name: rng.choice(some) for name, some in texts.items() if rng.random() < 0.5}
        for name, (part, some) in inner.items():
            if rng.random() < 0.6:
                body[name] = {part: rng.choice(some).format(n=n)}
        body |= {name: rng.choice(addresses) for name in ("BillAddr", "ShipAddr") if rng.random() < 0.5}
        names = [f"{n}", f"Site {n}, {n} Elm St", f"{body.get('FamilyName', 'No')}, {body.get('GivenName', 'One')} {n}"]
        bodies.append(body | {"DisplayName": rng.choice(names)[:200]})
    return bodies


def item_bodies(rng: random.Random, count: int, books: Bookkeeper) -> list[dict[str, Any]]:
    """The same of products and services."""
    accounts = {row["AccountType"]: {"value": row["Id"]} for row in books.all("Account")}
    stock = {
        "IncomeAccountRef": {"value": "79"}, "AssetAccountRef": {"value": "81"}, "QtyOnHand": 4,
        "ExpenseAccountRef": accounts["Cost of Goods Sold"], "InvStartDate": "2026-01-01",
    }  # fmt: skip
    kinds = [{"Type": "Service"}, {"Type": "NonInventory"}, {"Type": "Inventory", "TrackQtyOnHand": True, **stock}]
    values = {
        "Description": ["Per hour", "Two\nlines, and blanks  ", "x" * 3999], "UnitPrice": [6.333333333, 0.005, 12],
        "Sku": ["A-1", "s" * 100], "Taxable": [True, False], "PurchaseCost": [3.1], "PurchaseDesc": ["Bought"],
    }  # fmt: skip
    bodies = []
    for n in range(count):
        body = {"IncomeAccountRef": accounts["Income"], **rng.choice(kinds), "Name": f"Item {n}"}
        bodies.append(body | {name: rng.choice(some) for name, some in values.items() if rng.random() < 0.6})
    return bodies


@pytest.mark.slow
@pytest.mark.once
def test_no_record_is_written_back_whatever_it_consists_of(importing, books, sync):
    rng = random.Random(7)
    for body in customer_bodies(rng, 40):
        books.add("Customer", **body)
    for body in item_bodies(rng, 25, books):
        books.add("Item", **body)
    before = tokens(books)
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    assert (Client.objects.count(), Item.objects.count()) == (40, 25)
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(0, 0)] * 3
    assert tokens(books) == before


@pytest.mark.slow
@pytest.mark.once
def test_an_edit_sends_what_was_edited(importing, books, sync):
    rng = random.Random(11)
    customers = [books.add("Customer", **body) for body in customer_bodies(rng, 12)]
    items = [books.add("Item", **body) for body in item_bodies(rng, 8, books)]
    sync()
    for body in customers:
        client = Client.objects.get(display_name=body["DisplayName"])
        changes = {"phone_number": {"number": "555 0199"}}
        services.update_client(workspace=client.workspace, client_id=client.pk, changes=changes)
    for body in items:
        item = Item.objects.get(name=body["Name"])
        catalog.update_item(workspace=item.workspace, item_id=item.pk, changes={"sku": "NEW"})
    job = sync()
    assert job.status == "succeeded", said(job, "failed")
    for entity, bodies, edited in (("Customer", customers, "PrimaryPhone"), ("Item", items, "Sku")):
        for body in bodies:
            assert difference(body, books.get(entity, body["Id"])) == {edited}


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("realm", ["9130001", "9130002"])
def test_books_of_many_years_are_left_as_they_are(intuit, connect_books, sync, realm):
    intuit.call("POST", "reset", json={"seed": "messy"})
    intuit.throttle(False)
    books = Bookkeeper(intuit, realm)
    connect_books(realm, import_customers=True, import_items=True)
    before = tokens(books)
    job = sync()
    assert job.status == "succeeded" and job.pulled, said(job, "failed")
    assert [counts(sync(mode))[:2] for mode in ("incremental", "full", "full")] == [(0, 0)] * 3
    assert tokens(books) == before


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    "sold",
    [
        {"Qty": 0.3333333, "UnitPrice": 300},
        pytest.param({"Qty": 3, "UnitPrice": 33.333333333}, marks=pytest.mark.once),
        pytest.param({"Qty": 1.5}, marks=pytest.mark.once),
    ],
)
def test_lines_that_are_rounded_here_stay_as_they_are_there(
    company, books, sync, make_client, make_item, make_invoice, sold
):
    invoice = make_invoice(make_client(), [(make_item(), 1, "120")])
    sync()
    body = books.one("Invoice", DocNumber=invoice.number)
    detail = {"ItemRef": body["Line"][0]["SalesItemLineDetail"]["ItemRef"], **sold}
    books.edit("Invoice", body["Id"], Line=[body["Line"][0] | {"Amount": 100, "SalesItemLineDetail": detail}])
    assert counts(sync())[:2] == (1, 0)
    before = tokens(books)
    assert [counts(sync(mode))[:2] for mode in ("full", "full")] == [(0, 0)] * 2
    changes = {"memo": "Thanks"}
    invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes=changes)
    assert counts(sync())[1] == 1
    after = books.one("Invoice", DocNumber=invoice.number)
    assert after["Line"][0]["SalesItemLineDetail"].items() >= sold.items()
    assert money(after["TotalAmt"]) == Invoice.objects.get().total == Decimal(100)
    assert tokens(books).keys() == before.keys()


@pytest.mark.slow
@pytest.mark.once
def test_an_invoice_that_is_put_down_to_a_site_stays_there(company, books, sync, make_client, make_item, make_invoice):
    invoice = make_invoice(make_client(email="kim@reed.test"), [(make_item(), 1, "100")])
    sync()
    body = books.one("Invoice", DocNumber=invoice.number)
    site = books.add("Customer", DisplayName="Shed", Job=True, ParentRef=body["CustomerRef"])
    moved = books.edit("Invoice", body["Id"], CustomerRef={"value": site["Id"]})
    for mode in ("incremental", "full"):
        assert counts(sync(mode))[1] == 0
    invoicing.update_invoice(workspace=invoice.workspace, invoice_id=invoice.pk, changes={"memo": "Thanks"})
    assert counts(sync())[1] == 1
    assert difference(moved, books.get("Invoice", body["Id"])) == {"CustomerMemo"}
