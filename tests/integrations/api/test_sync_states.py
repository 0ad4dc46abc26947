"""`GET /{resource}/{id}/sync` and `include=sync`: who may ask, what is answered, and at what cost."""

import datetime as dt
from decimal import Decimal

import jsonschema
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.api.docs import document
from fieldcamp.workspace.models import Client, Invoice, Item, Payment, TaxRate, Visit
from integrations.models import Link, Problem, Stream
from tests.conftest import api_client
from tests.integrations import build

pytestmark = pytest.mark.django_db
RESOURCES = ("visits", "clients", "items", "taxes", "invoices", "payments")
KINDS = ("visit", "customer", "item", "tax", "invoice", "payment")


def records_of(workspace, technician=None) -> dict[str, str]:
    """One record of each kind, by resource."""
    client = Client.objects.create(workspace=workspace, first_name="Kim")
    start = timezone.now() + dt.timedelta(days=1)
    visit = Visit.objects.create(
        workspace=workspace, client=client, technician=technician, title="Leak", visit_status="scheduled",
        scheduled_start=start, scheduled_end=start + dt.timedelta(hours=1),
    )  # fmt: skip
    today = timezone.now().date()
    return {
        "visits": visit.pk,
        "clients": client.pk,
        "items": Item.objects.create(workspace=workspace, name="Drain", price=Decimal(5)).pk,
        "taxes": TaxRate.objects.create(workspace=workspace, name="CA", rate=Decimal("0.08")).pk,
        "invoices": Invoice.objects.create(workspace=workspace, client=client, number=visit.pk[-8:], date=today).pk,
        "payments": Payment.objects.create(workspace=workspace, client=client, amount=Decimal(5), date=today).pk,
    }


def connected(workspace, integration: str = build.GOOGLE, **fields):
    """An account with its streams, synced a minute ago."""
    account = build.connection(workspace, integration=integration, **fields)
    kinds = ("customer", "item", "tax", "invoice", "payment") if integration == "quickbooks" else ("",)
    for kind in kinds:
        Stream.objects.create(
            connection=account, container_id=kind or "main", kind=kind, is_target=not kind, container_name=kind,
            first_synced_at=timezone.now(), window_end=timezone.now(), direction="pull" if kind == "tax" else "two_way",
        )  # fmt: skip
    return account


@pytest.fixture
def account(workspace):
    connected(workspace, "quickbooks", member_id=None, member=None)
    return connected(workspace)


