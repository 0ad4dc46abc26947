"""What the desk shows of a company's reconciliation: the verdict on its card, and the page with all differences."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from fieldcamp import formats
from integrations.admin.values import PLURALS, label_of
from integrations.kinds import CUSTOMER
from integrations.models import BooksReading, Connection, Reconciliation
from integrations.reconciliation.balances import CAUSES, BalanceGap
from integrations.reconciliation.causes import LABELS, SENTENCES
from integrations.reconciliation.documents import HERE, THERE, ZERO, BooksDocument
from integrations.reconciliation.reading import READ
from integrations.reconciliation.report import ReconciliationReport
from integrations.reconciliation.rows import AcceptedRow, DifferenceRow
from integrations.reconciliation.verdict import verdict_of, verdict_words

MOST = 200  # rows of one table; the file for spreadsheets has all
# Fields of the report that are called otherwise than the record's own.
_FIELDS = {"tax": "tax_total", "open": "balance"}


@dataclass(frozen=True)
class VerdictLine:
    """The verdict in a sentence, and the page with the whole report."""

    sentence: str
    agrees: bool
    url: str


@dataclass(frozen=True)
class SumRow:
    """One kind of documents in one month, on both sides."""

    month: str
    kind: str
    here_count: int
    here: str
    there_count: int
    there: str
    difference: str


@dataclass(frozen=True)
class DifferenceLine:
    """A difference as the page shows it; the links are "" where there is no such page."""

    title: str
    name: str
    label: str
    sentence: str
    here: str
    there: str
    here_day: str
    there_day: str
    fields: str
    page_here: str
    page_there: str
    problem_url: str
    accepts: str = ""  # what is sent to say that it is meant so


@dataclass(frozen=True)
class AcceptedLine:
    """A balance that is meant so: whose, over how much, why it differs, and what is sent to take it back."""

    row: AcceptedRow
    label: str
    amount: str
    chosen: str


def verdicts_of(connections: Sequence[Connection]) -> dict[str, VerdictLine]:
    """Returns the last verdict of each company; one query."""
    rows = Reconciliation.objects.filter(connection__in=connections).select_related("connection")
    return {
        row.connection_id: VerdictLine(
            verdict_words(row, row.connection),
            not row.differences,
            reverse("integrations:reconciliation", args=[row.connection_id]),
        )
        for row in rows
        if row.connection.usable
    }


def reconciliation_context(report: ReconciliationReport, under_way: BooksReading | None) -> dict[str, Any]:
    """Returns the page of a report; `under_way` is a reading that goes on meanwhile."""
    connection = report.connection
    differing = [row for row in report.customers if row.difference]
    days = {"first": report.period.first, "last": report.period.last}
    query = urlencode({name: day for name, day in days.items() if day})
    table = reverse("integrations:reconciliation_table", args=[connection.pk])
    return {
        "connection": connection,
        "label": report.provider.label,
        "report": report,
        "first": _day_of(report.period.first),
        "last": _day_of(report.period.last),
        "verdict": verdict_words(verdict_of(report), connection),
        "tone": "warning" if report.differences else "success",
        "sums": _sums(report),
        "customers": [(row, _money(row.here), _money(row.there), _signed(row.difference)) for row in differing[:MOST]],
        "more_customers": max(len(differing) - MOST, 0),
        "owing": sum(1 for row in report.customers if row.here or row.there),
        **_credits(report),
        "differences": [_line(row, report.provider.label) for row in report.differences[:MOST]],
        "more_differences": max(len(report.differences) - MOST, 0),
        "states": _states(report),
        "accept_all": ",".join(filter(None, (_accepts(row) for row in report.differences))),
        "accepted": [
            AcceptedLine(row, str(LABELS[row.gap.cause]), _signed(row.gap.amount), _chosen(row.gap))
            for row in report.accepted
        ],
        "table_url": f"{table}?{query}" if query else table,
        "under_way": under_way,
    }


def _credits(report: ReconciliationReport) -> dict[str, Any]:
    """Returns what is left of credits there, and what customers owe after them; nothing where nobody has asked."""
    if report.credits_there is None or report.balance_there is None:
        return {"credits": [], "more_credits": 0, "entries": [], "more_entries": 0, "balance_there": None}
    rows = [
        (row.party, row.number or "–", _day_of(row.date), _money(row.total), _money(row.left))
        for row in report.credits[:MOST]
    ]
    entries = [
        (row.party, row.kind, row.number or "–", _day_of(row.date), _signed(row.left)) for row in report.entries[:MOST]
    ]
    return {
        "credits": rows,
        "more_credits": max(len(report.credits) - MOST, 0),
        "entries": entries,
        "more_entries": max(len(report.entries) - MOST, 0),
        "entries_there": _signed(report.entries_there) if report.entries_there else "",
        "credits_there": _money(report.credits_there),
        "balance_there": _money(report.balance_there),
    }


def _sums(report: ReconciliationReport) -> list[SumRow]:
    rows = []
    for month, sums in sorted(report.comparison.months.items(), reverse=True):
        first = formats.month(dt.date.fromisoformat(f"{month}-01"))
        for kind in READ:
            here, there = sums.of(kind.name)[HERE], sums.of(kind.name)[THERE]
            if here.count or there.count:
                rows.append(
                    SumRow(
                        first,
                        str(PLURALS[kind.name]),
                        here.count,
                        _money(here.total),
                        there.count,
                        _money(there.total),
                        _signed(here.total - there.total),
                    )
                )
    return rows


def _states(report: ReconciliationReport) -> list[tuple[str, dict[str, int]]]:
    """Returns how many documents of each kind are in which state."""
    return [(str(PLURALS[kind.name]), dict(report.comparison.states[kind.name])) for kind in READ]


def _line(row: DifferenceRow, books: str) -> DifferenceLine:
    difference, pair = row.difference, row.difference.pair
    here, there = (_amount(difference.amount(side)) for side in (HERE, THERE))
    return DifferenceLine(
        title=_title(row),
        name=row.party.name or gettext("Customer {number}").format(number=row.party.remote_id),
        label=str(LABELS[difference.cause]),
        sentence=str(SENTENCES[difference.cause]).format(books=books),
        here=here,
        there=there,
        here_day=_day(row.here),
        there_day=_day(row.there),
        fields=", ".join(label_of(pair.kind, _FIELDS.get(name, name)) for name in difference.fields),
        page_here=row.page_here,
        page_there=row.page_there,
        problem_url=row.problem_url,
        accepts=_accepts(row),
    )


def _accepts(row: DifferenceRow) -> str:
    difference, pair = row.difference, row.difference.pair
    if difference.cause not in CAUSES:
        return ""
    amounts = (difference.amount(side) or ZERO for side in (HERE, THERE))
    return _chosen(BalanceGap(difference.cause, pair.remote_id, *amounts))


def _chosen(gap: BalanceGap) -> str:
    return f"{gap.cause} {gap.customer} {gap.amount}"


def _title(row: DifferenceRow) -> str:
    if row.difference.pair.is_invoice:
        return gettext("Invoice {number}").format(number=row.number or "–")
    if row.difference.pair.kind == CUSTOMER.name:
        return gettext("Balance")
    return gettext("Payment {reference}").format(reference=row.number) if row.number else gettext("Payment")


def _amount(amount: Decimal | None) -> str:
    return gettext("none") if amount is None else _money(amount)


def _day(document: BooksDocument | None) -> str:
    return _day_of(document.date) if document else ""


def _day_of(text: str) -> str:
    """Returns a day as people write it."""
    return formats.day(dt.date.fromisoformat(text)) if text else ""


def _money(amount: Decimal) -> str:
    return formats.money(amount)


def _signed(amount: Decimal) -> str:
    return formats.difference(amount)
