"""A list as a table for spreadsheets: what is filtered, in columns that people can read, and one "id" at the end."""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fieldcamp.formats import in_currency
from fieldcamp.spreadsheets import csv_line

CHUNK = 500


@dataclass(frozen=True)
class Cell:
    """One column: its heading, and what stands in it for a row and the company's zone. Numbers stay numbers."""

    heading: Any
    value: Callable[[Any, zoneinfo.ZoneInfo], Any]


def field(name: str, heading: Any) -> Cell:
    """Returns the column of an attribute, or of one of a related row (`client.name`); a related row by its name."""
    return Cell(heading, lambda row, zone: plain(_reach(row, name), zone))


def chosen(name: str, heading: Any) -> Cell:
    """Returns the column of a field with choices, as they are called."""
    return Cell(heading, lambda row, zone: str(getattr(row, f"get_{name}_display")()))


def worked_out(value: Callable[[Any], Any], heading: Any) -> Cell:
    return Cell(heading, lambda row, zone: plain(value(row), zone))


def _reach(row: Any, name: str) -> Any:
    for part in name.split("."):
        row = getattr(row, part, None)
        if row is None:
            return None
    return row


def plain(value: Any, zone: zoneinfo.ZoneInfo) -> Any:
    """Returns the value as a spreadsheet takes it: times of the company's zone as `2026-11-27 21:00`, days as
    `2026-11-27`, amounts without grouping."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int | Decimal):
        return value
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


@dataclass(frozen=True)
class CsvReader:
    """For whom a table is written: in which zone and currency its texts are, as on the page."""

    zone: zoneinfo.ZoneInfo
    currency: str


def lines(rows: Any, cells: Sequence[Cell], reader: CsvReader, prepare: Callable[[list[Any]], None]) -> Iterator[str]:
    """Yields the lines, some hundred rows at a time. `prepare` adds to rows what a list's page adds to its own."""
    yield csv_line([str(cell.heading) for cell in cells])
    for some in _chunks(rows.iterator(chunk_size=CHUNK)):
        # Not while it waits to go on: what is in force then is in force for whatever else the thread does.
        with timezone.override(reader.zone), in_currency(reader.currency):
            prepare(some)
            written = [csv_line([cell.value(row, reader.zone) for cell in cells]) for row in some]
        yield from written


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    some: list[Any] = []
    for row in rows:
        some.append(row)
        if len(some) == CHUNK:
            yield some
            some = []
    if some:
        yield some


def csv_response(name: str, content: Iterator[str]) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
