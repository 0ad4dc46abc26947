"""JSON Schemas of events, made of the shapes that the reference has of the resources themselves."""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import build_mocked_view
from drf_spectacular.utils import extend_schema

from fieldcamp.api.docs import document
from fieldcamp.webhooks.catalogue import described, example_of, is_removal
from fieldcamp.webhooks.event_types import EVENT_TYPES, EventType
from fieldcamp.webhooks.models import WebhookEvent

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
SOURCE: Schema = {
    "type": "object",
    "description": "How it came about. Whoever writes by the API knows their own changes by `actor` and `request_id`.",
    "required": ["kind", "integration", "job_id", "actor", "request_id"],
    "properties": {
        "kind": {"type": "string", "enum": WebhookEvent.Source.values},
        "integration": _TEXT_OR_NULL,
        "job_id": _TEXT_OR_NULL,
        "actor": _TEXT_OR_NULL,
        "request_id": _TEXT_OR_NULL,
    },
}
_SOURCE_NAME = "WebhookEventSource"
ENVELOPE: Schema = {
    "type": "object",
    "required": ["id", "type", "created_at", "api_version", "workspace_id", "sequence", "source", "data"],
    "properties": {
        "id": {**_TEXT, "pattern": "^evt_", "description": "The same on each attempt and each replay."},
        "type": _TEXT,
        "created_at": {**_TEXT, "format": "date-time"},
        "api_version": {**_TEXT, "format": "date"},
        "workspace_id": _TEXT,
        "sequence": {"type": ["integer", "null"], "description": "Rises with each event; null in a test."},
        "source": {"$ref": f"{_REF}{_SOURCE_NAME}"},
        "test": {"type": "boolean", "description": "Only in a test, and true there: nothing has happened."},
        "data": {"type": "object", "required": ["object"]},
    },
}
_ENVELOPE_NAME = "WebhookEventEnvelope"


def add_components(result: Schema, generator: SchemaGenerator, **_: Any) -> Schema:
    """drf-spectacular's first step: adds the shapes of objects that events alone have."""
    for name in EVENT_TYPES:
        _component(name, generator)
    schemas = generator.registry.build({})["schemas"]
    result["components"]["schemas"] = {**schemas, **result["components"]["schemas"]}
    return result


def append(result: Schema, generator: SchemaGenerator, **_: Any) -> Schema:
    """drf-spectacular's last step: adds `webhooks`, what FieldCamp sends, one for each type of event."""
    schemas = result["components"]["schemas"]
    schemas |= {_SOURCE_NAME: SOURCE, _ENVELOPE_NAME: ENVELOPE}
    result["webhooks"] = {
        each.name: {"post": _operation(each, _component(each.name, generator), schemas)}
        for each in EVENT_TYPES.values()
    }
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def _component(name: str, generator: SchemaGenerator) -> str:
    """Returns the name of the component of the type's object; "" where nobody has described it."""
    found = described(name)
    if found is None:
        return ""
    view = build_mocked_view("POST", "/", extend_schema(), generator.registry)
    component = view.schema.resolve_serializer(found.serializer, "response")
    return str(component.name)


def _operation(event_type: EventType, component: str, schemas: Schema) -> Schema:
    return {
        "operationId": f"on_{event_type.name.replace('.', '_')}",
        "summary": event_type.name,
        "description": f"{event_type.description}\n\nScope: `{event_type.scope}`.",
        "tags": ["Events"],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _envelope(event_type, component, schemas),
                    "examples": {"Example": {"value": example_of(event_type.name)}},
                }
            },
        },
        "responses": {"2XX": {"description": "Accepted. Anything else, or nothing within 15 seconds, is tried again."}},
    }


def _envelope(event_type: EventType, component: str, schemas: Schema) -> Schema:
    content: Schema = {
        "type": "object",
        "required": ["object"],
        "properties": {"object": _object(event_type, component, schemas)},
    }
    if event_type.tells_previous:
        content["required"].append("previous_attributes")
        content["properties"]["previous_attributes"] = {"$ref": f"{_REF}{_previous(component, schemas)}"}
    return {
        "allOf": [{"$ref": f"{_REF}{_ENVELOPE_NAME}"}],
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": {"const": event_type.name}, "data": content},
    }


def _previous(component: str, schemas: Schema) -> str:
    """Returns the name of the component of some of the resource's fields."""
    name = f"{component}Before"
    schemas[name] = {
        "type": "object",
        "description": "What changed: the old values of these fields.",
        "properties": copy.deepcopy(_properties(component, schemas)),
        "additionalProperties": False,
    }
    return name


def _object(event_type: EventType, component: str, schemas: Schema) -> Schema:
    found = described(event_type.name)
    if found is None:
        return {"type": "object"}
    if is_removal(event_type):
        properties = copy.deepcopy(_properties(component, schemas)) | {"deleted": {"const": True}}
        return {"type": "object", "required": ["id", "deleted"], "properties": properties}
    reference = {"$ref": f"{_REF}{component}"}
    if found.extra:
        return {"allOf": [reference, {"type": "object", "required": [*found.extra], "properties": dict(found.extra)}]}
    return reference


def _properties(component: str, schemas: Schema) -> Schema:
    return schemas[component].get("properties", {}) if component else {}


@cache
def schema_of(event_type: str) -> Schema:
    """Returns the JSON Schema of a whole event of the type, which refers to nothing outside of itself."""
    served = document()[0]
    operation = served["webhooks"][event_type]["post"]
    schema = copy.deepcopy(operation["requestBody"]["content"]["application/json"]["schema"])
    definitions: Schema = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            definitions[name] = copy.deepcopy(served["components"]["schemas"][name])
            waiting += _references(definitions[name])
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": event_type, **schema}
    return _local({**made, "$defs": dict(sorted(definitions.items()))})


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(target := schema.get("$ref"), str):
            yield target.removeprefix(_REF)
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _local(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            name: f"#/$defs/{inner.removeprefix(_REF)}" if name == "$ref" else _local(inner)
            for name, inner in schema.items()
        }
    return [_local(inner) for inner in schema] if isinstance(schema, list) else schema
