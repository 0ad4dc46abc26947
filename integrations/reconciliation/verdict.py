"""The short form of a report: kept with the connection, shown on its card, made anew each night.

Each night it is made of what was last seen, which costs no call; once a week, the books are read.
"""

import datetime as dt
from typing import Any

import structlog
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fieldcamp import formats
from integrations.errors import ProviderError
from integrations.models import Connection, Reconciliation
from integrations.providers import PROVIDERS
from integrations.reconciliation.documents import ZERO
from integrations.reconciliation.reading import StillReading, read_books
from integrations.reconciliation.report import ReconciliationReport, make_report

log = structlog.get_logger(__name__)

WEEKLY = dt.timedelta(days=7)
NIGHT_SECONDS = 60.0  # a task of the queue ends well before its time-out


def keep(report: ReconciliationReport) -> None:
    """Keeps the verdict of a report about all days; one about some days says nothing about the books as a whole."""
    if not report.is_whole:
        return
    values: dict[str, Any] = {
        "as_of": report.as_of,
        "by_reading": report.by_reading,
        "invoices": report.invoices,
        "open_here": report.open_here,
        "differences": len(report.differences),
        "amount": report.amount,
    }
    if report.by_reading:
        values |= {
            "read_at": report.as_of,
            "entries": report.entries_there,
            "balances": [gap.as_json() for gap in report.gaps],
        }
    Reconciliation.objects.update_or_create(connection=report.connection, defaults=values)


def reconcile_tonight(connection: Connection, now: dt.datetime) -> bool:
    """Makes the nightly verdict; false where a reading of large books has to go on with the next call."""
    if connection.last_synced_at is None:
        return True  # nothing was ever compared
    known = Reconciliation.objects.filter(connection=connection).first()
    last_read = known.read_at if known else None
    reading = None
    if last_read is None or last_read < now - WEEKLY:
        try:
            reading = read_books(connection, seconds=NIGHT_SECONDS)
        except StillReading:
            return False
        except ProviderError as error:
            log.info("books_not_read", connection_id=connection.pk, reason=type(error).__name__)
    keep(make_report(connection, reading=reading))
    return True


def verdict_words(verdict: Reconciliation, connection: Connection) -> str:
    """Returns `Agrees with QuickBooks as of 06:00: 10,482 invoices, 48,210.55 open`, in the zone that is in force."""
    moment = _moment(verdict.as_of)
    if not verdict.differences:
        said = ngettext(
            "Agrees with {books} as of {moment}: {number} invoice, {amount} open",
            "Agrees with {books} as of {moment}: {number} invoices, {amount} open",
            verdict.invoices,
        )
        sentence = said.format(
            books=PROVIDERS[connection.integration].label,
            moment=moment,
            number=f"{verdict.invoices:,}",
            amount=formats.money(verdict.open_here),
        )
        return _with_entries(sentence, verdict, connection)
    said = ngettext(
        "{number} difference, {amount}, as of {moment}",
        "{number} differences, {amount}, as of {moment}",
        verdict.differences,
    )
    return said.format(number=f"{verdict.differences:,}", amount=formats.money(verdict.amount), moment=moment)


def _with_entries(sentence: str, verdict: Reconciliation, connection: Connection) -> str:
    """Returns the sentence with what only the books have on customers' accounts, so that nobody takes the open sum for
    what they say is owed."""
    if not verdict.entries:
        return sentence
    more = gettext("{sentence}; beside them {amount} of other entries in {books}")
    label = PROVIDERS[connection.integration].label
    return more.format(sentence=sentence, amount=formats.difference(verdict.entries), books=label)


def verdict_of(report: ReconciliationReport) -> Reconciliation:
    """Returns the report's verdict, not stored."""
    return Reconciliation(
        connection=report.connection,
        as_of=report.as_of,
        by_reading=report.by_reading,
        invoices=report.invoices,
        open_here=report.open_here,
        differences=len(report.differences),
        amount=report.amount,
        entries=report.entries_there or ZERO,
    )


def _moment(moment: dt.datetime) -> str:
    today = timezone.localtime(moment).date() == timezone.localdate()
    return formats.clock(moment) if today else formats.moment(moment)
