"""The records that a document names: what the books call them, and why they do not have the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from integrations.errors import ProblemCode
from integrations.kinds import Kind
from integrations.models import Connection, Link, Problem

_ASKED = (ProblemCode.RECORD_REJECTED, ProblemCode.CONFLICT, ProblemCode.INTERNAL_ERROR)


class Missing(StrEnum):
    """Why the books do not have a record: it is on its way, it waits for a person, or it was removed there."""

    COMING = "coming"
    ASKED = "asked"
    GONE = "gone"


@dataclass(frozen=True)
class References:
    """`ids` are the books' ids of records of ours, `missing` says of the others why they have none."""

    ids: Mapping[str, str]
    missing: Mapping[str, Missing] = field(default_factory=dict)


def why_missing(connection: Connection, kind: Kind, record_ids: Iterable[str]) -> Mapping[str, Missing]:
    """Returns why the books do not have these records of ours, none of which has a counterpart now."""
    ids = set(record_ids)
    if not ids:
        return {}
    links = Link.objects.filter(stream__connection=connection, kind=kind.name, record_id__in=ids)
    # What is being made again has a live link of which nothing was seen yet.
    again = links.live().filter(seen_gone=False).values_list("record_id", flat=True)
    gone = set(links.filter(seen_gone=True).values_list("record_id", flat=True)) - set(again)
    problems = Problem.objects.open().filter(connection=connection, record_kind=kind.name, record_id__in=ids)
    asked = set(problems.filter(code__in=_ASKED).values_list("record_id", flat=True))
    return {
        record_id: Missing.GONE if record_id in gone else Missing.ASKED if record_id in asked else Missing.COMING
        for record_id in ids
    }
