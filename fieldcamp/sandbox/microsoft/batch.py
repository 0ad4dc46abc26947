"""$batch: up to twenty calls in one JSON body, answered item by item in any order.

https://learn.microsoft.com/graph/json-batching
"""

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from fieldcamp.sandbox.http import BadInput, Request, Response, json_response, parse_query
from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.microsoft.graph import PREFIX
from fieldcamp.sandbox.microsoft.lanes import AT_ONCE

MOST = 20
VERBS = ("GET", "POST", "PATCH", "PUT", "DELETE")


def answer(request: Request, call: Callable[[Request], Response], enter: Callable[[int], int]) -> Response:
    """Makes each call through `call`; the whole is 200 even when every item fails.

    `enter` takes places in the mailbox: independent items run four at a time, and the ones for which other calls of
    the app have left no place are refused.
    """
    items = _items(request)
    width = min(AT_ONCE, sum(not item.get("dependsOn") for item in items))
    free = enter(width)
    statuses: dict[str, int] = {}
    answers = []
    for n, item in enumerate(items):
        name = item["id"]
        if any(statuses[other.lower()] >= 400 for other in item.get("dependsOn") or []):
            response = errors.usual(424).response()
        elif n % width >= free:
            response = errors.over_concurrency().response()
        else:
            response = call(_inner(item, request))
        statuses[name.lower()] = response.status
        answers.append(_part(name, response))
    # The order says nothing at Microsoft; here it depends on the ids alone, so that a test fails every time or never.
    random.Random(" ".join(sorted(statuses))).shuffle(answers)
    whole = json_response({"responses": answers})
    whole.items = len(items)
    return whole


def _items(request: Request) -> list[dict[str, Any]]:
    """The items in an order in which each follows those it depends on; 400 when there is none."""
    try:
        items = request.json_object().get("requests")
    except BadInput:
        raise errors.bad_request("Invalid batch payload format.") from None
    if not isinstance(items, list) or not items:
        raise errors.bad_request("Invalid batch payload format.")
    if len(items) > MOST:
        raise errors.bad_request(f"Number of batch request steps exceeds the maximum value of {MOST}.")
    seen: set[str] = set()
    for item in items:
        _check(item)
        name = item["id"].lower()
        if name in seen:
            raise errors.bad_request(f"Request Id {item['id'][:50]} has already been specified in the batch.")
        before = {other.lower() for other in item.get("dependsOn") or []}
        if not before <= seen:
            raise errors.bad_request(f"Request step id: {item['id'][:50]} depends on a step that does not precede it.")
        seen.add(name)
    return items


def _check(item: Any) -> None:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
        raise errors.bad_request("Every request of a batch needs an id.")
    if item.get("method") not in VERBS or not isinstance(item.get("url"), str):
        raise errors.bad_request(f"Request step {item['id'][:50]} needs a method and a relative url.")
    before, headers = item.get("dependsOn") or [], item.get("headers") or {}
    if not isinstance(before, list) or not all(isinstance(name, str) for name in before):
        raise errors.bad_request("dependsOn must be a list of ids.")
    if not isinstance(headers, dict) or any(c in str(value) for value in headers.values() for c in "\r\n"):
        raise errors.bad_request("headers must be an object of strings.")
    if item.get("body") is not None and "content-type" not in {str(name).lower() for name in headers}:
        raise errors.bad_request(f"Write request id : {item['id'][:50]} does not contain Content-Type header or body.")


def _inner(item: dict[str, Any], outer: Request) -> Request:
    """The item as a call of its own; of the outer headers only the token counts."""
    # Documented are relative addresses; Microsoft's own SDK for Python sends whole ones.
    relative = item["url"].removeprefix(outer.root + PREFIX).lstrip("/")
    target = urlsplit(f"/{relative}")
    headers = Headers([(str(name), str(value)) for name, value in (item.get("headers") or {}).items()])
    headers.setdefault("Authorization", outer.headers.get("Authorization", ""))
    body = b"" if item.get("body") is None else json.dumps(item["body"]).encode()
    query = parse_query(target.query)
    return Request(item["method"], PREFIX + target.path, query, headers, body, outer.root, outer.sleep, outer.at_end)


def _part(name: str, response: Response) -> dict[str, Any]:
    part: dict[str, Any] = {"id": name, "status": response.status, "headers": dict(response.headers)}
    body = response.body if response.cut is None else response.body[: response.cut]
    if body:
        try:
            part["body"] = json.loads(body)
        except ValueError:
            part["body"] = body.decode("utf-8", "replace")
    return part
