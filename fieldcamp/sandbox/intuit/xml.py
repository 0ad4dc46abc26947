"""Answers as XML: what QuickBooks sends to clients that do not ask for JSON."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from werkzeug.datastructures import Headers

from fieldcamp.sandbox.http import Response

NAMESPACE = "http://schema.intuit.com/finance/v3"
ATTRIBUTES = ("domain", "sparse", "startPosition", "maxResults", "totalCount", "name", "status", "type", "code", "bId")


def response(body: dict[str, Any], status: int) -> Response:
    """The answer that would otherwise be JSON."""
    inner = "".join(_element(name, value) for name, value in body.items() if name != "time")
    time = f" time={quoteattr(str(body['time']))}" if "time" in body else ""
    text = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse xmlns="{NAMESPACE}"{time}>{inner}'
    headers = Headers({"Content-Type": "application/xml;charset=UTF-8"})
    return Response(status, f"{text}</IntuitResponse>".encode("utf-8", "replace"), headers)


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if not isinstance(value, dict):
        return f"<{name}>{_text(value)}</{name}>"
    attributes = "".join(f" {key}={quoteattr(_plain(value[key]))}" for key in ATTRIBUTES if key in value)
    if "value" in value:
        return f"<{name}{attributes}>{_text(value['value'])}</{name}>"
    inner = "".join(_element(key, each) for key, each in value.items() if key not in ATTRIBUTES)
    return f"<{name}{attributes}>{inner}</{name}>"


def _text(value: Any) -> str:
    return escape(_plain(value))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
