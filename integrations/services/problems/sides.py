"""What differs between the sides of a conflict, and which fields are decided together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.kinds import KINDS
from integrations.models import Problem

SIDES_OF_DATA = ("local", "remote", "base")


@dataclass(frozen=True)
class FieldGroup:
    """Fields that are decided by one choice: one, or several that make sense only together. Those that are not `asked`
    about follow from the rules."""

    names: tuple[str, ...]
    asked: bool


def side_of(problem: Problem, name: str) -> Mapping[str, Any]:
    """Returns the fields of `local`, `remote` or `base`, as they were when the problem was seen."""
    value = problem.data.get(name) if isinstance(problem.data, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def field_groups(problem: Problem) -> list[FieldGroup]:
    """Returns the fields in which the sides of a conflict differ, in the kind's order."""
    local, remote = side_of(problem, "local"), side_of(problem, "remote")
    kind = KINDS.get(problem.record_kind)
    fields = kind.fields if kind else tuple({**local, **remote})
    differing = [name for name in fields if local.get(name) != remote.get(name)]
    asked = {name for name in str(problem.data.get("fields") or "").split(", ") if name in differing} or {*differing}
    together = [name for name in differing if kind and name in kind.together]
    if asked & {*together}:
        asked |= {*together}
    groups = []
    for name in differing:
        if name in together and name in asked:
            if name == together[0]:
                groups.append(FieldGroup(tuple(together), asked=True))
        else:
            groups.append(FieldGroup((name,), asked=name in asked))
    return groups
