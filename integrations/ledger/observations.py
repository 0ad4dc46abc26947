"""Writing down what was seen of the remote side: links' `seen`, the change feed and the cursor, in one transaction.

A crash after it repeats nothing, a crash before it loses nothing. Both a job's run and a reader of the change feed
write through here; each says with `guard` under which condition it may.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone

from fieldcamp.workspace.numbering import numbers_taken
from integrations.kinds import BLOCK, INVOICE, KINDS, VISIT, Kind
from integrations.ledger.calls import RecordCalls
from integrations.ledger.erasing import erased_customers, is_erased
from integrations.ledger.failures import end_unreadable, open_unreadable
from integrations.ledger.feed import append_to_feed
from integrations.ledger.ownership import Owners, is_piece, left_over
from integrations.ledger.private import Identifiers
from integrations.models import ChangeAction, Link, Stream
from integrations.records import Fields, Marker, Page, RemoteRecord, Verb, Window, instant
from integrations.sync.policy import RemovalChoice
from integrations.sync.ports import CursorMoved

_CHUNK = 1000
_SEEN = ["remote_id", "seen", "seen_gone", "seen_tag", "seen_at", "unsettled", "parked", "mark", "cut_at"]


class Observations:
    """What was seen of one stream."""

    def __init__(self, stream: Stream, guard: Callable[[], None], job_id: str = ""):
        self.stream, self.connection = stream, stream.connection
        self.calls = RecordCalls(stream, job_id)
        self.owners, self.identifiers = Owners(stream), Identifiers(stream)
        self._guard = guard

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with transaction.atomic():
            self._guard()
            yield

    def cursor(self, full: bool) -> str:
        names = Stream.objects.filter(pk=self.stream.pk).values_list("full_cursor" if full else "cursor", flat=True)
        return self.identifiers.opened(names.get())

    def save_page(self, page: Page, expected: str, full: bool) -> None:
        """Saves one page of a listing. Raises `CursorMoved` when another reader has moved the cursor on from
        `expected`."""
        name = "full_cursor" if full else "cursor"
        with self.transaction():
            row = Stream.objects.filter(pk=self.stream.pk)
            if self.identifiers.opened(row.select_for_update().values_list(name, flat=True).get()) != expected:
                raise CursorMoved
            row.update(**{name: self.identifiers.sealed(page.cursor)})
            mark = Stream.objects.values_list("full_mark", flat=True).get(pk=self.stream.pk) if full else ""
            self._merge(page.records, mark)

    def save_refreshed(self, records: Mapping[str, RemoteRecord]) -> None:
        """Saves records that were fetched one by one."""
        with self.transaction():
            mark = Stream.objects.values_list("full_mark", flat=True).get(pk=self.stream.pk)
            self._merge(records.values(), mark)

    def known(self, names: Collection[str]) -> set[str]:
        """Returns those ids that live links have."""
        forms = self.identifiers.forms(names)
        links = Link.objects.filter(stream=self.stream, remote_id__in=forms, seen_gone=False)
        return {forms[name] for name in links.values_list("remote_id", flat=True)}

    def instances(self, series: Sequence[str], window: Window) -> set[str]:
        """Returns remote ids of live links of these series that are not over before the window."""
        ids = [self.identifiers.hashed(name) for name in series]
        links = Link.objects.filter(stream=self.stream, series_id__in=ids, seen_gone=False, seen__isnull=False)
        start, found = instant(window.start), links.values("remote_id", "sealed_id", "seen")
        return set(self.identifiers.plain_ids(link for link in found if (link["seen"] or {}).get("end", "") > start))

    def _known(self, latest: Mapping[str, RemoteRecord]) -> dict[str, Link]:
        """Returns the links of these records, by the records' ids; a create without an answer is known by what it was
        sent with."""
        sent = {record.made_with: id for id, record in latest.items() if record.made_with}
        forms = self.identifiers.forms([*sent, *latest])
        names = list(forms)
        known: dict[str, Link] = {}
        for start in range(0, len(names), _CHUNK):
            links = Link.objects.select_for_update().order_by("pk")
            links = links.filter(stream=self.stream, remote_id__in=names[start : start + _CHUNK])
            known.update((sent.get(name := forms[link.remote_id], name), link) for link in links)
        return known

    def _merge(self, records: Iterable[RemoteRecord], mark: str) -> None:
        latest = {record.id: record for record in records}
        known = self._known(latest)
        adopted = self._linked_already(record for record in latest.values() if record.id not in known)
        now = timezone.now()
        whole = [record for record in latest.values() if record.fault is None]
        if whole:
            end_unreadable(self.stream, lambda: [self.identifiers.name_of(record) for record in whole])
        new: list[Link] = []
        changed: list[Link] = []
        same: list[int] = []
        feed: list[tuple[str, Link, RemoteRecord]] = []
        news: list[tuple[Link, RemoteRecord, str]] = []
        for record in latest.values():
            link = known.get(record.id)
            if record.fault is not None:  # what is known of it stays as it is
                self._unreadable(record, record.fault, link)
                same += [link.pk] if link else []
                continue
            if link is None:
                link = self._new(record, adopted)
                if link is None:
                    continue
                if not link.record_id and not record.gone and self._is_news:
                    feed.append((ChangeAction.CREATED, link, record))
                link.seen_at, link.mark = now, mark
                (new if link.pk is None else changed).append(link)
                news.append((link, record, record.id))
                continue
            if link.erased_at:
                record = replace(record, fields=KINDS[link.kind].impersonal(record.fields), shown=_impersonal(record))
            action = self._notice(link, record)
            if link.remote_id != (name := self.identifiers.id_of(link.kind, record.id)):
                link.remote_id, action = name, ""
            if action is None:
                same.append(link.pk)
                continue
            link.seen_at, link.mark = now, mark or link.mark
            changed.append(link)
            news.append((link, record, record.id))
            if action:
                feed.append((action, link, record))
        Link.objects.bulk_create(new, batch_size=_CHUNK)
        Link.objects.save_many(changed, _SEEN)
        if mark:
            for start in range(0, len(same), _CHUNK):
                Link.objects.filter(pk__in=same[start : start + _CHUNK]).update(mark=mark)
        append_to_feed(self.stream, feed)
        self.calls.seen(news)
        if self.stream.kind == INVOICE.name:
            numbers = [str(record.fields.get("number") or "") for record in latest.values()]
            numbers_taken(workspace_id=self.connection.workspace_id, numbers=numbers)

    def _unreadable(self, record: RemoteRecord, error: Exception, link: Link | None) -> None:
        open_unreadable(self.stream, self.identifiers.name_of(record), record, error, link)

    def _linked_already(self, records: Iterable[RemoteRecord]) -> dict[str, Link]:
        """Returns links of the records that our own markers name: one that is cut is taken up again, a live one is
        not."""
        named = {record.marker.record_id for record in records if record.marker and record.ours}
        links = Link.objects.filter(stream=self.stream, kind=VISIT.name, record_id__in=named).order_by("-cut_at", "pk")
        return {link.record_id: link for link in links}

    @cached_property
    def _erased(self) -> frozenset[str]:
        return erased_customers(self.connection)

    @property
    def _is_news(self) -> bool:
        """Returns whether what appears was made since we look. The books' past is none; a calendar's events are."""
        return not self.stream.kind or self.stream.first_synced_at is not None

    def _new(self, record: RemoteRecord, adopted: dict[str, Link]) -> Link | None:
        """Returns the link for a record that was never seen; None where it does not concern us."""
        if self.stream.kind:
            if record.gone:
                return None
            link = Link(stream=self.stream, kind=self.stream.kind, remote_id=record.id)
            if record.fields.get("customer") in self._erased:  # what they get later is not theirs by name, either
                link.erased_at = timezone.now()
            self._see(link, KINDS[link.kind], record)
            return link
        if record.marker and record.marker.workspace_id == self.connection.workspace_id and is_piece(record):
            return None if record.gone or self.owners.is_anothers(record) else self._piece(record)
        if record.ours and record.marker and record.marker.workspace_id == self.connection.workspace_id:
            return None if record.gone or self.owners.is_anothers(record) else self._own(record, record.marker, adopted)
        if not self.stream.reads_busy:
            return None
        if record.gone and not record.fields.get("series_id"):
            return None  # a tombstone of something that we never knew
        name, sealed = self.identifiers.id_of(BLOCK.name, record.id), self.identifiers.sealed(record.id)
        link = Link(stream=self.stream, kind=BLOCK.name, remote_id=name, sealed_id=sealed)
        self._see(link, BLOCK, record)
        link.series_id = (link.seen or {}).get("series_id") or ""
        return link

    def _own(self, record: RemoteRecord, marker: Marker, adopted: dict[str, Link]) -> Link:
        """Returns the link of an event that we have made: its visit's, or where that has another one by now (somebody
        has restored the old one, or moved it here) one that a full sync removes."""
        linked = adopted.get(marker.record_id) if self.stream.is_target else None
        if linked is None or linked.cut_at is not None:
            record_id = marker.record_id if self.stream.is_target else self._left_over(record)
            link = linked or Link(stream=self.stream, kind=VISIT.name, record_id=record_id)
            if linked is None and is_erased(marker.record_id):
                link.erased_at = timezone.now()
            if self.stream.is_target:
                adopted[marker.record_id] = link
        else:
            link = Link(stream=self.stream, kind=VISIT.name, record_id=self._left_over(record))
        link.remote_id, link.cut_at = record.id, None
        self._see(link, VISIT, record)
        return link

    def _piece(self, record: RemoteRecord) -> Link:
        """Returns the link of one event of a series that somebody has made of a visit's: the next run takes it away,
        as it does the series."""
        link = Link(stream=self.stream, kind=VISIT.name, record_id=self._left_over(record), remote_id=record.id)
        self._see(link, VISIT, record)
        link.decision = {"removal": RemovalChoice.CUT}
        return link

    def _left_over(self, record: RemoteRecord) -> str:
        return left_over(record, self.identifiers)

    def _see(self, link: Link, kind: Kind, record: RemoteRecord) -> None:
        if record.fields or not record.gone:
            link.seen = self.identifiers.stored(kind, record.fields)
        link.seen_gone, link.seen_tag = record.gone, self.identifiers.tag_of(link.kind, record.tag)
        link.unsettled, link.parked = True, False

    def _notice(self, link: Link, record: RemoteRecord) -> str | None:
        """Takes a newer observation of a known record into its link.

        None: nothing new. "": new, but no change that a person made. Else the feed's action.
        """
        kind = KINDS[link.kind]
        if record.gone:
            if link.seen_gone or link.cut_at is not None:
                return None
            if link.intent and link.intent["verb"] == Verb.DELETE:
                return None  # our own removal, whose answer is still on its way to us
            self._see(link, kind, record)
            return ChangeAction.DELETED
        tag = self.identifiers.tag_of(link.kind, record.tag)
        known = tag == link.seen_tag and not link.seen_gone and link.cut_at is None
        if known and not record.fields.get("repeats"):
            return None
        fields = self.identifiers.stored(kind, record.fields)
        if known and fields == link.seen:  # a series' tag does not move with that of an occurrence
            return None
        was_here = link.is_present
        if link.intent and _compared(kind, fields) == _compared(kind, link.intent.get("fields")):
            return None  # our own write, whose answer is still on its way to us
        link.seen_tag = tag
        same = was_here and _compared(kind, fields) == _compared(kind, link.seen)
        if not was_here or fields != link.seen:
            self._see(link, kind, record)
        link.cut_at = None
        if same and kind.ends:
            return ""  # a document's balance moves with every payment, which is told of itself
        return ChangeAction.UPDATED if was_here else ChangeAction.CREATED


def _compared(kind: Kind, fields: Fields | None) -> list[Any]:
    return [(fields or {}).get(name) for name in kind.fields]


def _impersonal(record: RemoteRecord) -> Fields:
    """Returns what the feed may print of the counterpart of an erased person's record: when, and how it stands."""
    return {name: record.shown.get(name) for name in ("start", "end", "all_day", "status") if name in record.shown}
