"""What can be done with invoices: drafted, sent, edited, voided.

An invoice is locked after its workspace (for its number) and after its payments.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from fieldcamp.money import cents
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.lines import (
    check_totals,
    checked,
    comes_to,
    computed,
    current_tax,
    kept_tax,
    lines_digest,
    replace_lines,
    settlement_of,
)
from fieldcamp.workspace.models import Client, Invoice, InvoiceLine, Settlement, TaxRate, Workspace
from fieldcamp.workspace.models.invoices import today_in
from fieldcamp.workspace.numbering import next_number, serial_of
from fieldcamp.workspace.saving import Check, different, is_client, known, locked, put, refuse_client, save_changes
from fieldcamp.workspace.telling import together

INVOICE_FIELDS = frozenset(
    {
        "number",
        "client_id",
        "date",
        "due_date",
        "memo",
        "discount_percent",
        "discount_amount",
        "tax_rate_id",
        "lines",
    }
)
COMPUTED_FROM = {"discount_percent", "discount_amount", "tax_rate_id"}


def create_invoice(
    *,
    workspace: Workspace,
    client_id: str,
    lines: Sequence[Mapping[str, Any]] = (),
    number: str = "",
    date: dt.date | None = None,
    due_date: dt.date | None = None,
    memo: str = "",
    discount_percent: Decimal | None = None,
    discount_amount: Decimal | None = None,
    tax_rate_id: str | None = None,
    send: bool = False,
) -> Invoice:
    """Creates a draft, or with `send` an invoice that is sent at once. Without a number it has the next free one."""
    with together():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        date = date or today_in(workspace)
        values: dict[str, Any] = {"client_id": client_id, "tax_rate_id": tax_rate_id, "number": number, "date": date}
        values |= {"due_date": due_date, "discount_percent": discount_percent, "discount_amount": discount_amount}
        _check(workspace, values, values)
        number = number or next_number(workspace)
        invoice = Invoice(workspace=workspace, memo=memo, **values | {"number": number}, serial=serial_of(number))
        rows = checked(workspace, lines)
        derived = computed(invoice, rows, current_tax(invoice))
        check_totals(invoice, derived)
        if send:
            _check_sendable(invoice, rows)
            derived |= {"sent_at": timezone.now(), "billed_to": billed_to(invoice.client)}
            derived["settlement"] = settlement_of(derived["total"], invoice.settled, sent=True)
        put(invoice, derived)
        invoice.save(force_insert=True)
        replace_lines(invoice, rows)
    return invoice


def update_invoice(
    *, workspace: Workspace, invoice_id: str, changes: Mapping[str, Any], check: Check | None = None
) -> Invoice:
    """Makes `changes` (model field → value; `lines` as a whole) to the invoice under its lock. Of one that is
    paid or void only the memo can be changed.

    What is left out of a line comes from its item, and in an invoice that was sent from the line that has the item
    already.
    """
    changes = known(changes, INVOICE_FIELDS)
    with transaction.atomic():
        if changes.get("number"):
            Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        invoice = locked(Invoice, workspace, invoice_id, check)
        changes = _tidied(invoice, changes)
        lines = changes.pop("lines", None)
        present = list(invoice.lines.all())
        rows = present if lines is None else checked(workspace, lines, present, was_sent=invoice.sent_at is not None)
        new_lines = lines_digest(rows) != invoice.lines_digest
        if new_lines and invoice.sent_at:
            _check_sendable(invoice, rows)
        edited = different(invoice, changes)
        if new_lines or set(edited) - {"memo"}:
            _check_editable(invoice, edited)
        after = {name: changes.get(name, getattr(invoice, name)) for name in INVOICE_FIELDS - {"lines", "memo"}}
        _check(workspace, edited, after)
        if "number" in edited:
            edited["serial"] = serial_of(edited["number"])
        if "client_id" in edited and invoice.sent_at:
            edited["billed_to"] = billed_to(Client.objects.get(pk=edited["client_id"]))
        if edited or new_lines:
            change_invoice(invoice, edited, rows if new_lines else None, guarded=True)
    return invoice


def change_invoice(
    invoice: Invoice, values: Mapping[str, Any], rows: Sequence[InvoiceLine] | None, *, guarded: bool = False
) -> None:
    """Saves values and, unless None, new lines of a locked invoice, and what follows from them.

    What a sent invoice comes to moves only with its amounts, what of them is taxable, its discount and its own tax; a
    draft follows the lists. `guarded` refuses what a person may not do.
    """
    is_draft = invoice.sent_at is None
    present = list(invoice.lines.all())
    lines = present if rows is None else rows
    changed = put(invoice, values)
    if rows is not None:
        changed |= put(invoice, {"lines_digest": lines_digest(rows)})
    sent = invoice.sent_at is not None
    if is_draft or COMPUTED_FROM & changed or comes_to(lines) != comes_to(present):
        tax = current_tax(invoice) if is_draft or "tax_rate_id" in changed else kept_tax(invoice)
        derived = computed(invoice, lines, tax)
        if guarded:
            check_totals(invoice, derived)
            if derived["total"] < invoice.settled:
                undo = "Lower the deposit in the books first." if invoice.deposit else "Void a payment first."
                raise InvalidTransition(
                    f"{cents(invoice.settled)} of invoice {invoice.number} is paid already: it cannot come to "
                    f"{cents(derived['total'])}. {undo}"
                )
        changed |= put(invoice, derived)
    changed |= put(invoice, {"settlement": settlement_of(invoice.total, invoice.settled, sent=sent)})
    if rows is not None:
        replace_lines(invoice, rows)
        invoice.replaced = {"lines": present}
    if changed:
        invoice.save(update_fields=list(changed))


def send_invoice(*, workspace: Workspace, invoice_id: str, check: Check | None = None) -> Invoice:
    """Makes a draft a bill: from now on it can be paid. One that was sent before stays as it is."""
    with transaction.atomic():
        invoice = locked(Invoice, workspace, invoice_id, check)
        if invoice.voided_at:
            raise InvalidTransition(f"Invoice {invoice.number} is void. Create a new invoice instead.")
        if not invoice.sent_at:
            rows = list(invoice.lines.all())
            _check_sendable(invoice, rows)
            values = {"sent_at": timezone.now(), "billed_to": billed_to(invoice.client)}
            change_invoice(invoice, values, rows, guarded=True)
    return invoice


def void_invoice(*, workspace: Workspace, invoice_id: str, reason: str = "", check: Check | None = None) -> Invoice:
    """Voids the invoice: nothing is owed for it any more, and it stays in the books. One that is void stays as it
    is."""
    with transaction.atomic():
        invoice = locked(Invoice, workspace, invoice_id, check)
        if invoice.voided_at:
            return invoice
        if not invoice.sent_at:
            raise InvalidTransition(f"Invoice {invoice.number} is a draft. Delete it instead.")
        if live_allocations(invoice).exists():
            raise InvalidTransition(
                f"Payments are recorded for invoice {invoice.number}. Void them, or take the invoice off them, first."
            )
        save_changes(invoice, {"voided_at": timezone.now(), "void_reason": reason[:200]})
    return invoice


def delete_invoice(*, workspace: Workspace, invoice_id: str, check: Check | None = None) -> Invoice:
    """Hides a draft for good. Its number is not given again."""
    with transaction.atomic():
        invoice = locked(Invoice, workspace, invoice_id, check)
        if invoice.sent_at or live_allocations(invoice).exists():
            raise InvalidTransition(f"Invoice {invoice.number} is no draft any more. Void it instead.")
        save_changes(invoice, {"deleted_at": timezone.now()})
    return invoice


def billed_to(client: Client) -> dict[str, Any]:
    """Returns whom an invoice that is sent now goes to."""
    return {"name": str(client), "email": client.email, "address": client.billing_address or {}}


def live_allocations(invoice: Invoice):
    """Reads what payments that are not voided have given to it."""
    return invoice.allocations.filter(payment__voided_at=None, payment__deleted_at=None)


def _tidied(invoice: Invoice, changes: dict[str, Any]) -> dict[str, Any]:
    """Completes the changes: an empty number, date or list of lines keeps what is there; one discount takes the other's
    place."""
    for name in ("number", "date"):
        if name in changes and not changes[name]:
            del changes[name]
    for one, other in (("discount_percent", "discount_amount"), ("discount_amount", "discount_percent")):
        if changes.get(one) is not None and other not in changes:
            changes[other] = None
    return changes


def _check_editable(invoice: Invoice, edited: Mapping[str, Any]) -> None:
    if invoice.voided_at:
        raise InvalidTransition(f"Invoice {invoice.number} is void. Only its message can be changed.")
    if invoice.settlement == Settlement.PAID:
        raise InvalidTransition(
            f"Invoice {invoice.number} is paid. Only its message can be changed; void a payment to change more."
        )
    if "client_id" in edited and live_allocations(invoice).exists():
        raise InvalidTransition(f"Payments are recorded for invoice {invoice.number}: its client cannot be changed.")


def _check_sendable(invoice: Invoice, rows: Sequence[InvoiceLine]) -> None:
    if not rows:
        raise InvalidFields.of("lines", f"Invoice {invoice.number} has no lines yet. Add one before sending it.")


def _check(workspace: Workspace, edited: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """References of what was edited, and what fits together afterwards."""
    wrong: dict[str, list[str]] = {}
    if "client_id" in edited and not is_client(workspace, edited["client_id"]):
        wrong["client_id"] = [refuse_client(workspace, edited["client_id"])]
    rates = TaxRate.objects.alive().filter(workspace=workspace, is_active=True)
    if edited.get("tax_rate_id") and not rates.filter(pk=edited["tax_rate_id"]).exists():
        wrong["tax_rate_id"] = ["There is no such tax rate that is active."]
    if edited.get("number") and Invoice.objects.filter(workspace=workspace, number=edited["number"]).exists():
        wrong["number"] = ["Another invoice has this number."]
    if {"date", "due_date"} & {*edited} and after["due_date"] and after["due_date"] < after["date"]:
        wrong["due_date"] = ["Must not be before the invoice's date."]
    percent, amount = after["discount_percent"], after["discount_amount"]
    if {"discount_percent", "discount_amount"} & {*edited}:
        if percent is not None and amount is not None:
            wrong["discount_amount"] = ["A discount is a percentage or an amount, not both."]
        if percent is not None and not 0 <= percent <= 100:
            wrong["discount_percent"] = ["Must be from 0 to 100."]
        if amount is not None and amount < 0:
            wrong["discount_amount"] = ["Must not be negative."]
    if wrong:
        raise InvalidFields(wrong)
