"""Comparing both sides' documents, and adding up: pure, so that the sums and the differences explain each other.

What is owed is added up by documents. An invoice counts with its open balance and what payments have taken of it (its
total less its deposit, where nothing else has settled it), a payment with what it takes off invoices and what it leaves
unapplied, both negative. Together these are the open balances less what is unapplied; and a payment that is on one side
only is one difference, not one more for each invoice whose balance it moves.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from integrations.reconciliation.causes import CUSTOMER_FIELD, Cause, cause_of
from integrations.reconciliation.documents import (
    HERE,
    SIDES,
    THERE,
    ZERO,
    BooksDocument,
    BooksPair,
    BooksSideName,
    DocumentState,
    Period,
)

Owed = dict[str, Decimal]  # by party
_OPEN = {CUSTOMER_FIELD, "total", "amount", "deposit", "allocations"}  # what is open follows from each of these


@dataclass(slots=True)
class SideSum:
    """How many documents one side has, and what they come to."""

    count: int = 0
    total: Decimal = ZERO


@dataclass(slots=True)
class MonthSums:
    """One month's sums, by kind and side; `apart` are those of documents that are on one side by choice."""

    kinds: dict[str, dict[BooksSideName, SideSum]] = field(default_factory=dict)
    apart: dict[str, dict[BooksSideName, SideSum]] = field(default_factory=dict)

    def of(self, kind: str, apart: bool = False) -> dict[BooksSideName, SideSum]:
        sums = self.apart if apart else self.kinds
        return sums.setdefault(kind, {side: SideSum() for side in SIDES})


@dataclass(frozen=True, slots=True)
class Difference:
    """A pair whose sides are not equal. `fields` name what differs where both have the document; `owed` is what it adds
    to what each party owes, on each side."""

    pair: BooksPair
    cause: Cause
    fields: tuple[str, ...]
    owed: dict[str, dict[BooksSideName, Decimal]]

    def amount(self, side: BooksSideName) -> Decimal | None:
        """Returns what it comes to there: zero where it is void, None where there is none."""
        if document := self.pair.side(side):
            return document.amount
        return None if (self.pair.here if side is HERE else self.pair.there) is None else ZERO

    @property
    def size(self) -> Decimal:
        """Returns by how much the two are apart, without a sign."""
        return abs((self.amount(HERE) or ZERO) - (self.amount(THERE) or ZERO))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides, compared: sums by month ("2026-11"), what each party owes, what differs, and how many documents of
    each kind are in which state."""

    months: dict[str, MonthSums]
    owed: dict[str, dict[BooksSideName, Decimal]]
    differences: list[Difference]
    states: dict[str, Counter[str]]


def compare(pairs: Sequence[BooksPair], period: Period) -> Comparison:
    """Compares the documents that are dated in these days on either side, and the payments of such invoices."""
    return _Comparing(pairs, period).compare()


class _Comparing:
    def __init__(self, pairs: Sequence[BooksPair], period: Period):
        self.period = period
        self.apart = [pair for pair in pairs if pair.apart and self._dated_inside(pair)]
        pairs = [pair for pair in pairs if not pair.apart]
        self.invoices = {pair.key: pair for pair in pairs if pair.is_invoice and self._dated_inside(pair)}
        self.payments = [
            pair
            for pair in pairs
            if not pair.is_invoice
            and (self._dated_inside(pair) or any(key in self.invoices for one in pair.counting() for key in one.shares))
        ]
        self.settled: dict[BooksSideName, dict[str, Decimal]] = {side: defaultdict(lambda: ZERO) for side in SIDES}
        for pair in self.payments:
            for side in SIDES:
                if document := pair.side(side):
                    for key, share in document.shares.items():
                        self.settled[side][key] += share

    def _dated_inside(self, pair: BooksPair) -> bool:
        return pair.unreadable or any(self.period.holds(document.date) for document in pair.counting())

    def compare(self) -> Comparison:
        found = Comparison({}, {}, [], defaultdict(Counter))
        for pair in self.apart:
            found.states[pair.kind][pair.state] += 1
            for side in SIDES:
                self._add_up(found, pair, side)
        for pair in (*self.invoices.values(), *self.payments):
            found.states[pair.kind][pair.state] += 1
            for side in SIDES:
                self._add_up(found, pair, side)
            owed = {side: {party: sum_ for party, sum_ in self._owed(pair, side).items() if sum_} for side in SIDES}
            for side in SIDES:
                for party, amount in owed[side].items():
                    found.owed.setdefault(party, dict.fromkeys(SIDES, ZERO))[side] += amount
            if difference := self._difference(pair, owed[HERE], owed[THERE]):
                found.differences.append(difference)
        return found

    def _add_up(self, found: Comparison, pair: BooksPair, side: BooksSideName) -> None:
        document = pair.side(side)
        if document is None or not self.period.holds(document.date):
            return
        sums = found.months.setdefault(document.date[:7], MonthSums()).of(pair.kind, pair.apart)[side]
        sums.count += 1
        sums.total += document.amount

    def _owed(self, pair: BooksPair, side: BooksSideName) -> Owed:
        """Returns what the document adds to what each party owes on this side."""
        document = pair.side(side)
        if document is None:
            return {}
        found: Owed = defaultdict(lambda: ZERO)
        if pair.is_invoice:
            settled = self.settled[side][pair.key]
            unpaid = document.amount - document.deposit - settled
            found[document.party] += unpaid if document.remainder is None else document.remainder
            found[self._owner(pair)] += settled
            return found
        for key, share in document.shares.items():
            if key in self.invoices:
                found[self._owner(self.invoices[key])] -= share
        if self.period.holds(document.date):
            found[document.party] -= document.remainder or ZERO
        return found

    def _owner(self, invoice: BooksPair) -> str:
        """Returns at whom payments of the invoice count, on both sides the same: that it moved to another customer is
        the invoice's difference alone."""
        return next(invoice.counting()).party

    def _difference(self, pair: BooksPair, here: Owed, there: Owed) -> Difference | None:
        one, other = pair.side(HERE), pair.side(THERE)
        fields = _differing(pair, one, other) if one and other else ()
        if one and other and here != there and not _OPEN & set(fields):
            fields = (*fields, "open")
        if one and other and not fields and not pair.cut and not pair.unreadable:
            return None
        owed = {
            party: {HERE: here.get(party, ZERO), THERE: there.get(party, ZERO)} for party in sorted({*here, *there})
        }
        return Difference(pair, cause_of(pair, fields), fields, owed)


def _counts_number(pair: BooksPair) -> bool:
    """Returns whether another number is a difference: that of a posted invoice is the bookkeeper's, so one that a sync
    has seen is kept, and only one that is still on its way to either side is not what it should be."""
    return not pair.is_invoice or pair.unread or pair.state is not DocumentState.LINKED


def _differing(pair: BooksPair, here: BooksDocument, there: BooksDocument) -> tuple[str, ...]:
    """Returns the names of what both sides say and say differently."""
    names = []
    if here.number is not None and there.number is not None and here.number != there.number and _counts_number(pair):
        names.append("number" if pair.is_invoice else "reference")
    if here.party != there.party:
        names.append(CUSTOMER_FIELD)
    if here.date != there.date:
        names.append("date")
    if here.amount != there.amount:
        names.append("total" if pair.is_invoice else "amount")
    if here.tax is not None and there.tax is not None and here.tax != there.tax:
        names.append("tax")
    if here.deposit != there.deposit:
        names.append("deposit")
    if dict(here.shares) != dict(there.shares):
        names.append("allocations")
    return tuple(names)
