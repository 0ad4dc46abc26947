"""Conflicts: both sides of a record, field by field, and which choices belong together."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Max
from django.utils.html import strip_tags
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.money import cents
from fieldcamp.workspace.models import Change, Invoice
from integrations.admin.values import Table, label_of, shown
from integrations.kinds import INVOICE, KINDS
from integrations.models import Problem
from integrations.selectors.remote_names import RemoteNames
from integrations.selectors.subjects import local_kind
from integrations.services.problems.choice import KEEP_FIELDCAMP, KEEP_PROVIDER
from integrations.services.problems.sides import SIDES_OF_DATA, field_groups, side_of

NOTES = {
    "local": _("Changed in FieldCamp only: kept."),
    "remote": _("Changed there only: taken over."),
    "owned": _("FieldCamp's own: put back there."),
    "total": _("Follows from the lines, the discount and the tax."),
}


_TOTALS = ("total", "balance")
_BRIEF = 40  # letters of a value on a button


@dataclass(frozen=True)
class Line:
    """One field on either side, and as it was when both agreed last (`base`), where that is known."""

    label: str
    local: str | Table
    remote: str | Table
    base: str | Table = ""


@dataclass(frozen=True)
class Unit:
    """What is decided by one choice: a field, or several that make sense only together. `note` says what becomes of
    what is not asked about, `difference` how much more the other side's amount is."""

    key: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str = ""
    difference: str = ""

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


def units_of(problem: Problem, names: RemoteNames | None = None, record: Any = None) -> list[Unit]:
    """Returns the fields in which the sides differ, those that are asked about first; `names` say what their ids are
    called, `record` what an invoice comes to here."""
    local, remote, base = (side_of(problem, name) for name in SIDES_OF_DATA)
    said = names or RemoteNames(())
    sides = tuple(said.named(problem.connection_id, side) for side in (local, remote, base))
    kind = KINDS.get(problem.record_kind)
    units: list[Unit] = []
    for group in field_groups(problem):
        note = "" if group.asked else str(NOTES[_side(group.names[0], kind, local, base)])
        units.append(_unit(problem.record_kind, group.names, sides, note))
    if kind is INVOICE:
        units += _totals(local, remote, base, record)
    return sorted(units, key=lambda unit: not unit.asked)


def _totals(local: Mapping[str, Any], remote: Mapping[str, Any], base: Mapping[str, Any], record: Any) -> list[Unit]:
    """Returns what the invoice comes to, and what is open of it, on both sides."""
    here = {name: cents(getattr(record, name)) for name in _TOTALS} if isinstance(record, Invoice) else {}
    found = []
    for name in _TOTALS:
        sides = tuple(
            {name: side.get(name) or more.get(name)} for side, more in ((local, here), (remote, {}), (base, {}))
        )
        if not (sides[0][name] or sides[1][name]):
            continue
        unit = _unit(INVOICE.name, (name,), sides, str(NOTES["total"]))
        found.append(replace(unit, difference=_more(sides[0][name], sides[1][name])))
    return found


def _more(one: Any, other: Any) -> str:
    """Returns how much more the other side has; "" where it is as much, or not known."""
    try:
        off = Decimal(str(other)) - Decimal(str(one))
    except InvalidOperation:
        return ""
    return formats.difference(off) if off else ""


def kept_words(problem: Problem, units: Sequence[Unit]) -> dict[str, str]:
    """Returns what is kept with either side's values, in few words: `5 × $617.25, total $3,126.25`."""
    found: dict[str, list[str]] = {KEEP_FIELDCAMP: [], KEEP_PROVIDER: []}
    asked = [unit for unit in units if unit.asked]
    for choice, side in ((KEEP_FIELDCAMP, "local"), (KEEP_PROVIDER, "remote")):
        other = side_of(problem, "remote" if side == "local" else "local")
        for unit in asked[:2]:
            for name, line in zip(unit.names, unit.lines, strict=True):
                if line.local != line.remote:
                    mine = side_of(problem, side).get(name)
                    found[choice].append(_brief(line.local if side == "local" else line.remote, mine, other.get(name)))
        for unit in units:
            if unit.key == "total" and unit.difference:
                amount = unit.lines[0].local if side == "local" else unit.lines[0].remote
                found[choice].append(gettext("total {amount}").format(amount=amount))
    return {choice: ", ".join([word for word in words if word][:3]) for choice, words in found.items()}


def _brief(value: str | Table, mine: Any, other: Any) -> str:
    if isinstance(value, Table) or isinstance(mine, list):
        rows = [row for row in mine or () if isinstance(row, Mapping)]
        differing = [row for row in rows if row not in (other if isinstance(other, list) else [])]
        if len(differing) == 1 and differing[0].get("quantity"):
            quantity, price = (shown(name, differing[0].get(name)) for name in ("quantity", "unit_price"))
            return f"{quantity} × {price}"
        return ngettext("{number} line", "{number} lines", len(rows)).format(number=len(rows))
    text = strip_tags(value) if hasattr(value, "__html__") else value
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 1]}…"


def _side(name: str, kind: Any, local: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    if kind and name not in kind.two_way:
        return "owned"
    return "local" if base and local.get(name) != base.get(name) else "remote"


def _unit(kind: str, names: tuple[str, ...], sides: tuple[Mapping[str, Any], ...], note: str = "") -> Unit:
    lines = (Line(label_of(kind, name), *(shown(name, side.get(name)) for side in sides)) for name in names)
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
