"""What a first sync would link and make: the sides that the sync itself asks are asked about links that are not
stored."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from integrations.books import SIDES
from integrations.books.matching import Matches
from integrations.calendar.window import window_at
from integrations.kinds import BOOKS, INVOICE, PAYMENT, Kind
from integrations.models import Direction, Link, Stream
from integrations.services.books.preview_rows import Count, Fate, PreviewRow, day_of, row_of

if TYPE_CHECKING:
    from integrations.books.base import BooksSide
else:
    BooksSide = object

MADE = "made by this sync: "
LISTED = 200  # records of one kind that are listed by name for each fate


class Pretended:
    """What the sync would have linked and made so far."""

    def __init__(self, closed_until: str, most: int):
        self.most = most  # records of one kind that are compared
        self.counterparts: dict[str, dict[str, str]] = {kind.name: {} for kind in BOOKS}  # our id -> theirs
        self.links: dict[str, dict[str, Link]] = {kind.name: {} for kind in BOOKS}  # … those that were matched
        self.closed_until, self.closed = closed_until, 0
        self.total = self.tax = self.paid = Decimal(0)
        self.rows: dict[tuple[str, Fate], list[PreviewRow]] = {}
        self.reasons: dict[str, int] = {}
        self.days: dict[tuple[str, Fate], list[dt.date]] = {}
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

    def date(self, kind: str, fate: Fate, days: Iterable[dt.date | None]) -> None:
        self.days.setdefault((kind, fate), []).extend(day for day in days if day)

    def note(self, kind: str, fate: Fate, found: Iterable[PreviewRow]) -> None:
        self.rows.setdefault((kind, fate), []).extend(islice(found, LISTED))


class _Pretending(BooksSide):
    """One kind's side, whose other kinds are those that the sync would have brought about."""

    pretended: Pretended

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
        records = list(self._with_related(self._unlinked())[: self.pretended.most + 1])
        self.pretended.complete &= len(records) <= self.pretended.most
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
        self._note(Fate.LINKED, (row_of(by_record[pk], by_id[link]) for pk, link in matches.links.items()))
        self._note(
            Fate.ASKED,
            (
                row_of(by_record[pk], *(by_remote_id[remote_id] for remote_id in ids if remote_id in by_remote_id))
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
        self.pretended.date(self.kind.name, Fate.NEW_THERE, map(day_of, made))
        self._note(Fate.NEW_THERE, map(row_of, made))
        self._note(Fate.WAITING, (row_of(record) for record in clear if views[record.pk].blocked))
        self.pretended.counterparts[self.kind.name].update((record.pk, f"{MADE}{record.pk}") for record in made)
        return made, sum(1 for record in clear if views[record.pk].blocked)

    def _brought(self, links: Sequence[Link]) -> tuple[list[Link], int]:
        """Returns what would be taken in, and of how many a person would be asked before."""
        if self.stream.direction == Direction.PUSH or not links:
            return [], 0
        rejected = self.rejections(links)
        asked = self.asked_there(links, rejected)
        brought = [link for link in links if link.pk not in rejected]
        self.pretended.date(self.kind.name, Fate.NEW_HERE, (day_of(None, link) for link in brought))
        self._note(Fate.NEW_HERE, (row_of(None, link) for link in brought))
        self._note(Fate.ASKED, (row_of(None, link) for link in links if link.pk in asked))
        return brought, len(asked)

    def _note(self, fate: Fate, found: Iterable[PreviewRow]) -> None:
        self.pretended.note(self.kind.name, fate, found)
