"""The parts of the OpenAPI document that every operation shares."""

from typing import Any

from django.conf import settings

from fieldcamp.api.error_codes import ERRORS
from fieldcamp.api.errors import error_example

ERROR, ERROR_DETAIL = "Error", "ErrorDetail"
_META: dict[str, Any] = {"request_id": {"type": "string", "description": "Tell support this id."}}

SCHEMAS: dict[str, Any] = {
    ERROR: {
        "type": "object",
        "required": ["success", "error", "meta"],
        "properties": {
            "success": {"type": "boolean", "const": False},
            "error": {"$ref": f"#/components/schemas/{ERROR_DETAIL}"},
            "meta": {"$ref": "#/components/schemas/Meta"},
        },
    },
    ERROR_DETAIL: {
        "type": "object",
        "required": ["code", "message", "details", "doc_url"],
        "properties": {
            "code": {"type": "string", "enum": list(ERRORS)},
            "message": {"type": "string", "description": "What happened and what to do next, for people."},
            "details": {"type": "object", "additionalProperties": True},
            "doc_url": {"type": "string", "format": "uri", "description": "Where the code is explained."},
            "param": {"type": "string", "description": "The first field that is wrong, where one is."},
        },
    },
    "Meta": {"type": "object", "required": ["request_id"], "properties": _META},
    "PageMeta": {
        "type": "object",
        "required": ["request_id", "next_cursor", "limit"],
        "properties": {
            **_META,
            "next_cursor": {"type": ["string", "null"], "description": "Send it as `cursor`; null: the last page."},
            "limit": {"type": "integer"},
        },
    },
}


def _text(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **schema}}


def _number(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}}


HEADERS: dict[str, Any] = {
    "X-Request-Id": _text(
        "The request's id, also in every log line. Yours, if you sent one of 64 safe characters, without `req_`."
    ),
    "X-RateLimit-Limit": _number("Calls that the window with fewer calls left allows."),
    "X-RateLimit-Remaining": _number("Calls that are left in it."),
    "X-RateLimit-Reset": _number("When it ends, in unix seconds."),
    "RateLimit-Policy": _text(
        'All windows: `"minute";q=100;w=60, "day";q=10000;w=86400` is 100 calls in 60 seconds and 10,000 in a day.'
    ),
    "RateLimit": _text('What is left of each (`r`), and in how many seconds it ends (`t`): `"minute";r=42;t=17`.'),
    "Deprecation": _text("Since when this address is deprecated: `@` and unix seconds (RFC 9745)."),
    "Sunset": _text("When it ends: an HTTP date (RFC 8594)."),
    "Retry-After": _number("Seconds to wait before the next try."),
    "ETag": _text("Changes with anything that the answer shows."),
    "Location": _text("Where to read what has been made: an absolute address.", format="uri"),
    "Idempotent-Replayed": _text("`true` where this is the first answer to this Idempotency-Key, repeated."),
    "WWW-Authenticate": _text("`Bearer`"),
}


def append(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's last step: adds these parts, and where the API is served."""
    components = result.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **SCHEMAS}.items()))
    components["headers"] = HEADERS
    components["examples"] = {
        code: {"summary": spec.title, "description": spec.remedy, "value": error_example(code)}
        for code, spec in ERRORS.items()
    }
    result["servers"] = [{"url": settings.PUBLIC_URL}]
    return result
