"""The report: what is compared, with names and the next step for each difference."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import override

from fieldcamp.workspace.models import Client
from integrations.kinds import INVOICE
from integrations.models import BooksReading, BooksSettings, Connection
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.reconciliation.balances import (
    CAUSES,
    BalanceGap,
    by_acceptance,
    difference_of,
    gaps_of,
    remembered_gaps,
)
from integrations.reconciliation.causes import SENTENCES
from integrations.reconciliation.compare import Comparison, Difference, compare
from integrations.reconciliation.documents import HERE, THERE, ZERO, Period
from integrations.reconciliation.links import Customers
from integrations.reconciliation.pairs import BothSides, pairs_of
from integrations.reconciliation.reading import READ
from integrations.reconciliation.receivables import Receivable, receivables_of
from integrations.reconciliation.rows import AcceptedRow, CreditRow, DifferenceRow, EntryRow, OwedRow
from integrations.selectors.links import problem_url, reconciliation_url, record_url


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """Both sides of one company, compared over the days of `period`. True as of `as_of`; `by_reading`: the books were
    asked, and not only compared as they were last seen. `first_day` is that from which the two are kept equal.
    `credits` and `entries` are of all days, and known only by asking. `gaps` are the customers' balances that documents
    do not come to, as the last reading has told them; of those, `accepted` are meant so and no differences."""

    connection: Connection
    as_of: dt.datetime
    by_reading: bool
    period: Period
    first_day: str
    comparison: Comparison
    customers: list[OwedRow]
    differences: list[DifferenceRow]
    credits: list[CreditRow]
    entries: list[EntryRow]
    gaps: list[BalanceGap]
    accepted: list[AcceptedRow]

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.connection.integration]

    @property
    def invoices(self) -> int:
        """Returns how many invoices FieldCamp has in these days."""
        months = self.comparison.months.values()
        return sum(sums.kinds[INVOICE.name][HERE].count for sums in months if INVOICE.name in sums.kinds)

    @property
    def open_here(self) -> Decimal:
        return sum((row.here for row in self.customers), ZERO)

    @property
    def open_there(self) -> Decimal:
        return sum((row.there for row in self.customers), ZERO)

    @property
    def credits_there(self) -> Decimal | None:
        """Returns what is left of all credits; None where the books were not asked."""
        return sum((row.credits or ZERO for row in self.customers), ZERO) if self.by_reading else None

    @property
    def entries_there(self) -> Decimal | None:
        """Returns what is on customers' accounts beside invoices, payments and credits; None where the books were not
        asked."""
        return sum((row.entries or ZERO for row in self.customers), ZERO) if self.by_reading else None

    @property
    def balance_there(self) -> Decimal | None:
        """Returns what all customers owe by all that the books have; None where they were not asked."""
        return sum((row.balance or ZERO for row in self.customers), ZERO) if self.by_reading else None

    @property
    def amount(self) -> Decimal:
        """Returns what the differences come to, each by its size."""
        return sum((row.difference.size for row in self.differences), ZERO)

    @property
    def is_whole(self) -> bool:
        """Returns whether it is about all days from the first one on."""
        return self.period == Period(self.first_day)


def first_day_of(connection: Connection) -> str:
    """Returns the day from which the two are kept equal, or ""."""
    day = BooksSettings.objects.filter(connection=connection).values_list("invoices_from", flat=True).first()
    return day.isoformat() if day else ""


def make_report(
    connection: Connection, *, reading: BooksReading | None = None, first: str | None = None, last: str = ""
) -> ReconciliationReport:
    """Compares both sides from the day `first` to `last`; by default from the chosen first day on, without an end.

    Without a reading the books are taken as they were last seen. Asks no provider and writes nothing."""
    first_day = first_day_of(connection)
    period = Period(first_day if first is None else first, last)
    sides = pairs_of(connection, reading, first_day)
    comparison = compare(sides.pairs, period)
    receivables = _receivables(sides, reading) if reading else None
    gaps = _gaps(connection, sides, receivables) if period == Period(first_day) else []
    standing, meant = by_acceptance(connection, gaps)
    comparison.differences.extend(difference_of(gap, sides.customers) for gap in standing)
    called = {row["customer"]: row["name"] for row in reading.balances} if reading else {}
    concerned = [sides.customers.party_there(gap.customer) for gap, _at in meant]
    names = _Names(connection, sides.customers, comparison, receivables, called, concerned)
    owing = {party for party, both in comparison.owed.items() if any(both.values())} | {*(receivables or ())}
    owed = [names.row(party, *_both(comparison, party)) for party in sorted(owing)]
    return ReconciliationReport(
        connection=connection,
        as_of=(reading.as_of or reading.began_at) if reading else connection.last_synced_at or timezone.now(),
        by_reading=reading is not None,
        period=period,
        first_day=first_day,
        comparison=comparison,
        customers=sorted(owed, key=lambda row: (not row.difference, row.name.casefold(), row.client_id, row.remote_id)),
        differences=[_row(connection, difference, names) for difference in _ordered(comparison.differences)],
        credits=_credit_rows(sides.customers, reading, names) if reading else [],
        entries=_entry_rows(sides.customers, reading, names) if reading else [],
        gaps=gaps,
        accepted=[AcceptedRow(names.row(sides.customers.party_there(gap.customer)), gap, at) for gap, at in meant],
    )


def _gaps(connection: Connection, sides: BothSides, receivables: Mapping[str, Receivable] | None) -> list[BalanceGap]:
    """Returns the balances there that documents do not come to; as they were last read, where nobody has asked."""
    if receivables is None:
        return remembered_gaps(connection)
    unreadable = any(row.get("unreadable") for rows in sides.rows.values() for row in rows.values())
    return list(gaps_of(sides.customers, receivables, unreadable=unreadable))


def _both(comparison: Comparison, party: str) -> tuple[Decimal, Decimal]:
    both = comparison.owed.get(party, {})
    return both.get(HERE, ZERO), both.get(THERE, ZERO)


def _receivables(sides: BothSides, reading: BooksReading) -> dict[str, Receivable]:
    """Returns what customers owe there, by party."""
    invoices, payments = (sides.rows[kind.name].values() for kind in READ)
    owed = receivables_of(
        invoices, payments, reading.credits, reading.balances, reading.entries, sides.customers.parents
    )
    return {sides.customers.party_there(customer): receivable for customer, receivable in owed.items()}


def _credit_rows(customers: Customers, reading: BooksReading, names: "_Names") -> list[CreditRow]:
    """Returns the newest first."""
    rows = [
        CreditRow(
            names.row(customers.party_there(credit["customer"])),
            credit["id"],
            credit["number"],
            credit["date"],
            Decimal(credit["total"]),
            Decimal(credit["open"]),
        )
        for credit in reading.credits
    ]
    return sorted(rows, key=lambda row: (row.date, row.remote_id), reverse=True)


def _entry_rows(customers: Customers, reading: BooksReading, names: "_Names") -> list[EntryRow]:
    """Returns the newest first."""
    rows = [
        EntryRow(
            names.row(customers.party_there(entry["customer"])),
            entry["id"],
            entry["kind"],
            entry["number"],
            entry["date"],
            Decimal(entry["open"]),
        )
        for entry in reading.entries
    ]
    return sorted(rows, key=lambda row: (row.date, row.remote_id), reverse=True)


def _ordered(differences: Iterable[Difference]) -> list[Difference]:
    """Returns the newest first, invoices before payments."""

    def day(difference: Difference) -> str:
        return max(document.date for document in difference.pair.counting())

    by_key = sorted(differences, key=lambda difference: (difference.pair.kind, difference.pair.key))
    return sorted(by_key, key=day, reverse=True)


class _Names:
    """Names of all that the report shows; one query for some hundred clients."""

    def __init__(
        self,
        connection: Connection,
        customers: Customers,
        comparison: Comparison,
        receivables: Mapping[str, Receivable] | None,
        called: Mapping[str, str],
        concerned: Collection[str],
    ):
        self.customers, self.receivables = customers, receivables
        self.called = called
        parties = {party for party, sides in comparison.owed.items() if any(sides.values())}
        for difference in comparison.differences:
            parties |= {document.party for document in difference.pair.counting()} | difference.owed.keys()
        parties |= {*(receivables or ()), *concerned}
        ids = sorted(party for party in parties if not party.startswith(Customers.THERE_ONLY))
        self.clients: dict[str, str] = {}
        for start in range(0, len(ids), 500):
            found = Client.objects.filter(workspace_id=connection.workspace_id, pk__in=ids[start : start + 500])
            self.clients |= {client.pk: str(client) for client in found}

    def row(self, party: str, here: Decimal = ZERO, there: Decimal = ZERO) -> OwedRow:
        remote_id = self.customers.customer_of(party)
        name = self.clients.get(party) or self.customers.names.get(remote_id) or self.called.get(remote_id, "")
        client_id = "" if party.startswith(Customers.THERE_ONLY) else party
        if self.receivables is None:
            return OwedRow(client_id, remote_id, name, here, there)
        owes = self.receivables.get(party) or Receivable()
        return OwedRow(client_id, remote_id, name, here, there, owes.credits, owes.entries, owes.balance)


def _row(connection: Connection, difference: Difference, names: _Names) -> DifferenceRow:
    provider, pair = PROVIDERS[connection.integration], difference.pair
    with override("en"):
        sentence = str(SENTENCES[difference.cause]).format(books=provider.label)
    page_here = record_url(pair.kind, pair.record_id) if pair.here is not None and pair.record_id else ""
    page_there = ""
    if pair.there is not None and provider.page_of is not None:
        page_there = provider.page_of(pair.kind, pair.remote_id, connection.readable_account_id)
    problem, report = problem_url(pair.problem) if pair.problem else "", reconciliation_url(connection.pk)
    accepting = report if difference.cause in CAUSES else ""
    return DifferenceRow(
        difference,
        party=names.row(next(pair.counting()).party),
        owed=[names.row(party, sides[HERE], sides[THERE]) for party, sides in difference.owed.items()],
        sentence=sentence,
        page_here=page_here,
        page_there=page_there,
        problem_url=problem,
        next_action_url=next(filter(None, (accepting, problem, page_here, page_there, report))),
    )
