"""The papers and the manners of the code that a machine can keep: lengths, names, log lines, settings and links."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.house.floors import FLOORS
from tests.house.imports import ROOT, imported_names, parse, product_modules

LONGEST, LONGEST_TEST = 300, 400
MODULES = product_modules()


def test_modules_are_short():
    limits = dict.fromkeys(MODULES.values(), LONGEST) | dict.fromkeys((ROOT / "tests").rglob("*.py"), LONGEST_TEST)
    lines = {path: len(path.read_text().splitlines()) for path in limits}
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > limits[path]} == {}


def test_a_class_has_a_name_of_its_own():
    """What two classes of one name mean has to be looked up each time. (The sandbox is a world of its own.)"""
    names = Counter(
        node.name
        for module, path in MODULES.items()
        if not module.startswith("fieldcamp.sandbox") and ".management.commands." not in module
        for node in parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, count in names.items() if count > 1} == set()


@cache
def logged() -> list[tuple[str, ast.Call]]:
    return [
        (module, node)
        for module, path in MODULES.items()
        if not module.startswith("fieldcamp.sandbox")
        for node in ast.walk(parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    ]


def badly_logged(node: ast.Call) -> list[str]:
    """What is wrong with a log line: its event is one snake_case name, and a key that holds an id is called so."""
    event = node.args[0] if node.args else None
    wrong = [] if isinstance(event, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)*", str(event.value)) else ["event"]
    for keyword in node.keywords:
        holds_id = isinstance(keyword.value, ast.Attribute) and keyword.value.attr in ("pk", "id")
        named_id = (keyword.arg or "").endswith(("_id", "id", "pid"))
        if holds_id and not named_id:
            wrong.append(str(keyword.arg))
    return wrong


def test_log_lines_have_one_form():
    assert len(logged()) > 30
    assert [(module, node.lineno, wrong) for module, node in logged() if (wrong := badly_logged(node))] == []


@pytest.mark.parametrize("line", ['log.info("job.slice")', 'log.info(f"x {y}")', 'log.info("sent", connection=c.pk)'])
def test_a_log_line_of_another_form_is_found(line):
    [call] = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    assert badly_logged(call)


def environment_names() -> set[str]:
    """What settings.py and the modules that it reads through take from the environment."""
    text = "".join((ROOT / "fieldcamp" / name).read_text() for name in ("settings.py", "sync_settings.py"))
    readers = r"env_bool|env_int|env_list|env_text|environ\.get|_secrets\.get|vendor_url"
    names = set(re.findall(rf"""(?:{readers})\(\s*["']([A-Z0-9_]+)""", text))
    for vendor in re.findall(r"""client_credentials\("([A-Z]+)"\)""", text):
        names |= {f"{vendor}_CLIENT_ID", f"{vendor}_CLIENT_SECRET", f"{vendor}_CLIENT_SECRET_ENDS"}
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
    commands = {module.rpartition(".")[2] for module in MODULES if ".management.commands." in module}
    built_in = {"check", "migrate", "collectstatic", "createsuperuser", "makemigrations"}
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for name in re.findall(r"manage\.py (\w+)", page.read_text()):
            assert name in commands | built_in, f"{page.name}: {name}"


def test_links_between_the_papers_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


STRICT = {
    "integrations.errors", "integrations.records", "integrations.kinds", "integrations.sync.*",
    "integrations.transport.*", "integrations.models.*", "integrations.queue.*", "integrations.selectors.*",
    "integrations.ledger.*", "integrations.calendar.*", "integrations.books.*", "integrations.jobs.*",
    "integrations.accounts.*", "integrations.mail.*",
}  # fmt: skip


def test_the_list_of_strictly_typed_packages_only_grows():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    [strict] = [each for each in settings["overrides"] if each.get("disallow_untyped_defs")]
    assert set(strict["module"]) >= STRICT
    for flag in ("disallow_any_generics", "disallow_untyped_calls", "warn_return_any", "no_implicit_reexport"):
        assert strict[flag] is True


def pins(name: str) -> dict[str, str]:
    """Distributions that a requirements file names itself, and the version of each."""
    found = re.findall(r"^(\w[\w.-]*)(?:\[\w+(?:,\w+)*\])?==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in found}


def required(name: str) -> set[str]:
    return set(pins(name))


@cache
def distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def third_party(sandbox: bool) -> set[str]:
    """Distributions that the product's modules, or the sandbox's, import."""
    return {
        distribution.lower().replace("_", "-")
        for module, path in MODULES.items()
        if module.startswith("fieldcamp.sandbox") == sandbox
        for name in imported_names(path.read_text(), module, path.name == "__init__.py")
        for distribution in distributions().get(name.partition(".")[0], ())
    }


def test_requirements_name_what_is_imported():
    assert third_party(sandbox=False) - required("requirements.in") == set()
    assert third_party(sandbox=True) - required("requirements-sandbox.in") == set()


def test_the_sandboxs_packages_are_not_the_products():
    both = required("requirements.in") & required("requirements-sandbox.in")
    assert both <= third_party(sandbox=False)


def test_the_architecture_page_names_what_is_there():
    """The trips are lists of modules and functions: each of them exists."""
    text = (ROOT / "docs/architecture.md").read_text()
    places = re.findall(r"`((?:integrations|fieldcamp)/[\w/]+\.py)`(?:\s+`(\w[\w.]*)`)?", text)
    assert len(places) > 40
    for path, name in places:
        body = parse((ROOT / path).read_text()).body
        for part in filter(None, name.split(".")):
            found = [node for node in body if getattr(node, "name", None) == part]
            assert found, f"{path}: {name}"
            body = getattr(found[0], "body", [])


def test_the_architecture_page_has_every_floor():
    text = (ROOT / "docs/architecture.md").read_text()
    for package in (package for floor in FLOORS for package in floor if package.startswith("integrations.")):
        assert package.rpartition(".")[2] in text, package


NO_VERBS = {
    "the", "a", "an", "what", "whether", "how", "one", "all", "by", "where", "who", "whose", "which", "every", "each",
    "another", "everything", "nothing", "those", "these", "this", "it", "none", "when", "for", "of", "no", "not", "our",
}  # fmt: skip


def begins_without_verb(node: ast.AST) -> bool:
    """Whether a function's docstring begins with anything but what it does."""
    text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
    return bool(text) and re.split(r"\W", text)[0].lower() in NO_VERBS


def test_docstrings_begin_with_a_verb():
    found = [
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        if not module.startswith("fieldcamp.sandbox")
        for node in ast.walk(parse(path.read_text()))
        if begins_without_verb(node) and node.name not in ("get", "post", "put", "patch", "delete")
    ]
    assert found == []


def test_a_docstring_without_a_verb_is_found():
    [bad, good] = ast.parse('def f():\n    """The sum."""\ndef g():\n    """Returns the sum."""').body
    assert begins_without_verb(bad) and not begins_without_verb(good)
