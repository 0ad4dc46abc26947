"""Asking the books for all invoices and payments, for what is left of credits and for what customers owe: once for all
who want a report, page by page.

A whole reading serves for some minutes; whoever asks meanwhile has what changed since added to it, which is one call,
and the credits and balances read again, which is three more.
Whoever holds the claim reads; the others wait for what it brings. A reading that was broken off (its time was up, its
process died) is continued where it stood. No transaction is open while the books are asked.
"""

import dataclasses
import datetime as dt
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from integrations.accounts.clients import open_remote
from integrations.calendar.window import window_at
from integrations.errors import CursorExpired, Endless, Unavailable
from integrations.kinds import CUSTOMER, INVOICE, PAYMENT, Kind
from integrations.models import BooksReading, Connection, Link, ReadingPage, Stream
from integrations.paging import getting_on
from integrations.providers.base import BooksClient, ProviderClient
from integrations.reconciliation.receivables import receivables_of
from integrations.records import RemoteRecord

log = structlog.get_logger(__name__)

KEPT = dt.timedelta(minutes=5)  # so long a whole reading serves, with what changed since
CLAIM = dt.timedelta(seconds=60)  # longer than one call may take
ABANDONED = dt.timedelta(hours=1)  # an unfinished reading is not continued later than this
SECONDS = 10.0  # a person or a program waits so long
POLL = 0.1
READ = (INVOICE, PAYMENT)
# What is kept of each record.
FIELDS: Mapping[str, tuple[str, ...]] = {
    INVOICE.name: ("number", "customer", "date", "voided", "total", "tax_total", "balance", "deposit"),
    PAYMENT.name: ("reference", "customer", "date", "voided", "amount", "unapplied", "allocations"),
}


class StillReading(Exception):
    """The books are so large that they are still being read: `records` have been so far."""

    def __init__(self, records: int):
        self.records = records
        super().__init__(f"The books are still being read, {records:,} documents so far. Ask again in some seconds.")


class _ClaimLost(Exception):
    """Somebody else reads on, or the reading is gone."""


def finished_reading(connection: Connection, kept: dt.timedelta = KEPT) -> BooksReading | None:
    """Returns the whole reading that still serves, if there is one."""
    since = timezone.now() - kept
    found = BooksReading.objects.filter(connection=connection, finished_at__gte=since)
    return found.order_by("-finished_at", "-pk").first()


def unfinished_reading(connection: Connection) -> BooksReading | None:
    """Returns the reading that is under way, or was broken off a short while ago."""
    since = timezone.now() - ABANDONED
    return BooksReading.objects.unfinished().filter(connection=connection, began_at__gte=since).first()


def read_books(connection: Connection, *, seconds: float = SECONDS, kept: dt.timedelta = KEPT) -> BooksReading:
    """Returns a reading that is true of now, made within about so many seconds of a whole one that is not older than
    `kept`.

    Raises StillReading where that is not enough (the next call goes on), and any ProviderError.
    """
    asked_at, ends, begun_anew = timezone.now(), time.monotonic() + seconds, False
    while True:
        whole = finished_reading(connection, kept)
        if whole and whole.as_of and whole.as_of >= asked_at:
            return whole  # another who asked meanwhile has brought it
        reading = whole or unfinished_reading(connection) or _begin(connection, kept)
        if reading and _claim(reading):
            try:
                if _read_on(connection, reading, ends):
                    return reading
                raise StillReading(reading.records)
            except _ClaimLost:
                log.info("reading_lost", connection_id=connection.pk)
            except CursorExpired as error:  # too old to be continued, or more has changed than is told
                reading.delete()
                if begun_anew:  # this one was as new as can be
                    raise Unavailable("The books change faster than they can be read.", detail=str(error)) from None
                begun_anew = True
            except Endless:
                reading.delete()
                raise
            finally:
                _let_go(reading)
        elif time.monotonic() > ends:
            raise StillReading(reading.records if reading else 0)
        else:
            time.sleep(POLL)


