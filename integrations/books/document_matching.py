"""Finding out which invoices and payments of two sides are the same. Pure.

A number that both sides count on by themselves, an amount, a day are equal by chance, too: what agrees in some of them
is a question, and nothing is linked that a person may have entered as another one.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from integrations.books.matching import Doubts, Matches
from integrations.sync import folding
from integrations.sync.folding import UNSTATED_METHOD

NEAR = dt.timedelta(days=10)  # how far apart the days are on which two people enter the same money
NEAR_BY_REFERENCE = dt.timedelta(days=60)  # ... where the same check is named over the same amount
MOST_TOLD = 3  # payments that one sentence describes


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice of either side: our record's id or their link's id. `customer` is the id there. `old`: it was there
    before the two sides knew each other, so that nothing but its entering by hand can have made two of it."""

    id: str | int
    remote_id: str = ""
    number: str = ""
    customer: str = ""
    total: str = ""
    date: str = ""
    old: bool = True


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment of either side. `payer` and the invoices of `shares` (by amount) are ids there."""

    id: str | int
    remote_id: str = ""
    payer: str = ""
    date: str = ""
    amount: str = ""
    reference: str = ""
    method: str = ""
    shares: tuple[tuple[str, str], ...] = ()

    @property
    def invoices(self) -> frozenset[str]:
        return frozenset(invoice for invoice, _ in self.shares)


Paper = TypeVar("Paper", Bill, Receipt)


def match_bills(ours: Iterable[Bill], theirs: Iterable[Bill]) -> Matches:
    """Asks about each that has the number of another. Linked is only what both had before they knew each other, and
    what then agrees in number, client, total and day."""
    numbered: dict[str, list[Bill]] = defaultdict(list)
    for bill in theirs:
        if bill.number:
            numbered[folding.number(bill.number)].append(bill)
    likely = [(mine, numbered.get(folding.number(mine.number), [])) for mine in ours if mine.number]
    return _resolved(likely, _is_that_bill)


def _is_that_bill(mine: Bill, other: Bill) -> bool:
    agree = (mine.customer, mine.total, mine.date) == (other.customer, other.total, other.date)
    return mine.old and other.old and bool(mine.customer) and agree


def match_receipts(ours: Iterable[Receipt], theirs: Iterable[Receipt]) -> Matches:
    """Asks about each that may be the same money. Linked is what agrees in payer, day, amount and in what is paid by
    it, and contradicts itself in nothing."""
    return _resolved(pairs(ours, theirs, may_be_same), _is_that_receipt)


def pairs(
    ours: Iterable[Receipt], theirs: Iterable[Receipt], likely: Callable[[Receipt, Receipt], bool]
) -> list[tuple[Receipt, list[Receipt]]]:
    """Returns each of ours with those of theirs that are likely the same."""
    known: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in theirs:
        for mark in _marks(receipt):
            known[mark].append(receipt)
    found = []
    for mine in ours:
        others = {other.id: other for mark in _marks(mine) for other in known.get(mark, ())}
        found.append((mine, [other for other in others.values() if likely(mine, other)]))
    return found


def _marks(receipt: Receipt) -> list[tuple[str, str]]:
    """Returns by what two payments are worth a comparison: the payer or an invoice is always the same."""
    payer = [("payer", receipt.payer)] if receipt.payer else []
    return [*payer, *(("invoice", invoice) for invoice in receipt.invoices)]


def may_be_same(mine: Receipt, other: Receipt) -> bool:
    """Returns whether two payments of one payer, or of one invoice, may be the same money: equal in amount and about
    the day, or naming the same check. Two checks that are called differently are two, unless they are for one
    invoice."""
    amount = Decimal(mine.amount or 0) == Decimal(other.amount or 0) != 0
    reference = _names_the_same(mine, other)
    if not amount and not reference:
        return False
    if amount and not reference and _names_another(mine, other) and not mine.invoices & other.invoices:
        return False
    apart = _apart(mine.date, other.date)
    return apart is None or apart <= (NEAR_BY_REFERENCE if amount and reference else NEAR)


def repeats(mine: Receipt, other: Receipt) -> bool:
    """Returns whether what one side has entered anew may be money that both sides have already: `may_be_same`, and the
    same check, or for one invoice, or for none. Two invoices that are each paid are paid twice."""
    paid_once = bool(mine.invoices & other.invoices) or not (mine.invoices and other.invoices)
    return may_be_same(mine, other) and (paid_once or _names_the_same(mine, other))


def told_apart(mine: Receipt, other: Receipt, books: str) -> str:
    """Returns both as a sentence names them, and in what they differ: what only one of the two says is no
    difference."""
    said = f"In FieldCamp it is {_said(mine)}; in {books} {_said(other)}."
    names = _differences(mine, other)
    return f"{said} They differ in: {', '.join(names)}." if names else f"{said} They differ in nothing that both say."


def told_apart_from(mine: Receipt, others: Sequence[Receipt], books: str) -> str:
    """Returns a payment of ours and each of several of the books' as a sentence names them, the first MOST_TOLD, with
    that in which each differs from it."""
    told = [f"{_said(other)} (differs in: {', '.join(_differences(mine, other)) or 'nothing'})" for other in others]
    more = [f"{len(others) - MOST_TOLD} more"] if len(others) > MOST_TOLD else []
    return f"In FieldCamp it is {_said(mine)}; in {books} {'; '.join([*told[:MOST_TOLD], *more])}."


def _differences(mine: Receipt, other: Receipt) -> list[str]:
    both: list[tuple[str, object, object]] = [
        ("amount", mine.amount, other.amount),
        ("date", mine.date, other.date),
        ("number", folding.number(mine.reference), folding.number(other.reference)),
        ("method", mine.method.removeprefix(UNSTATED_METHOD), other.method.removeprefix(UNSTATED_METHOD)),
        ("customer", mine.payer, other.payer),
        ("invoices", mine.shares, other.shares),
    ]
    return [name for name, one, two in both if one and two and one != two]


def _said(receipt: Receipt) -> str:
    number = f"no. {receipt.reference}" if receipt.reference else "without a number"
    return f"{receipt.amount} of {receipt.date}, {number}"


def _is_that_receipt(mine: Receipt, other: Receipt) -> bool:
    agree = (mine.payer, mine.date, mine.amount, mine.shares) == (other.payer, other.date, other.amount, other.shares)
    methods = {mine.method, other.method} - {"", UNSTATED_METHOD}
    return agree and bool(mine.shares) and not _names_another(mine, other) and len(methods) < 2


def _names_the_same(mine: Receipt, other: Receipt) -> bool:
    return bool(mine.reference) and folding.number(mine.reference) == folding.number(other.reference)


def _names_another(mine: Receipt, other: Receipt) -> bool:
    return bool(mine.reference and other.reference) and not _names_the_same(mine, other)


def _apart(one: str, other: str) -> dt.timedelta | None:
    try:
        return abs(dt.date.fromisoformat(one) - dt.date.fromisoformat(other))
    except ValueError:
        return None


def _resolved(likely: Sequence[tuple[Paper, list[Paper]]], certain: Callable[[Paper, Paper], bool]) -> Matches:
    """Links those of which exactly one of each side is certain; the rest of what is likely is asked about."""
    sure = {str(mine.id): [other for other in others if certain(mine, other)] for mine, others in likely}
    claims: dict[str | int, int] = defaultdict(int)
    for others in sure.values():
        for other in others:
            claims[other.id] += 1
    links: Mapping[str, int] = {
        record_id: int(others[0].id)
        for record_id, others in sure.items()
        if len(others) == 1 and claims[others[0].id] == 1
    }
    taken = {*links.values()}
    doubts: Doubts = {}
    for mine, others in likely:
        if str(mine.id) in links:
            continue
        if asked := [other.remote_id for other in others if other.id not in taken]:
            doubts[str(mine.id)] = asked
    return Matches(dict(links), doubts)
