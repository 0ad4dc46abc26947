"""Reads of one workspace's records and team."""

import datetime as dt
import functools
import operator
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from fieldcamp.workspace.models import Client, Invoice, Item, Member, Payment, TaxRate, Visit, Workspace
from fieldcamp.workspace.models.invoices import PAID_STATUSES, in_status, today_in
from fieldcamp.workspace.searching import words


def visits(
    *,
    workspace: Workspace,
    statuses: Sequence[str] = (),
    technician_id: str = "",
    client_id: str = "",
    since: dt.datetime | None = None,
    scheduled_from: dt.datetime | None = None,
    scheduled_to: dt.datetime | None = None,
) -> QuerySet[Visit]:
    """Returns visits changed at or after `since` that start in [scheduled_from, scheduled_to)."""
    found = Visit.objects.alive().filter(workspace=workspace)
    if statuses:
        found = found.filter(visit_status__in=statuses)
    if technician_id:
        found = found.filter(technician_id=technician_id)
    if client_id:
        found = found.filter(client_id=client_id)
    if since:
        found = found.filter(updated_at__gte=since)
    if scheduled_from:
        found = found.filter(scheduled_start__gte=scheduled_from)
    if scheduled_to:
        found = found.filter(scheduled_start__lt=scheduled_to)
    return found


def clients(
    *, workspace: Workspace, search: str = "", stage: str = "", since: dt.datetime | None = None
) -> QuerySet[Client]:
    """Clients changed at or after `since`; each word of `search` is in a name or the e-mail address."""
    found = Client.objects.alive().filter(workspace=workspace)
    for word in words(search):
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(company_name__icontains=word)
            | Q(display_name__icontains=word)
            | Q(email__icontains=word)
        )
    if stage:
        found = found.filter(stage=stage)
    if since:
        found = found.filter(updated_at__gte=since)
    return found


def team(*, workspace: Workspace) -> QuerySet[Member]:
    """Returns everybody, inactive people included."""
    return Member.objects.filter(workspace=workspace)


def items(*, workspace: Workspace, search: str = "", since: dt.datetime | None = None) -> QuerySet[Item]:
    """Items changed at or after `since`; each word of `search` is in the name or the SKU."""
    found = Item.objects.alive().filter(workspace=workspace)
    for word in words(search):
        found = found.filter(Q(name__icontains=word) | Q(sku__icontains=word))
    return found.filter(updated_at__gte=since) if since else found


def tax_rates(*, workspace: Workspace, since: dt.datetime | None = None) -> QuerySet[TaxRate]:
    found = TaxRate.objects.alive().filter(workspace=workspace)
    return found.filter(updated_at__gte=since) if since else found


def invoices(
    *, workspace: Workspace, statuses: Sequence[str] = (), client_id: str = "", since: dt.datetime | None = None
) -> QuerySet[Invoice]:
    """Invoices changed at or after `since`, with their lines; of `statuses` any, void ones being of none."""
    found = Invoice.objects.alive().filter(workspace=workspace).select_related("workspace").prefetch_related("lines")
    if statuses:
        today = today_in(workspace)
        conditions = (in_status(status, today) for name in statuses for status in PAID_STATUSES[name])
        found = found.filter(functools.reduce(operator.or_, conditions))
    if client_id:
        found = found.filter(client_id=client_id)
    return found.filter(updated_at__gte=since) if since else found


def payments(
    *, workspace: Workspace, client_id: str = "", invoice_id: str = "", since: dt.datetime | None = None
) -> QuerySet[Payment]:
    """Payments changed at or after `since`, with what they pay; voided ones too."""
    found = Payment.objects.alive().filter(workspace=workspace).prefetch_related("allocations")
    if client_id:
        found = found.filter(client_id=client_id)
    if invoice_id:
        found = found.filter(allocations__invoice=invoice_id)
    return found.filter(updated_at__gte=since) if since else found
