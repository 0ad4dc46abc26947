"""Which of the questions who is who have an answer that stands out: exactly one customer or item of the books agrees.

A constant number of queries, but for very many: `CHUNK` records are looked up at once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Q

from fieldcamp.workspace.models import Client, Item
from integrations.books.asking import candidates_in
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, ITEM, Kind
from integrations.models import Connection, Link, Problem
from integrations.records import Fields
from integrations.sync import folding

CHUNK = 5000


class Agreement(StrEnum):
    """What a pair agrees in. `KEY` is the e-mail address of a client and the SKU of an item; `INACTIVE` ones agree in
    one or both of these, and are inactive there."""

    BOTH = "both"
    NAME = "name"
    KEY = "key"
    INACTIVE = "inactive"


@dataclass(frozen=True)
class LikelyPair:
    """A record that is asked about, and the one of the books that it most likely is."""

    problem_id: str
    record: Any
    link: Link
    by: Agreement


def likely_pairs(connection: Connection, kind: Kind) -> list[LikelyPair]:
    """Returns the pairs of all listed questions about clients or items of this company whose record agrees with exactly
    one of those that may be the same, which agrees with no other record as much."""
    problems = list(
        Problem.objects.listed()
        .filter(connection=connection, code=ProblemCode.RECORD_REJECTED, record_kind=kind.name)
        .filter(data__reason=ProblemReason.MATCH)
        .order_by("pk")
    )
    records = _records(connection, kind, [problem.record_id for problem in problems])
    names = {remote_id for problem in problems for remote_id in candidates_in(problem.data)}
    links = {link.remote_id: link for link in _free(connection, kind, names)}
    found = []
    for problem in problems:
        record = records.get(problem.record_id)
        theirs = [links[name] for name in candidates_in(problem.data) if name in links]
        if record is not None and (chosen := _the_one(record, theirs)):
            found.append((problem, record, *chosen))
    claims = Counter((link.pk, by) for _problem, _record, link, by in found)
    best: dict[int, Agreement] = {}
    for _problem, _record, link, by in found:
        best[link.pk] = min(best.get(link.pk, by), by, key=_ORDER.index)
    return [
        LikelyPair(problem.pk, record, link, Agreement.INACTIVE if is_inactive(link) else by)
        for problem, record, link, by in found
        if best[link.pk] is by and claims[link.pk, by] == 1
    ]


def is_inactive(link: Link) -> bool:
    return (link.seen or {}).get("active") is False


_ORDER = [Agreement.BOTH, Agreement.NAME, Agreement.KEY]


def _the_one(record: Any, links: Iterable[Link]) -> tuple[Link, Agreement] | None:
    """Returns the one that agrees most, and in what; None where none does, or several do as much."""
    levels: dict[Agreement, list[Link]] = defaultdict(list)
    for link in links:
        name, key = _AGREES[type(record)](record, link.seen or {})
        if name or key:
            levels[Agreement.BOTH if name and key else Agreement.NAME if name else Agreement.KEY].append(link)
    for by in _ORDER:
        if levels[by]:
            return (levels[by][0], by) if len(levels[by]) == 1 else None
    return None


def _client_agrees(client: Client, seen: Fields) -> tuple[bool, bool]:
    person = f"{seen.get('given_name') or ''} {seen.get('family_name') or ''}"
    names = {folding.name(name) for name in (seen.get("display_name"), seen.get("company"), person)} - {""}
    shared = folding.emails(client.email) & folding.emails(seen.get("email"))
    return folding.name(client.own_name) in names, bool(shared)


def _item_agrees(item: Item, seen: Fields) -> tuple[bool, bool]:
    sku = folding.sku(item.sku)
    return folding.plain(item.name) == folding.plain(seen.get("name")), bool(sku) and sku == folding.sku(
        seen.get("sku")
    )


_AGREES: Mapping[type, Callable[[Any, Fields], tuple[bool, bool]]] = {Client: _client_agrees, Item: _item_agrees}
_MODELS: Mapping[Kind, Any] = {CUSTOMER: Client, ITEM: Item}


def _records(connection: Connection, kind: Kind, record_ids: Collection[str]) -> dict[str, Any]:
    """Returns those of these records that are there and have no counterpart, by id."""
    found: dict[str, Any] = {}
    for some in _chunks(record_ids):
        rows = _MODELS[kind].objects.alive().filter(workspace_id=connection.workspace_id, pk__in=some)
        found |= {row.pk: row for row in (rows.select_related("parent") if kind is CUSTOMER else rows)}
        linked = Link.objects.live().filter(Q(seen__isnull=False) | Q(intent__isnull=False), kind=kind.name)
        for record_id in linked.filter(stream__connection=connection, record_id__in=some).values_list(
            "record_id", flat=True
        ):
            found.pop(record_id, None)
    return found


def _free(connection: Connection, kind: Kind, remote_ids: Collection[str]) -> Iterator[Link]:
    """Yields those of these records of the books that are nobody's."""
    for some in _chunks(remote_ids):
        rows = Link.objects.present().unmatched().filter(stream__connection=connection, kind=kind.name)
        yield from rows.filter(remote_id__in=some)


def _chunks(ids: Collection[str]) -> Iterator[list[str]]:
    every = list(ids)
    return (every[start : start + CHUNK] for start in range(0, len(every), CHUNK))
