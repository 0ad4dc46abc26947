"""What the first sync of a company's books would do, before anything is written.

The sides that the sync itself asks are asked here, about links that are only pretended: so the two cannot disagree.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone

from integrations.calendar.window import window_at
from integrations.errors import Unavailable
from integrations.kinds import BOOKS, KINDS, KindName
from integrations.models import Connection, Link, Stream
from integrations.paging import getting_on
from integrations.providers.base import BooksClient
from integrations.records import RemoteRecord
from integrations.services.books.pretending import Pretended
from integrations.services.books.preview_rows import Count, Fate, PreviewRow, Span, span_of
from integrations.services.books.setup import known_company, open_books
from integrations.transport.patience import left

MOST = 10_000  # records of one kind on either side: a preview has to appear while somebody waits
SECONDS = 2.5  # from then on one page of each kind that is left


@dataclass(frozen=True)
class BooksPreview:
    """`complete` is false where there is so much that the reading was broken off: the numbers are then the least that
    there is; `unread` are kinds that a slow provider has not told yet. `total` is what the invoices to post come to,
    `tax` of it is tax; `paid` is what the payments to post come to. `closed` invoices are dated in closed books. `rows`
    are the records by name, by kind and fate, the first of each, and `spans` the days of all documents that are made.
    Nothing is ever removed by a first sync."""

    counts: Mapping[str, Count]
    total: Decimal
    closed: int
    reasons: Mapping[str, int]
    complete: bool
    unread: Sequence[str] = ()
    tax: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    rows: Mapping[tuple[str, Fate], Sequence[PreviewRow]] = field(default_factory=dict)
    spans: Mapping[tuple[str, Fate], Span] = field(default_factory=dict)

    @property
    def receivable(self) -> Decimal:
        """Returns how much more customers owe there after it."""
        return self.total - self.paid


def preview_books(connection: Connection) -> BooksPreview:
    """Reads both sides, writes nothing. Raises ProviderError."""
    ends = time.monotonic() + SECONDS
    books, company = open_books(connection), known_company(connection)
    pretended = Pretended(company.closed_until if company else "", MOST)
    counts: dict[str, Count] = {}
    streams = sorted(
        connection.streams.filter(is_active=True),
        key=lambda stream: [kind.name for kind in BOOKS].index(KindName(stream.kind)),
    )
    for stream in streams:
        stream.connection = connection
        try:
            links, whole = _unmatched(books, stream, ends)
        except Unavailable:
            if counts and left() <= 0:
                break  # what depends on it cannot be told either
            raise
        pretended.complete &= whole
        side = pretended.side(stream)
        counts[stream.kind] = side.look(links)
    return BooksPreview(
        counts,
        pretended.total,
        pretended.closed,
        pretended.reasons,
        pretended.complete,
        unread=[stream.kind for stream in streams[len(counts) :]],
        tax=pretended.tax,
        paid=pretended.paid,
        rows=pretended.rows,
        spans={key: span for key, days in pretended.days.items() if (span := span_of(days))},
    )


def _unmatched(books: BooksClient, stream: Stream, ends: float) -> tuple[list[Link], bool]:
    """Returns what the books have and nobody has linked yet, as links that are not stored."""
    known = dict(Link.objects.filter(stream=stream).exclude(record_id="").values_list("remote_id", "record_id"))
    found: dict[str, Link] = {}  # a record may be listed again with the next page
    for page in getting_on(books.changes(stream.container_id, "", window_at(timezone.now()))):
        for record in page.records:
            if _counts(record, known):
                number = -found[record.id].pk - 1 if record.id in found else len(found)
                found[record.id] = _link(stream, record, number)
        if not page.last and (len(found) >= MOST or time.monotonic() > ends):
            return [*found.values()], False
    return [*found.values()], True


def _counts(record: RemoteRecord, known: Mapping[str, str]) -> bool:
    return not record.gone and record.fault is None and record.id not in known


def _link(stream: Stream, record: RemoteRecord, number: int) -> Link:
    seen = KINDS[stream.kind].pick(record.fields)
    return Link(pk=-1 - number, stream=stream, kind=stream.kind, remote_id=record.id, seen=seen, seen_tag=record.tag)
