"""Conflicts: both sides of a record, field by field, and which choices belong together."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models import Change
from integrations.admin.values import Table, label_of, shown
from integrations.kinds import INVOICE, KINDS
from integrations.models import Problem
from integrations.selectors.remote_names import RemoteNames
from integrations.selectors.subjects import local_kind
from integrations.services.problems.sides import SIDES_OF_DATA, field_groups, side_of

NOTES = {
    "local": _("Changed in FieldCamp only: kept."),
    "remote": _("Changed there only: taken over."),
    "owned": _("FieldCamp's own: put back there."),
    "total": _("Follows from the lines, the discount and the tax."),
}


_TOTALS = ("total", "balance")


@dataclass(frozen=True)
class Line:
    """One field on either side."""

    label: str
    local: str | Table
    remote: str | Table


@dataclass(frozen=True)
class Unit:
    """What is decided by one choice: a field, or several that make sense only together. `note` says what becomes of
    what is not asked about."""

    key: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str = ""

    @property
    def label(self) -> str:
        first, *rest = (line.label for line in self.lines)
        if not rest:
            return first
        *more, last = (label.lower() for label in rest)
        return gettext("{some} and {last}").format(some=", ".join([first, *more]), last=last)

    @property
    def asked(self) -> bool:
        return not self.note


@dataclass(frozen=True)
class LastChange:
    """Who changed a side last, as far as that is known."""

    who: str = ""
    at: dt.datetime | None = None


def names_in(problems: Iterable[Problem]) -> RemoteNames:
    """Returns what the ids in these conflicts are called."""
    return RemoteNames(
        (problem.connection_id, problem.data.get(side)) for problem in problems for side in ("local", "remote", "base")
    )


def units_of(problem: Problem, names: RemoteNames | None = None) -> list[Unit]:
    """Returns the fields in which the sides differ, those that are asked about first; `names` say what their ids are
    called."""
    local, remote, base = (side_of(problem, name) for name in SIDES_OF_DATA)
    said = names or RemoteNames(())
    shown_here, shown_there = (said.named(problem.connection_id, side) for side in (local, remote))
    kind = KINDS.get(problem.record_kind)
    units: list[Unit] = []
    for group in field_groups(problem):
        note = "" if group.asked else str(NOTES[_side(group.names[0], kind, local, base)])
        units.append(_unit(problem.record_kind, group.names, shown_here, shown_there, note))
    totals = [name for name in _TOTALS if kind is INVOICE and (local.get(name) or remote.get(name))]
    units += [_unit(problem.record_kind, (name,), local, remote, str(NOTES["total"])) for name in totals]
    return sorted(units, key=lambda unit: not unit.asked)


def _side(name: str, kind: Any, local: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    if kind and name not in kind.two_way:
        return "owned"
    return "local" if base and local.get(name) != base.get(name) else "remote"


def _unit(
    kind: str, names: tuple[str, ...], local: Mapping[str, Any], remote: Mapping[str, Any], note: str = ""
) -> Unit:
    lines = (Line(label_of(kind, name), shown(name, local.get(name)), shown(name, remote.get(name))) for name in names)
    return Unit(names[0], names, tuple(lines), note)


def last_changes(problems: Sequence[Problem]) -> dict[str, tuple[LastChange, LastChange]]:
    """Returns for each problem the last change in FieldCamp, and when the other side was seen. One query."""
    keys = {(local_kind(problem.record_kind), problem.record_id): problem for problem in problems if problem.record_id}
    if not keys:
        return {}
    made_here = Change.objects.filter(
        workspace_id__in={problem.workspace_id for problem in problems},
        kind__in={kind for kind, _ in keys},
        record_id__in={record_id for _, record_id in keys},
        origin="",
    )
    latest = made_here.order_by().values("kind", "record_id").annotate(last=Max("seq")).values("last")
    last = {(row.kind, row.record_id): row for row in Change.objects.filter(seq__in=latest)}
    found: dict[str, tuple[LastChange, LastChange]] = {}
    for key, problem in keys.items():
        row = last.get(key)
        here = LastChange(row.actor, row.at) if row else LastChange()
        there = LastChange("", problem.link.seen_at if problem.link else None)
        found[problem.pk] = (here, there)
    return found