def schema_of(path: str) -> dict:
    served = document()[0]
    content = served["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]["application/json"]
    return content["schema"] | {"components": served["components"]}


@pytest.mark.slow
def test_each_kind_answers_in_the_shape_of_the_document(workspace, account, api):
    for resource, record_id in records_of(workspace, account.member).items():
        response = api.get(f"/api/v1/{resource}/{record_id}/sync")
        assert response.status_code == 200, resource
        answer = response.json()
        jsonschema.validate(answer, schema_of(f"/{resource}/{{record_id}}/sync"))
        assert answer["data"]["recordId"] == record_id
        [row] = answer["data"]["integrations"]
        assert row["state"] != "synced" and row["why"] and row["nextStep"] and row["reason"], resource
        [listed] = api.get(f"/api/v1/{resource}?include=sync").json()["data"]
        assert {**listed["sync"], "fields": answer["data"]["fields"]} == answer["data"], resource
        page = api.get(f"/api/v1/{resource}?include=sync").json()
        jsonschema.validate(page, schema_of(f"/{resource}"))
        assert "sync" not in api.get(f"/api/v1/{resource}").json()["data"][0]


@pytest.mark.slow
def test_rows_of_lists_may_have_it_and_bodies_may_not():
    schemas = document()[0]["components"]["schemas"]
    for name in ("Visit", "Client", "Item", "Tax", "Invoice", "Payment"):
        assert schemas[name]["properties"]["sync"]["$ref"].endswith("/RecordSync"), name
        assert "sync" not in schemas[name].get("required", ())
        assert "sync" not in schemas[f"{name}Request"]["properties"], name
    assert "sync" not in schemas["Member"]["properties"]


def test_who_may_ask(workspace, second_workspace, account, api_key):
    records = records_of(workspace, account.member)
    foreign = api_client(api_key(workspace=second_workspace))
    for resource, record_id in records.items():
        place = f"/api/v1/{resource}/{record_id}/sync"
        assert foreign.get(place).status_code == 404
        assert foreign.get(f"/api/v1/{resource}/nobody/sync").status_code == 404
        for lacks in (f"{resource}:read", "integrations:read"):
            has = {f"{resource}:read", "integrations:read"} - {lacks}
            refused = api_client(api_key(scopes=sorted(has))).get(place)
            assert (refused.status_code, refused.json()["error"]["details"]) == (403, {"required_scope": lacks})
        alone = api_client(api_key(scopes=[f"{resource}:read"]))
        refused = alone.get(f"/api/v1/{resource}?include=sync")
        assert (refused.status_code, refused.json()["error"]["details"]) == (
            403, {"required_scope": "integrations:read"})  # fmt: skip
        assert alone.get(f"/api/v1/{resource}").status_code == 200


def test_what_is_misspelt_is_refused(workspace, account, api):
    record_id = records_of(workspace)["visits"]
    assert api.get("/api/v1/visits?include=sink").json()["error"]["details"] == {"include": ["Must be one of sync."]}
    assert api.get("/api/v1/visits?include=").status_code == 400
    assert api.get("/api/v1/team?include=sync").status_code == 400
    assert api.get(f"/api/v1/visits/{record_id}/sync?include=sync").status_code == 400
    assert api.post(f"/api/v1/visits/{record_id}/sync").status_code == 405


@pytest.mark.slow
def test_what_was_deleted_is_answered_and_listed(workspace, account, api):
    records = records_of(workspace, account.member)
    for resource in ("visits", "clients", "items", "taxes"):
        place = f"/api/v1/{resource}/{records[resource]}"
        if resource == "clients":
            Client.objects.filter(pk=records[resource]).update(deleted_at=timezone.now())
        else:
            assert api.delete(place).status_code == 200
        [row] = api.get(f"{place}/sync").json()["data"]["integrations"]
        assert (row["state"], row["reason"]) == ("excluded", "deleted"), resource
        [listed] = api.get(f"/api/v1/{resource}?include=sync&includeDeleted=true").json()["data"]
        assert (listed["deleted"], listed["sync"]["integrations"]) == (True, [row])


def remember(workspace, records: dict[str, str]) -> None:
    """Links of these records in every stream that may have them, and a problem about each."""
    for stream in Stream.objects.filter(connection__workspace=workspace).select_related("connection"):
        kind = stream.kind or "visit"
        record_id = records[RESOURCES[KINDS.index(kind)]]
        link = Link.objects.create(
            stream=stream, kind=kind, record_id=record_id, remote_id=f"of {record_id}", seen={}, base={}
        )
        Problem.objects.create(
            workspace=workspace, integration=stream.connection.integration, connection=stream.connection, link=link,
            code="RECORD_REJECTED", record_kind=kind, record_id=record_id, message="No.", occurred_at=timezone.now(),
        )  # fmt: skip


@pytest.mark.slow
def test_a_page_costs_the_same_however_many_rows_and_accounts(workspace, account, api):
    def costs() -> dict[str, int]:
        found = {}
        for resource in RESOURCES:
            with CaptureQueriesContext(database) as queries:
                assert api.get(f"/api/v1/{resource}?include=sync").status_code == 200
            found[resource] = len(queries)
        return found

    remember(workspace, records_of(workspace, account.member))
    costs()  # what is new is numbered once
    few = costs()
    for _ in range(3):
        remember(workspace, records_of(workspace, connected(workspace).member))
    costs()
    assert costs() == few and max(few.values()) < 60
