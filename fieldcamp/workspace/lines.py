"""An invoice's lines: from what was sent in to rows, their digest, and what they come to.

What a sent invoice has is what it was sent with: the lists that it was made from may have changed since.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q

from fieldcamp.money import plain
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Invoice, InvoiceLine, Item, Settlement, Workspace
from fieldcamp.workspace.totals import LARGEST, ZERO, line_amount, totals_of

LINE_FIELDS = ("item_id", "description", "quantity", "unit_price", "taxable")


def digest_of(rows: Iterable[Sequence[Any]]) -> str:
    """Returns sixteen characters that are others as soon as anything of the rows is."""
    return hashlib.sha256(json.dumps([*rows]).encode()).hexdigest()[:16]


def lines_digest(lines: Iterable[InvoiceLine]) -> str:
    return digest_of(
        (line.item_id, line.description, plain(line.quantity), plain(line.unit_price), line.taxable) for line in lines
    )


def built(
    lines: Iterable[Mapping[str, Any]], items: Mapping[str, Item], kept: Sequence[InvoiceLine] = ()
) -> list[InvoiceLine]:
    """Builds unsaved lines. What is left out or None comes from the line of the same item among `kept`, else from the
    item; the item's name may be given where the item is not."""
    rows = []
    for position, given in enumerate(lines):
        values = {name: given.get(name) for name in LINE_FIELDS}
        before = _same_item(kept, values["item_id"], position)
        wanted = _defaults(before or items.get(values["item_id"] or ""))
        wanted |= {name: value for name, value in values.items() if value is not None}
        wanted["item_id"] = values["item_id"] or None
        wanted.setdefault("item_name", given.get("item_name") or "")
        amount = line_amount(wanted["quantity"], wanted["unit_price"])
        rows.append(InvoiceLine(position=position, amount=amount, **wanted))
    return rows


def _same_item(kept: Sequence[InvoiceLine], item_id: str | None, position: int) -> InvoiceLine | None:
    """Returns the line with this item: the one in this place, else the first."""
    found = [line for line in kept if item_id and line.item_id == item_id]
    return next((line for line in found if line.position == position), found[0]) if found else None


def _defaults(source: InvoiceLine | Item | None) -> dict[str, Any]:
    """Returns what a line is as long as nobody says otherwise."""
    if source is None:
        return {"description": "", "quantity": Decimal(1), "unit_price": Decimal(0), "taxable": True}
    common = {"quantity": Decimal(1), "taxable": source.taxable}
    if isinstance(source, InvoiceLine):
        more = {"description": source.description, "unit_price": source.unit_price, "item_name": source.item_name}
    else:
        more = {"description": source.description or source.name, "unit_price": source.price, "item_name": source.name}
    return common | more


def checked(
    workspace: Workspace,
    lines: Sequence[Mapping[str, Any]],
    present: Sequence[InvoiceLine] = (),
    *,
    was_sent: bool = False,
) -> list[InvoiceLine]:
    """Builds unsaved lines from a person's input; InvalidFields for an item that is not there and numbers that make no
    sense. What the `present` lines have may be used on: items that are not sold any more, quantities of the books. What
    is left out of a line comes from them where the invoice was sent, else from the item."""
    wanted = {line["item_id"] for line in lines if line.get("item_id")}
    usable = Q(deleted_at=None) | Q(pk__in={line.item_id for line in present if line.item_id})
    items = {item.pk: item for item in Item.objects.filter(usable, workspace=workspace, pk__in=wanted)}
    negative = {(line.item_id, line.quantity) for line in present if line.quantity < 0}
    wrong: dict[str, list[str]] = {}
    for position, line in enumerate(lines):
        item_id, quantity = line.get("item_id") or None, line.get("quantity") or 0
        if item_id and item_id not in items:
            wrong[f"lines.{position}.item_id"] = ["There is no such item."]
        if quantity < 0 and (item_id, quantity) not in negative:
            wrong[f"lines.{position}.quantity"] = ["Must not be negative."]
    if wrong:
        raise InvalidFields(wrong)
    return built(lines, items, present if was_sent else ())


def comes_to(lines: Iterable[InvoiceLine]) -> tuple[Decimal, Decimal]:
    """Returns all that totals depend on of lines: what they come to, and what of it is taxable."""
    rows = [(line.amount, line.taxable) for line in lines]
    return sum((amount for amount, _ in rows), ZERO), sum((amount for amount, taxable in rows if taxable), ZERO)


def current_tax(invoice: Invoice) -> dict[str, Any]:
    """Returns the fields that say how the invoice is taxed, by what its tax rate is on the invoice's date."""
    tax = invoice.tax_rate
    parts = tax.parts_on(invoice.date) if tax else []
    return {"tax_name": tax.name if tax else "", "tax_parts": parts, "taxed_on": invoice.date}


def kept_tax(invoice: Invoice) -> dict[str, Any]:
    """Returns the same, by what the invoice was sent with. If its date has been moved since, and it is known what the
    tax is on which day, the rate is that of the new date."""
    moved = invoice.taxed_on != invoice.date and invoice.tax_rate is not None and invoice.tax_rate.history
    if invoice.taxed_on is None or moved:
        return current_tax(invoice)
    return {name: getattr(invoice, name) for name in ("tax_name", "tax_parts", "taxed_on")}


def computed(invoice: Invoice, lines: Sequence[InvoiceLine], tax: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of an invoice that follow from its lines, its discount and its tax (`current_tax`,
    `kept_tax`)."""
    totals = totals_of(
        ((line.amount, line.taxable) for line in lines),
        percent=invoice.discount_percent,
        amount=invoice.discount_amount,
        rates=[Decimal(part["rate"]) for part in tax["tax_parts"]],
    )
    return {
        **tax,
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


def settlement_of(total: Decimal, settled: Decimal, *, sent: bool) -> Settlement:
    """Returns how far an invoice is paid; `settled` is what payments and its deposit come to."""
    if sent and settled >= total:
        return Settlement.PAID
    return Settlement.PARTIAL if settled > 0 else Settlement.UNPAID


def replace_lines(invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
    invoice.lines.all().delete()
    for line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(lines)
