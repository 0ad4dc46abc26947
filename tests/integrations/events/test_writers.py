"""Whoever changes what integrators are told of has to tell it: who moves an account, ends a job, opens or closes a
problem. Found in the source, so that a new writer is not forgotten."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "integrations"


@cache
def modules() -> dict[str, str]:
    """Returns the sources of all modules but the tables, by their names below `integrations`."""
    found = {str(path.relative_to(SOURCES)): path.read_text() for path in SOURCES.rglob("*.py")}
    return {name: source for name, source in found.items() if not name.startswith(("migrations/", "models/"))}


def written(source: str, column: str) -> Iterator[ast.AST]:
    """Yields each place that writes the column: `….update(column=…)`, or `row.column = …`."""
    if f"{column}=" not in source and f".{column}" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        each = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
        yield from (part for part in each if isinstance(part, ast.Attribute) and part.attr == column and not own(part))
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("update", "let_go")
        ):
            yield from (keyword for keyword in node.keywords if keyword.arg == column)


def own(part: ast.Attribute) -> bool:
    """Whether it is an object's own, as of a class that is no table."""
    return isinstance(part.value, ast.Name) and part.value.id == "self"


def writers(column: str) -> set[str]:
    return {name for name, source in modules().items() if any(written(source, column))}


@pytest.mark.slow
def test_whoever_moves_accounts_tells_of_it():
    found = writers("state")
    assert {"accounts/state.py", "services/connections.py", "jobs/schedule.py"} <= found
    # Channels have states of their own.
    silent = {name for name in found if "connection_moved" not in modules()[name]}
    assert {name for name in silent if "PushChannel" not in modules()[name]} == set()


def test_whoever_ends_jobs_tells_of_it():
    found = writers("finished_at")
    assert {"jobs/finishing.py", "jobs/sweeper.py", "services/jobs.py"} <= found
    assert {name for name in found if "sync_ended" not in modules()[name]} == set()


def test_problems_are_opened_and_closed_in_one_place():
    assert writers("resolved_at") == {"ledger/problems.py"}
    makers = ("Problem(", "Problem.objects.create(", "Problem.objects.bulk_create(", "Problem.objects.get_or_create(",
              "Problem.objects.update_or_create(")  # fmt: skip
    found = {name for name, source in modules().items() if any(f" {maker}" in source for maker in makers)}
    # The reference names what a choice of answers is about, an explanation what would be opened: neither saves any.
    assert found == {"ledger/problems.py", "api/problems.py", "services/sync_state/judging.py"}
