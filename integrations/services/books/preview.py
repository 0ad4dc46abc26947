"""What the first sync of a company's books would do, before anything is written.

The sides that the sync itself asks are asked here, about links that are only pretended: so the two cannot disagree.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from fieldcamp.money import cents
from fieldcamp.workspace.models import Invoice, Payment
from integrations.books import SIDES
from integrations.books.matching import Matches
from integrations.calendar.window import window_at
from integrations.errors import Unavailable
from integrations.kinds import BOOKS, INVOICE, KINDS, PAYMENT, Kind, KindName
from integrations.models import Connection, Direction, Link, Stream
from integrations.paging import getting_on
from integrations.providers.base import BooksClient
from integrations.records import Fields, RemoteRecord
from integrations.services.books.setup import known_company, open_books
from integrations.transport.patience import left

if TYPE_CHECKING:
    from integrations.books.base import BooksSide
else:
    BooksSide = object

MOST = 10_000  # records of one kind on either side: a preview has to appear while somebody waits
SECONDS = 2.5  # from then on one page of each kind that is left
MADE = "made by this sync: "
LISTED = 200  # records of one kind that are listed by name for each fate


class Fate(StrEnum):
    """What the first sync would do with a record."""

    LINKED = "linked"
    NEW_THERE = "new_there"
    NEW_HERE = "new_here"
    ASKED = "asked"
    WAITING = "waiting"


@dataclass(frozen=True)
class PreviewRow:
    """One record by name. `amount` is "" where it has none; `there` is what it would be linked with or asked
    about."""

    name: str
    amount: str = ""
    there: str = ""


@dataclass(frozen=True)
class Count:
    """One kind. `linked` are on both sides already, `asked` may be; `waiting` need a choice or another record first.
    `left` are the books' alone and stay so."""

    kind: str
    linked: int = 0
    to_create: int = 0
    to_bring_in: int = 0
    asked: int = 0
    waiting: int = 0
    left: int = 0


@dataclass(frozen=True)
class BooksPreview:
    """`complete` is false where there is so much that the reading was broken off: the numbers are then the least that
    there is; `unread` are kinds that a slow provider has not told yet. `total` is what the invoices to post come to,
    `tax` of it is tax; `paid` is what the payments to post come to. `closed` invoices are dated in closed books. `rows`
    are the records by name, by kind and fate, the first `LISTED` of each. Nothing is ever removed by a first sync."""

    counts: Mapping[str, Count]
    total: Decimal
    closed: int
    reasons: Mapping[str, int]
    complete: bool
    unread: Sequence[str] = ()
    tax: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    rows: Mapping[tuple[str, Fate], Sequence[PreviewRow]] = field(default_factory=dict)

    @property
    def receivable(self) -> Decimal:
        """Returns how much more customers owe there after it."""
        return self.total - self.paid


def preview_books(connection: Connection) -> BooksPreview:
    """Reads both sides, writes nothing. Raises ProviderError."""
    ends = time.monotonic() + SECONDS
    books, company = open_books(connection), known_company(connection)
    pretended = _Pretended(closed_until=company.closed_until if company else "")
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


class _Pretended:
    """What the sync would have linked and made so far."""

    def __init__(self, closed_until: str):
        self.counterparts: dict[str, dict[str, str]] = {kind.name: {} for kind in BOOKS}  # our id -> theirs
        self.links: dict[str, dict[str, Link]] = {kind.name: {} for kind in BOOKS}  # … those that were matched
        self.closed_until, self.closed = closed_until, 0
        self.total = self.tax = self.paid = Decimal(0)
        self.rows: dict[tuple[str, Fate], list[PreviewRow]] = {}
        self.reasons: dict[str, int] = {}
        self.complete = True

    def side(self, stream: Stream) -> Any:
        side = SIDES[stream.kind]
        pretending: Any = type(f"Pretending{side.__name__}", (_Pretending, side), {"pretended": self})
        return pretending(stream, window_at(timezone.now()))

    def post(self, invoices: Iterable[Any]) -> None:
        for invoice in invoices:
            if invoice.date.isoformat() <= self.closed_until:
                self.closed += 1
            else:
                self.total += invoice.total
                self.tax += invoice.tax_total

    def receive(self, payments: Iterable[Any]) -> None:
        self.paid += sum((payment.amount for payment in payments), Decimal(0))

    def note(self, kind: str, fate: Fate, found: Iterable[PreviewRow]) -> None:
        self.rows.setdefault((kind, fate), []).extend(islice(found, LISTED))


