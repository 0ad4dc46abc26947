"""Reads of one workspace's records and team."""

import datetime as dt
import functools
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from fieldcamp.workspace.models import (
    Client,
    Invoice,
    Item,
    Member,
    Payment,
    PaymentAllocation,
    TaxRate,
    Visit,
    Workspace,
)
from fieldcamp.workspace.models.invoices import DELIVERY_STATUSES, STATUSES, in_status, today_in
from fieldcamp.workspace.searching import words

_Record = TypeVar("_Record", bound=Model)


def visits(
    *,
    workspace: Workspace,
    statuses: Sequence[str] = (),
    technician_id: str = "",
    client_id: str = "",
    scheduled_from: dt.datetime | None = None,
    scheduled_to: dt.datetime | None = None,
) -> QuerySet[Visit]:
    """Returns visits that start in [scheduled_from, scheduled_to)."""
    found = Visit.objects.alive().filter(workspace=workspace)
    if statuses:
        found = found.filter(visit_status__in=statuses)
    if technician_id:
        found = found.filter(technician_id=technician_id)
    if client_id:
        found = found.filter(client_id=client_id)
    if scheduled_from:
        found = found.filter(scheduled_start__gte=scheduled_from)
    if scheduled_to:
        found = found.filter(scheduled_start__lt=scheduled_to)
    return found


def clients(*, workspace: Workspace, search: str = "", stage: str = "") -> QuerySet[Client]:
    """Clients; each word of `search` is in a name or the e-mail address."""
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
    return found


def team(
    *,
    workspace: Workspace,
    roles: Sequence[str] = (),
    is_technician: bool | None = None,
    is_active: bool | None = None,
) -> QuerySet[Member]:
    """Returns everybody, inactive people included."""
    found = Member.objects.filter(workspace=workspace)
    return _where(found, role__in=roles, is_technician=is_technician, is_active=is_active)


def items(
    *,
    workspace: Workspace,
    search: str = "",
    types: Sequence[str] = (),
    taxable: bool | None = None,
    is_active: bool | None = None,
) -> QuerySet[Item]:
    """Items; each word of `search` is in the name or the SKU."""
    found = Item.objects.alive().filter(workspace=workspace)
    for word in words(search):
        found = found.filter(Q(name__icontains=word) | Q(sku__icontains=word))
    return _where(found, type__in=types, taxable=taxable, is_active=is_active)


def tax_rates(*, workspace: Workspace, is_active: bool | None = None) -> QuerySet[TaxRate]:
    return _where(TaxRate.objects.alive().filter(workspace=workspace), is_active=is_active)


def invoices(
    *,
    workspace: Workspace,
    statuses: Sequence[str] = (),
    deliveries: Sequence[str] = (),
    sent: bool | None = None,
    voided: bool | None = None,
    client_id: str = "",
) -> QuerySet[Invoice]:
    """Invoices with their lines; of `statuses`, and of `deliveries`, any."""
    found = Invoice.objects.alive().filter(workspace=workspace).select_related("workspace").prefetch_related("lines")
    if statuses:
        today = today_in(workspace)
        conditions = (in_status(status, today) for name in statuses for status in STATUSES[name])
        found = found.filter(functools.reduce(operator.or_, conditions))
    if deliveries:
        found = found.filter(functools.reduce(operator.or_, (DELIVERY_STATUSES[name] for name in deliveries)))
    return _where(found, sent_at__isnull=_not(sent), voided_at__isnull=_not(voided), client_id=client_id or None)


def payments(
    *,
    workspace: Workspace,
    client_id: str = "",
    invoice_id: str = "",
    methods: Sequence[str] = (),
    voided: bool | None = None,
) -> QuerySet[Payment]:
    """Payments with what they pay; voided ones too."""
    found = Payment.objects.alive().filter(workspace=workspace).prefetch_related("allocations")
    if invoice_id:
        found = found.filter(Exists(PaymentAllocation.objects.filter(payment=OuterRef("pk"), invoice=invoice_id)))
    return _where(found, client_id=client_id or None, method__in=methods, voided_at__isnull=_not(voided))


def _where(rows: QuerySet[_Record], **conditions: Any) -> QuerySet[_Record]:
    """Returns the rows that meet those conditions for which something is given."""
    return rows.filter(**{name: value for name, value in conditions.items() if value not in (None, (), [])})


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
