"""Problems that ask who is who: our record, and those of the books that it may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, prefetch_related_objects

from fieldcamp.money import cents
from fieldcamp.workspace.models import Payment, PaymentAllocation
from integrations.books.asking import candidates_in
from integrations.books.clients import customer_fields
from integrations.books.items import item_fields
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.models import Link, Problem
from integrations.selectors.subjects import Subjects
from integrations.services.books.decisions import REMOVED
from integrations.services.problems.causes import reason_of
from integrations.sync import folding

MOST = 5  # of those that may be the same
MATCHING = (
    ProblemReason.MATCH,
    ProblemReason.DUPLICATE_NAME,
    ProblemReason.NAME_TAKEN_BY_VENDOR,
    ProblemReason.NAME_TAKEN_BY_EMPLOYEE,
    ProblemReason.DUPLICATE_NUMBER,
)
SHOWN: dict[str, tuple[str, ...]] = {
    CUSTOMER.name: ("display_name", "company", "email", "phone", "bill_address", "ship_address"),
    ITEM.name: ("name", "sku", "price", "description"),
    INVOICE.name: ("number", "date", "customer", "total", "paid", "balance"),
    PAYMENT.name: ("date", "customer", "amount", "method", "reference", "allocations"),
}
NAMED_BY: dict[str, str] = {
    CUSTOMER.name: "display_name",
    ITEM.name: "name",
    INVOICE.name: "number",
    PAYMENT.name: "reference",
}
_ENDS_WITH = "(C)"


Rivals = dict[str, set[str]]  # problem -> payments that were taken in from the books for the same invoices


@dataclass(frozen=True)
class MatchQuestion:
    """Our record's fields, and the links of those of the books that it may be. `new_name` is what a new one is made as
    where our record's own name is taken there."""

    local: Mapping[str, Any]
    candidates: Sequence[Link]
    new_name: str = ""


def is_over_applied(problem: Problem) -> bool:
    """Returns whether more is paid than is open there; perhaps the invoice is paid already."""
    return reason_of(problem) == ProblemReason.OVER_APPLIED


def is_repeated(problem: Problem) -> bool:
    """Returns whether it is asked if a payment was entered twice."""
    return problem.code == ProblemCode.POSSIBLE_DUPLICATE and problem.record_kind == PAYMENT.name


def subject_of(problem: Problem) -> str:
    """Returns the id of FieldCamp's record that the problem is about, where it is kept under another's."""
    if is_repeated(problem) and isinstance(problem.data, dict):
        return str(problem.data.get("payment") or "")
    if reason_of(problem) == ProblemReason.GROSS_PRICE:
        return ""  # it is the books' alone
    return problem.record_id


def match_questions(problems: Sequence[Problem], about: Subjects) -> dict[str, MatchQuestion]:
    """Returns them by problem, for those that ask who is who; a constant number of queries."""
    records = {problem.pk: about.get((problem.record_kind, subject_of(problem))) for problem in problems}
    problems = [problem for problem in problems if _asks(problem) and records[problem.pk] is not None]
    if not problems:
        return {}
    payments = [record for record in records.values() if isinstance(record, Payment)]
    prefetch_related_objects(payments, "allocations__invoice")
    local = {problem.pk: _local(problem.record_kind, records[problem.pk]) for problem in problems}
    rivals = _rivals({problem.pk: records[problem.pk] for problem in problems if is_over_applied(problem)})
    wanted = Q(pk__in=[])
    for problem in problems:
        same = Q(stream__connection=problem.connection_id, kind=problem.record_kind, cut_at=None, seen_gone=False)
        wanted |= same & _which(problem, local[problem.pk], rivals)
    links = list(Link.objects.filter(wanted, seen__isnull=False).select_related("stream").order_by("pk"))
    found = {}
    for problem in problems:
        mine = _candidates(problem, local[problem.pk], links, rivals)
        name = _new_name(problem, local[problem.pk], mine)
        found[problem.pk] = MatchQuestion(local[problem.pk], mine, name)
    return found