def forget_readings(before: dt.datetime) -> int:
    """Drops readings that serve nobody any more; how many they were."""
    return BooksReading.objects.filter(began_at__lt=before).delete()[0]


# --- the claim ------------------------------------------------------------------------------------------------------


def _begin(connection: Connection, kept: dt.timedelta) -> BooksReading | None:
    """Returns a new reading; None where another was faster."""
    now = timezone.now()
    # Not one that another has begun this very moment.
    BooksReading.objects.unfinished().filter(connection=connection, began_at__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            begun = BooksReading.objects.create(connection=connection, began_at=now)
    except IntegrityError:
        return None
    if finished_reading(connection, kept):  # begun and finished by another since we looked
        begun.delete()
        return None
    return begun


def _claim(reading: BooksReading) -> bool:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    claim = uuid.uuid4().hex
    if not BooksReading.objects.filter(free, pk=reading.pk).update(claim=claim, claimed_until=now + CLAIM):
        return False
    reading.refresh_from_db()
    return reading.claim == claim


def _renew(reading: BooksReading, **values: Any) -> None:
    now = timezone.now()
    mine = BooksReading.objects.filter(pk=reading.pk, claim=reading.claim, claimed_until__gte=now)
    if not mine.update(claimed_until=now + CLAIM, **values):
        raise _ClaimLost


def _let_go(reading: BooksReading) -> None:
    BooksReading.objects.filter(pk=reading.pk, claim=reading.claim).update(claim="", claimed_until=None)


# --- the reading ----------------------------------------------------------------------------------------------------


def _read_on(connection: Connection, reading: BooksReading, ends: float) -> bool:
    """Reads until everything is there and true of now, or the time is up; whether it is."""
    remote = cast(BooksClient, open_remote(connection, before_call=lambda: _renew(reading), attempts=2))
    streams = [stream for kind in READ for stream in connection.streams.filter(kind=kind.name)]
    for stream in streams:
        if not _list(remote, reading, stream, ends):
            return False
    as_of = timezone.now()
    changes = {stream.kind: _changed(remote, reading, stream) for stream in streams}
    _finish(connection, remote, reading, changes, as_of)
    return True


def _list(remote: ProviderClient, reading: BooksReading, stream: Stream, ends: float) -> bool:
    state = reading.cursors.get(stream.container_id, {})
    if state.get("whole"):
        return True
    window, turns = window_at(reading.began_at), state.get("turns", {})
    for page in getting_on(remote.changes(stream.container_id, state.get("cursor", ""), window), turns):
        reading.cursors[stream.container_id] = {"cursor": page.cursor, "whole": page.last, "turns": turns}
        _save(reading, stream.kind, page.records)
        if time.monotonic() > ends and not page.last:
            return False
    return True


def _changed(remote: ProviderClient, reading: BooksReading, stream: Stream) -> list[dict[str, Any]]:
    """Returns what has changed since the pages were read, or were last brought up to date, so that all is true of one
    moment."""
    rows: list[dict[str, Any]] = []
    state = reading.cursors[stream.container_id]
    for page in getting_on(remote.changes(stream.container_id, state["cursor"], window_at(reading.began_at))):
        doubtful = [record.id for record in page.records if record.doubtful]
        certain = [record for record in page.records if not record.doubtful]
        looked_up = remote.get(stream.container_id, doubtful).values() if doubtful else ()
        rows += [_row(stream.kind, record) for record in (*certain, *looked_up)]
        state["cursor"] = page.cursor
    return rows


def _save(reading: BooksReading, kind: str, records: Iterable[RemoteRecord]) -> None:
    rows = [_row(kind, record) for record in records]
    reading.records += len(rows)
    with transaction.atomic():
        _renew(reading, cursors=reading.cursors, records=reading.records)
        _add_page(reading, kind, rows)


def _add_page(reading: BooksReading, kind: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        ReadingPage.objects.create(reading=reading, kind=kind, records=rows)


def _row(kind: str, record: RemoteRecord) -> dict[str, Any]:
    row: dict[str, Any] = {name: record.fields[name] for name in FIELDS[kind] if name in record.fields}
    row["id"] = record.id
    if record.gone:
        row["gone"] = True
    if record.fault is not None:
        row["unreadable"] = True
    if record.marker:
        row["for"] = record.marker.record_id or record.marker.remote_id
    return row


def _finish(
    connection: Connection,
    remote: BooksClient,
    reading: BooksReading,
    changes: Mapping[str, list[dict[str, Any]]],
    as_of: dt.datetime,
) -> None:
    """Adds what has changed, all at once: nobody may see half of it."""
    gone = _gone_customers(connection, remote, reading, [row for rows in changes.values() for row in rows])
    credits_ = [dataclasses.asdict(credit) for credit in remote.open_credits()]
    balances = [dataclasses.asdict(balance) for balance in remote.balances()]
    entries = _other_entries(remote, reading, changes, credits_, balances)
    finished_at = reading.finished_at or timezone.now()
    values = {"gone_customers": gone, "credits": credits_, "balances": balances, "entries": entries,
              "cursors": reading.cursors}  # fmt: skip
    with transaction.atomic():
        _renew(reading, as_of=as_of, finished_at=finished_at, **values)
        for kind, rows in changes.items():
            _add_page(reading, kind, rows)
        BooksReading.objects.finished().filter(connection=connection).exclude(pk=reading.pk).delete()
    reading.refresh_from_db()


def _other_entries(
    remote: BooksClient,
    reading: BooksReading,
    changes: Mapping[str, list[dict[str, Any]]],
    credits_: list[dict[str, Any]],
    balances: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Returns what else is on the accounts of customers whose balance is not what their invoices, payments and credits
    come to; where there is none, nothing is asked."""
    invoices, payments = (_merged([*_pages(reading, kind), changes.get(kind.name, [])]).values() for kind in READ)
    owed = receivables_of(invoices, payments, credits_, balances)
    puzzling = [customer for customer, receivable in owed.items() if receivable.apart]
    return [dataclasses.asdict(entry) for entry in remote.other_entries(puzzling)] if puzzling else []


def _gone_customers(
    connection: Connection, remote: ProviderClient, reading: BooksReading, changed: list[dict[str, Any]]
) -> list[str]:
    """Returns which customers the books do not have any more, of those that documents were moved off since the last
    sync. What the sync has seen of customers itself needs no call."""
    customers = connection.streams.filter(kind=CUSTOMER.name).first()
    if customers is None:
        return []
    links = Link.objects.live().linked().filter(stream__connection=connection, kind__in=[kind.name for kind in READ])
    before = dict(links.values_list("remote_id", KeyTextTransform("customer", "seen")))
    moved = {
        before[row["id"]]
        for row in (*(row for page in reading.pages.all() for row in page.records), *changed)
        if before.get(row["id"]) and row.get("customer") and row["customer"] != before[row["id"]]
    }
    found = remote.get(customers.container_id, sorted(moved)) if moved else {}
    return sorted(id for id, record in found.items() if record.gone)


def rows_of(reading: BooksReading, kind: Kind) -> dict[str, dict[str, Any]]:
    """Returns the records of this kind by their ids, as they were last listed; those that are gone are left out."""
    return _merged(_pages(reading, kind))


def _pages(reading: BooksReading, kind: Kind) -> Iterator[list[dict[str, Any]]]:
    return (page.records for page in reading.pages.filter(kind=kind.name).order_by("pk"))


def _merged(pages: Iterable[list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for page in pages:
        for row in page:
            found[row["id"]] = row
    return {id: row for id, row in found.items() if not row.get("gone")}
