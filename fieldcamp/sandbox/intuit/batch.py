"""Up to thirty writes and queries in one call, each with an outcome of its own.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/batch
"""

import json
from collections.abc import Callable
from typing import Any

from fieldcamp.sandbox.http import Request, Response, parse_query
from fieldcamp.sandbox.intuit import errors
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.registry import ENTITIES

MOST_ITEMS, MOST_OBJECTS = 30, 1000
OPERATIONS = ("create", "update", "delete")  # an invoice or payment cannot be voided in a batch
SHARED = ("bId", "operation", "optionsData")

Answer = Callable[[Request], Response]


def items_of(sent: Any) -> list[Body]:
    """The items of a batch; Fault when it is none or too large."""
    items = sent.get("BatchItemRequest") if isinstance(sent, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise errors.unreadable("BatchItemRequest must be a list of objects.")
    if len(items) > MOST_ITEMS:
        text = f"The maximum number of items in a batch is {MOST_ITEMS}. Supplied: {len(items)}"
        raise Fault(1040, "Batch size exceeds limit", text)
    ids = [item.get("bId") for item in items]
    if not all(isinstance(each, str) and each for each in ids):
        raise errors.required("bId")
    if len(set(ids)) < len(ids):
        raise errors.unreadable("bId must be unique in a batch.")
    return items


def writes_of(items: list[Body]) -> int:
    """How many of the items write something."""
    return sum("Query" not in item for item in items)


def answer(request: Request, items: list[Body], do: Answer) -> Body:
    """The outcome of each item. `do` answers an item as if it had come alone; they share nothing."""
    outcomes, left = [], MOST_OBJECTS
    for item in items:
        try:
            outcome = _outcome(do(_part(request, item)))
        except Fault as fault:
            outcome = {"Fault": fault.body()}
        left -= outcome.get("QueryResponse", {}).get("maxResults", 0)
        if left < 0:
            outcome = {"Fault": Fault(1040, "Batch size exceeds limit", "A batch returns 1000 objects at most").body()}
        outcomes.append({**outcome, "bId": item["bId"]})
    return {"BatchItemResponse": outcomes}


def _part(request: Request, item: Body) -> Request:
    company = request.path.rsplit("/", 1)[0]
    if "Query" in item:
        query = parse_query("")
        query["query"] = str(item["Query"])
        return Request("GET", f"{company}/query", query, request.headers, b"", request.root, request.sleep)
    names = [name for name in item if name not in SHARED]
    if len(names) != 1 or names[0] not in ENTITIES:
        raise errors.unreadable(
            f"A batch item holds one object or a Query; this one holds {', '.join(names) or 'none'}."
        )
    operation, sent = item.get("operation"), item[names[0]]
    if operation not in OPERATIONS:
        raise errors.unsupported(str(operation))
    if operation == "create" and isinstance(sent, dict) and sent.get("Id"):
        raise errors.unreadable("Property Name:Id is not allowed in a create")
    if operation == "update" and not (isinstance(sent, dict) and sent.get("Id")):
        raise errors.required("Id")
    query = parse_query("operation=delete" if operation == "delete" else "")
    path, body = f"{company}/{ENTITIES[names[0]].segment}", json.dumps(sent).encode()
    return Request("POST", path, query, request.headers, body, request.root, request.sleep)


def _outcome(response: Response) -> Body:
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or (response.status != 200 and "Fault" not in body):
        return {"Fault": errors.usual(response.status).body()}
    return {name: value for name, value in body.items() if name != "time"}
