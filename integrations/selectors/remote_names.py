"""How people call what the fields of a record name by an id of the books: customers, items, tax codes, invoices."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q

from integrations.kinds import CUSTOMER, INVOICE, ITEM, KINDS, TAX
from integrations.models import Link

_NAMED = {"customer": CUSTOMER.name, "tax_code": TAX.name}
_ROWS = {"lines": ("item", ITEM.name), "allocations": ("invoice", INVOICE.name)}
NAMELESS = "–"
Key = tuple[str, str, str]  # connection, kind, id there


class RemoteNames:
    """The names for the fields of some records; one query for all of them."""

    def __init__(self, fields: Iterable[tuple[str | None, Any]]):
        """Takes (connection id, fields) of everything that is to be shown."""
        keys = {key for connection_id, one in fields if connection_id for key in _keys(connection_id, one)}
        wanted = Q(pk__in=[])
        by_kind: dict[tuple[str, str], set[str]] = defaultdict(set)
        for connection_id, kind, remote_id in keys:
            by_kind[connection_id, kind].add(remote_id)
        for (connection_id, kind), ids in by_kind.items():
            wanted |= Q(stream__connection=connection_id, kind=kind, remote_id__in=ids)
        rows = Link.objects.filter(wanted).values_list("stream__connection", "kind", "remote_id", "seen")
        self._names: dict[Key, str] = {
            (connection_id, kind, remote_id): KINDS[kind].name_in(seen)
            for connection_id, kind, remote_id, seen in (rows if keys else ())
        }

    def named(self, connection_id: str | None, fields: Any) -> dict[str, Any]:
        """Returns the fields with names in the place of ids; "–" for what is not known any more."""
        if not isinstance(fields, Mapping):
            return {}
        found = dict(fields)
        for name, kind in _NAMED.items():
            if isinstance(found.get(name), str) and found[name]:
                found[name] = self._name(connection_id, kind, found[name])
        for name, (part, kind) in _ROWS.items():
            if isinstance(found.get(name), list):
                found[name] = [
                    {**row, part: self._name(connection_id, kind, row[part])}
                    if isinstance(row, Mapping) and isinstance(row.get(part), str) and row[part]
                    else row
                    for row in found[name]
                ]
        return found

    def _name(self, connection_id: str | None, kind: str, remote_id: str) -> str:
        return self._names.get((connection_id or "", kind, remote_id)) or NAMELESS


def _keys(connection_id: str, fields: Any) -> Iterator[Key]:
    if not isinstance(fields, Mapping):
        return
    for name, kind in _NAMED.items():
        if isinstance(fields.get(name), str) and fields[name]:
            yield connection_id, kind, fields[name]
    for name, (part, kind) in _ROWS.items():
        rows = fields.get(name)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping) and isinstance(row.get(part), str) and row[part]:
                yield connection_id, kind, row[part]
