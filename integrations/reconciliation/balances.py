"""Customers' balances in the books that are not what their documents come to, and whether that is meant so.

Only asking the books tells them; what the last reading has found is kept, so that no report forgets it until the next.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldcamp.money import cents
from integrations.kinds import CUSTOMER
from integrations.models import AcceptedBalance, Connection, Reconciliation
from integrations.reconciliation.causes import Cause
from integrations.reconciliation.compare import Difference
from integrations.reconciliation.documents import BooksDocument, BooksPair
from integrations.reconciliation.links import Customers
from integrations.reconciliation.receivables import Receivable

CAUSES = (Cause.ENTRIES, Cause.BALANCE)


@dataclass(frozen=True, slots=True)
class BalanceGap:
    """What of one customer's balance there (`customer` is the id there) is not explained by `known`: as there are other
    entries on the account, or nobody knows why."""

    cause: Cause
    customer: str
    known: Decimal
    balance: Decimal

    @property
    def amount(self) -> Decimal:
        """Returns how much more the customer owes there; negative where it is less."""
        return self.balance - self.known

    def as_json(self) -> dict[str, str]:
        return {
            "cause": self.cause,
            "customer": self.customer,
            "known": cents(self.known),
            "balance": cents(self.balance),
        }


def gaps_of(customers: Customers, owed: Mapping[str, Receivable], *, unreadable: bool) -> Iterator[BalanceGap]:
    """Yields them by what was read, of `owed` by party. Where a document is `unreadable` that is a difference already,
    and on somebody's balance all the same."""
    for party, one in owed.items():
        known, customer = one.balance - one.unexplained, customers.customer_of(party)
        if one.entries:
            yield BalanceGap(Cause.ENTRIES, customer, known - one.entries, known)
        if one.unexplained and not unreadable:
            yield BalanceGap(Cause.BALANCE, customer, known, one.balance)


def remembered_gaps(connection: Connection) -> list[BalanceGap]:
    """Returns those of the last reading."""
    rows = Reconciliation.objects.filter(connection=connection).values_list("balances", flat=True).first()
    return [_from_json(row) for row in rows or ()]


def _from_json(row: Mapping[str, Any]) -> BalanceGap:
    return BalanceGap(Cause(row["cause"]), row["customer"], Decimal(row["known"]), Decimal(row["balance"]))


def by_acceptance(
    connection: Connection, gaps: Iterable[BalanceGap]
) -> tuple[list[BalanceGap], list[tuple[BalanceGap, dt.datetime]]]:
    """Returns those that nobody has accepted with this amount, and those that somebody has, with the time."""
    rows = AcceptedBalance.objects.filter(connection=connection)
    accepted = {(row.cause, row.customer, row.amount): row.accepted_at for row in rows}
    standing: list[BalanceGap] = []
    meant: list[tuple[BalanceGap, dt.datetime]] = []
    for gap in gaps:
        at = accepted.get((gap.cause, gap.customer, gap.amount))
        if at is None:
            standing.append(gap)
        else:
            meant.append((gap, at))
    return standing, meant


def difference_of(gap: BalanceGap, customers: Customers) -> Difference:
    """Returns the gap as a difference: no document's, and in no sum of documents."""
    party = customers.party_there(gap.customer)
    pair = BooksPair(
        f"{gap.cause}:{party}",
        CUSTOMER.name,
        record_id="" if party.startswith(Customers.THERE_ONLY) else party,
        remote_id=gap.customer,
        here=BooksDocument("", party, gap.known),
        there=BooksDocument("", party, gap.balance),
    )
    return Difference(pair, gap.cause, ("balance",), {})
