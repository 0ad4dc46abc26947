"""Reading a container: all of it, or what has changed.

Rows come in the order of a time and are asked for from the last one seen, not by their position: sets that move while
they are read would make positions skip rows. Only rows of the same second are told apart by position.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integrations import errors
from integrations.providers.quickbooks import addresses
from integrations.providers.quickbooks.calls import Calls, rows
from integrations.providers.quickbooks.company import Books
from integrations.providers.quickbooks.delta import MOST, OVERLAP, SETTLED, Delta, Deltas, is_deleted, server_time
from integrations.providers.quickbooks.mapping import sales_tax
from integrations.providers.quickbooks.reading import (
    KINDS,
    TAX_CODES,
    changed_at,
    concerns_us,
    row_record,
    tombstone,
    whole,
)
from integrations.records import Page, RemoteRecord, digest, instant, parse_instant
from integrations.transport.client import utc_now
from integrations.transport.exchanges import listing

Row = dict[str, Any]
DELETABLE = ("Invoice", "Payment")
TAXES_BELIEVED = dt.timedelta(days=1)
TOO_MANY = "More has changed than QuickBooks tells at once."


@dataclass(frozen=True, slots=True)
class _Step:
    """One page of a walk, and where the next begins."""

    rows: list[Row]
    begin: str
    at: int
    last: bool
    time: dt.datetime


class QuickBooksListing:
    """The cursor: `since`, the moment up to which everything was seen. While a container is listed first, `begin` and
    `at` as well: where the next page begins, and at which position. `whole`: everything that there was a little later
    than `since` has just been read. That of the tax codes: a digest of all (`taxes`), their ids (`codes`), and when
    they were `read`."""

    def __init__(self, calls: Calls, books: Books, deltas: Deltas):
        self.calls, self.books, self.deltas = calls, books, deltas
        self.wanted: set[str] = set()  # what is read in any case, the next time

    def pages(self, entity: str, cursor: str) -> Iterator[Page]:
        if entity not in KINDS:
            raise errors.Rejected("QuickBooks has no such list.")
        state = _state(cursor)
        if entity == TAX_CODES:
            yield self._taxes(cursor, state)
        elif "since" in state and "begin" not in state:
            yield from self._changed(entity, parse_instant(state["since"]), whole=state.get("whole") is True)
        else:
            yield from self._everything(entity, state)

    def _everything(self, entity: str, state: dict[str, Any]) -> Iterator[Page]:
        since = state.get("since") or ""
        for step in self._walk(entity, "CreateTime", state.get("begin") or "", state.get("at") or 1):
            # What changes while the rest is read is told by the changes since the first page was.
            since = since or instant(step.time - OVERLAP)
            rest = {"whole": True} if step.last else {"begin": step.begin, "at": step.at}
            yield Page(self._records(entity, step.rows), json.dumps({"since": since, **rest}), step.last)

    def _changed(self, entity: str, since: dt.datetime, *, whole: bool) -> Iterator[Page]:
        delta = self.deltas.since(entity, since)
        listed = delta.rows[entity]
        if len(listed) < MOST:
            yield Page(self._records(entity, listed), _cursor(max(delta.next, since)), last=True)
        elif entity not in DELETABLE:
            yield from self._many_changed(entity, since, delta)
        elif whole:
            yield from self._after_everything(entity, since, delta)
        else:
            # Deletions are told last: which of them did not fit, only reading everything can say.
            raise errors.CursorExpired(TOO_MANY)

    def _after_everything(self, entity: str, since: dt.datetime, delta: Delta) -> Iterator[Page]:
        """Reads what has changed since everything was read. A crowd of changes just before that is told again, and
        would hide deletions again: those are asked for from when the reading began."""
        later = self.deltas.ask((entity,), since + 2 * OVERLAP)
        if len(later.rows[entity]) >= MOST:
            raise errors.CursorExpired(TOO_MANY)
        deleted = self._records(entity, [row for row in later.rows[entity] if is_deleted(row)])
        cursor = json.dumps({"since": instant(later.asked_at - OVERLAP), "whole": True})
        for page in self._many_changed(entity, since, delta):
            yield Page([*page.records, *deleted], cursor, last=True) if page.last else page

    def _many_changed(self, entity: str, since: dt.datetime, delta: Delta) -> Iterator[Page]:
        """Queries for more changes than are told. What is merely made inactive is found like any other
        change."""
        for step in self._walk(entity, "LastUpdatedTime", instant(since - OVERLAP), 1):
            # Else many rows of one moment would be read again by every run, until something else changes.
            settled = delta.asked_at - SETTLED if step.last else since
            seen = min(max(since, parse_instant(step.begin), settled), delta.asked_at)
            yield Page(self._records(entity, step.rows), _cursor(seen), step.last, restart=_cursor(since))

    def _walk(self, entity: str, order: str, begin: str, at: int) -> Iterator[_Step]:
        while True:
            conditions = [f"MetaData.{order} >= {addresses.quoted(begin)}"] if begin else []
            statement = addresses.select(entity, *whole(entity, *conditions), order=f"MetaData.{order}", start=at)
            with listing():
                answer = self.calls.query(statement)
            found = rows(answer, entity)
            times = [time for row in found if (time := changed_at(row, order))]
            newest = instant(max(times)) if times else begin
            begin, at = (newest, 1) if newest > begin else (begin, at + len(found))
            last = len(found) < addresses.PAGE
            yield _Step(found, begin, at, last, server_time(answer))
            if last:
                return

    def _taxes(self, cursor: str, state: dict[str, Any]) -> Page:
        """Changes of tax codes are never told, so all of them are read, though not more than once a day: that is
        billed. Sooner, if somebody has said that they are needed, or an invoice that has changed names a new one."""
        if TAX_CODES not in self.wanted and not self._taxes_are_due(state):
            return Page([], cursor, last=True)
        self.wanted.discard(TAX_CODES)
        with listing():
            records = self.books.taxes()
        mark = digest({record.id: record.tag for record in records})
        read = {"read": instant(utc_now()), "codes": sorted(record.id for record in records)}
        return Page([] if state.get("taxes") == mark else records, json.dumps({"taxes": mark, **read}), last=True)

    def _taxes_are_due(self, state: dict[str, Any]) -> bool:
        read, codes = state.get("read"), state.get("codes")
        if not isinstance(read, str) or not isinstance(codes, list) or parse_instant(read) < utc_now() - TAXES_BELIEVED:
            return True
        return any(sales_tax.codes(body) - set(codes) for body in self.deltas.told("Invoice"))

    def _records(self, entity: str, found: Sequence[Row]) -> list[RemoteRecord]:
        return [
            # Also said of what was merely edited: whoever knows the record looks before believing it.
            tombstone(entity, str(row["Id"]), doubtful=True) if is_deleted(row) else row_record(entity, row, self.books)
            for row in found
            if concerns_us(entity, row)
        ]


def _cursor(moment: dt.datetime) -> str:
    return json.dumps({"since": instant(moment)})


def _state(cursor: str) -> dict[str, Any]:
    if not cursor:
        return {}
    try:
        state = json.loads(cursor)
        if not isinstance(state, dict) or not state.keys() & {"since", "taxes"}:
            raise ValueError
        for name in {"since", "begin", "read"} & state.keys():
            parse_instant(state[name])
        if not isinstance(state.get("at", 1), int):
            raise ValueError
    except (ValueError, TypeError):
        raise errors.CursorExpired("The stored position in these books cannot be read.") from None
    return state
