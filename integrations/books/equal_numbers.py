"""Invoices of both sides that have one number: each is a question, but for what was entered by hand before."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Trim

from fieldcamp.money import cents
from fieldcamp.workspace.models import Invoice
from integrations.books.asking import NOT_PLAIN
from integrations.books.document_matching import Bill, match_bills
from integrations.books.matching import Matches
from integrations.models import Connection, Link
from integrations.sync import folding


def of_these_numbers(invoices: Sequence[Invoice], unmatched: QuerySet[Any]) -> QuerySet[Any]:
    """Returns those of the books' invoices that may have the number of one of ours, as far as the database can tell."""
    folded = {folding.number(invoice.number) for invoice in invoices}
    likely: QuerySet[Any] = unmatched.annotate(folded=Trim(Lower(KT("seen__number")))).filter(
        Q(folded__in=folded) | Q(folded__startswith="0") | Q(folded__regex=NOT_PLAIN)
    )
    return likely


def match_numbers(
    connection: Connection, invoices: Sequence[Invoice], customers: Mapping[str, str], unmatched: Sequence[Link]
) -> Matches:
    """Matches by number, client, total and day what was in FieldCamp before the connection. Later an equal number is a
    question: both sides count on by themselves. `customers` says how the books call our clients."""
    ours = [
        Bill(
            invoice.pk,
            number=invoice.number,
            customer=customers.get(invoice.client_id, ""),
            total=cents(invoice.total),
            date=invoice.date.isoformat(),
            old=invoice.created_at < connection.created_at,
        )
        for invoice in invoices
    ]
    theirs = [
        Bill(
            link.pk,
            link.remote_id,
            number=seen.get("number") or "",
            customer=seen.get("customer") or "",
            total=seen.get("total") or "",
            date=seen.get("date") or "",
        )
        for link in unmatched
        if (seen := link.seen or {}) and not seen.get("voided")
    ]
    return match_bills(ours, theirs)
