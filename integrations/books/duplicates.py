"""Money that one side enters although both have it already: a question, and counted once until it is answered."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from fieldcamp.money import cents
from fieldcamp.workspace.models import Payment
from integrations.books.document_matching import NEAR_BY_REFERENCE, Receipt, pairs, repeats, told_apart
from integrations.books.matching import Doubts
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT, Kind
from integrations.ledger.problems import open_problem, resolve_problems
from integrations.models import Connection, Link, Problem, Stream

DUPLICATE = ProblemCode.POSSIBLE_DUPLICATE
SAME = "same"  # what is answered to it, as the data of its problem has it


class PaymentsSide(Protocol):
    """The payments of one company's books (`integrations.books.payments`)."""

    stream: Stream
    connection: Connection
    label: str

    def record_ids(self, kind: Kind, remote_ids: Iterable[str]) -> dict[str, str]: ...
    def our_receipts(self, records: Sequence[Payment]) -> list[Receipt]: ...


def our_receipt(payment: Payment, customers: Mapping[str, str], invoices: Mapping[str, str]) -> Receipt:
    """Returns a payment of ours; `customers` and `invoices` say how the books call our clients and invoices."""
    shares = [(invoices.get(share.invoice_id, ""), cents(share.amount)) for share in payment.allocations.all()]
    return Receipt(
        payment.pk,
        payer=customers.get(payment.client_id, ""),
        date=payment.date.isoformat(),
        amount=cents(payment.amount),
        reference=payment.reference,
        method=payment.method,
        shares=tuple(sorted(share for share in shares if share[0])),
    )


def their_receipt(link: Link) -> Receipt:
    """Returns a payment of the books, as it was seen."""
    seen = link.seen or {}
    return Receipt(
        link.pk,
        link.remote_id,
        payer=seen.get("customer") or "",
        date=seen.get("date") or "",
        amount=seen.get("amount") or "",
        reference=seen.get("reference") or "",
        method=seen.get("method") or "",
        shares=tuple(sorted((share["invoice"], share["amount"]) for share in seen.get("allocations") or ())),
    )


def repeated_here(side: PaymentsSide, records: Sequence[Payment], doubts: Doubts) -> Doubts:
    """Returns the doubts about new payments of ours that may be such as FieldCamp has taken in from the books, with the
    doubts that there are about them already. One that was tried before has been answered for."""
    links = Link.objects.filter(stream=side.stream, kind=PAYMENT.name)
    tried = set(links.filter(record_id__in=[payment.pk for payment in records]).values_list("record_id", flat=True))
    new = [payment for payment in records if payment.pk not in tried]
    if not new:
        return {}
    invoices = [share.invoice_id for payment in new for share in payment.allocations.all()]
    made_there = _about(side, [payment.client_id for payment in new], invoices, [payment.date for payment in new])
    taken_in = links.present().filter(record_id__in=made_there.filter(made_in=side.connection.integration).values("pk"))
    found = pairs(side.our_receipts(new), map(their_receipt, taken_in), repeats)
    return {
        str(mine.id): [*doubts.get(str(mine.id), ()), *(other.remote_id for other in others)]
        for mine, others in found
        if others
    }


def ask_about_repeats(side: PaymentsSide, asked: set[str]) -> set[str]:
    """Opens a problem for each payment that the books have anew and that may be one of ours that they have already, and
    closes those that are none any more. Returns the remote ids that wait for an answer. Those `asked` about already, as
    the counterparts of payments of ours, are passed over."""
    open_ones = Problem.objects.open().filter(connection=side.connection, code=DUPLICATE, record_kind=PAYMENT.name)
    answers = dict(open_ones.values_list("record_id", "data__answer"))
    before = set(answers)
    unmatched = Link.objects.present().unmatched().filter(stream=side.stream, kind=PAYMENT.name)
    news = Q(unsettled=True) | Q(remote_id__in=before) if before else Q(unsettled=True)
    links = list(unmatched.filter(news, decision__isnull=True))
    new = [link for link in links if not (link.seen or {}).get("voided") and link.remote_id not in asked]
    found = {link.remote_id: link for link in new}
    # Somebody has said that it is the same: it waits for being taken away there, unless it was changed meanwhile.
    same = {link.remote_id for link in new if answers.get(link.remote_id) == SAME and not link.unsettled}
    ours = _posted(side, [link.seen or {} for link in new]) if new else []
    known = {payment.pk: payment for payment in ours}
    waiting = set()
    for mine, others in pairs(side.our_receipts(ours), map(their_receipt, new), repeats):
        for other in others:
            if other.remote_id not in waiting:
                waiting.add(other.remote_id)
                if other.remote_id not in same:
                    _ask(side, known[str(mine.id)], found[other.remote_id], told_apart(mine, other, side.label))
    if over := before - waiting:
        resolve_problems(
            side.connection, now=timezone.now(), codes=[DUPLICATE], kind=PAYMENT.name, record_ids=list(over)
        )
        unmatched.filter(remote_id__in=over).update(unsettled=True)
    return waiting


def _ask(side: PaymentsSide, payment: Payment, link: Link, both: str) -> None:
    open_problem(
        side.connection,
        DUPLICATE,
        f"{side.label} has two payments of {payment.client}'s that may be the same money: one is FieldCamp's, the "
        f"other was entered there. {both} It is counted once here until you say which it is.",
        now=timezone.now(),
        kind=PAYMENT.name,
        record_id=link.remote_id,
        link=link,
        data={"reason": ProblemReason.MATCH, "payment": payment.pk},
    )


def note_same_money(problem: Problem, label: str) -> None:
    """Writes down that such a payment is the same money. FieldCamp deletes nothing there, so the problem stands."""
    problem.message = (
        f"It is the same money, and {label} has it twice. Delete or void the second one there (its id is "
        f"{problem.record_id}): this closes by itself with the next sync."
    )
    problem.data = {**problem.data, "answer": SAME}
    problem.save(update_fields=["message", "data"])


def _posted(side: PaymentsSide, seen: Sequence[Mapping[str, Any]]) -> list[Payment]:
    """Returns payments made here that the books have, of the payers and invoices of these."""
    payers = side.record_ids(CUSTOMER, {str(one.get("customer") or "") for one in seen} - {""})
    shares = {share["invoice"] for one in seen for share in one.get("allocations") or ()}
    days = [dt.date.fromisoformat(one["date"]) for one in seen if one.get("date")]
    if not days:
        return []
    there = Link.objects.present().filter(stream=side.stream, kind=PAYMENT.name, record_id=OuterRef("pk"))
    ours = _about(side, payers.values(), side.record_ids(INVOICE, shares).values(), days)
    return list(ours.filter(Exists(there), made_in="").select_related("client").prefetch_related("allocations"))


def _about(
    side: PaymentsSide, client_ids: Iterable[str], invoice_ids: Iterable[str], days: Sequence[dt.date]
) -> QuerySet[Payment]:
    """Returns payments of these clients or of these invoices, about these days."""
    concerned = Q(client_id__in={*client_ids}) | Q(
        pk__in=Payment.objects.filter(allocations__invoice_id__in={*invoice_ids}).values("pk")
    )
    found: QuerySet[Payment] = Payment.objects.alive().filter(
        concerned,
        workspace_id=side.connection.workspace_id,
        voided_at=None,
        date__range=(min(days) - NEAR_BY_REFERENCE, max(days) + NEAR_BY_REFERENCE),
    )
    return found
