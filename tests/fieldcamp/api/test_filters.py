"""Each state that a row of a list shows can be asked for: every row is under exactly the value that it shows."""

import json

import pytest

from fieldcamp.workspace.models import ItemType, Payment, PaymentMethod, Role, VisitStatus
from tests.conftest import api_client
from tests.fieldcamp.workspace.mirror import whole

pytestmark = pytest.mark.django_db
TIMES = {
    "createdAt", "updatedAt", "expiresAt", "lastUsedAt",  # when, and of what is always so
    "disabledAt", "nextAttemptAt", "finishedAt", "started_at", "finished_at", "resolved_at",  # `status`, `state` say it
    "used_at", "decided_at", "connected_at", "disconnected_at",
    "access_ends_at", "last_synced_at", "retry_at",  # moments, not states
}  # fmt: skip
# Read whole and in order, by whoever goes on from a cursor; or worked out for the reader.
FEEDS = {"/integrations/google-calendar/sync", "/integrations/outlook-calendar/sync", "/integrations/quickbooks/sync"}
SUMS = {"money"}  # of a plan
LEFT_OUT = {("/events", "test"), ("/integrations/problems", "can_retry")}


@pytest.fixture(scope="module")
def schema():
    return json.loads(api_client().get("/api/v1/schema", HTTP_ACCEPT="application/json").content)


def resolved(schema: dict, part: dict) -> dict:
    while "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    alternatives = part.get("allOf") or part.get("anyOf") or []
    return resolved(schema, alternatives[0]) if alternatives else part


def lists(schema: dict) -> dict[str, tuple[set[str], dict[str, list]]]:
    """Returns of each list its parameters, and the values of each field of its rows that has a fixed set of them."""
    found = {}
    for path, methods in schema["paths"].items():
        parameters = {each["name"] for each in methods.get("get", {}).get("parameters", ()) if each["in"] == "query"}
        if "cursor" not in parameters:
            continue
        answer = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        parts = {name: resolved(schema, part) for name, part in resolved(schema, answer)["properties"].items()}
        [rows] = [part["items"] for name, part in parts.items() if part.get("type") == "array" and name not in SUMS]
        fields = resolved(schema, rows)["properties"]
        found[path.removeprefix("/api/v1")] = (
            parameters,
            {name: values for name, part in fields.items() if (values := states(schema, name, part))},
        )
    return found


def states(schema: dict, name: str, part: dict) -> list:
    whole, kinds = resolved(schema, part), part.get("type")
    if whole.get("type") == "boolean":
        return [True, False]
    if name.endswith(("At", "_at")) and name not in TIMES and isinstance(kinds, list) and "null" in kinds:
        return ["null", "time"]
    return whole.get("enum", [])


def test_each_field_with_a_fixed_set_of_values_is_a_filter(schema):
    found = lists(schema)
    assert {"/clients", "/visits", "/items", "/taxes", "/invoices", "/payments", "/team", "/webhooks"} <= set(found)
    missing = [
        (path, name)
        for path, (parameters, fields) in found.items()
        for name in fields
        if name.removesuffix("At") not in parameters
        and name not in parameters
        and path not in FEEDS
        and "{" not in path
    ]
    assert set(missing) == LEFT_OUT


@pytest.fixture
def rows(api, make_client, make_visit, make_member):
    """Some of each list, in all states."""

    def post(path: str, body: dict) -> dict:
        answer = api.post(f"/api/v1/{path}", body)
        assert answer.status_code < 300, answer.content
        return answer.json()["data"]

    client = make_client().pk
    for status in VisitStatus.values:
        make_visit(client_id=client, visit_status=status)
    for number, role in enumerate(Role.values):
        make_member(role=role, is_technician=bool(number % 2), is_active=number < 3)
    for kind in ItemType.values:
        post("items", {"name": kind, "type": kind, "taxable": kind == "product", "isActive": kind == "service"})
    for active in (True, False):
        post("taxes", {"name": "t", "rate": "0.1", "isActive": active})
    make = lambda **more: post("invoices", {"clientId": client, "lines": [{"unitPrice": 9}]} | more)["id"]  # noqa: E731
    sent = [make(), make(), make(), make(date="2020-01-01", dueDate="2020-01-02"), make()]
    for invoice in sent:
        post(f"invoices/{invoice}/send", {})
    make()
    post(f"invoices/{sent[4]}/void", {})
    for number, method in enumerate(PaymentMethod.values):
        shares = [{"invoiceId": sent[number], "amount": 9 - 4 * number}] if number < 2 else []
        post("payments", {"clientId": client, "amount": 9, "method": method, "allocations": shares})
    post(f"payments/{Payment.objects.get(method='other').pk}/void", {})
    return api


@pytest.mark.slow
def test_the_values_of_a_filter_part_the_list(rows, schema):
    split = {}
    for path, (parameters, fields) in lists(schema).items():
        if path in FEEDS or "{" in path or path in ("/availability", "/events") or path.startswith("/integrations"):
            continue
        everything = walk(rows, path)
        for name, values in fields.items():
            asked = name if name in parameters else name.removesuffix("At")
            parts = {}
            for value in ["true", "false"] if values in ([True, False], ["null", "time"]) else values:
                parts[value] = walk(rows, path, **{asked: value})
                for row in parts[value].values():
                    assert shown(row[name], asked != name) == value, (path, name)
            assert sum(len(part) for part in parts.values()) == len(everything), (path, name)
            split[path, name] = sum(bool(part) for part in parts.values())
    assert split["/invoices", "status"] == 5 and split["/visits", "visitStatus"] == 8
    assert all(count > 1 for (path, _), count in split.items() if path != "/webhooks")


def walk(api, path: str, **query: str) -> dict:
    if path.removeprefix("/") in ("team", "webhooks", "api-keys"):
        return {row["id"]: row for row in api.get(f"/api/v1{path}", {"limit": 200, **query}).json()["data"]}
    return whole(api, path.removeprefix("/"), **query)


def shown(value, is_time: bool) -> str:
    if is_time:
        return "true" if value else "false"
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


@pytest.mark.parametrize("query", ["items?type=x", "invoices?status=", "payments?voided=1", "team?isActive=True"])
def test_values_that_are_none(api, query):
    answer = api.get(f"/api/v1/{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [query.partition("?")[2].partition("=")[0]]
