"""The numbers of invoices: which is next, and which are taken elsewhere.

Whoever takes a number holds the workspace's lock.
"""

import unicodedata
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max, QuerySet

from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Invoice, Workspace
from fieldcamp.workspace.saving import locked, save_changes

FIRST_NUMBER = 1001
SERIAL_DIGITS = 18  # what is longer is somebody's own scheme, and no column holds it
HIGHEST_COUNTED = 10**15  # what is higher is a scheme as well, and would be the last that can be counted on from


def serial_of(number: str) -> int | None:
    """Returns the number as one that is counted on from."""
    number = unicodedata.normalize("NFKC", number).strip()
    return int(number) if number.isascii() and number.isdigit() and len(number) <= SERIAL_DIGITS else None


def next_number(workspace: Workspace) -> str:
    """Returns the next free number, above all of the workspace's and all that are taken elsewhere; the caller holds the
    workspace's lock."""
    invoices = Invoice.objects.filter(workspace=workspace)
    last = invoices.filter(serial__lt=HIGHEST_COUNTED).aggregate(last=Max("serial"))["last"] or 0
    elsewhere = Workspace.objects.values_list("numbers_taken_to", flat=True).get(pk=workspace.pk)
    return str(_free_from(max(last + 1, elsewhere + 1, FIRST_NUMBER), invoices))


def _free_from(first: int, invoices: QuerySet[Invoice]) -> int:
    """Returns a free number from this one on: the lowest, where those that are taken follow each other. Where counting
    has come to its end (`HIGHEST_COUNTED`) they are many, and looking at one after another would take ever longer."""

    def is_taken(number: int) -> bool:
        return invoices.filter(number=str(number)).exists()

    taken, step = first - 1, 1
    while is_taken(taken + step):
        taken, step = taken + step, step * 2
    free = taken + step
    while free - taken > 1:
        middle = (free + taken) // 2
        if is_taken(middle):
            taken = middle
        else:
            free = middle
    return free


def numbers_taken(*, workspace_id: str, numbers: Iterable[str]) -> None:
    """Notes that documents elsewhere have these numbers: FieldCamp gives none of them any more, nor one below."""
    serials = [serial for number in numbers if (serial := serial_of(number)) is not None and serial < HIGHEST_COUNTED]
    if serials:
        highest = max(serials)
        Workspace.objects.filter(pk=workspace_id, numbers_taken_to__lt=highest).update(numbers_taken_to=highest)


def renumber_invoice(*, workspace: Workspace, invoice_id: str) -> Invoice:
    """Gives the invoice the next free number, since its own turned out to be another document's. Unlike an edit it may
    be done to one that is paid. Raises InvalidTransition for one that is void."""
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        invoice = locked(Invoice, workspace, invoice_id)
        if invoice.voided_at:
            raise InvalidTransition(f"Invoice {invoice.number} is void. Its number cannot be changed.")
        number = next_number(workspace)
        save_changes(invoice, {"number": number, "serial": serial_of(number)})
    return invoice
