"""What the cards of the books' problems show beside the sentence: who may be the same, and whose amounts differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.money import CENT, cents
from integrations.admin.match_cards import MatchCandidate, match_cards
from integrations.errors import ProblemCode
from integrations.models import Problem
from integrations.services.problems.matches import MatchQuestion


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


def books_cards(problems: Sequence[Problem], questions: Mapping[str, MatchQuestion]) -> dict[str, BooksCard]:
    """Returns them by problem; a constant number of queries."""
    variances = {problem.pk: problem for problem in problems if problem.code == ProblemCode.AMOUNT_VARIANCE}
    cards = {pk: _variance(problem) for pk, problem in variances.items()}
    return cards | {pk: BooksCard(candidates=found) for pk, found in match_cards(problems, questions).items()}


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
        Amount(str(_AMOUNTS[name]), formats.money(local.get(name)), formats.money(remote.get(name)), differences[name])
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
    return formats.difference(second - first)
