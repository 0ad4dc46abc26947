"""The floors of the house, and the rules that a machine can keep of them. `test_floors` holds the product to them."""

import sys
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from tests.house.imports import Import

# From the ground up. A package stands on exactly one floor and imports only from floors below; what shares a floor does
# not know each other. A module belongs to the longest name that it begins with.
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "fieldcamp.env",
        "fieldcamp.ids",
        "fieldcamp.redaction",
        "fieldcamp.money",
        "fieldcamp.locales",
        "fieldcamp.statements",
        "fieldcamp.texts",
        "fieldcamp.links",
        "fieldcamp.spreadsheets",
        "fieldcamp.encryption",
        "fieldcamp.impatience",
    ),
    ("fieldcamp.certificates", "fieldcamp.formats"),
    ("fieldcamp.logs", "fieldcamp.startup", "fieldcamp.sync_settings"),
    ("integrations.errors", "integrations.records"),
    ("integrations.kinds", "integrations.paging"),
    ("integrations.transport",),
    ("integrations.providers",),
    ("integrations.sync",),
    ("fieldcamp.workspace",),
    ("fieldcamp.desk",),
    ("fieldcamp.api",),
    ("fieldcamp.signin",),
    ("fieldcamp.workspace.rest", "fieldcamp.workspace.admin"),
    ("fieldcamp.webhooks",),
    ("integrations.models",),
    ("integrations.queue",),
    ("integrations.selectors",),
    ("integrations.events",),
    ("integrations.mail",),
    ("integrations.ledger",),
    ("integrations.calendar", "integrations.books"),
    ("integrations.accounts",),
    ("integrations.push",),
    ("integrations.reconciliation",),
    ("integrations.services", "integrations.jobs"),
    ("integrations.api", "integrations.admin"),
    ("integrations.views",),
    ("integrations.templatetags", "integrations.demo"),
    ("integrations.review",),
    ("integrations.management", "integrations.checks", "integrations.urls"),
    ("integrations.apps",),
    (
        "fieldcamp.pages",
        "fieldcamp.error_pages",
        "fieldcamp.health",
        "fieldcamp.metrics",
        "fieldcamp.settings",
        "fieldcamp.serving",
    ),
    ("fieldcamp.urls", "fieldcamp.wsgi", "fieldcamp.asgi"),
    ("fieldcamp.sandbox",),
)
# The two roots hold nothing of their own.
ROOTS = ("fieldcamp", "integrations")
# What is pure imports the standard library and what is pure below it.
PURE = (
    "integrations.errors", "integrations.records", "integrations.kinds", "integrations.paging", "integrations.sync",
)  # fmt: skip
# A world of its own: it imports nothing of ours, and nothing of ours imports it.
ISLAND = "fieldcamp.sandbox"

_FLOOR = {package: number for number, floor in enumerate(FLOORS) for package in floor}


def package_of(module: str) -> str | None:
    """The package on the list that the module belongs to; None for what is not on the list."""
    if module in ROOTS:
        return module
    name = module
    while name and name not in _FLOOR:
        name = name.rpartition(".")[0]
    return name or None


def unlisted(modules: Iterable[str]) -> list[str]:
    """Modules that stand on no floor."""
    return [module for module in modules if package_of(module) is None]


def climbing(imports: Iterable[Import]) -> list[str]:
    """Imports that do not point downward."""
    wrong = []
    for found in imports:
        here, there = package_of(found.module), package_of(found.target)
        if here is None or there is None or here == there or there in ROOTS or here in ROOTS:
            continue
        if ISLAND in (here, there) or _FLOOR[there] >= _FLOOR[here]:
            wrong.append(f"{found.module} imports {found.name}")
    return wrong


def impure(module: str, names: Iterable[str]) -> list[str]:
    """Names that a pure module imports and must not: anything but the standard library and what is pure below it."""
    package = package_of(module)
    if package not in PURE:
        return []
    below = PURE[: PURE.index(package) + 1]
    return [
        name
        for name in names
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(name == pure or name.startswith(f"{pure}.") for pure in below)
        and name not in {f"integrations.{pure.rpartition('.')[2]}" for pure in below}
    ]


def circle(imports: Iterable[Import]) -> list[str]:
    """Modules that import each other in a circle, if any do. A package's `__init__` that passes on what stands inside
    is looked through."""
    graph: dict[str, set[str]] = {}
    for found in imports:
        if not found.module.startswith(f"{found.target}.") and not found.target.startswith(f"{found.module}."):
            graph.setdefault(found.module, set()).add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
