"""What refers to something that is deleted, merged or inactive: all that could be done with it still can be, and only
a new reference is refused. Each foreign key of a record has its row here."""

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps

from fieldcamp.workspace import catalog, invoicing, paying, services
from fieldcamp.workspace.books import apply_invoice, apply_payment, import_payment
from fieldcamp.workspace.merging import merge_clients
from fieldcamp.workspace.models import Invoice, Member, Payment
from fieldcamp.workspace.tracking import TrackedModel

pytestmark = pytest.mark.django_db
BASE = "/api/v1"
# Who refers to what: the test of it. `workspace` is never deleted under its records.
REFERENCES = {
    ("Visit", "client"): "client",
    ("Visit", "technician"): "technician",
    ("Client", "parent"): "client",
    ("Client", "merged_into"): "client",  # read by nobody but the answer to who asks for the merged one
    ("Invoice", "client"): "client",
    ("Invoice", "tax_rate"): "tax",
    ("InvoiceLine", "item"): "item",
    ("InvoiceLine", "invoice"): "invoice",
    ("Payment", "client"): "client",
    ("PaymentAllocation", "payment"): "invoice",
    ("PaymentAllocation", "invoice"): "invoice",
}


def test_every_reference_of_a_record_is_known():
    rows = {"InvoiceLine", "PaymentAllocation"}
    models = [m for m in apps.get_app_config("workspace").get_models() if issubclass(m, TrackedModel)]
    models += [m for m in apps.get_app_config("workspace").get_models() if m.__name__ in rows]
    found = {(m.__name__, f.name) for m in models for f in m._meta.local_fields if f.is_relation}
    assert {pair for pair in found if pair[1] != "workspace"} == {*REFERENCES}


@pytest.fixture
def made(workspace, make_client, make_technician) -> dict[str, Any]:
    owner, tech = make_client(first_name="Owner"), make_technician()
    place = make_client(first_name="Place", parent=owner)
    item = catalog.create_item(workspace=workspace, name="Drain", price=Decimal(50))
    tax = catalog.create_tax_rate(workspace=workspace, name="CA", rate=Decimal("0.08"))
    lines = [{"item_id": item.pk, "quantity": 2}]
    bill = {"workspace": workspace, "client_id": owner.pk, "lines": lines, "tax_rate_id": tax.pk}
    draft, sent = invoicing.create_invoice(**bill), invoicing.create_invoice(**bill, send=True)
    at_place = invoicing.create_invoice(**bill | {"client_id": place.pk}, send=True)
    share = {"invoice_id": sent.pk, "amount": Decimal(8)}
    payment = paying.record_payment(
        workspace=workspace, client_id=owner.pk, amount=Decimal(10), allocations=[share]
    )  # fmt: skip
    visit = services.create_visit(workspace=workspace, client_id=owner.pk, technician_id=tech.pk, title="Boiler")
    return {
        "owner": owner, "place": place, "tech": tech, "item": item, "tax": tax, "draft": draft, "sent": sent,
        "at_place": at_place, "payment": payment, "visit": visit,
    }  # fmt: skip


def well(answer) -> dict:
    assert answer.status_code in (200, 201), answer.content
    return answer.json()["data"]


def work_on(api, made) -> None:
    """All that can be done with the records, each by PATCH and by PUT of what was read."""
    owner, draft, sent, payment = (made[name].pk for name in ("owner", "draft", "sent", "payment"))
    for path in (
        f"visits/{made['visit'].pk}",
        f"clients/{made['place'].pk}",
        f"invoices/{draft}",
        f"payments/{payment}",
    ):
        data = well(api.get(f"{BASE}/{path}"))
        field = {"visits": "notes", "clients": "lastName", "invoices": "memo", "payments": "notes"}[path.split("/")[0]]
        assert well(api.patch(f"{BASE}/{path}", {field: "one"}))[field] == "one"
        assert well(api.put(f"{BASE}/{path}", {**well(api.get(f"{BASE}/{path}")), field: "two"}))[field] == "two"
        assert {*data} == {*well(api.get(f"{BASE}/{path}"))}
    for invoice in (draft, sent):
        rows = well(api.get(f"{BASE}/invoices/{invoice}"))["lines"]
        lines = [{name: value for name, value in row.items() if name != "amount"} for row in rows]
        split = [{**lines[0], "quantity": 1}, {"itemId": lines[0]["itemId"]}]
        data = well(api.patch(f"{BASE}/invoices/{invoice}", {"lines": split}))
        assert data["total"] == 108 and [row["unitPrice"] for row in data["lines"]] == [50, 50]
    well(api.patch(f"{BASE}/visits/{made['visit'].pk}", {"scheduledStart": "2030-05-30T13:00:00Z"}))
    well(api.post(f"{BASE}/invoices/{draft}/send", {}))
    for invoice in (draft, made["at_place"].pk):  # the place's bill, too, is paid by who it is a place of
        shares = [{"invoiceId": invoice, "amount": 3}]
        paid = well(api.post(f"{BASE}/payments", {"clientId": owner, "amount": 4, "allocations": shares}))
        well(api.patch(f"{BASE}/payments/{paid['id']}", {"amount": 5}))
        well(api.post(f"{BASE}/payments/{paid['id']}/void", {}))
        well(api.post(f"{BASE}/invoices/{invoice}/void", {}))


