"""Finds what people read in Python source and nobody can translate: by the syntax tree, not by running anything."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.imports import parse

# Functions of django.utils.translation, with how many of their first arguments are texts (after the context of p…).
FUNCTIONS = {
    "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2,
    "pgettext": 2, "pgettext_lazy": 2, "npgettext": 3, "npgettext_lazy": 3,
}  # fmt: skip
# Names of arguments, attributes and variables whose text is read, be it a single word in lower case.
READ = re.compile(
    r"(?:^|_)(?:label|title|description|verbose_name|verbose_name_plural|help_text|message|sentence|words|subject|"
    r"placeholder|empty_label|legend|hint|heads?|about|verb|button|link|nobody)$"
)
WORD = re.compile(r"[^\W\d_]{2,}")
A_WORD = re.compile(r"[“(‘]?[^\W\d_]{2,}(?:[’'-][^\W\d_]+)?[’'.,:;!?…”)]*")
ONE_WORD = re.compile(r"^[A-Z](?:[a-z]+|-[a-z]+)[.:!?…]?$")
GLUE = re.compile(r"^\s+[^\W\d_]{2,}\s*$|^[^\W\d_]{2,}\s+$")  # " and ", which joins what is read
SPACED = re.compile(r"(?:^|\s)[“(]?[^\W\d_]{2,}[’'.,:;!?…”)]*(?=\s|$)")
# What programmers read: exceptions of the language, and the log.
FOR_PROGRAMMERS = {"TypeError", "ValueError", "KeyError", "RuntimeError", "AssertionError", "NotImplementedError",
                   "ImproperlyConfigured", "TypeVar", "cast", "re.compile"}  # fmt: skip
LOGGERS = {"log", "logger"}


@dataclass(frozen=True)
class Unmarked:
    line: int
    text: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}: {self.text[:80]!r}"


def unmarked(source: str) -> list[Unmarked]:
    """What of a module's words would stay English whatever the language."""
    return list(_Walk(parse(source)).found())


class _Walk:
    def __init__(self, tree: ast.Module):
        self.tree = tree
        self.functions = dict(_translators(tree))

    def found(self) -> Iterator[Unmarked]:
        yield from self._in(self.tree, "", loading=True)

    def _in(self, node: ast.AST, name: str, loading: bool) -> Iterator[Unmarked]:
        """`name` is the argument, attribute or variable that the node is the value of; `loading`: it is evaluated when
        the module is loaded, before anybody's language is known."""
        if isinstance(node, ast.Call) and (marks := self.functions.get(_called(node))):
            yield from self._marked(node, marks, loading)
        elif _quiet(node):
            return
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and _is_read(node.value, name):
                yield Unmarked(node.lineno, node.value, "not marked")
        elif isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
            if SPACED.search(text):
                yield Unmarked(node.lineno, text.replace("\0", "{}"), "an f-string with words")
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from self._in(part.value, "", loading)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            body = node.body if isinstance(node.body, list) else [node.body]
            for each in [*getattr(node, "decorator_list", ()), node.args]:
                yield from self._in(each, "", loading)
            for each in body:
                yield from self._in(each, name, loading=False)
        else:
            for child, its_name in _children(node, name):
                yield from self._in(child, its_name, loading)

    def _marked(self, call: ast.Call, function: str, loading: bool) -> Iterator[Unmarked]:
        """Texts are found in the source when a catalogue is made: what is put together at run time is in none."""
        count = FUNCTIONS[function]
        for text in call.args[:count]:
            if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                yield Unmarked(call.lineno, ast.unparse(text), "marked, but no literal")
        if loading and not function.endswith(("_lazy", "_noop")):
            yield Unmarked(call.lineno, ast.unparse(call), "translated when the module is loaded")
        for rest in [*call.args[count:], *(keyword.value for keyword in call.keywords)]:
            yield from self._in(rest, "", loading)


def _translators(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What the module calls them, and what they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            for alias in node.names:
                if alias.name in FUNCTIONS:
                    yield alias.asname or alias.name, alias.name


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _quiet(node: ast.AST) -> bool:
    """Nobody but a programmer reads what is below."""
    if isinstance(node, ast.Expr):  # a docstring
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Call):
        name = _called(node)
        return name in FOR_PROGRAMMERS or name.partition(".")[0] in LOGGERS
    if isinstance(node, ast.Assign):
        return _name(node.targets[0]) == "__all__"
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _children(node: ast.AST, name: str) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.keyword):
        yield node.value, node.arg or ""
    elif isinstance(node, ast.Assign):
        target, value = node.targets[-1], node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from ((each, _name(its)) for its, each in zip(target.elts, value.elts, strict=False))
        else:
            yield value, _name(target)
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield node.value, _name(node.target)
    elif isinstance(node, ast.arguments):
        yield from ((default, "") for default in [*node.defaults, *node.kw_defaults] if default is not None)
    elif isinstance(node, ast.Dict):
        yield from ((key, "") for key in node.keys if key is not None and not isinstance(key, ast.Constant))
        for key, value in zip(node.keys, node.values, strict=True):
            yield value, key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else name
    elif isinstance(node, ast.Subscript):
        yield node.value, ""
        if not isinstance(node.slice, ast.Constant):
            yield node.slice, ""
    elif isinstance(node, ast.Compare):
        yield from ((each, "") for each in [node.left, *node.comparators] if not isinstance(each, ast.Constant))
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.IfExp, ast.BoolOp, ast.BinOp, ast.FormattedValue)):
        yield from ((each, name) for each in ast.iter_child_nodes(node))
    else:
        yield from ((each, "") for each in ast.iter_child_nodes(node))


def _name(target: ast.AST) -> str:
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")


def _is_read(text: str, name: str) -> bool:
    if READ.search(name):
        return bool(WORD.search(text))
    words = sum(bool(A_WORD.fullmatch(part)) for part in text.split())
    return bool(words > 1 or ONE_WORD.match(text) or GLUE.match(text))
