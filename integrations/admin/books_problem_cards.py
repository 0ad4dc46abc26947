"""What the cards of the books' problems show beside the sentence: who may be the same, and whose amounts differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.money import CENT, cents
from integrations.admin.buttons import Button
from integrations.admin.conflicts import Line
from integrations.admin.subjects import Subjects, subjects
from integrations.admin.values import label_of, shown
from integrations.books.clients import customer_fields
from integrations.books.items import item_fields
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, KINDS, PAYMENT
from integrations.models import Link, Problem
from integrations.services.books.decisions import NEW, REMOVED

MOST = 5  # of those that may be the same
MATCHING = (
    ProblemReason.MATCH,
    ProblemReason.DUPLICATE_NAME,
    ProblemReason.NAME_TAKEN_BY_VENDOR,
    ProblemReason.NAME_TAKEN_BY_EMPLOYEE,
)
_SHOWN: dict[str, tuple[str, ...]] = {
    CUSTOMER.name: ("display_name", "company", "email", "phone", "bill_address", "ship_address"),
    ITEM.name: ("name", "sku", "price", "description"),
    INVOICE.name: ("number", "customer", "date", "total"),
}
_MAKE_NEW: dict[str, Any] = {
    CUSTOMER.name: _("Make a new customer"),
    ITEM.name: _("Make a new item"),
    INVOICE.name: _("Make a new invoice"),
}
_ENDS_WITH = "(C)"


@dataclass(frozen=True)
class MatchCandidate:
    """A record of the books that may be ours. `taken_by`: the record that it belongs to already."""

    remote_id: str
    name: str
    lines: list[Line]
    taken_by: str = ""


@dataclass(frozen=True)
class Amount:
    """One part of an invoice's total on both sides."""

    label: str
    local: str
    remote: str
    difference: str = ""


@dataclass(frozen=True)
class BooksCard:
    candidates: list[MatchCandidate] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    verdict: str = ""
    buttons: list[Button] = field(default_factory=list)


def books_cards(problems: Sequence[Problem], about: Subjects) -> dict[str, BooksCard]:
    """Returns them by problem; two queries for all of them, and one for each kind of record that a candidate belongs
    to."""
    cards = {}
    for problem in problems:
        if problem.code == REMOVED:
            cards[problem.pk] = BooksCard(buttons=_after_removal(problem))
        elif problem.code == ProblemCode.AMOUNT_VARIANCE:
            cards[problem.pk] = _variance(problem)
    asked = [problem for problem in problems if _is_asked(problem) and problem.record_kind in _SHOWN]
    return cards | _matches(asked, about)


def _reason(problem: Problem) -> str:
    return str(problem.data.get("reason") or "") if isinstance(problem.data, dict) else ""


def _is_asked(problem: Problem) -> bool:
    """Returns whether it may be another record there: one that is not linked yet, or whose counterpart was removed."""
    return _reason(problem) in MATCHING or (problem.code == REMOVED and _reason(problem) != ProblemReason.MERGED)


# --- who is who -----------------------------------------------------------------------------------------------------


def _matches(problems: Sequence[Problem], about: Subjects) -> dict[str, BooksCard]:
    records = {problem.pk: about.get((problem.record_kind, problem.record_id)) for problem in problems}
    problems = [problem for problem in problems if records[problem.pk] is not None and _is_unmade(problem)]
    local = {problem.pk: _local(problem.record_kind, records[problem.pk]) for problem in problems}
    if not problems:
        return {}
    wanted = Q(pk__in=[])
    for problem in problems:
        same = Q(stream__connection=problem.connection_id, kind=problem.record_kind, cut_at=None, seen_gone=False)
        wanted |= same & _which(problem, local[problem.pk])
    links = list(Link.objects.filter(wanted, seen__isnull=False).select_related("stream").order_by("pk"))
    _name_customers(links)
    workspaces = {problem.connection_id: problem.workspace_id for problem in problems}
    owners = subjects(
        (workspaces[link.stream.connection_id], link.kind, link.record_id) for link in links if link.record_id
    )
    return {problem.pk: _match(problem, local[problem.pk], links, owners) for problem in problems}


