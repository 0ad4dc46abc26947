"""Change data capture, and restarts: what changed is told, what is gone leaves a trace, and all of it is kept."""

import pytest
import requests

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.mount import mount

from .business import Business
from .conftest import PLUMBING, QuickBooks, code

SINCE = "2026-11-22T03:00:00-08:00"  # an hour before the clock of the tests


@pytest.fixture
def business(books):
    return Business(books)


def ids(group, entity):
    return [(row["Id"], row.get("status", "")) for row in group.get(entity, [])]


def groups_of(books, entities, since=SINCE):
    response = books.call("GET", "cdc", entities=entities, changedSince=since)
    assert response.status_code == 200, response.text
    (answer,) = response.json()["CDCResponse"]
    return answer["QueryResponse"]


def test_what_changed_since_a_moment(books, business, clock):
    clock.now += 600
    bill = business.bill()
    customers, invoices, payments = groups_of(books, "Customer,Invoice,Payment")
    assert ids(customers, "Customer") == [(business.customer["Id"], "")]
    assert invoices["Invoice"] == [books.get("invoice", bill["Id"])] and invoices["maxResults"] == 1
    assert payments == {}
    later = "2026-11-22T04:10:01-08:00"
    assert groups_of(books, "Invoice", later) == [{}]
    # The offset is part of the moment, and a change in that very second is told.
    assert ids(groups_of(books, "Invoice", "2026-11-22T12:10:00Z")[0], "Invoice") == [(bill["Id"], "")]


def test_deleted_ones_come_last_and_say_no_more_than_that(books, business, clock):
    first, second = business.bill(), business.bill()
    clock.now += 60
    assert books.delete("invoice", first).json()["Invoice"] == {
        "domain": "QBO",
        "status": "Deleted",
        "Id": first["Id"],
    }
    (group,) = groups_of(books, "Invoice")
    assert ids(group, "Invoice") == [(second["Id"], ""), (first["Id"], "Deleted")]
    assert group["Invoice"][1] == {
        "domain": "QBO",
        "status": "Deleted",
        "Id": first["Id"],
        "MetaData": {"LastUpdatedTime": "2026-11-22T04:01:00-08:00"},
    }
    assert code(books.call("GET", f"invoice/{first['Id']}")) == (400, "610")
    assert code(books.delete("invoice", first)) == (400, "610")
    assert books.query("select count(*) from Invoice") == {"totalCount": 1}


def test_an_inactive_customer_is_a_live_object_and_a_void_invoice_too(books, business):
    bill = business.bill()
    books.void("invoice", bill)
    lone = books.create("customer", DisplayName="Lone")
    books.changed("customer", lone, Active=False)
    customers, invoices = groups_of(books, "customer,INVOICE")
    assert (lone["Id"], "") in ids(customers, "Customer")
    assert ids(invoices, "Invoice") == [(bill["Id"], "")] and invoices["Invoice"][0]["TotalAmt"] == 0


def test_a_balance_moves_the_customer_without_a_new_token(books, business, clock):
    business.bill()
    clock.now += 1800
    business.bill()
    (group,) = groups_of(books, "Customer", "2026-11-22T04:30:00-08:00")
    assert [(each["SyncToken"], each["Balance"]) for each in group["Customer"]] == [("0", 200)]


def test_a_thousand_objects_over_the_whole_answer(books):
    books.control("bulk", {"vendor": "intuit", "account": PLUMBING, "customers": 995})
    for n in range(7):
        books.create("vendor", DisplayName=f"V{n}")
    customers, vendors = groups_of(books, "Customer,Vendor")
    assert (customers["maxResults"], vendors["maxResults"]) == (995, 5)
    assert groups_of(books, "Vendor")[0]["maxResults"] == 7


@pytest.mark.parametrize(
    ("entities", "since", "expected"),
    [
        ("TaxCode", SINCE, "4001"),
        ("TaxRate", SINCE, "4001"),
        ("Unicorn", SINCE, "4001"),
        ("", SINCE, "2020"),
        ("Customer", "", "2020"),
        ("Customer", "soon", "4001"),
        ("Customer", "2026-10-22T00:00:00-08:00", "500"),
    ],
)
def test_what_is_refused(books, entities, since, expected):
    assert code(books.call("GET", "cdc", entities=entities, changedSince=since)) == (400, expected)


def test_a_moment_can_be_made_too_old(books):
    books.fault(kind="expire_cursor", path="/cdc")
    refused = books.call("GET", "cdc", entities="Customer", changedSince=SINCE)
    assert code(refused) == (400, "500") and "older than fixed days" in refused.text
    assert groups_of(books, "Customer", "2026-11-22T03:00:01-08:00") == [{}]


def test_the_false_deletion_that_was_seen_in_the_field(books, business):
    bill = business.bill()
    books.switch(false_deleted=f"Invoice:{bill['Id']}")
    (group,) = groups_of(books, "Invoice")
    assert ids(group, "Invoice") == [(bill["Id"], "Deleted")]
    assert books.get("invoice", bill["Id"]) == bill
    books.switch(false_deleted=None)
    assert ids(groups_of(books, "Invoice")[0], "Invoice") == [(bill["Id"], "")]


def test_a_restarted_sandbox_knows_its_books_tokens_and_replays(tmp_path, clock):
    path = str(tmp_path / "state.sqlite3")

    def started():
        session = requests.Session()
        app = create_app(path, "empty", clock)
        return app, QuickBooks(session, mount(session, app))

    app, client = started()
    client.sign_in()
    made = client.create("customer", DisplayName="Amy")
    first = client.post("customer", {"DisplayName": "Ben"}, requestid="r1").json()["Customer"]
    client.switch(subscription="lapsed")
    app.close()
    app, again = started()
    again.token = client.token
    assert again.get("customer", made["Id"]).items() >= made.items()
    assert code(again.post("customer", {"DisplayName": "Cleo"})) == (400, "6190")
    again.switch(subscription="active")
    assert again.post("customer", {"DisplayName": "Ben"}, requestid="r1").json()["Customer"] == first
    assert int(again.create("customer", DisplayName="Cleo")["Id"]) == int(first["Id"]) + 1
    app.close()
