"""Single records: by their ids, or by what a create was sent with whose answer was lost."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.calls import Calls
from integrations.providers.quickbooks.company import Books
from integrations.providers.quickbooks.mapping import customers, items
from integrations.providers.quickbooks.mapping.parts import is_made_up, marker_of, name, one_line
from integrations.providers.quickbooks.reading import (
    LISTS,
    TAX_CODES,
    concerns_us,
    row_record,
    tombstone,
    whole,
)
from integrations.records import Fields, RemoteRecord

CHUNK = 100  # ids in one query's address
Body = dict[str, Any]
NAMED = {"Customer": ("DisplayName", "display_name", customers), "Item": ("Name", "name", items)}


class Finder:
    def __init__(self, calls: Calls, books: Books):
        self.calls, self.books = calls, books

    def get(self, entity: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None) -> dict[str, RemoteRecord]:
        found = {id: tombstone(entity, id) for id in ids}
        if entity == TAX_CODES:
            records = self.books.taxes() if ids else []
            return found | {record.id: record for record in records if record.id in found}
        bodies = self.read(entity, [id for id in ids if addresses.is_id(id)])
        found |= {id: row_record(entity, body, self.books) for id, body in bodies.items() if concerns_us(entity, body)}
        if made := [id for id in ids if is_made_up(id)]:
            if missing := [id for id in made if id not in (sent or {})]:
                raise ValueError(f"QuickBooks knows no id of ours: what was sent with {missing[0]} is needed.")
            known = self._made(entity, {id: (sent or {})[id] for id in made})
            found |= {id: row_record(entity, body, self.books, made_with=id) for id, body in known.items()}
        return found

    def read(self, entity: str, ids: Iterable[str]) -> dict[str, Body]:
        """Returns what QuickBooks has of them, inactive ones too; what is not there is left out."""
        wanted, found = sorted(set(ids)), {}
        for start in range(0, len(wanted), CHUNK):
            listed = addresses.among(wanted[start : start + CHUNK])
            found.update({str(row["Id"]): row for row in self.calls.select(entity, *whole(entity, f"Id IN {listed}"))})
        return found

    def _made(self, entity: str, sent: Mapping[str, Fields]) -> dict[str, Body]:
        if entity in LISTS:
            return self._named(entity, sent)
        candidates = self._numbered(entity, sent) if entity == "Invoice" else []
        rest = [fields for fields in sent.values() if entity == "Payment" or not fields.get("number")]
        if rest:
            candidates += self._of_those_days(entity, rest)
        found: dict[str, Body] = {}
        # A person's copy of an invoice holds our mark as well; the original is the older.
        for body in sorted(candidates, key=lambda body: int(body["Id"]), reverse=True):
            marker = marker_of(body)
            if marker and marker.remote_id in sent:
                found[marker.remote_id] = body
        return found

    def _named(self, entity: str, sent: Mapping[str, Fields]) -> dict[str, Body]:
        """Finds by name, which is unique. One whose other values are not those that we sent is somebody else's
        record."""
        theirs, ours, mapping = NAMED[entity]
        names = {id: name(fields.get(ours)) for id, fields in sent.items()}
        listed = self.calls.select(entity, *whole(entity, f"{theirs} IN {addresses.among(sorted(names.values()))}"))
        by_name = {str(body.get(theirs)).casefold(): body for body in listed}
        found = {}
        for id, fields in sent.items():
            body = by_name.get(names[id].casefold())
            if body is not None and _is_that(mapping, fields, body):
                found[id] = body
        return found

    def _numbered(self, entity: str, sent: Mapping[str, Fields]) -> list[Body]:
        numbers = sorted({one_line(fields["number"], 21) for fields in sent.values() if fields.get("number")})
        return self.calls.select(entity, f"DocNumber IN {addresses.among(numbers)}") if numbers else []

    def _of_those_days(self, entity: str, sent: Sequence[Fields]) -> list[Body]:
        """Finds by customer and day: neither our mark nor a payment's number can be queried for."""
        who = sorted({str(fields["customer"]) for fields in sent})
        days = sorted(str(fields["date"]) for fields in sent)
        between = [f"TxnDate >= {addresses.quoted(days[0])}", f"TxnDate <= {addresses.quoted(days[-1])}"]
        return self.calls.select(entity, f"CustomerRef IN {addresses.among(who)}", *between)


def _is_that(mapping: Any, sent: Fields, body: Body) -> bool:
    expected = mapping.to_fields(mapping.to_body(sent, create=True))
    there = mapping.to_fields(body)
    return all(there[field] == expected[field] for field, value in sent.items() if value and field in expected)
