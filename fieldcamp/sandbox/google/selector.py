"""Partial responses: the `fields` parameter, e.g. `items(id,start/dateTime),nextSyncToken`.

https://developers.google.com/workspace/calendar/api/guides/performance#partial-response
"""

import re
from typing import Any

from fieldcamp.sandbox.google.errors import ApiError

Tree = dict[str, "Tree | None"]  # None: everything below

_TOKEN = re.compile(r"\s*([A-Za-z0-9_\-.]+|\*|[(),/])")
MAX_DEPTH = 10


def select(data: Any, fields: str) -> Any:
    """The data cut down to the fields asked for; a selector that does not parse is a 400."""
    return _cut(data, parse(fields))


def parse(fields: str) -> Tree:
    """A selector as a tree of names."""
    tokens: list[str] = []
    position = 0
    text = fields.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) > 2000:
            raise _wrong(fields)
        tokens.append(match[1])
        position = match.end()
    tree = _list(tokens, fields, 0)
    if tokens or not tree:
        raise _wrong(fields)
    return tree


def _list(tokens: list[str], fields: str, depth: int) -> Tree:
    tree: Tree = {}
    while True:
        _path(tokens, tree, fields, depth)
        if not tokens or tokens[0] != ",":
            return tree
        tokens.pop(0)


def _path(tokens: list[str], tree: Tree, fields: str, depth: int) -> None:
    if not tokens or tokens[0] in "(),/" or depth > MAX_DEPTH:
        raise _wrong(fields)
    name = tokens.pop(0)
    below: Tree | None = None
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        below = {}
        _path(tokens, below, fields, depth + 1)
    elif tokens and tokens[0] == "(":
        tokens.pop(0)
        below = _list(tokens, fields, depth + 1)
        if not tokens or tokens.pop(0) != ")":
            raise _wrong(fields)
    known = tree.get(name, {})
    tree[name] = None if below is None or known is None else {**known, **below}


def _cut(data: Any, tree: Tree) -> Any:
    if isinstance(data, list):
        return [_cut(item, tree) for item in data]
    if not isinstance(data, dict):
        return data
    result = {}
    for name, value in data.items():
        if name in tree or "*" in tree:
            below = tree[name] if name in tree else tree["*"]
            result[name] = value if below is None else _cut(value, below)
    return result


def _wrong(fields: str) -> ApiError:
    text = f"Invalid field selection {fields[:100]}"
    return ApiError(400, "invalidParameter", text, location=("parameter", "fields"))
