"""Fields of records as people read them: a label for each field of each kind, and what stands in it."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.desk.templatetags.desk import at
from fieldcamp.workspace.models import ADDRESS_PARTS, PaymentMethod
from integrations.records import is_day, parse_instant

EMPTY = formats.EMPTY
_PRICES = ("unit_price", "price", "net_price", "gross_price")
_AMOUNTS = (
    "amount", "total", "tax_total", "balance", "paid", "deposit", "credited", "elsewhere", "unapplied", "subtotal",
    "discount_total",
)  # fmt: skip
LABELS: dict[str, dict[str, Any]] = {
    "visit": {
        "start": _("Start"), "end": _("End"), "title": _("Title"), "text": _("Notes"), "place": _("Address"),
        "repeats": _("Repeats"), "notes": _("Technician's notes"),
    },
    "block": {"start": _("Start"), "end": _("End"), "busy": _("Busy")},
    "customer": {
        "display_name": _("Name shown"), "given_name": _("First name"), "family_name": _("Last name"),
        "company": _("Company"), "email": _("E-mail"), "phone": _("Phone"), "bill_address": _("Billing address"),
        "ship_address": _("Work address"), "active": _("Active"), "currency": _("Currency"), "parent": _("Place of"),
    },
    "item": {
        "name": _("Name"), "description": _("Description"), "price": _("Price"), "sku": _("SKU"),
        "taxable": _("Taxable"), "active": _("Active"), "type": _("Type"), "income_account": _("Income account"),
        "net_price": _("Price before tax"),
        "gross_price": _("Price with tax"),
    },
    "tax": {
        "name": _("Name"), "rate": _("Rate"), "components": _("Made up of"), "history": _("Before and after"),
        "active": _("Active"),
    },
    "invoice": {
        "number": _("Number"), "customer": _("Customer"), "date": _("Date"), "due_date": _("Due"), "lines": _("Lines"),
        "discount": _("Discount"), "tax_code": _("Tax code"), "memo": _("Message to the customer"),
        "bill_email": _("Sent to"), "voided": _("Voided"), "total": _("Total"), "tax_total": _("Tax"),
        "balance": _("Open balance"), "paid": _("Paid"), "deposit": _("Deposit"),
    },
    "payment": {
        "customer": _("Customer"), "date": _("Date"), "amount": _("Amount"), "method": _("Paid by"),
        "reference": _("Reference"), "allocations": _("Invoices paid"), "voided": _("Voided"),
        "credited": _("Credit applied"), "elsewhere": _("Used otherwise"), "unapplied": _("Not applied"),
        "deposited": _("Deposited"),
    },
}  # fmt: skip
# What each kind's records are called, many of them.
PLURALS: dict[str, Any] = {
    "visit": _("Visits"),
    "block": _("Busy times"),
    "customer": _("Clients"),
    "item": _("Items"),
    "tax": _("Taxes"),
    "invoice": _("Invoices"),
    "payment": _("Payments"),
}
_COLUMNS: dict[str, dict[str, Any]] = {
    "lines": {
        "description": _("What"), "item": _("Item"), "quantity": _("Quantity"), "unit_price": _("Price"),
        "amount": _("Amount"), "taxable": _("Taxed"),
    },
    "allocations": {"invoice": _("Invoice"), "amount": _("Amount")},
    "components": {"name": _("Name"), "rate": _("Rate")},
}  # fmt: skip
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T|$)", re.ASCII)


@dataclass(frozen=True)
class Table:
    """A list of parts, such as an invoice's lines."""

    heads: list[str]
    rows: list[list[str]]


def label_of(kind: str, name: str) -> str:
    label = LABELS.get(kind, {}).get(name)
    return str(label) if label else name.replace("_", " ").capitalize()


def shown(name: str, value: Any) -> str | Table:
    """Returns the value of this field in words; a list of parts as a table. Never fails on what a provider has sent."""
    if value in (None, "", [], {}):
        return EMPTY
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _table(name, value)
    if isinstance(value, Mapping):
        return _parts(value)
    return _plain(name, value)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if name == "rate":
        return formats.percent(value)
    if name == "method":
        return str(dict(PaymentMethod.choices).get(value, value))
    if name == "quantity":
        return formats.quantity(value)
    if name in _PRICES:
        return formats.price(value)
    if name in _AMOUNTS:
        return formats.money(value)
    return _time(value) if isinstance(value, str) else str(value)


def _time(value: str) -> str:
    """Instants in the company's zone and days as people write them; every other text as it is."""
    if not _MOMENT.match(value):
        return value
    try:
        if is_day(value):
            return formats.day(dt.date.fromisoformat(value))
        return at(parse_instant(value))
    except ValueError:
        return value


def _parts(value: Mapping[str, Any]) -> str:
    if set(value) <= set(ADDRESS_PARTS):
        return ", ".join(str(value[name]) for name in ADDRESS_PARTS if value.get(name)) or EMPTY
    if set(value) == {"percent"}:
        return f"{formats.quantity(value['percent'])} %"
    if set(value) == {"amount"}:
        return formats.money(value["amount"])
    return ", ".join(f"{name.replace('_', ' ')}: {_plain(name, part)}" for name, part in value.items())


def _table(name: str, rows: Sequence[Any]) -> str | Table:
    parts = [row for row in rows if isinstance(row, Mapping)]
    if len(parts) != len(rows):
        return ", ".join(str(row) for row in rows)
    known = _COLUMNS.get(name, {})
    names = [key for key in known if any(key in row for row in parts)]
    names += sorted({str(key) for row in parts for key in row} - set(names))
    heads = [str(known[key]) if key in known else key.replace("_", " ").capitalize() for key in names]
    return Table(heads, [[_cell(key, row.get(key)) for key in names] for row in parts])


def _cell(name: str, value: Any) -> str:
    text = shown(name, value)
    return text if isinstance(text, str) else "; ".join(" ".join(row) for row in text.rows)
