"""Intuit's webhooks at the address that it posts to: signed or nothing, and signed is always taken."""

import base64
import hashlib
import hmac
import json

import pytest
from django.test import Client

from integrations.models import Connection, PushMark, ReceivedPush, Stream
from tests.integrations import build

pytestmark = pytest.mark.django_db

VERIFIER, OLDER = "b2f1c9a0-verifier", "an-older-one"
REALM, OTHER_REALM = "9130357992221046", "0045600001"
KINDS = ("customer", "item", "tax", "invoice", "payment")


@pytest.fixture(autouse=True)
def verifiers(settings):
    settings.INTUIT_WEBHOOK_VERIFIERS = [VERIFIER, OLDER]


def books(realm: str = REALM, state: str = "active") -> Connection:
    made = build.connection(
        build.workspace(), state, integration="quickbooks", account_id=realm, member=None, member_id=None
    )
    for kind in KINDS:
        Stream.objects.create(connection=made, container_id=kind, kind=kind)
    return made


def signature(body: bytes, verifier: str = VERIFIER) -> str:
    return base64.b64encode(hmac.new(verifier.encode(), body, hashlib.sha256).digest()).decode()


def post(body: bytes | object, signed: str | None = "", content_type: str = "application/json; charset=utf-8"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if signed is None else {"intuit-signature": signed or signature(raw)}
    return Client(enforce_csrf_checks=True).generic("POST", "/push/intuit", raw, content_type, headers=headers)


def event(entity: str = "invoice", verb: str = "updated", realm: str = REALM, **changed) -> dict:
    return {
        "specversion": "1.0",
        "id": f"88cd52aa-33b6-4351-9aa4-{entity}-{verb}-{realm}",
        "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
        "type": f"qbo.{entity}.{verb}.v1",
        "time": "2026-11-10T21:31:25.179550000Z",
        "intuitentityid": "1234",
        "intuitaccountid": realm,
        "data": {},
    } | changed


def old(*entities: tuple[str, str], realm: str = REALM) -> dict:
    rows = [
        {"name": name, "id": "1", "operation": operation, "lastUpdated": "2015-10-05T14:42:19-0700"}
        for name, operation in entities
    ]
    return {"eventNotifications": [{"realmId": realm, "dataChangeEvent": {"entities": rows}}]}


def due() -> set[tuple[str, str]]:
    marks = PushMark.objects.exclude(due_at=None)
    return set(marks.values_list("stream__connection", "stream__kind"))


def test_an_event_marks_the_kind_in_every_company_that_has_these_books():
    here, there, other = books(), books(), books(OTHER_REALM)
    answer = post([event()])
    assert (answer.status_code, answer.content, answer.cookies) == (200, b"", {})
    assert due() == {(here.pk, "invoice"), (there.pk, "invoice")}
    assert other.pk not in {connection_id for connection_id, _ in due()}
    assert {row.kinds for row in ReceivedPush.objects.all()} == {"qbo.invoice.updated.v1"}


@pytest.mark.parametrize("operation", ["Create", "Update", "Delete", "Merge", "Void", "Emailed"])
def test_the_old_body_gives_the_same_marks(operation):
    here = books()
    assert post(old(("Invoice", operation), ("Customer", operation))).status_code == 200
    assert due() == {(here.pk, "invoice"), (here.pk, "customer")}


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "qbo.invoice.void.v1"},
        {"type": "qbo.invoice.voided.v1"},
        {"type": "qbo.invoice.dreamt.v9"},
        {"data": None},
        {"data": {"deletedid": "27"}},
        {"data": {"alternative_ids": ["1"]}},
        {"time": "2026-11-10T21:31:25Z"},
        {"time": 7},
        {"id": 12},
        {"id": None},
        {"id": "\u0000" * 4000},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_varies_makes_no_difference(changed):
    here = books()
    assert post([event(**changed)]).status_code == 200
    assert due() == {(here.pk, "invoice")}


@pytest.mark.parametrize("content_type", ["application/cloudevents+json", "text/plain", "application/xml", ""])
def test_any_content_type_is_taken(content_type):
    books()
    assert post([event()], content_type=content_type).status_code == 200
    assert due()


def test_a_list_of_three_companies_is_routed_event_by_event():
    here, other = books(), books(OTHER_REALM)
    events = [event(), event("payment", realm=OTHER_REALM), event("customer", realm="999")]
    assert post(events).status_code == 200
    assert due() == {(here.pk, "invoice"), (other.pk, "payment")}


def test_preferences_concern_all_kinds():
    here = books()
    post([event("preferences")])
    assert due() == {(here.pk, kind) for kind in KINDS}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[[[[", b"[" * 200_000, b"null", b"7", b'"text"', b"\xff\xfe", b"[null, 7, [], {}]",
        b'{"eventNotifications": {}}', b'{"eventNotifications": [{"dataChangeEvent": []}]}',
        b'{"eventNotifications": [{"realmId": {}, "dataChangeEvent": {"entities": "x"}}]}',
        b'[{"type": {}, "intuitaccountid": []}]', b'[{"type": "qbo", "intuitaccountid": true}]',
        b'[{"type": "qbo.invoice.updated.v1"}]', b'[{"intuitaccountid": 1' + b"0" * 5000 + b"}]",
        json.dumps([event("estimate"), event("invoice", realm="unknown")]).encode(),
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_signed_is_taken_whatever_it_is(body):
    books()
    assert post(body).status_code == 200
    assert not due()


def test_what_is_not_signed_is_refused_and_changes_nothing():
    books()
    body = json.dumps([event()]).encode()
    right = signature(body)
    flipped = base64.b64encode(bytes([base64.b64decode(right)[0] ^ 1, *base64.b64decode(right)[1:]])).decode()
    wrong = ["x", "é", right[:-1], right.lower(), flipped, signature(body, "another's"), signature(body, ""), right * 9]
    assert {post(body, each).status_code for each in wrong} == {403}
    assert post(body, None).status_code == 403
    assert post(body + b" ", right).status_code == 403
    assert not due() and not ReceivedPush.objects.exists()


def test_an_older_verifier_holds_while_the_new_one_is_brought_in(settings):
    books()
    body = json.dumps([event()]).encode()
    assert post(body, signature(body, OLDER)).status_code == 200
    settings.INTUIT_WEBHOOK_VERIFIERS = [VERIFIER]
    assert post(body, signature(body, OLDER)).status_code == 403


def test_without_a_verifier_there_is_no_such_address(settings):
    settings.INTUIT_WEBHOOK_VERIFIERS = []
    books()
    body = json.dumps([event()]).encode()
    assert post(body, signature(body, "")).status_code == 404
    assert not due()


def test_a_repeated_event_is_counted_once():
    books()
    for _ in range(3):
        post([event()])
        post(old(("Item", "Update")))
    assert sorted(PushMark.objects.values_list("stream__kind", "pushes")) == [("invoice", 1), ("item", 1)]
    assert ReceivedPush.objects.count() == 2


def test_books_that_are_disconnected_are_not_marked():
    books(state="disconnected")
    assert post([event()]).status_code == 200
    assert not due()


def test_hundreds_of_events_are_taken_in_one_post_and_more_refuse_none():
    here = books()
    assert post([event(id=f"event-{number}") for number in range(2500)]).status_code == 200
    assert due() == {(here.pk, "invoice")}
    assert PushMark.objects.get().pushes >= 1
