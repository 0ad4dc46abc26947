"""The OpenAPI document, made from the views that serve: their scopes, serializers and errors (one table, `errors`)."""

import re
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.utils import Direction

from fieldcamp.api.components import ERROR, HEADERS
from fieldcamp.api.deprecations import deprecation_of
from fieldcamp.api.error_codes import ERRORS, ErrorSpec
from fieldcamp.api.parameters import IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH
from fieldcamp.api.serializers import StrictCharField

Schema = dict[str, Any]

_CURSOR = "WyI4Yj…"
_WRITES = ("POST", "PUT", "PATCH")
_ALWAYS = ("VALIDATION_ERROR", "NOT_ACCEPTABLE", "PAYLOAD_TOO_LARGE", "INTERNAL_ERROR", "UNAVAILABLE")
_OF_KEYS = ("UNAUTHORIZED", "INSUFFICIENT_SCOPE", "RATE_LIMITED")
_OF_BODIES = ("UNSUPPORTED_MEDIA_TYPE",)
_OF_IDEMPOTENCY = ("IDEMPOTENCY_IN_PROGRESS", "IDEMPOTENCY_KEY_REUSED")
_WITH_RETRY_AFTER = ("SYNC_IN_PROGRESS", "IDEMPOTENCY_IN_PROGRESS", "RATE_LIMITED", "UNAVAILABLE")


def _header(name: str) -> Schema:
    return {"$ref": f"#/components/headers/{name}"}


class AutoSchema(BaseAutoSchema):
    """One operation: what drf-spectacular finds, and what every view of ours does besides."""

    view: Any

    def is_deprecated(self) -> bool:
        return super().is_deprecated() or deprecation_of(self.method, self.path.removeprefix("/")) is not None

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_override_parameters(self) -> list[Any]:
        more: list[Any] = []
        if self.method in self.view.idempotent_methods:
            more.append(IDEMPOTENCY_KEY)
        if self.method in self.view.tagged_methods:
            more.append(IF_NONE_MATCH)
        if self.method in self.view.conditional_methods:
            more.append(IF_MATCH)
        return more

    def get_description(self) -> str:  # type: ignore[override]
        """Returns the docstring of the method, and the scope that it needs."""
        method = getattr(self.view, self.method.lower())
        text = re.sub(r"\n[ \t]+", "\n", method.__doc__ or "").strip()
        scope = self.view.required_scopes.get(self.method)
        if not scope:
            return text
        scopes = " and ".join(f"`{each}`" for each in (scope, *self.view.further_scopes))
        return f"{text}\n\nScope: {scopes}."

    def get_summary(self) -> str:
        """Returns the operation's id in words, where no view says better: `create_api_key` is "Create an API key"."""
        verb, *words = self.get_operation_id().split("_")
        words = ["API" if word == "api" else word for word in words]
        if verb != "list" and words and not words[-1].endswith("s"):
            words.insert(0, "an" if words[0][0] in "aeiouA" else "a")
        return " ".join([verb.capitalize(), *words])

    def get_operation(self, *args: Any, **kwargs: Any) -> Schema | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for status, response in operation["responses"].items():
            self._describe_success(status, response)
        if self.method in self.view.tagged_methods:
            operation["responses"]["304"] = {
                "description": "Unchanged since the answer with this ETag.",
                "headers": {name: _header(name) for name in ("ETag", "X-Request-Id", *_quota(self.view))},
            }
        operation["responses"] |= self._errors(operation)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def _describe_success(self, status: str, response: Schema) -> None:
        names = ["X-Request-Id", *_quota(self.view)]
        if status == "201" or (status == "202" and self.method in self.view.idempotent_methods):
            names.append("Location")
        if self.method in (*self.view.tagged_methods, *self.view.conditional_methods) and self.method != "DELETE":
            names.append("ETag")
        if status == "201" and self.view.conditional_creation:
            names.append("ETag")
        if self.method in self.view.idempotent_methods:
            names.append("Idempotent-Replayed")
        response["headers"] = {name: _header(name) for name in names}
        response["description"] = response.get("description") or "Done."
        content = response.get("content", {}).get("application/json")
        if content and self.view.enveloped:
            _wrap(content, paged=self.method == "GET")
            self._say_more(content)

    def _say_more(self, content: Schema) -> None:
        """Adds what this view's envelope has besides."""
        schema = content["schema"]
        if self.view.meta_class:
            schema["properties"]["meta"] = self.resolve_serializer(self.view.meta_class, "response").ref
        if self.method == "GET" and self.view.list_meta_class:
            schema["properties"]["meta"] = self.resolve_serializer(self.view.list_meta_class, "response").ref
            for example in content.get("examples", {}).values():
                example["value"]["meta"] |= {"resume_cursor": _CURSOR, "has_more": False}
        if self.method == "GET" and self.view.list_also:
            rows = schema["properties"]["data"]
            rows["items"] = {"anyOf": [rows["items"], self.resolve_serializer(self.view.list_also, "response").ref]}
        if self.method == "GET" and self.view.list_included:
            self._include()
        for name, row in self.view.beside_writes.items() if self.method in _WRITES else ():
            schema["required"].append(name)
            schema["properties"][name] = {"type": "array", "items": self.resolve_serializer(row, "response").ref}
            for example in content.get("examples", {}).values():
                example["value"][name] = []

    def _include(self) -> None:
        """Adds what the rows of this list may have besides to their shapes: so generators of clients make one type."""
        rows = [each for each in (self.view.serializer_class, self.view.list_also) if each]
        for name, shape in self.view.list_included.items():
            ref = self.resolve_serializer(shape, "response").ref
            for row in rows:
                described = {**ref, "description": f"Only in lists that are read with `include={name}`."}
                self.resolve_serializer(row, "response").schema["properties"][name] = described

    def _errors(self, operation: Schema) -> Schema:
        codes = set(_ALWAYS) | set(self.view.raises.get(self.method, ()))
        if self.view.required_scopes:
            codes |= set(_OF_KEYS)
        if "requestBody" in operation or self.method in ("POST", "PUT", "PATCH"):
            codes |= set(_OF_BODIES)
        parameters = operation.get("parameters", [])
        if any(parameter["in"] == "path" for parameter in parameters):
            codes.add("NOT_FOUND")
        if any(parameter["name"] == "cursor" for parameter in parameters):
            codes.add("INVALID_CURSOR")
        if self.method in self.view.idempotent_methods:
            codes |= set(_OF_IDEMPOTENCY)
        if self.method in self.view.conditional_methods:
            codes.add("PRECONDITION_FAILED")
        by_status: dict[int, dict[str, ErrorSpec]] = {}
        for code, spec in ERRORS.items():
            if code in codes:
                by_status.setdefault(spec.status, {})[code] = spec
        known = self.view.required_scopes
        return {str(status): _error_response(status, specs, bool(known)) for status, specs in by_status.items()}


