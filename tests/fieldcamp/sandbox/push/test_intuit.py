"""Intuit's webhooks: the portal, both formats, the signature, and one event that holds up all later ones."""

import hmac
import json
import re
from base64 import b64decode
from hashlib import sha256

import pytest

from ..intuit.business import Business, line
from .conftest import URL, advance, channels, order, outcomes, portal

DANAS, NORTH = "9130001", "9130002"
PORTAL = "http://sandbox.test/intuit/ui/developer"


@pytest.fixture
def endpoint(books, receiver):
    return portal(books)


@pytest.fixture
def business(books, endpoint, receiver):
    made = Business(books)
    receiver.drain()
    return made


def operations(posts):
    """Of the format before: name, id and operation."""
    bodies = [json.loads(post.body)["eventNotifications"] for post in posts]
    return [
        (each["name"], each["id"], each["operation"])
        for body in bodies
        for note in body
        for each in note["dataChangeEvent"]["entities"]
    ]


def test_a_record_made_changed_and_deleted(books, business, receiver):
    made = books.create("customer", DisplayName="New")
    assert receiver.events() == [("qbo.customer.created.v1", DANAS, made["Id"])]
    made = books.changed("customer", made, DisplayName="Newer")
    assert receiver.events() == [("qbo.customer.updated.v1", DANAS, made["Id"])]
    bill = business.bill()
    assert receiver.events() == [("qbo.invoice.created.v1", DANAS, bill["Id"])]
    books.delete("invoice", bill)
    assert receiver.events() == [("qbo.invoice.deleted.v1", DANAS, bill["Id"])]


def test_what_changes_nothing_and_what_only_reads_tells_nothing(books, business, receiver):
    books.changed("customer", business.customer, DisplayName=business.customer["DisplayName"])
    books.query("select * from Customer")
    books.get("customer", business.customer["Id"])
    assert books.post("customer", {"DisplayName": business.customer["DisplayName"]}).status_code == 400
    assert receiver.drain() == []


