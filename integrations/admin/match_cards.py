"""Cards that ask who is who: our record and those of the books that it may be, beside each other, and the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, prefetch_related_objects
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.templatetags.desk import brief
from fieldcamp.money import cents
from fieldcamp.workspace.models import Payment, PaymentAllocation
from integrations.admin.buttons import Button
from integrations.admin.conflicts import LastChange, Line, last_changes
from integrations.admin.remote_names import RemoteNames
from integrations.admin.subjects import Subjects, subjects
from integrations.admin.values import EMPTY, label_of, shown
from integrations.books.asking import candidates_in
from integrations.books.clients import customer_fields
from integrations.books.items import item_fields
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.models import Link, Problem
from integrations.services.books.decisions import NEW, REMOVED
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
_MAKE_NEW: dict[str, Any] = {
    CUSTOMER.name: _("Make a new customer"),
    ITEM.name: _("Make a new item"),
    INVOICE.name: _("It is another: give this one the next number"),
    PAYMENT.name: _("It is another payment"),
}
_NAMED_BY: dict[str, str] = {
    CUSTOMER.name: "display_name",
    ITEM.name: "name",
    INVOICE.name: "number",
    PAYMENT.name: "reference",
}
_ENDS_WITH = "(C)"


Rivals = dict[str, set[str]]  # problem -> payments that were taken in from the books for the same invoices


@dataclass(frozen=True)
class MatchCandidate:
    """A record of the books that may be ours. `taken_by`: the record that it belongs to already."""

    remote_id: str
    name: str
    lines: list[Line]
    taken_by: str = ""


@dataclass(frozen=True)
class MatchCard:
    candidates: list[MatchCandidate] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


def reason_of(problem: Problem) -> str:
    return str(problem.data.get("reason") or "") if isinstance(problem.data, dict) else ""


def _is_over_applied(problem: Problem) -> bool:
    """Returns whether more is paid than is open there; perhaps the invoice is paid already."""
    return reason_of(problem) == ProblemReason.OVER_APPLIED


def _is_repeated(problem: Problem) -> bool:
    """Returns whether it is asked if a payment was entered twice."""
    return problem.code == ProblemCode.POSSIBLE_DUPLICATE and problem.record_kind == PAYMENT.name


def subject_of(problem: Problem) -> str:
    """Returns the id of FieldCamp's record that the problem is about, where it is kept under another's."""
    if _is_repeated(problem) and isinstance(problem.data, dict):
        return str(problem.data.get("payment") or "")
    return problem.record_id


def match_cards(problems: Sequence[Problem], about: Subjects) -> dict[str, MatchCard]:
    """Returns them by problem, for those that ask who is who; a constant number of queries."""
    records = {problem.pk: about.get((problem.record_kind, subject_of(problem))) for problem in problems}
    problems = [problem for problem in problems if _asks(problem) and records[problem.pk] is not None]
    if not problems:
        return {}
    payments = [record for record in records.values() if isinstance(record, Payment)]
    prefetch_related_objects(payments, "allocations__invoice")
    local = {problem.pk: _local(problem.record_kind, records[problem.pk]) for problem in problems}
    rivals = _rivals({problem.pk: records[problem.pk] for problem in problems if _is_over_applied(problem)})
    wanted = Q(pk__in=[])
    for problem in problems:
        same = Q(stream__connection=problem.connection_id, kind=problem.record_kind, cut_at=None, seen_gone=False)
        wanted |= same & _which(problem, local[problem.pk], rivals)
    links = list(Link.objects.filter(wanted, seen__isnull=False).select_related("stream").order_by("pk"))
    names = RemoteNames((link.stream.connection_id, link.seen) for link in links)
    workspaces = {problem.connection_id: problem.workspace_id for problem in problems}
    owners = subjects(
        (workspaces[link.stream.connection_id], link.kind, link.record_id) for link in links if link.record_id
    )
    changes = last_changes(problems)
    cards = {}
    for problem in problems:
        here, _there = changes.get(problem.pk, (LastChange(), LastChange()))
        mine = _candidates(problem, local[problem.pk], links, rivals)
        cards[problem.pk] = _card(problem, local[problem.pk], here, mine, names, owners)
    return cards


def _rivals(payments: Mapping[str, Any]) -> Rivals:
    invoices = {pk: {share.invoice_id for share in payment.allocations.all()} for pk, payment in payments.items()}
    wanted = set().union(*invoices.values())
    shares = PaymentAllocation.objects.filter(invoice__in=wanted, payment__voided_at=None, payment__deleted_at=None)
    taken_in = list(shares.exclude(payment__made_in="").values_list("invoice", "payment")) if wanted else []
    return {pk: {payment for invoice, payment in taken_in if invoice in mine} for pk, mine in invoices.items()}


def _asks(problem: Problem) -> bool:
    """Returns whether it is asked which record of the books this is: only of one that has no counterpart yet."""
    if _is_repeated(problem):
        return True
    if _is_over_applied(problem):
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


def _named_by(kind: str) -> str:
    return _NAMED_BY[kind]


def _which(problem: Problem, local: Mapping[str, Any], rivals: Rivals) -> Q:
    if problem.pk in rivals:
        return Q(record_id__in=rivals[problem.pk])
    if _is_repeated(problem):
        return Q(remote_id=problem.record_id)
    if candidates := candidates_in(problem.data):
        return Q(remote_id__in=candidates[:MOST])
    name = _named_by(problem.record_kind)
    if not local[name]:
        return Q(pk__in=[])
    same = Q(**{f"seen__{name}__iexact": local[name]}) & ~Q(record_id=problem.record_id)
    return same & Q(record_id="") if problem.code == REMOVED else same


def _candidates(problem: Problem, local: Mapping[str, Any], links: Sequence[Link], rivals: Rivals) -> list[Link]:
    if problem.pk in rivals:
        mine = rivals[problem.pk]
        return [link for link in links if link.kind == PAYMENT.name and link.record_id in mine][:MOST]
    ids = candidates_in(problem.data)
    if _is_repeated(problem):
        ids = [problem.record_id]
    return [
        link
        for link in links
        if link.kind == problem.record_kind
        and link.stream.connection_id == problem.connection_id
        and (link.remote_id in ids if ids else _equal(problem.record_kind, link.seen, local))
    ][:MOST]


def _card(
    problem: Problem,
    local: Mapping[str, Any],
    here: LastChange,
    mine: Sequence[Link],
    names: RemoteNames,
    owners: Subjects,
) -> MatchCard:
    kind, candidates = problem.record_kind, []
    for link in mine:
        seen = _there(names.named(problem.connection_id, link.seen))
        taken_by = str(owners.get((link.kind, link.record_id)) or "") if link.record_id else ""
        lines = [*_lines(kind, local, seen), _changed(here, link)]
        candidates.append(MatchCandidate(link.remote_id, _name(kind, seen), lines, taken_by))
    return MatchCard(candidates, [*_sames(problem, candidates), *_fresh(problem, local, mine)])


def _there(seen: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields with what was paid of an invoice, which follows from the others."""
    try:
        return {**seen, "paid": cents(Decimal(seen["total"]) - Decimal(seen["balance"]))}
    except (KeyError, TypeError, InvalidOperation):
        return seen


