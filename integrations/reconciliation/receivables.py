"""What each customer owes in the books by all that the books have, whoever else knows of it: pure.

It is what the books call the customer's balance: open invoices, less what is left of payments and of credits, and what
else a bookkeeper has put on it (journal entries, say). Credits are in the books by their nature, so they are no
differences. Other entries are one until somebody says that they are meant so, and so is a balance that all of these
together do not come to. What one side has by choice counts here, too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.reconciliation.documents import ZERO

Row = Mapping[str, Any]


@dataclass(slots=True)
class Receivable:
    """One customer of the books: what is left of credits, what other entries come to, what is owed by the books' own
    word, and how much of that nothing explains: what is `apart` of one customer may be a place's or a parent's."""

    credits: Decimal = ZERO
    entries: Decimal = ZERO
    balance: Decimal = ZERO
    apart: Decimal = ZERO
    unexplained: Decimal = ZERO


def receivables_of(
    invoices: Collection[Row],
    payments: Collection[Row],
    credits: Iterable[Row],
    balances: Iterable[Row],
    entries: Iterable[Row] = (),
    parents: Mapping[str, str] | None = None,
) -> dict[str, Receivable]:
    """Returns what customers owe there, by their ids. The rows are as a reading keeps them; one that cannot be read
    adds nothing. `parents` say whose place a customer is, for those of whom the balances do not."""
    found: dict[str, Receivable] = defaultdict(Receivable)
    above = dict(parents or {})
    for row in balances:
        found[_customer(row)].balance = Decimal(row["balance"])
        above[_customer(row)] = row["parent"]
    known: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in invoices:
        known[_customer(row)] += Decimal(row.get("balance") or 0)
    paid_for = _paid_for_others(invoices, payments)
    for row in payments:
        known[_customer(row)] -= Decimal(row.get("unapplied") or 0)
    for row in credits:
        found[_customer(row)].credits += Decimal(row["open"])
        known[_customer(row)] -= Decimal(row["open"])
    for row in entries:
        found[_customer(row)].entries += Decimal(row["open"])
        known[_customer(row)] += Decimal(row["open"])
    _explain(found, known, paid_for, above)
    found.pop("", None)
    return {
        customer: owed for customer, owed in found.items() if owed.credits or owed.entries or owed.balance or owed.apart
    }


def _paid_for_others(invoices: Iterable[Row], payments: Iterable[Row]) -> dict[str, Decimal]:
    """Returns by how much balances differ from what is open as somebody has paid for another: the payer's bears the
    whole payment, the other one's the whole invoice."""
    owners = {row["id"]: _customer(row) for row in invoices if "id" in row}
    moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in payments:
        payer = _customer(row)
        for share in row.get("allocations") or ():
            owner = owners.get(share["invoice"], payer)
            if owner != payer:
                moved[payer] -= Decimal(share["amount"])
                moved[owner] += Decimal(share["amount"])
    return moved


def _explain(
    found: dict[str, Receivable],
    known: Mapping[str, Decimal],
    paid_for: Mapping[str, Decimal],
    above: Mapping[str, str],
) -> None:
    """Notes what nothing explains. A parent's credit that is applied for a place is one of each on their balances, and
    nothing says so: of what is left, it is the family's balances together that have to come out."""
    families: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for who in {*found, *known} - {""}:
        rest = found[who].balance - known.get(who, ZERO)
        found[who].apart = rest and rest - paid_for.get(who, ZERO)
        families[_head(who, above)] += found[who].apart
    for who, owed in found.items():
        owed.unexplained = owed.apart if families[_head(who, above)] else ZERO


def _head(customer: str, above: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while above.get(customer) and customer not in seen:
        seen.add(customer)
        customer = above[customer]
    return customer


def _customer(row: Row) -> str:
    return str(row.get("customer") or "")
