"""One record that comes in a shape that nobody has seen: a vendor's new form, or a proxy's idea of one."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.sandboxed import Vendors

JUNK = (None, 7, True, "no such thing", [], [None], {}, {"x": {"y": 1}})
VERSIONS = {"etag", "@odata.etag", "SyncToken"}  # what a record has, and a line of an invoice has not
Change = Callable[[dict[str, Any]], None]


@contextmanager
def mangled(vendors: Vendors, id: str, change: Change) -> Iterator[None]:
    """As long as it lasts the vendor shows this record `change`d, in every answer of JSON that holds it."""

    def wrapper(_path: str, send: Callable[[], Any]) -> Any:
        response = send()
        if response.content.startswith(b"{") and id.encode() in response.content:
            body = json.loads(response.content)
            for row in _rows(body, id):
                change(row)
            response._content = json.dumps(body).encode()
        return response

    heal = vendors.around(wrapper)
    try:
        yield
    finally:
        heal()


def _rows(value: Any, id: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if id in (value.get("id"), value.get("Id")) and VERSIONS & value.keys():
            yield value
        for inner in value.values():
            yield from _rows(inner, id)
    elif isinstance(value, list):
        for inner in value:
            yield from _rows(inner, id)
