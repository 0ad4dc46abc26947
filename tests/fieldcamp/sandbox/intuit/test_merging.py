"""`/_control/merge`: two customers or two items become one, as on QuickBooks' own page."""

import pytest

from .business import Business, applied, line, ref
from .conftest import PLUMBING, code


@pytest.fixture
def business(books):
    return Business(books)


@pytest.fixture
def merge(books):
    """Merges; nothing, or the sentence why not."""

    def do(entity, lost, kept):
        call = {"vendor": "intuit", "account": PLUMBING, "entity": entity, "from": lost["Id"], "into": kept["Id"]}
        answer = books.control("merge", call)
        assert answer.status_code in (200, 400)
        return "" if answer.status_code == 200 else answer.json()["error"]

    return do


def owed(books, *customers):
    found = [books.get("customer", each["Id"]) for each in customers]
    return [(each["Balance"], each["BalanceWithJobs"]) for each in found]


def test_all_that_was_the_one_s_is_the_other_s(books, business, merge, clock):
    lost = business.customer
    kept = books.create(
        "customer", DisplayName="Northway Inc", ParentRef=ref(books.create("customer", DisplayName="N"))
    )
    bill = business.bill()
    documents = {"invoice": bill, "payment": business.pay(40, applied(bill, 30))}
    for segment in ("creditmemo", "estimate", "salesreceipt", "refundreceipt"):
        account = {"DepositToAccountRef": ref("35")} if "receipt" in segment else {}
        documents[segment] = books.create(segment, business.draft(line(business.item, 1, 20)), **account)
    worker = books.create("employee", GivenName="Marcus", FamilyName="Bell")
    hours = {"NameOf": "Employee", "EmployeeRef": ref(worker), "CustomerRef": ref(lost), "Hours": 2}
    documents["timeactivity"] = books.create("timeactivity", hours)
    note = {"Note": "Key under the mat", "AttachableRef": [{"EntityRef": {"type": "Customer", "value": lost["Id"]}}]}
    noted = books.create("attachable", note)
    other = {"AccountRef": ref("79"), "Entity": {"value": lost["Id"], "type": "CUSTOMER"}}
    banked = books.create("deposit", DepositToAccountRef=ref("35"), Line=[
        {"Amount": 5, "DetailType": "DepositLineDetail", "DepositLineDetail": other}])  # fmt: skip
    site = books.create("customer", DisplayName="Dock", Job=True, ParentRef=ref(lost))
    business.bill(CustomerRef=ref(site))
    clock.now += 60
    assert merge("Customer", lost, kept) == ""
    assert code(books.call("GET", f"customer/{lost['Id']}")) == (400, "610")
    for segment, made in documents.items():
        now = books.get(segment, made["Id"])
        assert now["CustomerRef"] == {"value": kept["Id"], "name": "Northway Inc"}, segment
        assert int(now["SyncToken"]) > int(made["SyncToken"])
        assert now["MetaData"]["LastUpdatedTime"] > made["MetaData"]["LastUpdatedTime"]
    assert books.get("attachable", noted["Id"])["AttachableRef"][0]["EntityRef"]["value"] == kept["Id"]
    assert books.get("deposit", banked["Id"])["Line"][0]["DepositLineDetail"]["Entity"]["value"] == kept["Id"]
    moved = books.get("customer", site["Id"])
    assert (moved["FullyQualifiedName"], moved["Level"]) == ("N:Northway Inc:Dock", 2)
    assert owed(books, kept, site, {"Id": kept["ParentRef"]["value"]}) == [(40, 140), (100, 100), (0, 140)]
    assert business.again(bill)["Balance"] == 70
    rows = books.call("GET", "cdc", entities="Customer", changedSince="2026-11-20T00:00:00Z").json()
    changed = {each["Id"]: each for each in rows["CDCResponse"][0]["QueryResponse"][0]["Customer"]}
    assert changed[lost["Id"]]["status"] == "Deleted" and changed[kept["Id"]]["DisplayName"] == "Northway Inc"


def test_one_below_the_other(books, business, merge):
    site = books.create("customer", DisplayName="Dock", Job=True, ParentRef=ref(business.customer))
    business.bill()
    business.bill(CustomerRef=ref(site))
    assert merge("Customer", business.customer, site) == (
        "Business Validation Error: It cannot be merged into one that is below it.")  # fmt: skip
    assert merge("Customer", site, business.customer) == ""
    assert owed(books, business.customer) == [(200, 200)]


def test_items(books, business, merge):
    kept = books.create("item", Name="Labour", Type="Service", IncomeAccountRef=ref("87"))
    made = [books.create("invoice", business.draft()), business.bill(line(kept))]
    quote = books.create("estimate", business.draft())
    goods = books.create("item", Name="Pipe", Type="NonInventory", IncomeAccountRef=ref("79"))
    assert merge("Item", business.item, goods) == (
        "Business Validation Error: Only items of the same type can be merged.")  # fmt: skip
    assert merge("Item", business.item, kept) == ""
    for segment, each in (("invoice", made[0]), ("invoice", made[1]), ("estimate", quote)):
        now = books.get(segment, each["Id"])
        assert now["Line"][0]["SalesItemLineDetail"]["ItemRef"] == {"value": kept["Id"], "name": "Labour"}
        assert now["SyncToken"] == ("0" if each is made[1] else "1") and now["TotalAmt"] == 100
    assert code(books.call("GET", f"item/{business.item['Id']}")) == (400, "610")


def test_what_cannot_be_merged(books, business, merge):
    assert "Object Not Found" in merge("Customer", business.customer, {"Id": "99"})
    assert "Object Not Found" in merge("Customer", business.customer, business.customer)
    assert merge("Account", {"Id": "4"}, {"Id": "35"}) == "QuickBooks merges Customer and Item only."
    google = {"vendor": "google", "account": "x", "entity": "Customer", "from": "1", "into": "2"}
    assert books.control("merge", google).json() == {"error": "This vendor keeps no books."}
    assert books.control("merge", {"vendor": "intuit", "account": PLUMBING, "entity": "Customer"}).status_code == 400
    assert books.get("customer", business.customer["Id"])["SyncToken"] == "0"
