"""What keeps a provider in its folder: nobody else names one, and its classes have names of their own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.providers import PROVIDERS

ROOT = Path(__file__).resolve().parents[3]
# Each by its product and by its company: outlook, Microsoft.
PRODUCTS = {provider.name.partition("_")[0] for provider in PROVIDERS.values()}
COMPANIES = {getattr(provider.authentication, "vendor", provider.label) for provider in PROVIDERS.values()}
VENDORS = "|".join(PRODUCTS | COMPANIES)
# Where a vendor may be named: its own folder, the dict of all, the settings, the simulator, and the demo of them.
MAY = (
    "integrations/providers/__init__.py",
    *(f"integrations/providers/{name}/" for name in PROVIDERS),
    "integrations/demo/",
    "integrations/review/",
    "fieldcamp/settings.py",
    "fieldcamp/sandbox/",
)
# Papers and examples for integrators, which show one provider's addresses: no code decides anything by them.
PAPERS = (
    "fieldcamp/api/docs.py",
    "fieldcamp/api/reference.py",
    "fieldcamp/api/errors.py",
    "fieldcamp/api/error_codes.py",
)
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("integrations", "fieldcamp")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)


def names_in(source: str) -> Iterator[str]:
    """Every name and text of the code; what explains it (docstrings, comments) may say whom it is about."""
    tree = ast.parse(source)
    bodies = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    explained = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, bodies) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}.{'.'.join(alias.name for alias in node.names)}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def vendors_in(source: str) -> list[str]:
    return [name for name in names_in(source) if re.search(VENDORS, name, re.IGNORECASE)]


@pytest.mark.slow
def test_no_provider_is_named_outside_its_folder():
    others = [path for path in MODULES if not str(path).startswith((*MAY, *PAPERS))]
    named = {str(path): vendors_in((ROOT / path).read_text()) for path in others}
    assert {path: names for path, names in named.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        'x == "quickbooks"',
        'x in ("outlook_calendar", y)',
        '{"google_calendar": 1}',
        'PROVIDERS["quickbooks"]',
        "from integrations.providers.google_calendar import api",
        "from integrations.providers import QUICKBOOKS",
        "import integrations.providers.outlook_calendar.mapping",
        "provider is providers.GOOGLE_CALENDAR",
        "settings.MICROSOFT_CLIENT",
        'f"{x} at Intuit"',
    ],
)
def test_the_rule_finds_every_spelling(source):
    assert vendors_in(source)


def test_the_rule_lets_words_explain():
    assert vendors_in('"""As Google does."""\n\n\ndef f():\n    """QuickBooks\' way."""\n    return 1  # Outlook') == []
