"""Events of the company's own records: as the API shows them, of what it shows, in the transaction of the change."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.workspace import invoicing, paying, services, team
from fieldcamp.workspace.models import Client, Invoice, Item, Payment, Role, TaxRate, Visit
from fieldcamp.workspace.telling import together
from fieldcamp.workspace.tracking import attributed

pytestmark = pytest.mark.django_db


def told(*, since: int = 0) -> list[str]:
    return [event.type for event in events()[since:]]


def events() -> list[WebhookEvent]:
    return list(WebhookEvent.objects.order_by("created_at"))


def body_of(event: WebhookEvent) -> dict:
    return json.loads(bytes(event.body))


def last(event_type: str) -> dict:
    return body_of([event for event in events() if event.type == event_type][-1])


@pytest.fixture
def forget():
    return lambda: WebhookEvent.objects.all().delete()


PATHS = {"visit": "visits", "client": "clients", "item": "items", "tax": "taxes", "invoice": "invoices"}


@pytest.mark.parametrize(
    ("resource", "sent", "changed"),
    [
        ("client", {"firstName": "Ada", "email": "ada@example.test", "propertyAddress": {"city": "Bonn"}},
         {"lastName": "Łovelace \"&<"}),
        ("item", {"name": "Tap", "price": 12.5}, {"price": 13}),
        ("tax", {"name": "NY", "components": [{"name": "a", "rate": 0.04}]}, {"description": "new"}),
    ],
)  # fmt: skip
def test_an_event_shows_the_record_byte_for_byte_as_its_own_get_does(api, resource, sent, changed):
    made = api.post(f"/api/v1/{PATHS[resource]}", sent).json()["data"]
    for method, given, action in (("get", None, "created"), ("patch", changed, "updated")):
        getattr(api, method)(f"/api/v1/{PATHS[resource]}/{made['id']}", given)
        answer = api.get(f"/api/v1/{PATHS[resource]}/{made['id']}").content
        _, _, shown = answer.partition(b'"data":')
        event = [event for event in events() if event.type == f"{resource}.{action}"][-1]
        _, _, inside = bytes(event.body).partition(b'"data":{"object":')
        inside = inside.partition(b',"previous_attributes":')[0] if action == "updated" else inside[:-2]
        assert len(inside) > 100
        assert shown.startswith(inside + b",")
        assert body_of(event)["data"]["object"] == json.loads(answer)["data"]


def test_a_visit_over_the_api(api, make_client, make_technician):
    sent = {"clientId": make_client().pk, "title": "Leak", "technicianId": make_technician().pk}
    visit = api.post("/api/v1/visits", sent, headers={"X-Request-Id": "mine-1"}).json()["data"]
    body = last("visit.created")
    assert body["data"] == {"object": visit}
    assert body["source"] == {
        "kind": "api", "integration": None, "job_id": None, "actor": "API key test", "request_id": "mine-1",
    }  # fmt: skip
    times = {"scheduledStart": "2026-12-01T08:00:00Z", "scheduledEnd": "2026-12-01T09:00:00Z"}
    before = len(events())
    answer = api.patch(f"/api/v1/visits/{visit['id']}", {**times, "visitStatus": "scheduled"})
    now = answer.json()["data"]
    assert told(since=before) == ["visit.updated", "visit.status_changed"]
    old = {"scheduledStart": None, "scheduledEnd": None, "visitStatus": "unscheduled"}
    for name in ("visit.updated", "visit.status_changed"):
        assert last(name)["data"] == {"object": now, "previous_attributes": old}
        assert last(name)["source"]["request_id"] == answer.headers["X-Request-Id"]


def test_completing_a_visit(make_visit):
    visit = make_visit(visit_status="in_progress")
    before = len(events())
    Visit.objects.filter(pk=visit.pk).update(visit_status="completed")
    assert told(since=before) == ["visit.updated", "visit.status_changed", "visit.completed"]
    assert "previous_attributes" not in last("visit.completed")["data"]


def test_a_field_of_nobodys_version_is_told_as_well(make_visit):
    visit = make_visit()
    version = visit.version
    Visit.objects.filter(pk=visit.pk).update(job_id="J-7")
    assert last("visit.updated")["data"]["previous_attributes"] == {"jobId": None}
    visit.refresh_from_db()
    assert visit.version == version


def test_nothing_public_changed(workspace, make_client):
    client = make_client()
    before = len(events())
    client.save()
    Client.objects.filter(pk=client.pk).update(first_name=client.first_name, merged_into=None)
    Client.objects.filter(pk=client.pk).update(erased_at=timezone.now())
    assert told(since=before) == []


def test_deleted(make_visit):
    visit = make_visit(title="Private words", notes="more", address="1 Main St")
    services.delete_visit(workspace=visit.workspace, visit_id=visit.pk)
    shown = last("visit.deleted")["data"]
    assert shown["object"]["id"] == visit.pk
    assert shown["object"]["deleted"] is True
    assert shown["object"]["clientId"] == visit.client_id
    assert not {"title", "notes", "address", "jobId"} & shown["object"].keys()
    assert "previous_attributes" not in shown
    count = len(events())
    Visit.objects.filter(pk=visit.pk).update(title="again")  # what is hidden is of no interest
    assert len(events()) == count


def test_deleted_for_good_and_put_back(make_visit):
    visit = make_visit()
    Visit.objects.filter(pk=visit.pk).delete()
    assert last("visit.deleted")["data"]["object"]["id"] == visit.pk
    other = make_visit()
    Visit.objects.filter(pk=other.pk).update(deleted_at=timezone.now())
    Visit.objects.filter(pk=other.pk).update(deleted_at=None)
    assert told()[-2:] == ["visit.deleted", "visit.created"]


@pytest.fixture
def line():
    return {"description": "Work", "quantity": Decimal(1), "unit_price": Decimal(100)}


def test_an_invoice_with_its_lines(api, workspace, make_client, line, forget):
    client = make_client()
    invoice = invoicing.create_invoice(workspace=workspace, client_id=client.pk, lines=[line], send=True)
    path = f"/api/v1/invoices/{invoice.pk}"
    assert last("invoice.created")["data"]["object"] == api.get(path).json()["data"]
    old_lines = api.get(path).json()["data"]["lines"]
    assert old_lines[0]["amount"] == 100
    forget()
    more = [{**line, "unit_price": Decimal(150)}]
    invoicing.update_invoice(workspace=workspace, invoice_id=invoice.pk, changes={"lines": more})
    body = last("invoice.updated")["data"]
    assert body["object"] == api.get(path).json()["data"]
    assert body["previous_attributes"] == {"lines": old_lines, "subtotal": 100, "total": 100, "balance": 100}
    assert told() == ["invoice.updated"]


def test_paid_in_two_parts_and_opened_again(api, workspace, make_client, line, forget):
    client = make_client()
    invoice = invoicing.create_invoice(workspace=workspace, client_id=client.pk, lines=[line], send=True)
    forget()

    def pay(amount):
        share = {"invoice_id": invoice.pk, "amount": Decimal(amount)}
        return paying.record_payment(
            workspace=workspace, client_id=client.pk, amount=Decimal(amount), allocations=[share]
        )

    payment = pay(30)
    assert sorted(told()) == ["invoice.updated", "payment.created"]
    assert last("payment.created")["data"]["object"] == api.get(f"/api/v1/payments/{payment.pk}").json()["data"]
    assert last("payment.created")["data"]["object"]["allocations"] == [{"invoiceId": invoice.pk, "amount": 30}]
    forget()
    pay(30)  # partly paid before and after: the log has no row for it
    assert last("invoice.updated")["data"]["previous_attributes"] == {"paid": 30, "balance": 70}
    forget()
    payment = pay(40)
    assert sorted(told()) == ["invoice.paid", "invoice.updated", "payment.created"]
    forget()
    paying.void_payment(workspace=workspace, payment_id=payment.pk)
    assert sorted(told()) == ["invoice.updated", "payment.deleted", "payment.updated"]
    assert last("invoice.updated")["data"]["previous_attributes"]["status"] == "paid"
    forget()
    pay(40)
    assert "invoice.paid" in told()


def test_what_a_payment_gave_before(workspace, make_client, line, forget):
    client = make_client()
    one, two = (
        invoicing.create_invoice(workspace=workspace, client_id=client.pk, lines=[line], send=True) for _ in "12"
    )
    share = {"invoice_id": one.pk, "amount": Decimal(10)}
    payment = paying.record_payment(workspace=workspace, client_id=client.pk, amount=Decimal(10), allocations=[share])
    forget()
    changes = {"allocations": [{"invoice_id": two.pk, "amount": Decimal(10)}]}
    paying.update_payment(workspace=workspace, payment_id=payment.pk, changes=changes)
    old = [{"invoiceId": one.pk, "amount": 10}]
    assert last("payment.updated")["data"]["previous_attributes"] == {"allocations": old}
    assert sorted(told()) == ["invoice.updated", "invoice.updated", "payment.updated"]


def test_voided_and_a_draft_deleted(workspace, make_client, line, forget):
    client = make_client()
    sent = invoicing.create_invoice(workspace=workspace, client_id=client.pk, lines=[line], send=True)
    draft = invoicing.create_invoice(workspace=workspace, client_id=client.pk, lines=[line])
    forget()
    invoicing.void_invoice(workspace=workspace, invoice_id=sent.pk)
    assert told() == ["invoice.updated", "invoice.voided"]
    forget()
    invoicing.delete_invoice(workspace=workspace, invoice_id=draft.pk)
    assert told() == ["invoice.deleted"]
    assert "lines" not in last("invoice.deleted")["data"]["object"]


def test_a_rollback_leaves_nothing(make_client):
    make_client()
    before = len(events())

    def attempt():
        with transaction.atomic():
            make_client()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        attempt()
    assert len(events()) == before


def test_together_tells_once_and_not_of_what_was_undone(make_client):
    client, untouched = make_client(), make_client(first_name="Same")
    before = len(events())
    undone = []
    with together():
        Client.objects.filter(pk=client.pk).update(first_name="One")
        Client.objects.filter(pk=client.pk).update(last_name="Two")
        with pytest.raises(RuntimeError), transaction.atomic():
            undone.append(make_client())
            Client.objects.filter(pk=untouched.pk).update(first_name="Other")
            raise RuntimeError
        assert len(events()) == before
    assert told(since=before) == ["client.updated"]
    assert last("client.updated")["data"]["previous_attributes"] == {"firstName": client.first_name, "lastName": None}


def test_made_and_deleted_together_is_nothing(make_client):
    before = len(events())
    with together():
        client = make_client()
        Client.objects.filter(pk=client.pk).update(deleted_at=timezone.now())
    assert len(events()) == before


def test_who_and_by_what_way(make_client):
    with attributed(actor="Dana", source="desk"):
        make_client()
    assert last("client.created")["source"]["kind"] == "desk"
    with attributed(actor="dana@example.test", origin="str_1", integration="google_calendar"):
        make_client()
    source = last("client.created")["source"]
    assert (source["kind"], source["integration"], source["request_id"]) == ("sync", "google_calendar", None)
    make_client()
    assert last("client.created")["source"]["kind"] == "system"


def test_people_of_the_team(api, workspace):
    fields = {"first_name": "Ann", "email": "ann@example.test", "role": Role.STAFF}
    member = team.create_member(workspace=workspace, by=None, fields=fields)
    path = f"/api/v1/team/{member.pk}"
    assert last("team_member.created")["data"]["object"] == api.get(path).json()["data"]
    team.update_member(workspace=workspace, member_id=member.pk, by=None, changes={"is_active": False})
    body = last("team_member.updated")["data"]
    assert body == {"object": api.get(path).json()["data"], "previous_attributes": {"isActive": True}}
    count = len(events())
    team.update_member(workspace=workspace, member_id=member.pk, by=None, changes={"weekly_summary": False})
    assert len(events()) == count  # nobody sees that


@pytest.mark.parametrize("model", [Client, Visit, Item, TaxRate, Invoice, Payment])
def test_many_take_as_many_queries_as_two(workspace, make_client, model):
    client = make_client()
    facts = {
        Client: {"first_name": "C"}, Visit: {"title": "V", "client": client}, Item: {"name": "I"},
        TaxRate: {"name": "T", "rate": Decimal("0.1")},
        Invoice: {"client": client, "date": dt.date(2026, 1, 1), "lines_digest": "-"},
        Payment: {"client": client, "date": dt.date(2026, 1, 1), "amount": 5, "allocations_digest": "-"},
    }[model]  # fmt: skip

    def queries(count):
        numbers = [{"number": f"{count}-{each}"} if model is Invoice else {} for each in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as asked:
            model.objects.bulk_create([model(workspace=workspace, **facts, **number) for number in numbers])
        return len(asked)

    queries(1)
    assert queries(9) == queries(2)


def test_what_is_too_large_is_told_by_its_id(workspace, make_client):
    line = {"description": "ü" * 4000, "quantity": Decimal(1), "unit_price": Decimal(1)}
    client = make_client()
    invoice = invoicing.create_invoice(workspace=workspace, client_id=client.pk, lines=[line] * 60)
    assert last("invoice.created")["data"] == {"object": {"id": invoice.pk}, "truncated": True}
    assert last("invoice.created")["type"] == "invoice.created"


def test_times_are_utc_whatever_zone_the_desk_is_in(make_client):
    with timezone.override("Asia/Tokyo"):
        make_client()
    assert last("client.created")["data"]["object"]["createdAt"].endswith("Z")
