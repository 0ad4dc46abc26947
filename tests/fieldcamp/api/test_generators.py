"""What generators of clients, and people who read, need of the document beside its truth."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from fieldcamp.api.arranging import arrange
from fieldcamp.api.docs import document
from fieldcamp.api.error_codes import ERRORS
from fieldcamp.api.reference import TAGS


@pytest.fixture(scope="module")
def served() -> dict:
    return document()[0]


def schemas(part: Any, where: str = "") -> Iterator[tuple[str, dict]]:
    """Every schema in this part of the document, examples left aside."""
    if isinstance(part, dict):
        yield where, part
        for name, inner in part.items():
            if name not in ("example", "examples"):
                yield from schemas(inner, f"{where}/{name}")
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from schemas(inner, f"{where}/{number}")


def fields(part: Any) -> Iterator[tuple[str, str, dict, dict]]:
    """Every field: where, its name, its schema, and that of its object."""
    for where, schema in schemas(part):
        if isinstance(schema.get("properties"), dict):
            for name, field in schema["properties"].items():
                yield where, name, field, schema


def test_no_field_has_a_default_that_makes_it_required(served):
    """openapi-typescript takes a field that has one for one that is always there."""
    found = [f"{where}.{name}" for where, name, field, _ in fields(served) if "default" in field]
    assert found == [] and len(list(fields(served))) > 500
    body = served["components"]["schemas"]["TriggerRequest"]
    assert "required" not in body and 'Default: `"incremental"`' in body["properties"]["mode"]["description"]
    # What an edit leaves out stays as it is.
    assert "Default" not in str(served["components"]["schemas"]["PatchedItemRequest"])


def test_what_an_answer_always_has_is_required(served):
    answer = served["components"]["schemas"]["Item"]
    assert {"description", "price", "sku", "taxable", "isActive"} <= set(answer["required"])
    before = served["components"]["schemas"]["ItemBefore"]
    assert "required" not in before  # some fields of it


def test_no_optional_field_is_a_constant(served):
    """openapi-python-client 0.29 writes code that does not compile for one."""
    found = [
        f"{where}.{name}"
        for where, name, field, schema in fields(served)
        if "const" in field and name not in schema.get("required", [])
    ]
    assert found == []


def test_no_two_values_of_a_list_have_one_name(served):
    """Generators make names of values: `a-b` and `a_b` are one."""
    for where, schema in schemas(served):
        values = schema.get("enum")
        if isinstance(values, list):
            names = [re.sub(r"\W+", "_", str(value)).upper() for value in values]
            assert len(set(names)) == len(names), where


def test_components_have_names_that_stay(served):
    """Of two lists of values for fields of one name drf-spectacular makes a hash: name them in ENUM_NAME_OVERRIDES."""
    assert [name for name in served["components"]["schemas"] if re.search(r"[0-9a-f]{3}Enum$", name)] == []
    ids = [each["operationId"] for item in served["paths"].values() for each in item.values()]
    assert len(set(ids)) == len(ids)


def test_operations_come_in_the_order_of_need_and_are_told_in_words(served):
    order = [tag["name"] for tag in TAGS]
    used = []
    for path, item in served["paths"].items():
        for operation in item.values():
            [tag] = operation["tags"]
            assert tag in order, f"{path}: put its tag into the order, in fieldcamp/api/reference.py"
            used.append(order.index(tag))
            assert re.fullmatch(r"[A-Z][a-z]+ .+[a-z]", operation["summary"]) and "_" not in operation["summary"], path
    assert used == sorted(used)
    assert (order[0], order[-1]) == ("Sync", "API keys")
    assert served["paths"]["/api/v1/integrations/google-calendar/sync"]["post"]["summary"] == (
        "Start a sync of Google Calendar"
    )
    assert served["paths"]["/api/v1/api-keys"]["post"]["summary"] == "Create an API key"


def test_each_code_has_its_example_once(served):
    assert set(served["components"]["examples"]) == set(ERRORS)
    for code, example in served["components"]["examples"].items():
        assert example["value"]["error"]["code"] == code and example["summary"].endswith(".")
    for item in served["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status[0] in "45":
                    for code, example in response["content"]["application/json"]["examples"].items():
                        assert example == {"$ref": f"#/components/examples/{code}"}


def test_a_default_is_told_once_and_kept_of_parameters():
    parameter = {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 50}}
    body = {
        "properties": {
            "a": {"type": "string", "default": "x", "description": "An a."},
            "b": {"type": "string", "default": "x", "description": "By default x."},
            "c": {"properties": {"default": {"type": "boolean", "default": True}}, "default": None},
        }
    }
    made = arrange(
        {
            "tags": [],
            "paths": {
                "/x": {
                    "post": {
                        "tags": ["New"],
                        "parameters": [parameter],
                        "requestBody": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Body"}}}},
                        "responses": {"200": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Got"}}}}},
                    }
                }
            },
            "components": {"schemas": {"Body": body, "Got": {"properties": {"a": {"default": 1}, "b": {}}}}},
        }
    )
    kept = made["components"]["schemas"]
    assert kept["Body"]["properties"] == {
        "a": {"type": "string", "description": 'An a. Default: `"x"`.'},
        "b": {"type": "string", "description": "By default x."},
        "c": {"properties": {"default": {"type": "boolean"}}},
    }
    assert "required" not in kept["Body"] and kept["Got"]["required"] == ["a"]
    assert made["paths"]["/x"]["post"]["parameters"][0]["schema"]["default"] == 50