class _Pretending(BooksSide):
    """One kind's side, whose other kinds are those that the sync would have brought about."""

    pretended: _Pretended

    def remote_ids(self, kind: Kind, record_ids: Iterable[str]) -> dict[str, str]:
        made = self.pretended.counterparts[kind.name]
        return super().remote_ids(kind, record_ids) | {pk: made[pk] for pk in set(record_ids) & made.keys()}

    def counterparts(self, kind: Kind, record_ids: Iterable[str]) -> Iterable[Link]:
        wanted, matched = set(record_ids), self.pretended.links[kind.name]
        return [*super().counterparts(kind, wanted), *(matched[pk] for pk in wanted & matched.keys())]

    def record_ids(self, kind: Kind, remote_ids: Iterable[str]) -> dict[str, str]:
        wanted = set(remote_ids)
        made = {
            remote_id: pk for pk, remote_id in self.pretended.counterparts[kind.name].items() if remote_id in wanted
        }
        return super().record_ids(kind, wanted) | made

    def _unlinked(self) -> QuerySet:
        return super()._unlinked().exclude(pk__in=list(self.pretended.counterparts[self.kind.name]))

    def look(self, unmatched: list[Link]) -> Count:
        records = list(self._with_related(self._unlinked())[: MOST + 1])
        self.pretended.complete &= len(records) <= MOST
        matches = self.matches(records, unmatched) if records and unmatched else Matches()
        self.doubts = matches.doubts
        counterparts = self.pretended.counterparts[self.kind.name]
        by_id = {link.pk: link for link in unmatched}
        for record_id, link_id in matches.links.items():
            link = by_id[link_id]
            link.record_id, counterparts[record_id] = record_id, link.remote_id
            self.pretended.links[self.kind.name][record_id] = link
        ours, waiting = self._ours([record for record in records if record.pk not in counterparts])
        taken = set(matches.links.values())
        theirs = [link for link in unmatched if link.pk not in taken]
        brought, asked = self._brought(theirs)
        by_record = {record.pk: record for record in records}
        by_remote_id = {link.remote_id: link for link in unmatched}
        self._note(Fate.LINKED, (_row(by_record[pk], by_id[link]) for pk, link in matches.links.items()))
        self._note(
            Fate.ASKED,
            (
                _row(by_record[pk], *(by_remote_id[remote_id] for remote_id in ids if remote_id in by_remote_id))
                for pk, ids in matches.doubts.items()
            ),
        )
        already = Link.objects.live().linked().filter(stream=self.stream, seen__isnull=False).count()
        return Count(
            self.kind.name,
            linked=already + len(matches.links),
            to_create=len(ours),
            to_bring_in=len(brought),
            asked=len(matches.doubts) + asked,
            waiting=waiting,
            left=len(theirs) - len(brought) - asked,
        )

    def _ours(self, records: Sequence[Any]) -> tuple[list[Any], int]:
        """Returns those that would be made there, and how many of the others wait for something."""
        if self.stream.direction == Direction.PULL:
            return [], len(records)
        clear = [record for record in records if record.pk not in self.doubts]
        views = self.views(clear)
        made = [record for record in clear if views[record.pk].fields is not None and views[record.pk].in_window]
        for record in clear:
            if reason := views[record.pk].reason:
                self.pretended.reasons[reason] = self.pretended.reasons.get(reason, 0) + 1
        if self.kind is INVOICE:
            self.pretended.post(made)
        elif self.kind is PAYMENT:
            self.pretended.receive(made)
        self._note(Fate.NEW_THERE, map(_row, made))
        self._note(Fate.WAITING, (_row(record) for record in clear if views[record.pk].blocked))
        self.pretended.counterparts[self.kind.name].update((record.pk, f"{MADE}{record.pk}") for record in made)
        return made, sum(1 for record in clear if views[record.pk].blocked)

    def _brought(self, links: Sequence[Link]) -> tuple[list[Link], int]:
        """Returns what would be taken in, and of how many a person would be asked before."""
        if self.stream.direction == Direction.PUSH or not links:
            return [], 0
        rejected = self.rejections(links)
        asked = self.asked_there(links, rejected)
        brought = [link for link in links if link.pk not in rejected]
        self._note(Fate.NEW_HERE, (_row(None, link) for link in brought))
        self._note(Fate.ASKED, (_row(None, link) for link in links if link.pk in asked))
        return brought, len(asked)

    def _note(self, fate: Fate, found: Iterable[PreviewRow]) -> None:
        self.pretended.note(self.kind.name, fate, found)


def _row(record: Any, *links: Link) -> PreviewRow:
    """Returns a record, by the name and amount that it has here, with those of the books that it is or may be."""
    there = ", ".join(_name(link.seen or {}) for link in links)
    if record is None:
        seen = links[0].seen or {}
        return PreviewRow(_name(seen), str(seen.get("total") or seen.get("amount") or ""))
    if isinstance(record, Payment):
        return PreviewRow(f"{record.client}, {record.date}", cents(record.amount), there)
    if isinstance(record, Invoice):
        return PreviewRow(f"{record.number}, {record.client}", cents(record.total), there)
    return PreviewRow(str(record), there=there)


def _name(seen: Fields) -> str:
    """Returns what a record of the books is called."""
    if "allocations" in seen:
        return str(seen.get("date") or "")
    return str(seen.get("display_name") or seen.get("name") or seen.get("number") or "")
