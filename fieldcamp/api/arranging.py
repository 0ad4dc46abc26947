"""The OpenAPI document as it is published: without what misleads generators of clients, and in the order in which
people need it."""

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_PATCHED = "Patched"  # drf-spectacular's word for the body of a PATCH


def arrange(result: Schema, **_: Any) -> Schema:
    """drf-spectacular's very last step, after whatever adds to the document."""
    _say_defaults(result)
    _order(result)
    return result


def _say_defaults(document: Schema) -> None:
    """Puts the default of each field into its description. Generators take a field that has a `default` for one that is
    always there, which is true of answers alone: there it becomes `required`.

    Parameters keep theirs: none is taken for required.
    """
    schemas = document["components"]["schemas"]
    answered = _reached([each["responses"] for each in _operations(document)], schemas)
    asked = _reached([each.get("requestBody") for each in _operations(document)], schemas)
    for name, schema in schemas.items():
        with_default = _strip(schema, says=not name.startswith(_PATCHED))
        if name in answered - asked and with_default:
            schema["required"] = sorted({*schema.get("required", []), *with_default}, key=[*schema["properties"]].index)
    for operation in (*_operations(document), *(each["post"] for each in document.get("webhooks", {}).values())):
        _strip_deep(operation.get("requestBody"))
        _strip_deep(operation["responses"])


def _operations(document: Schema) -> Iterator[Schema]:
    for item in document["paths"].values():
        yield from item.values()


def _reached(parts: Any, schemas: Schema) -> set[str]:
    """Returns the names of the components that are referred to, directly or through others."""
    found: set[str] = set()
    waiting = [parts]
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found and name in schemas:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(target := schema.get("$ref"), str):
            yield target.removeprefix(_REF)
        for name, inner in schema.items():
            if name not in ("example", "examples"):
                yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _strip(schema: Schema, says: bool) -> list[str]:
    """Takes the defaults off a component's fields, and says them if that is so; the fields that had one."""
    found = []
    for name, field in schema.get("properties", {}).items():
        if "default" in field:
            found.append(name)
            default = field.pop("default")
            text = field.get("description", "")
            if says and default is not None and "default" not in text.lower():
                field["description"] = f"{text} Default: `{json.dumps(default)}`.".strip()
        _strip_deep(field)
    return found


def _strip_deep(schema: Any) -> None:
    if isinstance(schema, dict):
        for field in schema.get("properties", {}).values():
            field.pop("default", None)
        for name, inner in schema.items():
            if name not in ("example", "examples"):
                _strip_deep(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _strip_deep(inner)


def _order(document: Schema) -> None:
    """Puts the addresses into the order of the document's `tags`, and those of one tag into their own."""
    places = {tag["name"]: place for place, tag in enumerate(document["tags"])}

    def place(path: str) -> tuple[int, str]:
        tags = next(iter(document["paths"][path].values()))["tags"]
        # A tag that nobody has put into the order yet comes before those that are needed least.
        return min((places.get(tag, len(places)) for tag in tags), default=len(places)), path

    document["paths"] = {path: document["paths"][path] for path in sorted(document["paths"], key=place)}
