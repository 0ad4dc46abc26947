"""Fields of records as people read them: a label for each field of each kind, and what stands in it."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.formats import date_format

from fieldcamp.desk.templatetags.desk import brief
from integrations.records import is_day, parse_instant

EMPTY = "–"
LABELS: dict[str, dict[str, str]] = {
    "visit": {"start": "Start", "end": "End", "title": "Title", "text": "Notes", "place": "Address"},
    "block": {"start": "Start", "end": "End", "busy": "Busy"},
    "customer": {
        "display_name": "Name shown", "given_name": "First name", "family_name": "Last name", "company": "Company",
        "email": "E-mail", "phone": "Phone", "bill_address": "Billing address", "ship_address": "Work address",
        "active": "Active", "currency": "Currency",
    },
    "item": {
        "name": "Name", "description": "Description", "price": "Price", "sku": "SKU", "taxable": "Taxable",
        "active": "Active", "type": "Type", "income_account": "Income account",
    },
    "tax": {"name": "Name", "rate": "Rate", "components": "Made up of", "active": "Active"},
    "invoice": {
        "number": "Number", "customer": "Customer", "date": "Date", "due_date": "Due", "lines": "Lines",
        "discount": "Discount", "tax_code": "Tax code", "memo": "Message to the customer", "bill_email": "Sent to",
        "voided": "Voided", "total": "Total", "tax_total": "Tax", "balance": "Open balance",
    },
    "payment": {
        "customer": "Customer", "date": "Date", "amount": "Amount", "method": "Paid by", "reference": "Reference",
        "allocations": "Invoices paid", "voided": "Voided", "unapplied": "Not applied", "deposited": "Deposited",
    },
}  # fmt: skip
_COLUMNS = {
    "lines": {
        "description": "What", "item": "Item", "quantity": "Quantity", "unit_price": "Price", "amount": "Amount",
        "taxable": "Taxed",
    },
    "allocations": {"invoice": "Invoice", "amount": "Amount"},
    "components": {"name": "Name", "rate": "Rate"},
}  # fmt: skip
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T|$)", re.ASCII)
_ADDRESS = ("street", "city", "state", "postalCode", "country")


@dataclass(frozen=True)
class Table:
    """A list of parts, such as an invoice's lines."""

    heads: list[str]
    rows: list[list[str]]


def label_of(kind: str, name: str) -> str:
    return LABELS.get(kind, {}).get(name) or name.replace("_", " ").capitalize()


def shown(name: str, value: Any) -> str | Table:
    """The value of this field in words; a list of parts as a table. Never fails on what a provider has sent."""
    if value in (None, "", [], {}):
        return EMPTY
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _table(name, value)
    if isinstance(value, Mapping):
        return _parts(value)
    return _plain(name, value)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if name == "rate":
        return _percent(value)
    return _time(value) if isinstance(value, str) else str(value)


def _percent(fraction: Any) -> str:
    try:
        return f"{(Decimal(str(fraction)) * 100).normalize():f} %"
    except InvalidOperation:
        return str(fraction)


def _time(value: str) -> str:
    """Instants in the company's zone and days as people write them; every other text as it is."""
    if not _MOMENT.match(value):
        return value
    try:
        if is_day(value):
            return date_format(dt.date.fromisoformat(value), "D j M Y")
        return brief(parse_instant(value))
    except ValueError:
        return value


def _parts(value: Mapping[str, Any]) -> str:
    if set(value) <= set(_ADDRESS):
        return ", ".join(str(value[name]) for name in _ADDRESS if value.get(name)) or EMPTY
    if set(value) == {"percent"}:
        return f"{value['percent']} %"
    if set(value) == {"amount"}:
        return str(value["amount"])
    return ", ".join(f"{name.replace('_', ' ')}: {_plain(name, part)}" for name, part in value.items())


def _table(name: str, rows: Sequence[Any]) -> str | Table:
    parts = [row for row in rows if isinstance(row, Mapping)]
    if len(parts) != len(rows):
        return ", ".join(str(row) for row in rows)
    known = _COLUMNS.get(name, {})
    names = [key for key in known if any(key in row for row in parts)]
    names += sorted({str(key) for row in parts for key in row} - set(names))
    heads = [known.get(key) or key.replace("_", " ").capitalize() for key in names]
    return Table(heads, [[_cell(key, row.get(key)) for key in names] for row in parts])


def _cell(name: str, value: Any) -> str:
    text = shown(name, value)
    return text if isinstance(text, str) else "; ".join(" ".join(row) for row in text.rows)