def refused(api, path: str, body: dict, name: str, sentence: str = "There is no such") -> None:
    answer = api.post(f"{BASE}/{path}", body)
    assert answer.status_code == 400 and sentence in answer.json()["error"]["details"][name][0], answer.content


@pytest.mark.slow
def test_a_deleted_client(api, made, make_client):
    owner = made["owner"].pk
    well(api.delete(f"{BASE}/clients/{owner}"))
    # As the books tell of what happens there.
    sent = Invoice.objects.get(pk=made["sent"].pk)
    assert apply_invoice(sent.pk, sent.version, {"memo": "there"})
    payment = Payment.objects.get(pk=made["payment"].pk)
    assert apply_payment(payment.pk, payment.version, {"reference": "7"})
    share = {"invoice_id": sent.pk, "amount": 1}
    values = {"client_id": owner, "amount": 1, "date": "2026-05-30", "allocations": [share]}
    assert import_payment(workspace=sent.workspace, made_in="quickbooks", values=values).pk
    work_on(api, made)
    for path, body in {"visits": {"title": "x"}, "invoices": {"lines": []}, "payments": {"amount": 1}}.items():
        refused(api, path, {"clientId": owner, **body}, "clientId")
    foreign = invoicing.create_invoice(
        workspace=sent.workspace, client_id=make_client().pk, lines=[{"unit_price": Decimal(9)}], send=True
    )
    shares = [{"invoiceId": foreign.pk, "amount": 1}]
    refused(api, "payments", {"clientId": owner, "amount": 1, "allocations": shares}, "clientId")


@pytest.mark.slow
def test_a_merged_client(api, made, make_client, workspace):
    into = make_client()
    merge_clients(workspace=workspace, client_id=made["owner"].pk, into_id=into.pk)
    refused(api, "visits", {"clientId": made["owner"].pk, "title": "x"}, "clientId", f"was merged into {into.pk}")
    refused(api, "payments", {"clientId": made["owner"].pk, "amount": 1}, "clientId", f"was merged into {into.pk}")
    work_on(api, made | {"owner": into})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["item", "tax", "technician", "everything"])
def test_a_deleted_item_tax_or_an_inactive_technician(api, made, kind):
    if kind in ("item", "everything"):
        well(api.delete(f"{BASE}/items/{made['item'].pk}"))
    if kind in ("tax", "everything"):
        well(api.delete(f"{BASE}/taxes/{made['tax'].pk}"))
    if kind in ("technician", "everything"):
        Member.objects.update(is_active=False)
    if kind == "everything":
        well(api.delete(f"{BASE}/clients/{made['owner'].pk}"))
    work_on(api, made)
    new = {"clientId": made["place"].pk}
    if kind in ("item", "everything"):
        refused(api, "invoices", new | {"lines": [{"itemId": made["item"].pk}]}, "lines.0.itemId")
    if kind in ("tax", "everything"):
        refused(api, "invoices", new | {"lines": [], "taxRateId": made["tax"].pk}, "taxRateId")
    if kind in ("technician", "everything"):
        visit = new | {"title": "x", "technicianId": made["tech"].pk}
        refused(api, "visits", visit, "technicianId", "not active")


@pytest.mark.slow
def test_an_invoice_that_is_paid_is_neither_deleted_nor_voided(api, made):
    path = f"{BASE}/invoices/{made['sent'].pk}"
    for answer in (api.delete(path), api.post(f"{path}/void", {})):
        assert answer.status_code == 409 and answer.json()["error"]["code"] == "INVALID_TRANSITION"
    # The books may void it all the same: what it has been given is kept or lowered, and not raised.
    sent = Invoice.objects.get(pk=made["sent"].pk)
    assert apply_invoice(sent.pk, sent.version, {"voided": True})
    path = f"{BASE}/payments/{made['payment'].pk}"
    data = well(api.get(path))
    assert well(api.put(path, data | {"amount": 11}))["allocations"] == data["allocations"]
    share = data["allocations"][0]
    well(api.patch(path, {"allocations": [share | {"amount": 7}]}))
    assert api.patch(path, {"allocations": [share]}).status_code == 400
    well(api.patch(path, {"allocations": []}))
    assert api.patch(path, {"allocations": [share | {"amount": 1}]}).status_code == 400
