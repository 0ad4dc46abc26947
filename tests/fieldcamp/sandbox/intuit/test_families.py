"""Customers below customers: their balances, and who pays for whom."""

import pytest

from .business import Business, applied, ref
from .conftest import code


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def family(books, business):
    """A shop with two sites, one of which has a kitchen."""
    mail = {"PrimaryEmailAddr": {"Address": "Sporting_goods@intuit.com, office@sport.test"}}
    same = {"CompanyName": "Freeman Sporting Goods", **mail, "Mobile": {"FreeFormNumber": "(973) 555-8849"}}
    shop = books.create("customer", DisplayName="Freeman Sporting Goods", **same, Notes="Pays for all of them")
    sites = [
        books.create("customer", DisplayName=name, Job=True, ParentRef=ref(shop), BillWithParent=bill, **same)
        for name, bill in (("0969 Ocean View Road", False), ("55 Twin Lane", True))
    ]
    kitchen = books.create("customer", DisplayName="Kitchen", Job=True, ParentRef=ref(sites[0]))
    return shop, *sites, kitchen


def owed(books, *customers):
    found = [books.get("customer", each["Id"]) for each in customers]
    return [(each["Balance"], each["BalanceWithJobs"]) for each in found]


def test_a_sub_customer_has_what_a_real_one_has(books, family):
    shop, site, lane, kitchen = family
    assert (site["Job"], site["Level"], site["ParentRef"]) == (True, 1, {"value": shop["Id"]})
    assert site["FullyQualifiedName"] == "Freeman Sporting Goods:0969 Ocean View Road"
    assert site["PrintOnCheckName"] == site["CompanyName"] == "Freeman Sporting Goods"
    assert site["PrimaryEmailAddr"]["Address"] == "Sporting_goods@intuit.com, office@sport.test"
    assert (site["BillWithParent"], lane["BillWithParent"], kitchen["Level"]) == (False, True, 2)
    assert "Level" not in shop and shop["Job"] is False
    renamed = books.changed("customer", shop, DisplayName="Freeman Sports")
    assert books.get("customer", kitchen["Id"])["FullyQualifiedName"] == "Freeman Sports:0969 Ocean View Road:Kitchen"
    freed = books.create("customer", {"Id": lane["Id"], "SyncToken": lane["SyncToken"], "DisplayName": "Lane"})
    assert (freed["Job"], freed["FullyQualifiedName"]) == (False, "Lane") and "ParentRef" not in freed
    assert renamed["SyncToken"] == "1"


def test_balances_of_those_below(books, business, family):
    shop, site, lane, kitchen = family
    business.bill(CustomerRef=ref(kitchen))
    business.bill(CustomerRef=ref(lane))
    assert owed(books, shop, site, lane, kitchen) == [(0, 200), (0, 100), (100, 100), (100, 100)]


def test_the_parent_pays(books, business, family):
    shop, site, _, kitchen = family
    bills = [business.bill(CustomerRef=ref(each)) for each in (site, kitchen)]
    paid = business.pay(500, *(applied(each, 90) for each in bills), CustomerRef=ref(shop))
    assert paid["UnappliedAmt"] == 320 and paid["CustomerRef"]["value"] == shop["Id"]
    assert [business.again(each)["Balance"] for each in bills] == [10, 10]
    assert owed(books, shop, site, kitchen) == [(-500, -300), (100, 200), (100, 100)]


def test_one_below_pays_for_the_parent(books, business, family):
    shop, site, lane, kitchen = family
    bill = business.bill(CustomerRef=ref(shop))
    business.pay(60, applied(bill, 60), CustomerRef=ref(kitchen))
    assert business.again(bill)["Balance"] == 40
    theirs = business.bill(CustomerRef=ref(lane))
    refused = books.post("payment", business.payment(10, applied(theirs, 10), CustomerRef=ref(site)))
    assert code(refused) == (400, "620")  # next to it, neither above nor below


def test_moving_a_customer_moves_what_its_parents_owe(books, business, family):
    shop, site, lane, kitchen = family
    business.bill(CustomerRef=ref(kitchen))
    books.changed("customer", kitchen, ParentRef=ref(lane))
    assert owed(books, shop, site, lane) == [(0, 100), (0, 0), (0, 100)]
    assert books.get("customer", kitchen["Id"])["FullyQualifiedName"].endswith("55 Twin Lane:Kitchen")


def test_an_address_of_lines_alone(books, business):
    lines = {"Line1": "Russ Sonnenschein", "Line2": "Family Store", "Line3": "5647 Cypress Hill Ave.",
             "Line4": "Middlefield, CA  94303", "Line5": "USA"}  # fmt: skip
    made = books.create("customer", DisplayName="Russ", BillAddr=lines)
    assert {name: made["BillAddr"][name] for name in lines} == lines
    billed = business.bill(CustomerRef=ref(made))["BillAddr"]
    assert billed["Lat"] == "INVALID"  # the last line is a country, not a town
    del lines["Line5"]
    found = business.bill(BillAddr=lines)["BillAddr"]
    assert 36 < float(found["Lat"]) < 38 and -122 < float(found["Long"]) < -120