def _quota(view: Any) -> tuple[str, ...]:
    return tuple(name for name in HEADERS if "RateLimit" in name) if view.required_scopes else ()


def _error_response(status: int, specs: dict[str, ErrorSpec], known: bool) -> Schema:
    names = ["X-Request-Id"]
    if any(code in _WITH_RETRY_AFTER for code in specs):
        names.append("Retry-After")
    if status == 401:
        names.append("WWW-Authenticate")
    if status == 412:
        names.append("ETag")
    return {
        "description": " · ".join(f"[`{code}`](/api/docs/errors#{code})" for code in specs),
        "headers": {name: _header(name) for name in names},
        "content": {
            "application/json": {
                "schema": {"$ref": f"#/components/schemas/{ERROR}"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in specs},
            }
        },
    }


def _wrap(content: Schema, *, paged: bool) -> None:
    """FieldCamp's success envelope around a schema and its examples. `paged`: where it is a list, it has pages."""
    is_list = paged and content["schema"].get("type") == "array"
    meta = "PageMeta" if is_list else "Meta"
    content["schema"] = {
        "type": "object",
        "required": ["success", "data", "meta"],
        "properties": {
            "success": {"type": "boolean", "const": True},
            "data": content["schema"],
            "meta": {"$ref": f"#/components/schemas/{meta}"},
        },
    }
    page = {"next_cursor": None, "limit": 50} if is_list else {}
    for example in content.get("examples", {}).values():
        meta_value = {"request_id": "req_01HZX2Q8YV3D1G0N3WJ2P7K9MC", **page}
        value = example["value"]
        # drf-spectacular takes the example of a list for that of a row.
        value = value[0] if value and isinstance(value, list) and isinstance(value[0], list) else value
        example["value"] = {"success": True, "data": value, "meta": meta_value}


class StrictSerializerSchema(OpenApiSerializerExtension):
    """Requests refuse fields that they do not know."""

    target_class = "fieldcamp.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: BaseAutoSchema, direction: Direction) -> Schema:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "request":
            schema["additionalProperties"] = False
        if not vars(type(self.target)).get("__doc__"):
            schema.pop("description", None)  # the base class's
        for name, field in self.target.fields.items():
            if isinstance(field, StrictCharField) and name in schema.get("properties", {}):
                _simplify(schema["properties"][name])
        return schema


def _simplify(schema: Schema) -> None:
    """Simplifies what drf-spectacular doubles: it adds the empty text as another kind of value, although the type
    before it has it already."""
    if "oneOf" in schema:
        schema |= schema.pop("oneOf")[0]
    schema.pop("minLength", None)


class InstantFieldSchema(OpenApiSerializerFieldExtension):
    target_class = "fieldcamp.api.serializers.InstantField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: BaseAutoSchema, direction: Direction) -> Schema:
        schema: Schema = {"type": "string", "format": "date-time"}
        if direction == "request":
            schema["pattern"] = r"^(19[7-9]|20[0-9]|21[0-9])"  # the years that are taken: 1970 to 2199
        return schema


class StrictCharFieldSchema(OpenApiSerializerFieldExtension):
    """A text that may not be empty may not be blank either; and none has a NUL."""

    target_class = "fieldcamp.api.serializers.StrictCharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: BaseAutoSchema, direction: Direction) -> Schema:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        schema["type"] = "string"  # that it may be null as well is added outside
        if direction == "request":
            schema["pattern"] = r"^[^\x00]*$" if self.target.allow_blank else r"^[^\x00]*[^\s\x00][^\x00]*$"
        return schema


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "fieldcamp.api.authentication.ApiKeyAuthentication"
    name = ["bearerKey", "headerKey"]

    def get_security_requirement(self, auto_schema: BaseAutoSchema) -> list[dict[str, list[str]]]:
        return [{"bearerKey": []}, {"headerKey": []}]

    def get_security_definition(self, auto_schema: BaseAutoSchema) -> list[Schema]:
        return [
            {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer fc_live_…`"},
            {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
        ]
