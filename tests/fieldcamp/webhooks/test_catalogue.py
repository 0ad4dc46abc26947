"""The catalogue: every example is of its schema, and what it shows of a record is what the record's own GET shows."""

import jsonschema
import pytest

from fieldcamp.api.docs import document
from fieldcamp.webhooks.catalogue import describe, described, example_of
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.schemas import schema_of
from fieldcamp.workspace.invoicing import create_invoice
from fieldcamp.workspace.paying import record_payment

NAMES = [*EVENT_TYPES]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_of_its_schema(name):
    validator = jsonschema.Draft202012Validator(schema_of(name), format_checker=jsonschema.FormatChecker())
    assert not [error.message for error in validator.iter_errors(example_of(name))]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.pop("sequence"),
        lambda body: body["data"].pop("object"),
        lambda body: body["data"]["object"].pop("clientId"),
        lambda body: body["data"]["object"].update(scheduledStart=5),
        lambda body: body["data"]["object"].update(visitStatus="lost"),
        lambda body: body["data"]["previous_attributes"].update(scheduled_start=None),
        lambda body: body.update(type="visit.created"),
        lambda body: body["source"].update(kind="somebody"),
    ],
)
def test_what_is_not_of_the_schema_is_found(spoil):
    body = example_of("visit.updated")
    assert jsonschema.Draft202012Validator(schema_of("visit.updated")).is_valid(body)
    spoil(body)
    assert not jsonschema.Draft202012Validator(schema_of("visit.updated")).is_valid(body)


@pytest.mark.slow
def test_schemas_refer_to_nothing_outside_of_themselves():
    for name in NAMES:
        assert "#/components/" not in str(schema_of(name))
        jsonschema.Draft202012Validator.check_schema(schema_of(name))


def test_the_records_of_the_company_are_all_described():
    families = {each.resource for each in EVENT_TYPES.values() if each.scope != "integrations:read"}
    assert {name for name in NAMES if described(name) is None and EVENT_TYPES[name].resource in families} == set()
    with pytest.raises(ValueError, match="no events"):
        describe("job", type(None), {})  # type: ignore[arg-type]


def test_the_reference_has_each_type_with_its_scope_and_example():
    served = document()[0]["webhooks"]
    assert list(served) == NAMES
    for name, item in served.items():
        operation = item["post"]
        assert f"Scope: `{EVENT_TYPES[name].scope}`" in operation["description"]
        assert operation["requestBody"]["content"]["application/json"]["examples"]["Example"]["value"]["type"] == name


@pytest.mark.slow
@pytest.mark.django_db
def test_the_catalogue_is_served(api):
    answer = api.get("/api/v1/webhook-events").json()
    assert [row["type"] for row in answer["data"]] == NAMES and answer["meta"]["next_cursor"] is None
    row = answer["data"][NAMES.index("visit.updated")]
    assert (row["scope"], row["sinceVersion"]) == ("visits:read", "2024-10-01")
    assert row["schema"] == schema_of("visit.updated") and row["example"] == example_of("visit.updated")


@pytest.mark.django_db
def test_what_a_get_answers_is_of_the_schema_of_its_events(api, workspace, make_visit, make_technician):
    """With nothing in it, and with much: the schema of `data.object` is that of the answer."""
    visit, member = make_visit(), make_technician()
    item, tax = (
        api.post(f"/api/v1/{path}", {"name": "One", **more}).json()["data"]["id"]
        for path, more in (("items", {"price": 5}), ("taxes", {"rate": 0.08}))
    )
    invoice = create_invoice(
        workspace=workspace, client_id=visit.client_id, lines=[{"description": "Work", "unit_price": 5}], send=True
    )
    payment = record_payment(
        workspace=workspace, client_id=visit.client_id, amount=5, allocations=[{"invoice_id": invoice.pk, "amount": 5}]
    )
    found = {
        "visit.created": f"visits/{visit.pk}",
        "client.created": f"clients/{visit.client_id}",
        "team_member.created": f"team/{member.pk}",
        "invoice.created": f"invoices/{invoice.pk}",
        "payment.created": f"payments/{payment.pk}",
        "item.created": f"items/{item}",
        "tax.created": f"taxes/{tax}",
    }
    for name, path in found.items():
        body = example_of(name)
        body["data"]["object"] = api.get(f"/api/v1/{path}").json()["data"]
        errors = jsonschema.Draft202012Validator(schema_of(name)).iter_errors(body)
        assert not [error.message for error in errors], name
