"""The floors: who stands where and who may import whom, held against the real imports; and that the rules find what
they forbid."""

import ast
import re
from collections import defaultdict

import pytest

from tests.house.floors import FLOORS, circle, climbing, impure, package_of, unlisted
from tests.house.imports import Import, imported_names, parse, product_imports, product_modules
from tests.house.provider_names import named

MODULES = product_modules()
FOLDERS = [
    name.rpartition(".")[2]
    for name, path in MODULES.items()
    if re.fullmatch(r"integrations\.providers\.\w+", name) and path.name == "__init__.py"
]
# Modules that may import `requests`: the one exit, and the demo and the review, which are browsers. Providers read its
# answers.
HTTP = ("integrations.transport", "integrations.demo", "integrations.review", "fieldcamp.sandbox.mount",
        "fieldcamp.sandbox.google.risc", "fieldcamp.sandbox.push.wire")  # fmt: skip
ROOMS = 30


def test_every_package_stands_on_one_floor():
    assert unlisted(MODULES) == []
    packages = [package for floor in FLOORS for package in floor]
    assert len(packages) == len(set(packages))
    assert {package for package in packages if not any(package_of(m) == package for m in MODULES)} == set()


def test_integrations_has_few_rooms():
    rooms = {package_of(module) for module in MODULES if module.startswith("integrations.")}
    assert len(rooms) <= ROOMS


def test_nothing_of_the_product_stands_flat_in_integrations():
    flat = {name.rpartition(".")[2] for name in MODULES if re.fullmatch(r"integrations\.\w+", name)}
    packages = {name.partition(".")[2] for name, path in MODULES.items() if path.name == "__init__.py"}
    assert flat - packages == {"apps", "checks", "urls", "records", "kinds", "errors", "paging"}


def test_no_two_classes_share_a_name():
    """One word, one thing; Django itself wants every command's class to be called `Command`."""
    places = defaultdict(list)
    for module, path in MODULES.items():
        for node in parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not module.startswith("fieldcamp.sandbox"):
                places[node.name].append(module)
    assert {name: found for name, found in places.items() if len(found) > 1 and name != "Command"} == {}


def test_imports_point_downward():
    assert climbing(product_imports(MODULES)) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circle(found for found in product_imports(MODULES) if not found.module.startswith("fieldcamp.sandbox")) == []


def test_what_is_pure_imports_the_standard_library_only():
    wrong = [
        (module, found)
        for module, path in MODULES.items()
        if module.startswith("integrations")
        for found in impure(module, imported_names(path.read_text(), module, path.name == "__init__.py"))
    ]
    assert wrong == []


def test_a_provider_is_named_in_its_own_folder_only():
    wrong = [place for module, path in MODULES.items() for place in named(path.read_text(), module, FOLDERS)]
    assert wrong == []


def test_http_leaves_through_one_exit():
    for module, path in MODULES.items():
        if "requests" not in {name.partition(".")[0] for name in imported_names(path.read_text(), module)}:
            continue
        if any(module == allowed or module.startswith(f"{allowed}.") for allowed in HTTP):
            continue
        assert module.startswith("integrations.providers."), f"{module} imports requests"
        assert re.findall(r"requests\.(?:get|post|put|patch|delete|request|Session)\b", path.read_text()) == []


# --- the rules find what they forbid --------------------------------------------------------------------------------


def _planted(module: str, source: str) -> list[str]:
    modules = {**MODULES, module: MODULES.get(module, MODULES["integrations.apps"])}
    found = []
    for name in imported_names(source, module):
        target = name
        while target and target not in modules:
            target = target.rpartition(".")[0]
        found.append(Import(module, name, target))
    return climbing(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("integrations.sync.plan", "from integrations.models import Link"),
        ("integrations.sync.plan", "def f():\n    from integrations.ledger import stream"),
        ("integrations.models.jobs", "if TYPE_CHECKING:\n    from integrations.queue.lease import Lease"),
        ("integrations.services.setup", "import integrations.jobs.runner"),
        ("integrations.jobs.runner", "from integrations.services import jobs"),
        ("integrations.books.base", "from integrations.calendar.visits import VisitsOfStream"),
        ("integrations.admin.cards", "from integrations.views import desk"),
        ("integrations.providers.base", "from ..selectors import links"),
        ("integrations.transport.client", "import_module('integrations.providers.base')"),
        ("integrations.transport.client", "import_module(f'integrations.providers.{name}')"),
        ("fieldcamp.api.views", "from integrations.models import SyncJob"),
        ("fieldcamp.sandbox.server", "from fieldcamp.ids import new_id"),
        ("integrations.demo.once", "from fieldcamp.sandbox.app import create_app"),
    ],
)
def test_a_planted_import_upward_or_sideways_is_found(module, source):
    assert len(_planted(module, source)) == 1


def test_imports_downward_are_allowed():
    assert _planted("integrations.services.setup", "from integrations.models import Link\nimport json") == []
    assert _planted("integrations.ledger.writes", "from integrations.ledger.links import agree") == []


def test_a_package_that_is_not_on_the_list_is_found():
    assert unlisted(["integrations.helpers", "integrations.sync.plan"]) == ["integrations.helpers"]
    assert unlisted(["fieldcamp.utils"]) == ["fieldcamp.utils"]


def test_a_planted_circle_is_found():
    knot = [
        Import("a.one", "b.two", "b.two"),
        Import("b.two", "c.three", "c.three"),
        Import("c.three", "a.one", "a.one"),
    ]
    assert set(circle(knot)) == {"a.one", "b.two", "c.three"}


@pytest.mark.parametrize("source", ["import django", "from integrations.models import Link", "import requests"])
def test_a_planted_impurity_is_found(source):
    assert impure("integrations.sync.plan", imported_names(source, "integrations.sync.plan"))
    assert impure("integrations.kinds", ["integrations.sync.plan.plan"])
    assert impure("integrations.sync.plan", ["integrations.kinds.VISIT", "json.dumps"]) == []


@pytest.mark.parametrize(
    "source",
    [
        'if provider.name == "quickbooks": pass',
        'if "google_calendar" != name: pass',
        'x = name in ("outlook-calendar", "other")',
        'TABLE = {"quickbooks": 1}',
        'PROVIDERS["google_calendar"]',
        "from integrations.providers.quickbooks.api import QuickBooksClient",
        "from integrations.providers import QUICKBOOKS",
        "x = settings.GOOGLE_CLIENT",
        "x = registry.google_calendar",
        "def sync_quickbooks(): pass",
        "class OutlookSync: pass",
        "match name:\n    case 'xero': pass",
    ],
)
def test_a_provider_named_elsewhere_is_found(source):
    assert list(named(source, "integrations.services.setup", FOLDERS))
    assert list(named(source, "fieldcamp.settings", FOLDERS)) == []


def test_a_provider_may_name_itself_and_no_other():
    source = 'NAME = "quickbooks"'
    assert list(named(source, "integrations.providers.quickbooks.api", FOLDERS)) == []
    assert list(named(source, "integrations.providers.google_calendar.api", FOLDERS))
