"""`sync.ports.Ledger` over the ORM, for one stream in one job. Nothing here talks to a provider.

Every transaction starts by asserting that the job is still ours, so nothing is written once its lease is lost.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from fieldcamp.workspace.telling import together
from integrations.errors import Rejected
from integrations.kinds import KINDS, VISIT
from integrations.ledger.counts import JobLog
from integrations.ledger.failures import Failures
from integrations.ledger.holds import Holds
from integrations.ledger.local_half import LocalHalf
from integrations.ledger.observations import Observations
from integrations.ledger.pairs import best_links, is_abandoned, pair_of, views_of
from integrations.ledger.ports import LocalSide
from integrations.ledger.run_state import RunState
from integrations.ledger.story import StreamStory
from integrations.ledger.writes import Writes
from integrations.models import DirtyRow, JobPart, Link, Stream, SyncJob
from integrations.records import Fields, Operation, RemoteRecord, Window, instant
from integrations.sync.ports import RunProgress, Stage, Written
from integrations.sync.state import NOWHERE, Decision, Pair

log = structlog.get_logger(__name__)

_GUARDED = [kind.name for kind in KINDS.values() if kind.guarded]


class StreamLedger(Observations):
    """What one stream's run remembers."""

    def __init__(self, stream: Stream, job: SyncJob, part: JobPart, assert_held: Callable[[], None], local: LocalSide):
        super().__init__(stream, assert_held, job.pk)
        self.local = local
        self.kind = KINDS[stream.kind] if stream.kind else VISIT
        log = JobLog(job, self.connection)
        self.holds = Holds(stream, job, self.kind)
        self.state = RunState(stream, job, part, local, self.holds, StreamStory(part, stream.pk, self.calls))
        self.writes = Writes(stream, self.identifiers, self.kind, log)
        self.local_half = LocalHalf(stream, self.kind, log, local)
        self.failures = Failures(stream, self.identifiers, log)

    # --- where the run stands ---------------------------------------------------------------------------------------

    def save_progress(self, progress: RunProgress) -> None:
        with self.transaction():
            self.state.save(progress)

    def begin_pull(self) -> None:
        if self.state.shows(Stage.PULL):
            return
        with self.transaction():
            self.state.begin_pull()

    def has_nothing_to_do(self, progress: RunProgress) -> bool:
        return self.state.has_nothing_to_do(progress)  # writes nothing

    def begin_push(self, progress: RunProgress) -> None:
        with self.transaction():
            self.state.begin_push(progress)

    def begin_full(self, again: bool = False) -> None:
        with self.transaction():
            self.state.begin_full(again)

    def finish_full(self) -> None:
        with self.transaction():
            self.state.finish_full()

    def finish(self, progress: RunProgress) -> None:
        with self.transaction():
            self.state.finish(progress)

    # --- what to look at --------------------------------------------------------------------------------------------

    def unlisted(self, window: Window, limit: int) -> list[str]:
        """Returns ids of live links that the finished listing did not show, though it covers their time."""
        mark = Stream.objects.values_list("full_mark", flat=True).get(pk=self.stream.pk)
        links = Link.objects.present().filter(stream=self.stream).exclude(mark=mark)
        if not mark:
            return []
        if self.stream.kind:  # books have no window
            return list(links.order_by("pk").values_list("remote_id", flat=True)[:limit])
        start = instant(window.start)
        found: list[Mapping[str, Any]] = []
        for link in links.order_by("pk").values("remote_id", "sealed_id", "seen").iterator(chunk_size=500):
            seen = link["seen"] or {}
            times = (seen.get("end") or "", seen.get("original_start") or "")
            if max(times) > start or seen.get("recurrence"):
                found.append(link)
            if len(found) >= limit:
                break
        return self.identifiers.plain_ids(found)

    def vanished(self, orphans: bool) -> list[Pair]:
        links = Link.objects.live().filter(stream=self.stream, hold=None)
        # The kind is looked at here: asked for it, SQLite passes over the few that are unsettled and reads all links.
        gone = [link for link in links.filter(seen_gone=True, unsettled=True) if link.kind in _GUARDED]
        if orphans:
            gone += self.local.orphans(links.filter(seen_gone=False, kind__in=_GUARDED))
        return self._pairs(gone)

    def count_links(self) -> int:
        links = Link.objects.live().linked().filter(stream=self.stream, kind__in=_GUARDED, seen__isnull=False)
        return links.count()

    def count_held(self) -> int:
        return self.holds.count()

    def dirty(self, after: int, limit: int) -> tuple[list[Pair], int]:
        rows = list(DirtyRow.objects.filter(stream=self.stream, pk__gt=after).order_by("pk")[:limit])
        return self._of_records({row.record_id: row.seq for row in rows}), rows[-1].pk if rows else after

    def unsettled(self, after: int, limit: int) -> tuple[list[Pair], int]:
        dirty = DirtyRow.objects.filter(stream=self.stream, kind=OuterRef("kind"), record_id=OuterRef("record_id"))
        links = Link.objects.due().filter(~Exists(dirty), stream=self.stream, pk__gt=after)
        return self._chunk(links, after, limit)

    def links(self, after: int, limit: int) -> tuple[list[Pair], int]:
        """Returns every pair of the stream, for a full run, in order."""
        return self._chunk(Link.objects.filter(stream=self.stream, pk__gt=after), after, limit)

    def _chunk(self, links: QuerySet[Link], after: int, limit: int) -> tuple[list[Pair], int]:
        found = list(links.order_by("pk")[:limit])
        return self._pairs(found), found[-1].pk if found else after

    def pairs_of_records(self, record_ids: Sequence[str]) -> list[Pair]:
        rows = DirtyRow.objects.filter(stream=self.stream, record_id__in=record_ids)
        seqs = dict(rows.values_list("record_id", "seq"))
        return self._of_records({record_id: seqs.get(record_id) for record_id in record_ids})

    def pairs_of_links(self, link_ids: Sequence[int]) -> list[Pair]:
        return self._pairs(list(Link.objects.filter(stream=self.stream, pk__in=link_ids)))

    def refresh(self, pairs: Sequence[Pair]) -> list[Pair]:
        records = [pair.record_id for pair in pairs if pair.record_id]
        blocks = [pair.link_id for pair in pairs if not pair.record_id and pair.link_id]
        return self.pairs_of_records(records) + self.pairs_of_links(blocks)

    def _of_records(self, seqs: Mapping[str, int | None]) -> list[Pair]:
        """Pairs by record id, with the live link of each, else the one that was cut last."""
        kind = self.kind.name
        links = Link.objects.filter(stream=self.stream, kind=kind, record_id__in=seqs).order_by("cut_at", "pk")
        best = best_links(links)
        views = views_of(self.local, self.kind.name, list(seqs))
        return [
            pair_of(best.get(record_id), views.get(record_id, NOWHERE), seq, kind, record_id)
            for record_id, seq in seqs.items()
            if not is_abandoned(best.get(record_id))
        ]

    def _pairs(self, links: Sequence[Link]) -> list[Pair]:
        links = [link for link in links if not is_abandoned(link)]
        ids = [link.record_id for link in links if link.record_id]
        # Before the records themselves: an edit between the two looks is then newer than what is settled, and stays.
        seqs = dict(
            DirtyRow.objects.filter(stream=self.stream, record_id__in=ids).values_list("record_id", "seq")
            if ids
            else ()
        )
        views = views_of(self.local, self.kind.name, ids)
        nobodys = self.local.unmatched([link for link in links if not link.record_id and link.kind == self.kind.name])
        return [
            pair_of(
                link,
                nobodys.get(link.pk) or views.get(link.record_id, NOWHERE),
                seqs.get(link.record_id),
                link.kind,
                link.record_id,
            )
            for link in links
        ]

    # --- what a run writes down -------------------------------------------------------------------------------------

    def hold(self, decisions: Sequence[Decision], of: int) -> None:
        with self.transaction():
            self.holds.put_aside(decisions, of)

    def open_intents(self) -> dict[str, Fields]:
        return self.writes.open_intents()

    def taken(self, creates: Mapping[str, str]) -> set[str]:
        forms = self.identifiers.forms(creates)
        links = Link.objects.filter(stream=self.stream, remote_id__in=forms) if forms else Link.objects.none()
        known = links.values_list("remote_id", "record_id")
        return {forms[name] for name, record_id in known if record_id != creates[forms[name]]}

    def intend(self, decisions: Sequence[tuple[Decision, Operation, int]]) -> None:
        with self.transaction():
            self.writes.intend(decisions)

    def forget_intents(self, pairs: Sequence[Pair]) -> None:
        records = [pair.record_id for pair in pairs if pair.record_id]
        ids = [pair.link_id for pair in pairs if pair.link_id]
        links = Link.objects.filter(Q(pk__in=ids) | Q(record_id__in=records, cut_at=None), stream=self.stream)
        with self.transaction():
            links.update(intent=None)

    def leave_waiting(self, pairs: Sequence[Pair], reason: str) -> None:
        with self.transaction():
            self.writes.leave_waiting(pairs, reason)

    def settle_intents(self, records: Mapping[str, RemoteRecord]) -> None:
        with self.transaction():
            self.calls.seen(self.writes.settle(records))

    def save_local(self, decisions: Sequence[Decision]) -> set[str]:
        if not decisions:
            return set()
        self.local_half.local.prepare(decisions)
        with self.transaction(), together():
            return self.local_half.save(decisions)

    def abandon_intent(self, remote_id: str, error: Exception) -> None:
        with self.transaction():
            self.failures.of_write(remote_id, error)

    def save_failure(self, pair: Pair, error: Exception) -> None:
        with self.transaction():
            self.failures.of_pair(pair, error)

    def save_unreadable(self, record: RemoteRecord, error: Exception) -> None:
        forms = self.identifiers.forms([record.id, record.made_with or record.id])
        link = Link.objects.filter(stream=self.stream, remote_id__in=forms).first()
        with self.transaction():
            self._unreadable(record, error, link)

    def _unreadable(self, record: RemoteRecord, error: Exception, link: Link | None) -> None:
        self.failures.of_listing(record, error, link)

    def save_written(self, written: Sequence[Written]) -> None:
        if not written:
            return
        refused = [entry.decision.pair.record_id for entry in written if isinstance(entry.error, Rejected)]
        with self.transaction():
            circumstances = self.local.circumstances(refused) if refused else {}
            self.writes.save(written, circumstances, self.local.removed_remotely())