def _name(kind: str, seen: Mapping[str, Any]) -> str:
    if kind == PAYMENT.name:
        return " · ".join(str(shown(name, seen[name])) for name in ("amount", "date") if seen.get(name)) or EMPTY
    return str(seen.get(_named_by(kind)) or EMPTY)


def _equal(kind: str, seen: Any, local: Mapping[str, Any]) -> bool:
    fold = folding.number if kind in (INVOICE.name, PAYMENT.name) else folding.plain
    name = _named_by(kind)
    return fold((seen or {}).get(name)) == fold(local[name])


def _lines(kind: str, local: Mapping[str, Any], seen: Mapping[str, Any]) -> list[Line]:
    names = [name for name in SHOWN[kind] if local.get(name) or seen.get(name)]
    return [Line(label_of(kind, name), shown(name, local.get(name)), shown(name, seen.get(name))) for name in names]


def _changed(here: LastChange, link: Link) -> Line:
    """Returns who changed it here last, and when the other was seen."""
    at = brief(here.at) if here.at else ""
    mine = format_html("{}, {}", here.who, at) if here.who and at else here.who or at or EMPTY
    there = format_html(gettext("seen {time}"), time=brief(link.seen_at)) if link.seen_at else EMPTY
    return Line(gettext("Last change"), mine, there)


# --- answers --------------------------------------------------------------------------------------------------------


def _sames(problem: Problem, candidates: Sequence[MatchCandidate]) -> list[Button]:
    if _is_repeated(problem):
        return []
    free = [candidate for candidate in candidates if not candidate.taken_by]
    document = problem.record_kind in (INVOICE.name, PAYMENT.name)
    tone = "" if len(free) > 1 or document else "primary"
    same = gettext("Same as “{name}”")
    buttons = [_button(problem, same.format(name=one.name), tone, choice=one.remote_id) for one in free]
    if problem.record_kind == PAYMENT.name:
        void = gettext("Same as “{name}”: void this one")
        taken = [candidate for candidate in candidates if candidate.taken_by]
        buttons += [_button(problem, void.format(name=one.name), choice=one.remote_id) for one in taken]
    return buttons


def _fresh(problem: Problem, local: Mapping[str, Any], mine: Sequence[Link]) -> list[Button]:
    """Returns the button that makes a new one; under another name where its own is taken there."""
    kind = problem.record_kind
    if _is_over_applied(problem) or problem.code == REMOVED:
        return []
    make = str(_MAKE_NEW[kind])
    if _is_repeated(problem):
        return [_button(problem, gettext("It is another payment: take it in"), choice=NEW)]
    taken = reason_of(problem) != ProblemReason.MATCH or any(_equal(kind, link.seen, local) for link in mine)
    if not taken or kind in (INVOICE.name, PAYMENT.name):
        return [_button(problem, make, choice=NEW)]
    name = f"{local[_named_by(kind)]} {_ENDS_WITH}"
    label = gettext("{make}, “{name}”").format(make=make, name=name)
    return [_button(problem, label, choice=NEW, name=name)]


def _button(problem: Problem, label: str, tone: str = "", **fields: str) -> Button:
    url = reverse("integrations:match", args=[problem.pk])
    return Button(f"match-{fields['choice']}-{problem.pk}", label, url, tone=tone, fields=fields, swaps=True)