def with_paid(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields with what was paid of an invoice, which follows from the others."""
    try:
        return {**seen, "paid": cents(Decimal(seen["total"]) - Decimal(seen["balance"]))}
    except (KeyError, TypeError, InvalidOperation):
        return {**seen}


def counterpart_name(kind: str, seen: Mapping[str, Any]) -> str:
    """Returns how one of the books' records is called; a payment by its amount and day. "–" where it has no name."""
    names = ("amount", "date") if kind == PAYMENT.name else (NAMED_BY[kind],)
    return " · ".join(str(seen[name]) for name in names if seen.get(name)) or "–"


def _rivals(payments: Mapping[str, Any]) -> Rivals:
    invoices = {pk: {share.invoice_id for share in payment.allocations.all()} for pk, payment in payments.items()}
    wanted = set().union(*invoices.values())
    shares = PaymentAllocation.objects.filter(invoice__in=wanted, payment__voided_at=None, payment__deleted_at=None)
    taken_in = list(shares.exclude(payment__made_in="").values_list("invoice", "payment")) if wanted else []
    return {pk: {payment for invoice, payment in taken_in if invoice in mine} for pk, mine in invoices.items()}


def _asks(problem: Problem) -> bool:
    """Returns whether it is asked which record of the books this is: only of one that has no counterpart yet."""
    if is_repeated(problem):
        return True
    if is_over_applied(problem):
        return problem.record_kind == PAYMENT.name
    if problem.code == REMOVED:
        return problem.record_kind in SHOWN and reason_of(problem) != ProblemReason.MERGED
    if reason_of(problem) not in MATCHING or problem.record_kind not in SHOWN:
        return False
    if reason_of(problem) == ProblemReason.MATCH and candidates_in(problem.data):
        return True
    return problem.link is None or (problem.link.seen is None and problem.link.cut_at is None)


def _local(kind: str, record: Any) -> dict[str, Any]:
    if kind == CUSTOMER.name:
        return dict(customer_fields(record))
    if kind == ITEM.name:
        return dict(item_fields(record, ""))
    found = {"customer": str(record.client), "date": record.date.isoformat()}
    if kind == INVOICE.name:
        amounts = {name: cents(getattr(record, name)) for name in ("total", "paid", "balance")}
        return {**found, "number": record.number, **amounts}
    shares = [{"invoice": share.invoice.number, "amount": cents(share.amount)} for share in record.allocations.all()]
    more = {"method": record.method, "reference": record.reference, "allocations": shares}
    return {**found, "amount": cents(record.amount), **more}


def _which(problem: Problem, local: Mapping[str, Any], rivals: Rivals) -> Q:
    if problem.pk in rivals:
        return Q(record_id__in=rivals[problem.pk])
    if is_repeated(problem):
        return Q(remote_id=problem.record_id)
    if candidates := candidates_in(problem.data):
        return Q(remote_id__in=candidates[:MOST])
    name = NAMED_BY[problem.record_kind]
    if not local[name]:
        return Q(pk__in=[])
    same = Q(**{f"seen__{name}__iexact": local[name]}) & ~Q(record_id=problem.record_id)
    return same & Q(record_id="") if problem.code == REMOVED else same


def _candidates(problem: Problem, local: Mapping[str, Any], links: Sequence[Link], rivals: Rivals) -> list[Link]:
    if problem.pk in rivals:
        mine = rivals[problem.pk]
        return [link for link in links if link.kind == PAYMENT.name and link.record_id in mine][:MOST]
    ids = candidates_in(problem.data)
    if is_repeated(problem):
        ids = [problem.record_id]
    return [
        link
        for link in links
        if link.kind == problem.record_kind
        and link.stream.connection_id == problem.connection_id
        and (link.remote_id in ids if ids else _equal(problem.record_kind, link.seen, local))
    ][:MOST]


def _new_name(problem: Problem, local: Mapping[str, Any], mine: Sequence[Link]) -> str:
    kind = problem.record_kind
    taken = reason_of(problem) != ProblemReason.MATCH or any(_equal(kind, link.seen, local) for link in mine)
    return f"{local[NAMED_BY[kind]]} {_ENDS_WITH}" if taken and kind in (CUSTOMER.name, ITEM.name) else ""


def _equal(kind: str, seen: Any, local: Mapping[str, Any]) -> bool:
    fold = folding.number if kind in (INVOICE.name, PAYMENT.name) else folding.plain
    name = NAMED_BY[kind]
    return fold((seen or {}).get(name)) == fold(local[name])