def test_a_payment_tells_of_the_invoice_as_well(books, business, receiver):
    bill = business.bill(line(business.item, 1, 100, "NON"))
    receiver.drain()
    paid = business.pay(100, {"Amount": 100, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Invoice"}]})
    assert sorted(receiver.events()) == [
        ("qbo.invoice.updated.v1", DANAS, bill["Id"]),
        ("qbo.payment.created.v1", DANAS, paid["Id"]),
    ]


@pytest.mark.parametrize(("switched", "verb"), [(None, "void"), ("voided", "voided")])
def test_voiding_has_two_words(books, business, receiver, switched, verb):
    books.control("switches", {"vendor": "intuit", "push_void_word": switched})
    bill = business.bill()
    receiver.drain()
    books.void("invoice", bill)
    assert receiver.events() == [(f"qbo.invoice.{verb}.v1", DANAS, bill["Id"])]


def test_mailing_and_merging(books, business, receiver):
    bill = business.bill(BillEmail={"Address": "a@example.com"})
    other = books.create("customer", DisplayName="Twin")
    receiver.drain()
    sent = books.call("POST", f"invoice/{bill['Id']}/send", headers={"Content-Type": "application/octet-stream"})
    assert sent.status_code == 200
    assert receiver.events() == [("qbo.invoice.emailed.v1", DANAS, bill["Id"])]
    merge = {"vendor": "intuit", "account": DANAS, "entity": "Customer", "from": other["Id"]}
    assert books.control("merge", merge | {"into": business.customer["Id"]}).status_code == 200
    (post,) = receiver.drain()
    (event,) = json.loads(post.body)
    assert event["type"] == "qbo.customer.merged.v1" and event["intuitentityid"] == business.customer["Id"]
    assert event["data"] == {"deletedid": other["Id"]}


def test_there_are_no_events_of_taxes(books, business, receiver):
    agency = books.create("taxagency", DisplayName="County")
    rate = {"TaxRateName": "County", "RateValue": "4", "TaxAgencyId": agency["Id"], "TaxApplicableOn": "Sales"}
    made = books.post("taxservice/taxcode", {"TaxCode": "Local", "TaxRateDetails": [rate]})
    assert made.status_code == 200, made.text
    assert receiver.events() == [("qbo.taxagency.created.v1", DANAS, agency["Id"])]


def test_changes_at_the_pages_tell_as_well(books, business, receiver):
    page = f"http://sandbox.test/intuit/ui/{DANAS}/customers/new"
    assert books.session.post(page, {"action": "save", "DisplayName": "By hand"}).status_code == 200
    ((kind, realm, _),) = receiver.events()
    assert (kind, realm) == ("qbo.customer.created.v1", DANAS)


def test_the_signature_is_over_the_exact_bytes(books, business, receiver):
    for form in ("cloudevents", "legacy"):
        portal(books, format=form)
        books.create("customer", DisplayName=f"New {form}")
        (post,) = receiver.drain()
        assert b64decode(post.headers["intuit-signature"]) == hmac.digest(b"verifier-token", post.body, sha256)
        assert post.headers["intuit-t-id"] and post.headers["intuit-created-time"].endswith("Z")
        assert ("intuit-notification-schema-version" in post.headers) == (form == "legacy")


def test_cloud_events_come_in_all_the_ways_that_samples_show(books, business, receiver):
    for n in range(40):
        books.create("customer", DisplayName=f"New {n}")
        receiver.drain()
    posts = receiver.posts[-40:]
    kinds = {post.headers["Content-Type"] for post in posts}
    assert kinds == {"application/cloudevents+json", "application/json; charset=utf-8"}
    events = [json.loads(post.body)[0] for post in posts]
    assert {json.dumps(each["data"])[:8] if "data" in each else None for each in events} == {None, "{}", '{"altern'}
    assert {len(re.sub(r".*\.|Z", "", each["time"])) for each in events} >= {2, 9}
    assert any("." not in each["time"] for each in events)
    assert {"datacontenttype" in each for each in events} == {True, False}
    assert len({each["id"] for each in events}) == 40


def test_the_format_before(books, business, receiver):
    portal(books, format="legacy")
    made = books.create("customer", DisplayName="New")
    twin = books.create("customer", DisplayName="Twin")
    bill = business.bill()
    posts = receiver.drain()
    assert operations(posts) == [
        ("Customer", made["Id"], "Create"),
        ("Customer", twin["Id"], "Create"),
        ("Invoice", bill["Id"], "Create"),
    ]
    books.void("invoice", bill)
    merge = {"vendor": "intuit", "account": DANAS, "entity": "Customer", "from": twin["Id"], "into": made["Id"]}
    books.control("merge", merge)
    posts = receiver.drain()
    assert [each[2] for each in operations(posts)] == ["Void", "Merge"]
    assert re.search(rb'"deletedI[dD]":"%s"' % twin["Id"].encode(), posts[-1].body)


def test_events_of_several_companies_share_a_post_only_on_order(books, northern, business, receiver):
    def change():
        for client in (books, northern):
            client.create("customer", DisplayName=f"New {len(receiver.posts)}")
        return [{event["intuitaccountid"] for event in json.loads(post.body)} for post in receiver.drain()]

    assert change() == [{DANAS}, {NORTH}]
    books.control("switches", {"vendor": "intuit", "push_mixed_realms": True})
    assert change() == [{DANAS, NORTH}]


def test_only_companies_that_have_let_an_app_in(books, business, receiver):
    books.control("revoke", {"vendor": "intuit", "account": DANAS})
    page = f"http://sandbox.test/intuit/ui/{DANAS}/customers/new"
    books.session.post(page, {"action": "save", "DisplayName": "By hand"})
    assert receiver.drain() == []


def test_events_gather_for_as_long_as_the_portal_says(books, business, receiver):
    portal(books, aggregate_seconds=60)
    books.create("customer", DisplayName="First")
    advance(books, 40)
    books.create("customer", DisplayName="Second")
    assert receiver.drain() == []
    advance(books, 20)
    (post,) = receiver.drain()
    assert len(json.loads(post.body)) == 2


@pytest.mark.parametrize(("status", "seconds"), [(202, 0), (204, 0), (400, 0), (415, 0), (500, 0), (302, 0), (200, 4)])
def test_one_post_that_is_not_answered_with_200_holds_up_all_later_ones(books, business, receiver, status, seconds):
    receiver.status, receiver.seconds = status, seconds
    first = books.create("customer", DisplayName="First")
    receiver.drain()
    second = books.create("customer", DisplayName="Second")
    assert receiver.drain() == [] and outcomes(books)[-1] == "held"
    advance(books, 9)
    assert receiver.drain() == []
    advance(books, 1)
    assert [post.body for post in receiver.drain()] == [receiver.posts[-2].body]
    receiver.status, receiver.seconds = 200, 0.0
    advance(books, 20)
    assert [each[2] for each in receiver.events()] == [first["Id"], second["Id"]]
    assert outcomes(books)[-5:] == ["retry", "held", "retry", "delivered", "delivered"]


def test_the_ladder(books, business, receiver):
    receiver.status = 500
    books.create("customer", DisplayName="First")
    receiver.drain()
    advance(books, 8 * 86_400)
    receiver.drain()
    rows = books.control("deliveries", method="GET", vendor="intuit").json()
    gaps = [round(row["next_at"] - row["at"]) for row in rows if row["outcome"] == "retry"]
    assert gaps[:9] == [10, 20, 30, 300, 1200, 7200, 14400, 21600, 21600]
    assert rows[-1]["outcome"] == "lost"


def test_a_whole_post_is_repeated(books, business, receiver):
    receiver.status = 400
    for n in range(3):
        books.create("customer", DisplayName=f"New {n}")
    (first,) = receiver.drain()
    books.create("customer", DisplayName="Later")
    receiver.status = 200
    advance(books, 10)
    again, later = receiver.drain()
    assert again.body == first.body and len(json.loads(first.body)) == 3 and len(json.loads(later.body)) == 1


def test_many_at_once_are_told_of_by_the_hundred(books, business, receiver):
    body = {"vendor": "intuit", "account": DANAS, "customers": 250}
    assert books.control("bulk", body).status_code == 200
    assert 3 <= len([each for each in receiver.events() if "customer" in each[0]]) <= 4
    assert books.control("bulk", body | {"rows_per_push": 0}).status_code == 200
    assert receiver.drain() == []


def test_test_events_and_false_ones(books, business, receiver):
    assert order(books, "test", times=2)["sent"] == 2
    assert {event[1] for event in receiver.events()} == {"1231434565226279"}
    order(books, "unknown_channel")
    assert {event[1] for event in receiver.events()} == {"1231434565226279"}
    order(books, "forge", account=DANAS)
    (post,) = receiver.drain()
    assert b64decode(post.headers["intuit-signature"]) != hmac.digest(b"verifier-token", post.body, sha256)
    receiver.status = 401
    order(books, "forge")
    receiver.drain()
    receiver.status = 200
    books.create("customer", DisplayName="Not held up")
    assert len(receiver.events()) == 1


# The portal.


@pytest.mark.parametrize(
    "spec",
    [
        {"url": "http://fieldcamp.test/push"},
        {"url": ""},
        {"format": "xml"},
        {"entities": ["TaxCode"]},
        {"entities": []},
        {"entities": "Customer"},
        {"aggregate_seconds": -1},
        {"aggregate_seconds": True},
        {"verifier": "x"},
        {"verifier": 5},
        {"unknown": 1},
    ],
)
def test_what_the_portal_does_not_take(books, receiver, spec):
    body = {"vendor": "intuit", "url": f"{URL}/intuit"} | spec
    assert books.control("webhooks", body).status_code == 400
    assert books.control("webhooks", method="GET").json() == {"endpoint": None}


def test_the_portal_keeps_what_is_not_said_anew(books, receiver):
    first = portal(books, entities=["Customer"], verifier=None)
    assert len(first["verifier"]) == 36 and first["format"] == "cloudevents"
    second = books.control("webhooks", {"vendor": "intuit", "aggregate_seconds": 5}).json()["endpoint"]
    assert second == first | {"aggregate_seconds": 5}
    assert books.control("webhooks", method="GET").json() == {"endpoint": second}
    (shown,) = channels(books)
    assert shown["entities"] == ["Customer"] and "verifier" not in shown
    books.create("item", Name="Labor", Type="Service", IncomeAccountRef={"value": "87"})
    assert receiver.drain() == []


def test_the_portals_page(books, receiver):
    def post(**form):
        return books.session.post(PORTAL, form)

    assert "No" in books.session.get(PORTAL).text
    form = {"action": "save", "url": f"{URL}/intuit", "format": "legacy", "entities": ["Customer", "Invoice"]}
    assert post(**form, aggregate_seconds="0").status_code == 200
    endpoint = books.control("webhooks", method="GET").json()["endpoint"]
    assert endpoint["entities"] == ["Customer", "Invoice"] and endpoint["format"] == "legacy"
    assert endpoint["verifier"] in books.session.get(PORTAL).text
    assert post(action="test").status_code == 200
    assert len(receiver.drain()) == 1 and "delivered" in books.session.get(PORTAL).text
    for wrong in ({"url": "http://x"}, {"aggregate_seconds": "soon"}, {"entities": []}):
        assert post(**(form | wrong)).status_code == 400
    assert post(action="delete").status_code == 200
    assert books.control("webhooks", method="GET").json() == {"endpoint": None}
    assert post(action="test").status_code == 400


def test_what_waits_goes_with_the_endpoint(books, business, receiver):
    receiver.status = 500
    books.create("customer", DisplayName="First")
    receiver.drain()
    assert books.control("webhooks", method="DELETE", vendor="intuit").status_code == 200
    advance(books, 3600)
    assert receiver.drain() == []
    assert books.control("push", {"vendor": "intuit", "kind": "test"}).status_code == 400
