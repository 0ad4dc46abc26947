"""An invoice's lines: from what was sent in to rows, their digest, and what they come to."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fieldcamp.money import plain
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Invoice, InvoiceLine, Item, Settlement, Workspace
from fieldcamp.workspace.totals import LARGEST, line_amount, totals_of

LINE_FIELDS = ("item_id", "description", "quantity", "unit_price", "taxable")


def digest_of(rows: Iterable[Sequence[Any]]) -> str:
    """Returns sixteen characters that are others as soon as anything of the rows is."""
    return hashlib.sha256(json.dumps([*rows]).encode()).hexdigest()[:16]


def lines_digest(lines: Iterable[InvoiceLine]) -> str:
    return digest_of(
        (line.item_id, line.description, plain(line.quantity), plain(line.unit_price), line.taxable) for line in lines
    )


def built(lines: Iterable[Mapping[str, Any]], items: Mapping[str, Item]) -> list[InvoiceLine]:
    """Builds unsaved lines. What is left out or None comes from the line's item."""
    rows = []
    for position, given in enumerate(lines):
        values = {name: given.get(name) for name in LINE_FIELDS}
        item = items.get(values["item_id"] or "")
        wanted: dict[str, Any] = {
            "description": item.description or item.name if item else "",
            "quantity": Decimal(1),
            "unit_price": item.price if item else Decimal(0),
            "taxable": item.taxable if item else True,
        } | {name: value for name, value in values.items() if value is not None}
        wanted["item_id"] = values["item_id"] or None
        amount = line_amount(wanted["quantity"], wanted["unit_price"])
        rows.append(InvoiceLine(position=position, amount=amount, **wanted))
    return rows


def checked(workspace: Workspace, lines: Sequence[Mapping[str, Any]]) -> list[InvoiceLine]:
    """Builds unsaved lines from a person's input; InvalidFields for an item that is not there and numbers that make no
    sense."""
    wanted = {line["item_id"] for line in lines if line.get("item_id")}
    items = {item.pk: item for item in Item.objects.alive().filter(workspace=workspace, pk__in=wanted)}
    wrong: dict[str, list[str]] = {}
    for position, line in enumerate(lines):
        if line.get("item_id") and line["item_id"] not in items:
            wrong[f"lines.{position}.item_id"] = ["There is no such item."]
        if (line.get("quantity") or 0) < 0:
            wrong[f"lines.{position}.quantity"] = ["Must not be negative."]
    if wrong:
        raise InvalidFields(wrong)
    return built(lines, items)


def computed(invoice: Invoice, lines: Sequence[InvoiceLine]) -> dict[str, Any]:
    """Returns the fields of an invoice that follow from its lines, its discount and its tax rate."""
    totals = totals_of(
        ((line.amount, line.taxable) for line in lines),
        percent=invoice.discount_percent,
        amount=invoice.discount_amount,
        rates=invoice.tax_rate.rates if invoice.tax_rate else (),
    )
    return {
        "lines_digest": lines_digest(lines),
        "subtotal": totals.subtotal,
        "discount_total": totals.discount,
        "tax_total": totals.tax,
        "total": totals.total,
    }


def check_totals(invoice: Invoice, values: Mapping[str, Any]) -> None:
    """Refuses a person's invoice that comes to something impossible."""
    if any(abs(values[name]) > LARGEST for name in ("subtotal", "total")):
        raise InvalidFields.of("lines", f"The invoice comes to more than {LARGEST:,}.")
    if values["subtotal"] < 0:
        raise InvalidFields.of("lines", "The lines come to less than nothing.")
    if invoice.discount_amount is not None and invoice.discount_amount > values["subtotal"]:
        raise InvalidFields.of("discount_amount", "Must not be more than the lines come to.")


def settlement_of(total: Decimal, paid: Decimal, *, sent: bool) -> Settlement:
    """Returns how far an invoice is paid."""
    if sent and paid >= total:
        return Settlement.PAID
    return Settlement.PARTIAL if paid > 0 else Settlement.UNPAID


def replace_lines(invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    invoice.lines.all().delete()
    for line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(lines)
