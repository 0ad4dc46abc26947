"""What the product's modules import, read from their source: a function or TYPE_CHECKING hides nothing."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("fieldcamp", "integrations")


def module_of(path: Path, root: Path = ROOT) -> str:
    """The dotted name of a source file; a package's is that of its `__init__`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def product_modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the product by its dotted name, migrations left out."""
    paths = (path for package in PRODUCT for path in (root / package).rglob("*.py"))
    return {module_of(path, root): path for path in sorted(paths) if "migrations" not in path.parts}


@cache
def parse(source: str) -> ast.Module:
    """The tree of a source, which most of these tests look at."""
    return ast.parse(source)


@cache
def imported_names(source: str, module: str, is_package: bool = False) -> tuple[str, ...]:
    """Dotted names that a module imports, wherever it does: `from a import b` gives `a.b`; so do relative imports and
    `import_module("a.b")`."""
    return tuple(_imported_names(source, module, is_package))


def _imported_names(source: str, module: str, is_package: bool) -> Iterator[str]:
    parent = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = parent.rsplit(".", node.level - 1)[0] if node.level > 1 else parent
                start = f"{above}.{start}" if start else above
            yield from (f"{start}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _names(node.func) in ("import_module", "__import__") and node.args:
            yield from _first_words(node.args[0])


def _names(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _first_words(argument: ast.expr) -> Iterator[str]:
    """The name given to `import_module`; of an f-string what stands before its first value."""
    if isinstance(argument, ast.JoinedStr) and argument.values:
        argument = argument.values[0]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value.strip(".")


@dataclass(frozen=True)
class Import:
    """`module` imports `name`, which stands in the product's module `target`."""

    module: str
    name: str
    target: str


def product_imports(modules: dict[str, Path]) -> list[Import]:
    """Every import of one of the product's modules by another."""
    found = set()
    for module, path in modules.items():
        for name in imported_names(path.read_text(), module, path.name == "__init__.py"):
            target = name
            while target and target not in modules:
                target = target.rpartition(".")[0]
            if target and target != module:
                found.add(Import(module, name, target))
    return sorted(found, key=lambda found: (found.module, found.name))
