"""Comparing what both sides say an invoice comes to, once a job has brought them into agreement."""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from fieldcamp.money import CENT, cents
from fieldcamp.workspace.models import Invoice, Payment, PaymentAllocation
from integrations.books.owners import strangers
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import INVOICE, PAYMENT
from integrations.ledger.counts import add_items
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, DirtyRow, JobItem, Link, Outcome, Problem, SyncJob
from integrations.providers import PROVIDERS
from integrations.records import Fields
from integrations.sync.state import Action

CHUNK = 500
_TOTALS = {"tax_total": "tax", "total": "total", "balance": "open balance"}


def invoices_seen_since(connection: Connection, since: dt.datetime) -> Iterator[list[Link]]:
    """Yields the invoices of which something new was seen or written since then, and those that have differed before,
    some hundred at a time. None where no invoices are synced."""
    if INVOICE.name not in PROVIDERS[connection.integration].kinds:
        return
    links = (
        Link.objects.present()
        .linked()
        .filter(Q(seen_at__gte=since) | Q(record_id__in=_open(connection).values("record_id")))
        .filter(stream__connection=connection, kind=INVOICE.name, unsettled=False, parked=False)
        .select_related("stream")
    )
    after = 0
    while chunk := list(links.filter(pk__gt=after).order_by("pk")[:CHUNK]):
        yield chunk
        after = chunk[-1].pk


def _open(connection: Connection) -> QuerySet[Problem]:
    return Problem.objects.open().filter(connection=connection, code=ProblemCode.AMOUNT_VARIANCE)


def compare_totals(connection: Connection, job: SyncJob, links: Sequence[Link]) -> None:
    """Opens AMOUNT_VARIANCE where totals differ by more than a cent, and closes it where they agree again. One that
    stays as it was found before waits, and has not failed once more.

    Runs inside the caller's transaction. A balance is compared only where no payment is on its way.
    """
    known = dict(
        _open(connection).filter(record_id__in=[link.record_id for link in links]).values_list("record_id", "data")
    )
    rows = Invoice.objects.filter(pk__in=[link.record_id for link in links]).select_related("client")
    invoices = {row.pk: row for row in rows}
    elsewhere = strangers(connection, invoices, links)
    moving = _paid_meanwhile(connection, job, list(invoices))
    agreed, off_by, now, label = [], [], timezone.now(), PROVIDERS[connection.integration].label
    for link in links:
        invoice, seen = invoices.get(link.record_id), link.seen or {}
        if invoice is None or invoice.voided_at or seen.get("voided"):
            if invoice is not None and invoice.voided_at and seen.get("voided"):
                agreed.append(link.record_id)
            continue
        ours = {name: cents(getattr(invoice, name)) for name in _TOTALS}
        names = [name for name in _TOTALS if name != "balance" or invoice.pk not in moving]
        off, stranger = _differing(ours, seen, names), elsewhere.get(link.record_id)
        if not off and not stranger:
            agreed.append(link.record_id)
            continue
        theirs = {name: seen.get(name) for name in _TOTALS}
        sentence = _said(label, invoice, off, ours, theirs) if off else ""
        if stranger:
            ours["customer"], theirs["customer"] = str(invoice.client), stranger
            whose = f"{invoice.client}'s in FieldCamp and put down to “{stranger}” in {label}"
            sentence = f"{sentence} Invoice {invoice.number} is {whose}.".strip()
        data = {
            "reason": ProblemReason.VARIANCE if off else ProblemReason.MOVED,
            "local": ours,
            "remote": theirs,
        }
        if known.get(invoice.pk) == data:
            continue
        off_by.append(_failed(job, link, sentence))
        open_problem(
            connection,
            ProblemCode.AMOUNT_VARIANCE,
            sentence,
            now=now,
            kind=INVOICE.name,
            record_id=invoice.pk,
            link=link,
            data=data,
        )
    resolve_problems(connection, now=now, codes=[ProblemCode.AMOUNT_VARIANCE], record_ids=agreed)
    add_items(off_by)


def _said(label: str, invoice: Invoice, off: Sequence[str], ours: Fields, theirs: Fields) -> str:
    amounts = ", ".join(f"{_TOTALS[name]} {ours[name]} and {theirs[name]}" for name in off)
    return f"FieldCamp and {label} come to different amounts for invoice {invoice.number}: {amounts}."


def _failed(job: SyncJob, link: Link, sentence: str) -> JobItem:
    """Returns the outcome of a record with an open problem: failed, whatever else was done about it."""
    return JobItem(
        job=job,
        connection_id=link.stream.connection_id,
        kind=link.kind,
        key=link.record_id,
        record_id=link.record_id,
        remote_id=link.remote_id,
        outcome=Outcome.FAILED,
        action=Action.NOTHING,
        message=sentence[:300],
    )


def _differing(ours: Fields, seen: Fields, names: Sequence[str]) -> list[str]:
    """Returns the names of amounts that differ by more than a cent; what is not said there does not differ."""
    return [name for name in names if seen.get(name) and abs(Decimal(ours[name]) - Decimal(seen[name])) > CENT]


def _paid_meanwhile(connection: Connection, job: SyncJob, invoice_ids: Sequence[str]) -> set[str]:
    """Invoices with payments that still wait, or that this job has posted since the other side's balance was seen.

    What a payment was taken off is not told any more: all invoices of its client are left to the next job.
    """
    posted = JobItem.objects.filter(job=job, kind=PAYMENT.name, outcome=Outcome.PUSHED, record_id=OuterRef("pk"))
    waiting = DirtyRow.objects.filter(stream__connection=connection, kind=PAYMENT.name, record_id=OuterRef("pk"))
    invoices = Invoice.objects.filter(pk__in=invoice_ids)
    payers = Payment.objects.filter(Exists(posted) | Exists(waiting), client__in=invoices.values("client_id"))
    payment = OuterRef("payment_id")
    # What was removed there is not on its way: it is a difference until somebody decides about it.
    known = Link.objects.filter(stream__connection=connection, kind=PAYMENT.name, record_id=payment)
    shares = PaymentAllocation.objects.filter(~Exists(known), invoice__in=invoice_ids, payment__voided_at=None)
    moving = set(shares.values_list("invoice_id", flat=True))
    return moving | set(invoices.filter(client__in=payers.values("client_id")).values_list("pk", flat=True))