def _name_customers(links: Sequence[Link]) -> None:
    """Puts the customers' names in the place of their ids, in memory."""
    ids = {(link.seen or {}).get("customer") for link in links if link.kind == INVOICE.name} - {None}
    if not ids:
        return
    connections = {link.stream.connection_id for link in links}
    rows = Link.objects.filter(stream__connection__in=connections, kind=CUSTOMER.name, remote_id__in=ids)
    names = {
        (connection, remote_id): (seen or {}).get("display_name")
        for connection, remote_id, seen in rows.values_list("stream__connection", "remote_id", "seen")
    }
    for link in links:
        if link.kind == INVOICE.name and link.seen:
            link.seen["customer"] = names.get((link.stream.connection_id, link.seen.get("customer"))) or "–"


def _is_unmade(problem: Problem) -> bool:
    """Returns whether the record has no counterpart: only then it can be said which one is its."""
    link = problem.link
    return problem.code == REMOVED or link is None or (link.seen is None and link.cut_at is None)


def _local(kind: str, record: Any) -> Mapping[str, Any]:
    if kind == CUSTOMER.name:
        return customer_fields(record)
    if kind == ITEM.name:
        return item_fields(record, "")
    return {
        "number": record.number,
        "customer": str(record.client),
        "date": record.date.isoformat(),
        "total": cents(record.total),
    }


def _named_by(kind: str) -> str:
    named: dict[str, str] = {INVOICE.name: "number", CUSTOMER.name: "display_name"}
    return named.get(kind) or KINDS[kind].loose[0]


def _which(problem: Problem, local: Mapping[str, Any]) -> Q:
    if candidates := problem.data.get("candidates"):
        return Q(remote_id__in=[str(name) for name in candidates[:MOST]])
    name = _named_by(problem.record_kind)
    same = Q(**{f"seen__{name}__iexact": local[name]}) & ~Q(record_id=problem.record_id)
    return same & Q(record_id="") if problem.code == REMOVED else same


def _match(problem: Problem, local: Mapping[str, Any], links: Sequence[Link], owners: Subjects) -> BooksCard:
    named = _named_by(problem.record_kind)
    ids = [str(name) for name in problem.data.get("candidates") or ()]
    mine = [
        link
        for link in links
        if link.kind == problem.record_kind
        and link.stream.connection_id == problem.connection_id
        and (link.remote_id in ids if ids else _equal(link.seen, local, named))
    ][:MOST]
    candidates = [
        MatchCandidate(
            link.remote_id,
            str((link.seen or {}).get(named) or link.remote_id),
            _lines(problem.record_kind, local, link.seen or {}),
            str(owners.get((link.kind, link.record_id)) or "") if link.record_id else "",
        )
        for link in mine
    ]
    document = problem.record_kind == INVOICE.name
    free = [candidate for candidate in candidates if not candidate.taken_by]
    buttons = [
        _button(
            problem,
            gettext("Same as “{name}”").format(name=one.name),
            "" if len(free) > 1 or document else "primary",
            choice=one.remote_id,
        )
        for one in free
    ]
    fresh = _after_removal(problem) if problem.code == REMOVED else _fresh(problem, local, named, mine)
    return BooksCard(candidates, buttons=[*buttons, *fresh])


def _equal(seen: Any, local: Mapping[str, Any], name: str) -> bool:
    return str((seen or {}).get(name) or "").casefold() == str(local[name]).casefold()


def _lines(kind: str, local: Mapping[str, Any], seen: Mapping[str, Any]) -> list[Line]:
    names = [name for name in _SHOWN[kind] if local.get(name) or seen.get(name)]
    return [Line(label_of(kind, name), shown(name, local.get(name)), shown(name, seen.get(name))) for name in names]


