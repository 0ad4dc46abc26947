"""An invoice and its lines as the books should have them, and back. Pure, given the ids of what they name."""

from decimal import Decimal
from typing import Any

from fieldcamp.money import cents, plain
from fieldcamp.workspace.models import Invoice, InvoiceLine
from integrations.records import Fields, one_line, tidy


def invoice_fields(
    invoice: Invoice, customer: str, lines: list[dict[str, Any]], tax_code: str, tax_total: str
) -> dict[str, Any]:
    """Returns the invoice as the books should have it (`kinds.INVOICE`)."""
    return {
        "number": one_line(invoice.number),
        "customer": customer,
        "date": invoice.date.isoformat(),
        "due_date": (invoice.due_date or invoice.date).isoformat(),
        "lines": lines,
        "discount": _discount(invoice),
        "tax_code": tax_code,
        "memo": tidy(invoice.memo),
        "deposit": cents(invoice.deposit) if invoice.deposit else "",
        "bill_email": tidy(invoice.billed_to.get("email", invoice.client.email)),
        "voided": invoice.voided_at is not None,
        "total": cents(invoice.total),
        "tax_total": tax_total,
        "balance": cents(invoice.balance),
    }


def is_words(line: InvoiceLine) -> bool:
    """Returns whether it only says something: the books keep neither an item nor a tax for such a line."""
    return bool(tidy(line.description)) and not line.quantity and not line.unit_price


def line_fields(line: InvoiceLine, item: str, *, taxed: bool) -> dict[str, Any]:
    """Returns a line there. On an invoice without a tax none is taxable."""
    return {
        "item": item,
        "description": tidy(line.description),
        "quantity": plain(line.quantity),
        "unit_price": plain(line.unit_price),
        "amount": cents(line.amount),
        "taxable": line.taxable and taxed,
    }


def line_values_of(invoice: Invoice) -> list[dict[str, Any]]:
    """Returns the lines that the invoice has, as `line_values` has those of the books."""
    names = ("item_id", "description", "quantity", "unit_price", "taxable")
    return [{name: getattr(line, name) for name in names} for line in invoice.lines.all()]


def line_values(line: Fields, item_id: str | None) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "description": line["description"],
        "quantity": Decimal(line["quantity"]),
        "unit_price": Decimal(line["unit_price"]),
        "taxable": line["taxable"],
    }


def _discount(invoice: Invoice) -> dict[str, str] | None:
    if invoice.discount_percent:
        return {"percent": plain(invoice.discount_percent)}
    return {"amount": cents(invoice.discount_amount)} if invoice.discount_amount else None


def decimal_of(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None
