"""$filter and $orderby: the comparisons that Outlook's collections know.

https://learn.microsoft.com/graph/filter-query-parameter
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.microsoft.resource import property_key

Test = Callable[[dict[str, Any], dict[str, Any]], bool]  # of the rendered event and its extended properties

Item = TypeVar("Item")

MAX_LENGTH = 10_000
MAX_DEPTH = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<punct>[(),:])|(?P<word>[^\s(),:']+(?::\d\d)*(?::\d\d(?:\.\d+)?Z?)?))"
)
_ID = re.compile(r"\bid\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a is not None and a > b,
    "ge": lambda a, b: a is not None and a >= b,
    "lt": lambda a, b: a is not None and a < b,
    "le": lambda a, b: a is not None and a <= b,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda a, b: a.lower().startswith(b.lower()),
    "endswith": lambda a, b: a.lower().endswith(b.lower()),
    "contains": lambda a, b: b.lower() in a.lower(),
}
_ANY = {"singlevalueextendedproperties/any": "property", "categories/any": "category"}


def ids_of(text: str) -> list[str]:
    """The ids in `id eq '…' or id eq '…'`."""
    return [found.replace("''", "'") for found in _ID.findall(text)]


def parse(text: str) -> Test:
    """The test that a $filter asks for; 400 for one that cannot be read."""
    if len(text) > MAX_LENGTH:
        raise _malformed(text)
    return _Parser(text).whole()


def ordered(items: list[Item], text: str, rendered: Callable[[Item], dict[str, Any]]) -> list[Item]:
    """The items in the order that $orderby asks for."""
    for part in reversed(text.split(",")):
        words = part.split()
        if not words or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
            raise errors.bad_request(f"Syntax error in '{text[:100]}'.")
        keys = {id(item): _sortable(_value(rendered(item), words[0])) for item in items}
        items = sorted(items, key=lambda item, keys=keys: keys[id(item)], reverse=words[1:] == ["desc"])  # type: ignore[misc]
    return items


def _sortable(value: Any) -> tuple[bool, Any]:
    if isinstance(value, dict | list):
        raise errors.bad_request("The $orderby expression must name a single value.")
    return value is not None, str(value) if value is not None else ""


def _value(item: dict[str, Any], path: str) -> Any:
    value: Any = item
    for name in path.split("/"):
        if not isinstance(value, dict) or name not in value:
            raise errors.bad_request(f"Could not find a property named '{path[:100]}' on type 'microsoft.graph.event'.")
        value = value[name]
    return value


def _malformed(text: str) -> errors.GraphError:
    return errors.bad_request(f"Invalid filter clause: syntax error in '{text[:100]}'.")


class _Parser:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.tokens: list[str] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise _malformed(text)
            self.tokens.append(match[0].strip())
            position = match.end()

    def whole(self) -> Test:
        test = self._either()
        if self.at != len(self.tokens):
            raise _malformed(self.text)
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda item, props: any(test(item, props) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda item, props: all(test(item, props) for test in tests)

    def _one(self) -> Test:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _malformed(self.text)
        if self._take("not"):
            inner = self._one()
            return lambda item, props: not inner(item, props)
        if self._take("("):
            inner = self._either()
            self._must(")")
            return inner
        word = self._next()
        if word.lower() in _ANY:
            return self._any(_ANY[word.lower()])
        if word.lower() in _FUNCTIONS:
            self._must("(")
            path = self._next()
            self._must(",")
            wanted = str(_literal(self._next(), self.text))
            self._must(")")
            function = _FUNCTIONS[word.lower()]
            return lambda item, props: function(str(_value(item, path) or ""), wanted)
        if word.lower() == "id":
            raise errors.GraphError(400, "ErrorInvalidProperty", "The property 'Id' does not support filtering.")
        operator = _COMPARE.get(self._next())
        if operator is None:
            raise _malformed(self.text)
        value = _literal(self._next(), self.text)
        return lambda item, props: _compared(operator, _value(item, word), value)

    def _any(self, kind: str) -> Test:
        """`…/any(x: x/id eq '…' and x/value eq '…')`, or `categories/any(c: c eq '…')`."""
        self._must("(")
        self._next()
        self._must(":")
        parts: dict[str, tuple[str, str]] = {}
        while True:
            if self.tokens[self.at : self.at + 1] and self.tokens[self.at].lower() in _FUNCTIONS:
                operator = self._next().lower()
                self._must("(")
                field = self._next()
                self._must(",")
                parts[field.rpartition("/")[2]] = (operator, str(_literal(self._next(), self.text)))
                self._must(")")
            else:
                field, operator = self._next().rpartition("/")[2], self._next()
                parts[field] = (operator, str(_literal(self._next(), self.text)))
            if not self._take("and"):
                break
        self._must(")")
        if kind == "category":
            ((_, wanted),) = parts.values()
            return lambda item, props: wanted in item["categories"]
        if "id" not in parts or "value" not in parts:
            raise _malformed(self.text)
        key, (operator, wanted) = property_key(parts["id"][1]), parts["value"]
        match = _FUNCTIONS.get(operator) or _COMPARE.get(operator)
        if match is None:
            raise _malformed(self.text)
        return lambda item, props: key in props and match(props[key]["value"].lower(), wanted.lower())

    def _take(self, token: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].lower() == token:
            self.at += 1
            return True
        return False

    def _must(self, token: str) -> None:
        if not self._take(token):
            raise _malformed(self.text)

    def _next(self) -> str:
        if self.at >= len(self.tokens):
            raise _malformed(self.text)
        self.at += 1
        return self.tokens[self.at - 1]


def _literal(token: str, text: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[token]
    if token[:1].isdigit():
        return token
    raise _malformed(text)


def _compared(operator: Callable[[Any, Any], bool], value: Any, wanted: Any) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        # Moments are text of the same form here; digits of a second that one of them lacks do not matter.
        if value[:4].isdigit() and "T" in value:
            value, wanted = value.rstrip("Z"), wanted.rstrip("Z")
        return operator(value, wanted)
    if isinstance(value, bool) or value is None or wanted is None:
        return operator(value, wanted) if type(value) is type(wanted) or operator in _EQUALITY else False
    return operator(str(value), str(wanted))


_EQUALITY = (_COMPARE["eq"], _COMPARE["ne"])
