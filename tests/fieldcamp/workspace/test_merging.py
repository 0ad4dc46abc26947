"""Merging two clients who are one: what moves, what is refused, and what the API says."""

import datetime as dt
from decimal import Decimal

import pytest

from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.invoicing import create_invoice, send_invoice
from fieldcamp.workspace.merging import merge_clients, preview_merge
from fieldcamp.workspace.models import AuditEntry, Change, Client, Invoice, Payment, Visit
from fieldcamp.workspace.paying import record_payment
from fieldcamp.workspace.services import delete_client
from fieldcamp.workspace.tracking import attributed
from tests.conftest import api_client
from tests.fieldcamp.workspace.answers import data, details

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 11, 20)
HERE, THERE = {"street": "1 Main St", "city": "Troy"}, {"street": "2 Side St", "city": "Troy"}
LINES = [{"description": "Work", "quantity": Decimal(1), "unit_price": Decimal(100)}]


@pytest.fixture
def invoice(workspace):
    def make(client: Client, *, send: bool = True) -> Invoice:
        made = create_invoice(workspace=workspace, client_id=client.pk, lines=LINES, date=DAY)
        return send_invoice(workspace=workspace, invoice_id=made.pk) if send else made

    return make


@pytest.fixture
def ann(make_client):
    return make_client(first_name="Ann", last_name="Lee", email="ann@lee.test", property_address=THERE)


@pytest.fixture
def lee(make_client):
    return make_client(first_name="", company_name="Lee Ltd", property_address=HERE)


@pytest.fixture
def merge(workspace):
    return lambda client, into: merge_clients(workspace=workspace, client_id=client.pk, into_id=into.pk)


def test_all_that_was_the_ones_is_the_others(workspace, ann, lee, merge, invoice, make_visit, make_client):
    sent, draft = invoice(ann), invoice(ann, send=False)
    shares = [{"invoice_id": sent.pk, "amount": Decimal(40)}]
    paid = record_payment(workspace=workspace, client_id=ann.pk, amount=Decimal(40), allocations=shares, date=DAY)
    bare, placed = make_visit(client=ann), make_visit(client=ann, address="5 Far Rd")
    place = make_client(display_name="Cabin", parent=ann)
    others = make_visit(client=make_client())
    found = preview_merge(ann, lee)
    assert found.counts == {"visits": 2, "invoices": 2, "payments": 1, "places": 1}
    assert (found.names["places"], found.taken_over) == (["Cabin"], ("email",))
    before = Invoice.objects.values("billed_to", "total", "paid", "settlement", "number").get(pk=sent.pk)
    with attributed(actor="Bea"):
        assert merge(ann, lee) == lee
    for model, records in ((Invoice, [sent, draft]), (Payment, [paid]), (Visit, [bare, placed])):
        assert {row.client_id for row in model.objects.filter(pk__in=[one.pk for one in records])} == {lee.pk}
    assert Client.objects.get(pk=place.pk).parent_id == lee.pk
    assert Visit.objects.get(pk=others.pk).client_id != lee.pk
    assert Invoice.objects.values(*before).get(pk=sent.pk) == before and before["billed_to"]["name"] == "Ann Lee"
    assert [Visit.objects.get(pk=one.pk).address for one in (bare, placed)] == ["2 Side St, Troy", "5 Far Rd"]
    lee.refresh_from_db(), ann.refresh_from_db()
    assert (lee.email, lee.property_address, lee.company_name, lee.first_name) == ("ann@lee.test", HERE, "Lee Ltd", "")
    assert (ann.merged_into_id, ann.email, bool(ann.deleted_at)) == (lee.pk, "ann@lee.test", True)
    entry = AuditEntry.objects.get(action="client.merged")
    assert (entry.actor, entry.object_id, entry.after["into"], entry.after["visits"]) == ("Bea", ann.pk, lee.pk, 2)
    changes = Change.objects.filter(actor="Bea", record_id__in=[sent.pk, bare.pk, paid.pk, ann.pk, lee.pk])
    assert {(row.kind, row.action) for row in changes} == {
        ("invoice", "updated"), ("visit", "updated"), ("payment", "updated"), ("client", "deleted"),
        ("client", "updated"),
    }  # fmt: skip


