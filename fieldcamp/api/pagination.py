"""Keyset paging: a page costs the same wherever it is, and a cursor belongs to one list with its filters."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from fieldcamp.api.authentication import caller
from fieldcamp.api.errors import ApiError, validation_error
from fieldcamp.workspace.searching import MOST_WORDS

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_signer = signing.Signer(salt="fieldcamp.api.cursor", sep=".")


def page_limit(request: Request) -> int:
    """Returns `limit` of the request: 1 to 200, 50 when it is not given."""
    text = request.query_params.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MAX_LIMIT):
        raise validation_error({"limit": [f"Must be a whole number from 1 to {MAX_LIMIT}."]})
    return int(text)


def parse_instant(text: str) -> dt.datetime | None:
    """Returns an ISO-8601 instant with `Z` or an offset, in UTC; None if it is anything else."""
    # A plus sign that was not escaped in an address arrives as a space.
    text = text.replace(" ", "+") if "T" in text else text
    try:
        value = parse_datetime(text)
        return value.astimezone(dt.UTC) if value and value.tzinfo else None
    except (ValueError, OverflowError):
        return None


def instant_parameter(request: Request, name: str) -> dt.datetime | None:
    """Returns a query parameter that is an instant, such as `since`."""
    text = request.query_params.get(name)
    if text is None:
        return None
    value = parse_instant(text)
    if value is None:
        raise validation_error({name: ["Must be a time with Z or an offset, such as 2026-11-22T08:00:00Z."]})
    return value


def choice_parameter(request: Request, name: str, choices: Collection[str]) -> list[str]:
    """Returns the values of a query parameter that may be repeated, sorted: some of `choices`."""
    values = sorted(set(request.query_params.getlist(name)))
    if set(values) - set(choices):
        raise validation_error({name: [f"Must be one of {', '.join(choices)}."]})
    return values


def fixed_parameters(request: Request, fixed: Mapping[str, Collection[str]]) -> dict[str, str | None]:
    """Returns query parameters that have one of a fixed set of values each, None for each that was not sent. Raises 400
    that names all that are wrong."""
    given = {name: request.query_params.get(name) for name in fixed}
    wrong = {
        name: [f"Must be one of {', '.join(fixed[name])}."]
        for name, value in given.items()
        if value is not None and value not in fixed[name]
    }
    if wrong:
        raise validation_error(wrong)
    return given


def truth_parameter(request: Request, name: str) -> bool | None:
    """Returns a query parameter that is true or false; None when it is not given."""
    text = request.query_params.get(name)
    if text not in (None, "true", "false"):
        raise validation_error({name: ["Must be true or false."]})
    return None if text is None else text == "true"


def search_parameter(request: Request) -> str:
    """Returns `search`, which has at most ten words."""
    text = request.query_params.get("search", "")
    if len(text.split()) > MOST_WORDS:
        raise validation_error({"search": [f"Must have at most {MOST_WORDS} words."]})
    return text


def list_name(path: str, workspace_id: str, filters: Mapping[str, Any]) -> str:
    """Returns what a cursor is bound to."""
    text = json.dumps([path, workspace_id, filters], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def encode_cursor(name: str, position: Sequence[str | int]) -> str:
    """Returns an opaque, signed text for a position in the list called `name`."""
    return _signer.sign_object([name, *position])


def decode_cursor(name: str, text: str) -> list[Any]:
    """Returns the position; 400 INVALID_CURSOR for a cursor that the list called `name` did not issue."""
    try:
        found, *position = _signer.unsign_object(text)
    except (signing.BadSignature, ValueError, TypeError):
        raise ApiError("INVALID_CURSOR") from None
    if found != name:
        raise ApiError("INVALID_CURSOR", "This cursor belongs to another list or other filters. Start without it.")
    return position


def keyset_page(
    request: Request, rows: QuerySet, *, filters: Mapping[str, Any], order: str = "id"
) -> tuple[list[Any], dict[str, Any]]:
    """Returns one page of the rows and the `meta` that goes with it. `order` is a field of which no two rows have the
    same; with a minus before it the greatest comes first."""
    limit, field = page_limit(request), order.removeprefix("-")
    name = list_name(request.path, caller(request).workspace_id, filters)
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        behind = f"{field}__lt" if order.startswith("-") else f"{field}__gt"
        rows = rows.filter(**{behind: decode_cursor(name, cursor)[0]})
    found = list(rows.order_by(order)[: limit + 1])
    page, more = found[:limit], len(found) > limit
    next_cursor = encode_cursor(name, [getattr(page[-1], field)]) if more else None
    return page, {"next_cursor": next_cursor, "limit": limit}
