"""What the company is like (its tax mode, its closing day, …), read in the runs that depend on it."""

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Invoice, Workspace
from integrations.books.base import BooksSide
from integrations.errors import ProblemReason
from integrations.kinds import INVOICE, PAYMENT, TAX
from integrations.models import BooksSettings, Connection, DirtyRow, Link, Problem, Stream
from integrations.records import Company

DOCUMENTS = (INVOICE.name, PAYMENT.name)
BELIEVED = dt.timedelta(days=1)  # how long the facts are believed where nothing is about to be written


def columns_of(company: Company) -> dict[str, Any]:
    """Returns what `BooksSettings` holds of a company that has just been asked for; its id stands with the connection,
    encrypted."""
    facts = asdict(company)
    del facts["id"]
    return {"company": facts, "refreshed_at": timezone.now()}


def facts_are_due(stream: Stream, settings: BooksSettings) -> bool:
    """Returns whether a run of this stream is about to decide about documents, or the facts are a day old."""
    if stream.kind not in DOCUMENTS:
        return False
    if settings.refreshed_at is None or settings.refreshed_at < timezone.now() - BELIEVED:
        return True
    links = Link.objects.live().linked().filter(stream=stream)
    return (
        DirtyRow.objects.filter(stream=stream).exists()
        or links.filter(unsettled=True).exists()
        or links.filter(parked=True).exclude(refused_under="").exists()
    )


def taxes_are_wanted(taxes: BooksSide) -> bool:
    """Returns whether this run is about to write what depends on the tax list, or something waits for a code: a taxed
    invoice, a tax of ours that has changed, an invoice that was refused for its tax; or it is asked of an item which
    tax its price includes, and none is known to choose from (the list is billed, and is read daily anyway)."""
    dirty = DirtyRow.objects.filter(stream__connection=taxes.connection)
    invoices = dirty.filter(kind=INVOICE.name).values("record_id")
    asked = Problem.objects.open().filter(connection=taxes.connection, ignored_at=None)
    chosen = taxes.settings.company.get("tax_mode") not in ("automated", "none")
    return (
        dirty.filter(kind=TAX.name).exists()
        or (chosen and Invoice.objects.filter(pk__in=invoices, tax_rate__isnull=False).exists())
        or asked.filter(data__reason=ProblemReason.TAX_MAPPING).exists()
        or (
            asked.filter(data__reason=ProblemReason.GROSS_PRICE).exists()
            and not Link.objects.present().filter(stream=taxes.stream).exists()
        )
    )


def take_currency(workspace_id: str, company: Company) -> None:
    """Has amounts shown in the currency in which they are posted, also in one that nobody can choose here."""
    code = company.currency
    if len(code) == 3 and code.isascii() and code.isalpha() and code.isupper():
        Workspace.objects.filter(pk=workspace_id).exclude(currency=code).update(currency=code)


def take_facts(connection: Connection, settings: BooksSettings, company: Company) -> None:
    """Writes the facts down, and what has changed of them into the connection's history. Runs inside the caller's
    transaction."""
    before, columns = settings.company, columns_of(company)
    settings.company, settings.refreshed_at = columns["company"], columns["refreshed_at"]
    BooksSettings.objects.filter(connection=connection).update(**columns)
    if before.get("currency") != company.currency:
        take_currency(connection.workspace_id, company)
    if before and before != settings.company:
        audit(
            "connection.company_changed",
            workspace_id=connection.workspace_id,
            object_id=connection.pk,
            object_name=f"{connection.integration}: {connection.account_name}",
            before=before,
            after=settings.company,
        )
