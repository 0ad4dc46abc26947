"""The sample companies, and thousands of records on request."""

import pytest

from fieldcamp.sandbox.app import create_app

from .business import Business
from .conftest import PLUMBING


def dump(books):
    return books.control("state", method="GET", vendor="intuit").json()["accounts"]


@pytest.fixture
def demo(books):
    books.control("reset", {"seed": "demo"})
    books.sign_in()
    return books


def test_empty_companies_have_lists_only(books):
    for company in dump(books).values():
        for name in ("Customer", "Vendor", "Employee", "Item", "Invoice", "Payment"):
            assert company[name] == []
        for name in ("Account", "Term", "PaymentMethod", "TaxCode", "CompanyInfo", "Preferences"):
            assert company[name]
    accounts = {each["Id"]: each["Name"] for each in dump(books)[PLUMBING]["Account"]}
    assert accounts["4"] == "Undeposited Funds" and accounts["35"] == "Checking"
    assert accounts["79"] == "Sales of Product Income" and accounts["82"] == "Design income"


def test_the_plumbing_companys_books_add_up(demo):
    company = dump(demo)[PLUMBING]
    assert len(company["Item"]) == 13 and len(company["Vendor"]) == len(company["Employee"]) == 1
    assert [each["Active"] for each in company["Customer"]].count(False) == 1
    for customer in company["Customer"]:
        owed = sum(each["Balance"] for each in company["Invoice"] if each["CustomerRef"]["value"] == customer["Id"])
        assert customer["Balance"] == pytest.approx(owed)
    paid = [each["Balance"] == 0 for each in company["Invoice"]]
    assert any(paid) and not all(paid) and company["Payment"][0]["Line"]


def test_the_same_seed_gives_the_same_books(clock, demo):
    other = create_app(seed="demo", clock=clock)
    kept = other.vendors["intuit"].dump(PLUMBING)["accounts"][PLUMBING]
    other.close()
    ours = dump(demo)[PLUMBING]
    assert kept | {"clients": []} == ours | {"clients": []}


@pytest.mark.slow
def test_many_at_once(books):
    counts = {"customers": 50, "items": 10, "invoices": 1500, "payments": 400}
    response = books.control("bulk", {"vendor": "intuit", "account": PLUMBING} | counts)
    assert response.json() == counts
    for entity, count in (("Customer", 50), ("Item", 10), ("Invoice", 1500), ("Payment", 400)):
        assert books.query(f"select count(*) from {entity}")["totalCount"] == count
    company = dump(books)[PLUMBING]
    owed: dict[str, float] = {}
    for invoice in company["Invoice"]:
        owner = invoice["CustomerRef"]["value"]
        owed[owner] = owed.get(owner, 0) + invoice["Balance"]
    for customer in company["Customer"]:
        assert customer["Balance"] == pytest.approx(owed[customer["Id"]])
    assert len({each["DocNumber"] for each in company["Invoice"]}) == 1500
    ids = [each["Id"] for name in ("Invoice", "Payment") for each in company[name]]
    assert len(set(ids)) == 1900
    links = {each["LinkedTxn"][0]["TxnId"]: each["Id"] for each in company["Invoice"] if each["LinkedTxn"]}
    assert links == {each["Id"]: each["Line"][0]["LinkedTxn"][0]["TxnId"] for each in company["Payment"]}


def test_many_are_like_those_that_are_made_one_by_one(books):
    business = Business(books)
    one = business.bill()
    books.control("bulk", {"vendor": "intuit", "account": PLUMBING, "customers": 5, "invoices": 20, "payments": 3})
    last = books.query("select * from Invoice where Balance > '0' orderby DocNumber desc")["Invoice"][0]
    assert set(last) == set(one)
    assert books.changed("invoice", last, PrivateNote="works")["SyncToken"] == "1"
    payments = books.query("select * from Payment")["Payment"]
    assert books.void("payment", payments[-1]).status_code == 200
    paid = payments[-1]["Line"][0]["LinkedTxn"][0]["TxnId"]
    assert books.get("invoice", paid)["Balance"] == payments[-1]["TotalAmt"]
    assert int(business.bill()["Id"]) > max(int(each["Id"]) for each in payments)


def test_bulk_refusals(books):
    for counts in ({"events": 1}, {"invoices": 1}, {"customers": 1, "items": 1, "payments": 1}):
        response = books.control("bulk", {"vendor": "intuit", "account": PLUMBING} | counts)
        assert response.status_code == 400 and response.json()["error"]
        assert books.query("select count(*) from Customer")["totalCount"] == 0
