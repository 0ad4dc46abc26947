"""Where a provider is named: only its own folder, the settings, the demo and the sandbox may know one by its name."""

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache

from tests.house.imports import parse

PROVIDERS_PACKAGE = "integrations.providers"
# Who may name a provider: modules, or packages with all that is in them.
MAY_NAME = (
    "fieldcamp.settings", "fieldcamp.sandbox", "integrations.demo", "integrations.management.commands.demo",
    "integrations.review",
)  # fmt: skip
# The documentation's pages have names of their own, and some are about one provider.
DOCUMENTATION = {"fieldcamp.api.docs": {"quickbooks", "QuickBooks"}}


VENDORS = frozenset({"google", "microsoft", "outlook", "intuit", "xero", "wave"})


@cache
def names_one(text: str, providers: frozenset[str], vendors: frozenset[str], whole: bool) -> bool:
    """Whether a name speaks of a provider in any spelling: `google_calendar` is also `google-calendar`,
    `GOOGLE_CALENDAR` and `GoogleCalendar`, and its vendor is `GOOGLE`. A `whole` text is nothing but the name."""
    squeezed = re.sub(r"[^a-z]", "", text.lower())
    known = {re.sub(r"[^a-z]", "", name) for name in providers}
    if whole:
        return squeezed in known | vendors
    words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)}
    return any(name in squeezed for name in known) or bool(words & vendors)


def named(source: str, module: str, folders: Collection[str]) -> Iterator[str]:
    """Places in the source that name a provider: texts that are nothing but its name, names that hold it, and imports
    of what is its own."""
    if any(module == allowed or module.startswith(f"{allowed}.") for allowed in MAY_NAME):
        return
    if module == PROVIDERS_PACKAGE:
        return
    own = _own_folder(module)
    providers = frozenset(folders) - {own}
    vendors = frozenset() if own else VENDORS  # a vendor may have several providers
    for node in ast.walk(parse(source)):
        for word in _words(node):
            if word in DOCUMENTATION.get(module, ()):
                continue
            if names_one(word, providers, vendors, whole=isinstance(node, ast.Constant)):
                yield f"{module}:{getattr(node, 'lineno', 0)} {word}"


def _own_folder(module: str) -> str:
    if not module.startswith(f"{PROVIDERS_PACKAGE}."):
        return ""
    return module.removeprefix(f"{PROVIDERS_PACKAGE}.").partition(".")[0]


def _words(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ImportFrom(module=module, names=aliases):
            yield from (module or "").split(".")
            yield from (alias.name for alias in aliases)
        case ast.Import(names=aliases):
            yield from (part for alias in aliases for part in alias.name.split("."))