def _fresh(problem: Problem, local: Mapping[str, Any], named: str, mine: Sequence[Link]) -> list[Button]:
    """Returns the button that makes a new one; under another name where its own is taken there, which a number cannot
    be."""
    taken = _reason(problem) != ProblemReason.MATCH or any(_equal(link.seen, local, named) for link in mine)
    make = str(_MAKE_NEW[problem.record_kind])
    if not taken:
        return [_button(problem, make, choice=NEW)]
    if problem.record_kind == INVOICE.name:
        return []
    name = f"{local[named]} {_ENDS_WITH}"
    named = gettext("{make}, “{name}”").format(make=make, name=name)
    return [_button(problem, named, choice=NEW, name=name)]


def _button(problem: Problem, label: str, tone: str = "", **fields: str) -> Button:
    url = reverse("integrations:match", args=[problem.pk])
    return Button(f"match-{fields['choice']}-{problem.pk}", label, url, tone=tone, fields=fields, swaps=True)


# --- what was removed there -----------------------------------------------------------------------------------------


def _after_removal(problem: Problem) -> list[Button]:
    if problem.link_id is None or _reason(problem) == ProblemReason.MERGED:
        return []
    document = problem.record_kind in (INVOICE.name, PAYMENT.name)
    label = gettext("Post it again") if document else gettext("Make it again there")
    url = reverse("integrations:post_again", args=[problem.pk])
    return [Button(f"post_again-{problem.pk}", label, url, tone="primary", swaps=True)]


def voiding(problem: Problem) -> list[Button]:
    """Returns the button that voids here what was deleted there, for who may do that."""
    if problem.code != REMOVED or problem.link_id is None or problem.record_kind not in (INVOICE.name, PAYMENT.name):
        return []
    url = reverse("integrations:void_here", args=[problem.pk])
    return [Button(f"void_here-{problem.pk}", gettext("Void it here too"), url, tone="danger", swaps=True)]


# --- amounts --------------------------------------------------------------------------------------------------------


_AMOUNTS = {
    "net": _("Lines less discount"),
    "tax_total": _("Tax"),
    "total": _("Total"),
    "balance": _("Open balance"),
}


def _variance(problem: Problem) -> BooksCard:
    local, remote = ({**(problem.data.get(side) or {})} for side in ("local", "remote"))
    for side in (local, remote):
        side["net"] = _less(side.get("total"), side.get("tax_total"))
    known = [name for name in _AMOUNTS if local.get(name) or remote.get(name)]
    differences = {name: _off(local.get(name), remote.get(name)) for name in known}
    amounts = [
        Amount(str(_AMOUNTS[name]), local.get(name) or "–", remote.get(name) or "–", differences[name])
        for name in known
    ]
    return BooksCard(amounts=amounts, verdict=_verdict({name for name in known if differences[name]}))


def _verdict(off: set[str]) -> str:
    """Returns where the difference comes from, by the amounts that differ."""
    if "net" in off:
        return gettext("The lines or the discount differ; the tax follows from them.")
    if "tax_total" in off:
        return gettext("Lines and discount agree; only the tax differs. Compare the tax rates of both sides.")
    if off:
        return gettext("The invoice is the same; what was paid of it differs. Compare the payments of both sides.")
    return ""


def _decimal(text: Any) -> Decimal | None:
    try:
        return Decimal(str(text)) if text not in (None, "") else None
    except InvalidOperation:
        return None


def _less(one: Any, other: Any) -> str:
    first, second = _decimal(one), _decimal(other)
    return "" if first is None or second is None else cents(first - second)


def _off(one: Any, other: Any) -> str:
    """Returns how much more the other side has; nothing for a cent."""
    first, second = _decimal(one), _decimal(other)
    if first is None or second is None or abs(second - first) <= CENT:
        return ""
    return f"{second - first:+.2f}"
