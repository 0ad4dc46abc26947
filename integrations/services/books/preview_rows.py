"""What a preview of a first sync says: how many records of each kind, of which days, and which by name."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fieldcamp import formats
from fieldcamp.money import cents
from fieldcamp.workspace.models import Invoice, Payment
from integrations.models import Link
from integrations.records import Fields, is_day


class Fate(StrEnum):
    """What the first sync would do with a record."""

    LINKED = "linked"
    NEW_THERE = "new_there"
    NEW_HERE = "new_here"
    ASKED = "asked"
    WAITING = "waiting"


@dataclass(frozen=True)
class PreviewRow:
    """One record by name. `amount` is "" where it has none; `there` is what it would be linked with or asked
    about."""

    name: str
    amount: str = ""
    there: str = ""


@dataclass(frozen=True)
class Count:
    """One kind. `linked` are on both sides already, `asked` may be; `waiting` need a choice or another record first.
    `left` are the books' alone and stay so."""

    kind: str
    linked: int = 0
    to_create: int = 0
    to_bring_in: int = 0
    asked: int = 0
    waiting: int = 0
    left: int = 0


@dataclass(frozen=True)
class Span:
    """Which days documents are dated: from `first` to `last`, on `days` different ones in `months` different months."""

    first: dt.date
    last: dt.date
    days: int
    months: int


def span_of(days: Iterable[dt.date]) -> Span | None:
    """Returns None where there are no documents."""
    different = {*days}
    if not different:
        return None
    months = {(day.year, day.month) for day in different}
    return Span(min(different), max(different), len(different), len(months))


def day_of(record: Any, link: Link | None = None) -> dt.date | None:
    """Returns the day of a document, as the books have it where it is theirs; None of what has no day."""
    if link is not None:
        said = str((link.seen or {}).get("date") or "")
        return dt.date.fromisoformat(said) if is_day(said) else None
    return record.date if isinstance(record, Invoice | Payment) else None


def row_of(record: Any, *links: Link) -> PreviewRow:
    """Returns a record, by the name and amount that it has here, with those of the books that it is or may be."""
    there = ", ".join(_name(link.seen or {}) for link in links)
    if record is None:
        seen = links[0].seen or {}
        return PreviewRow(_name(seen), str(seen.get("total") or seen.get("amount") or ""))
    if isinstance(record, Payment):
        return PreviewRow(f"{record.client}, {formats.day(record.date)}", cents(record.amount), there)
    if isinstance(record, Invoice):
        name = f"{record.number}, {record.client}, {formats.day(record.date)}"
        return PreviewRow(name, cents(record.total), there)
    return PreviewRow(str(record), there=there)


def _name(seen: Fields) -> str:
    """Returns what a record of the books is called."""
    if "allocations" in seen:
        day = str(seen.get("date") or "")
        return formats.day(dt.date.fromisoformat(day)) if is_day(day) else day
    return str(seen.get("display_name") or seen.get("name") or seen.get("number") or "")
