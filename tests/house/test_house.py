"""The house rules that a machine can keep: who imports whom, how long a module is, and that the papers are true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST, LONGEST_TEST = 300, 400
CODE = sorted(
    path
    for folder in ("fieldcamp", "integrations")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)

SHELL = {
    "api", "admin", "views", "management", "demo", "jobs", "runner", "schedules", "sweeper", "watchdog", "housekeeping",
    "checks", "apps", "urls", "login", "login_urls",
}  # fmt: skip
# Package of ours -> what it must not import. The first name that matches the importing module counts.
FORBIDDEN = {
    "fieldcamp.sandbox": ("django", "fieldcamp", "integrations", "rest_framework"),
    "fieldcamp.api": ("integrations", "fieldcamp.sandbox"),
    "fieldcamp.workspace": ("integrations", "fieldcamp.sandbox"),
    "integrations.records": ("django", "fieldcamp", "integrations", "requests"),
    "integrations.kinds": ("django", "fieldcamp", "integrations", "requests"),
    "integrations.errors": ("django", "fieldcamp", "integrations", "requests"),
    "integrations.sync": ("django", "fieldcamp", "integrations", "requests"),
    "integrations.transport": (*(f"integrations.{name}" for name in SHELL), "integrations.services",
                               "integrations.selectors", "integrations.providers", "integrations.sync"),
    "integrations.models": (*(f"integrations.{name}" for name in SHELL), "integrations.services",
                            "integrations.selectors", "integrations.providers", "integrations.transport"),
    "integrations.providers": (*(f"integrations.{name}" for name in SHELL), "integrations.services",
                               "integrations.selectors", "integrations.sync", "integrations.models"),
    "integrations.services": tuple(f"integrations.{name}" for name in ("api", "admin", "views", "management", "demo")),
    "integrations.selectors": tuple(f"integrations.{name}" for name in ("api", "admin", "views", "management", "demo")),
}  # fmt: skip
# What a package may import of what is forbidden above.
ALLOWED = {
    "fieldcamp.sandbox": ("fieldcamp.sandbox",),
    "integrations.records": ("integrations.records",),
    "integrations.kinds": ("integrations.kinds", "integrations.records"),
    "integrations.errors": ("integrations.errors",),
    "integrations.sync": ("integrations.sync", "integrations.kinds", "integrations.records", "integrations.errors"),
    "integrations.providers": ("integrations.providers",),
}
# Modules that may import `requests`: the one exit, the type of a response, the demo, which is a
# browser, and the sandbox's adapter for sessions of tests.
HTTP = ("integrations.transport", "integrations.demo", "fieldcamp.sandbox.mount")
RESPONSES = ("integrations.providers",)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def forbidden_imports(module: str, imports: Iterator[str] | list[str]) -> list[str]:
    package = next((package for package in FORBIDDEN if within(module, (package,))), None)
    if package is None:
        return []
    wrong, allowed = FORBIDDEN[package], ALLOWED.get(package, ())
    return sorted(name for name in imports if within(name, wrong) and not within(name, allowed))


@pytest.mark.parametrize("path", CODE, ids=module_of)
def test_imports_point_downward(path):
    assert forbidden_imports(module_of(path), imports_of(path)) == []


def test_the_rule_finds_what_it_forbids():
    assert forbidden_imports("integrations.sync.plan", ["integrations.models.Link"]) == ["integrations.models.Link"]
    assert forbidden_imports("integrations.sync.plan", ["integrations.records.Page"]) == []
    assert forbidden_imports("fieldcamp.api.views", ["integrations.models"]) == ["integrations.models"]
    assert forbidden_imports("fieldcamp.sandbox.app", ["fieldcamp.ids.new_id"]) == ["fieldcamp.ids.new_id"]


@pytest.mark.parametrize("path", CODE, ids=module_of)
def test_http_leaves_through_one_exit(path):
    module = module_of(path)
    if "requests" not in {name.split(".")[0] for name in imports_of(path)} or within(module, HTTP):
        return
    assert within(module, RESPONSES), f"{module} imports requests"
    calls = re.findall(r"requests\.(?:get|post|put|patch|delete|request|Session)\b", path.read_text())
    assert calls == []


def test_one_provider_does_not_know_another():
    folders = [path.name for path in (ROOT / "integrations/providers").iterdir() if (path / "__init__.py").exists()]
    for folder in folders:
        others = tuple(f"integrations.providers.{name}" for name in folders if name != folder)
        for path in (ROOT / "integrations/providers" / folder).glob("*.py"):
            assert [name for name in imports_of(path) if within(name, others)] == [], path


def test_no_provider_is_named_outside_its_folder():
    """The engine makes up for what a provider lacks without knowing which one it is."""
    for path in CODE:
        module = module_of(path)
        if within(module, ("integrations.providers", "integrations.demo", "fieldcamp.settings", "fieldcamp.sandbox")):
            continue
        if module.endswith(".demo"):
            continue
        names = re.findall(r"""[!=]= *["'](?:google_calendar|outlook_calendar|quickbooks)["']""", path.read_text())
        assert names == [], module


def test_only_tests_and_two_commands_know_the_sandbox():
    for path in CODE:
        if not within(module_of(path), ("fieldcamp.sandbox",)):
            assert [name for name in imports_of(path) if within(name, ("fieldcamp.sandbox",))] == [], path


def test_modules_are_short():
    limits = dict.fromkeys(CODE, LONGEST) | dict.fromkeys((ROOT / "tests").rglob("*.py"), LONGEST_TEST)
    lines = {path: len(path.read_text().splitlines()) for path in limits}
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > limits[path]} == {}


def environment_names() -> set[str]:
    """What settings.py and the modules that it reads through take from the environment."""
    text = (ROOT / "fieldcamp/settings.py").read_text()
    readers = r"env_bool|env_int|env_list|environ\.get|_secrets\.get|vendor_url"
    names = set(re.findall(rf"""(?:{readers})\(\s*["']([A-Z0-9_]+)""", text))
    for vendor in re.findall(r"""client_credentials\("([A-Z]+)"\)""", text):
        names |= {f"{vendor}_CLIENT_ID", f"{vendor}_CLIENT_SECRET"}
    return names


def test_the_example_environment_is_complete_and_true():
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert environment_names() - named == set()
    assert named - environment_names() - {"PORT", "SANDBOX_PORT"} == set()


def test_the_readmes_commands_exist():
    readme = (ROOT / "README.md").read_text()
    scripts = set(re.findall(r"(?:^|[`\s])(scripts/\w+|\.ci/run)", readme))
    assert {"scripts/demo", "scripts/test"} <= scripts
    for name in scripts:
        assert (ROOT / name).stat().st_mode & 0o111, name
    commands = {path.stem for path in ROOT.glob("*/**/management/commands/*.py") if ".venv" not in path.parts}
    built_in = {"check", "migrate", "collectstatic", "createsuperuser", "makemigrations"}
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for name in re.findall(r"manage\.py (\w+)", page.read_text()):
            assert name in commands | built_in, f"{page.name}: {name}"


def test_links_between_the_papers_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} → {target}"