def test_where_the_survivors_own_visits_go_stays(ann, merge, make_client, make_visit):
    into = make_client(billing_address=HERE)
    merge(ann, into)
    into.refresh_from_db()
    assert (into.billing_address, into.property_address) == (HERE, {})


def test_a_chain_of_merges_leads_to_its_end(ann, lee, merge, make_client):
    last = make_client(first_name="Last")
    merge(ann, lee)
    merge(lee, last)
    assert {row.merged_into_id for row in Client.objects.filter(pk__in=[ann.pk, lee.pk])} == {last.pk}


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        ("itself", InvalidFields, "into itself"),
        ("place", InvalidFields, "is a place of"),
        ("place of a place", InvalidFields, "is a place of"),
        ("other company", InvalidFields, "no such client"),
        ("unknown", InvalidFields, "no such client"),
        ("deleted", InvalidFields, "no such client"),
        ("merged", InvalidFields, "Choose that one"),
        ("again", InvalidTransition, "already"),
        ("gone", Client.DoesNotExist, None),
    ],
)
def test_what_is_refused_changes_nothing(
    case, error, said, workspace, second_workspace, ann, lee, merge, make_client, make_visit
):
    client, into = ann, lee
    make_visit(client=ann)
    if case == "itself":
        into = ann
    elif case.startswith("place"):
        into = make_client(first_name="Flat", parent=ann if case == "place" else make_client(parent=ann))
    elif case == "other company":
        into = make_client(workspace=second_workspace)
    elif case == "unknown":
        into = Client(pk="cli_unknown")
    elif case == "deleted":
        delete_client(workspace=workspace, client_id=lee.pk)
    elif case == "merged":
        merge(lee, make_client())
    elif case == "again":
        merge(ann, make_client())
    else:
        delete_client(workspace=workspace, client_id=ann.pk)
    before = list(Visit.objects.values_list("client_id", flat=True)), Change.objects.count()
    with pytest.raises(error, match=said):
        merge(client, into)
    assert (list(Visit.objects.values_list("client_id", flat=True)), Change.objects.count()) == before


def test_by_api(api, ann, lee, make_visit, api_key, second_workspace):
    visit = make_visit(client=ann)
    path = f"/api/v1/clients/{ann.pk}/merge"
    assert list(details(api.post(path, {"into": ann.pk}))) == ["into"]
    assert list(details(api.post(path, {}))) == ["into"]
    assert list(details(api.post(path, {"into": lee.pk, "x": 1}))) == ["x"]
    reads = api_client(api_key(scopes=["clients:read"]))
    details(reads.post(path, {"into": lee.pk}), 403, "INSUFFICIENT_SCOPE")
    other = api_client(api_key(workspace=second_workspace))
    details(other.post(path, {"into": lee.pk}), 404, "NOT_FOUND")
    details(api.post(path, {"into": lee.pk}, headers={"If-Match": '"stale"'}), 412, "PRECONDITION_FAILED")
    key = {"Idempotency-Key": "once"}
    answer = api.post(path, {"into": lee.pk}, headers=key)
    survivor = data(answer)
    assert (survivor["id"], survivor["email"]) == (lee.pk, "ann@lee.test")
    assert answer["ETag"] == api.get(f"/api/v1/clients/{lee.pk}")["ETag"]
    assert api.post(path, {"into": lee.pk}, headers=key).json() == answer.json()
    assert data(api.get(f"/api/v1/visits/{visit.pk}"))["clientId"] == lee.pk
    details(api.post(path, {"into": lee.pk}), 409, "INVALID_TRANSITION")
    assert [row["id"] for row in data(api.get("/api/v1/clients"))] == [lee.pk]


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_one_that_was_merged_is_not_found_and_says_where_it_went(
    method, api, ann, lee, merge, api_key, second_workspace
):
    merge(ann, lee)
    path = f"/api/v1/clients/{ann.pk}"
    answer = getattr(api, method)(path, *([{"lastName": "x"}] if method == "patch" else []))
    assert details(answer, 404, "NOT_FOUND") == {"merged_into": lee.pk}
    assert lee.pk in answer.json()["error"]["message"]
    other = api_client(api_key(workspace=second_workspace))
    assert details(getattr(other, method)(path, *([{}] if method == "patch" else [])), 404, "NOT_FOUND") == {}
