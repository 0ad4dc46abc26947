"""`sync.ports.Ledger` over the ORM, for one stream in one job. Nothing here talks to a provider.

Every transaction starts by renewing the job's lease, so nothing is written once the lease is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from integrations.kinds import KINDS, VISIT
from integrations.ledger.counts import add_items
from integrations.ledger.holds import Held
from integrations.ledger.observations import Observations
from integrations.ledger.outcomes import Results
from integrations.ledger.ports import LocalSide
from integrations.ledger.problems import resolve_problems
from integrations.models import DirtyRow, JobItem, JobPart, Link, Outcome, Stream, SyncJob
from integrations.queue.lease import Lease
from integrations.records import Fields, Operation, RemoteRecord, Window, instant
from integrations.sync.ports import RunProgress, Written
from integrations.sync.state import NOWHERE, Decision, Pair

_GUARDED = [kind.name for kind in KINDS.values() if kind.guarded]
_DUE = Q(unsettled=True, parked=False, cut_at=None)


class StreamLedger(Observations):
    """What one stream's run remembers."""

    def __init__(self, stream: Stream, job: SyncJob, part: JobPart, lease: Lease, local: LocalSide):
        super().__init__(stream, lease.assert_held)
        self.job, self.part, self.local = job, part, local
        self.results = Results(self)
        self.kind = KINDS[stream.kind] if stream.kind else VISIT
        self.held = Held(stream, job, self.kind)

    # --- where the run stands ---------------------------------------------------------------------------------------

    def save_progress(self, progress: RunProgress) -> None:
        with self.transaction():
            self.part.progress[self.stream.pk] = asdict(progress)
            self.part.save(update_fields=["progress"])

    def announce(self, stage: str, full: bool = False) -> None:
        """Shows the stage and how far there is to go; an incremental run first takes in the visits that the moving
        window has reached."""
        with self.transaction():
            if not full:
                self.local.enter_window()
            remaining = 0 if stage == "pull" else self._remaining(full)
            done = SyncJob.objects.values_list("done", flat=True).get(pk=self.job.pk)
            SyncJob.objects.filter(pk=self.job.pk).update(stage=stage, total=done + remaining)

    def _remaining(self, full: bool) -> int:
        links = Link.objects.filter(stream=self.stream)
        if full:
            return links.count() + self.local.count_unlinked()
        dirty = DirtyRow.objects.filter(stream=self.stream)
        return dirty.count() + links.filter(_DUE).count()

    def begin_full(self, again: bool = False) -> None:
        """Starts a full listing, or goes on with the one that this job has begun (`again`: from its start)."""
        stream = Stream.objects.filter(pk=self.stream.pk)
        with self.transaction():
            (stream if again else stream.exclude(full_mark=self.job.pk)).update(full_mark=self.job.pk, full_cursor="")

    def finish_full(self) -> None:
        with self.transaction():
            cursor = Stream.objects.values_list("full_cursor", flat=True).get(pk=self.stream.pk)
            Stream.objects.filter(pk=self.stream.pk).update(
                cursor=cursor, full_cursor="", full_mark="", last_full_at=timezone.now()
            )

    def finish(self) -> None:
        now = timezone.now()
        with self.transaction():
            Stream.objects.filter(pk=self.stream.pk).update(window_end=self.local.window.end)
            Stream.objects.filter(pk=self.stream.pk, first_synced_at=None).update(first_synced_at=now)
            self.held.bring_up_to_date()
            if not (self.stream.kind or self.stream.is_target or self.stream.reads_busy):
                # The visits have moved to another calendar; once the last event is gone there is nothing left to do.
                live = Link.objects.filter(stream=self.stream, cut_at=None).exists() or self.stream.dirty_rows.exists()
                Stream.objects.filter(pk=self.stream.pk).update(is_active=live)

    # --- what to look at --------------------------------------------------------------------------------------------

    def unlisted(self, window: Window, limit: int) -> list[str]:
        """Live links that the finished listing did not show, though it covers their time."""
        mark = Stream.objects.values_list("full_mark", flat=True).get(pk=self.stream.pk)
        links = Link.objects.filter(stream=self.stream, cut_at=None, seen_gone=False, seen__isnull=False).exclude(
            mark=mark
        )
        if not mark:
            return []
        if self.stream.kind:  # books have no window
            return list(links.order_by("pk").values_list("remote_id", flat=True)[:limit])
        start = instant(window.start)
        found: list[str] = []
        for link in links.order_by("pk").iterator(chunk_size=500):
            seen = link.seen or {}
            times = (seen.get("end") or "", seen.get("original_start") or "")
            if max(times) > start or seen.get("recurrence"):
                found.append(link.remote_id)
            if len(found) >= limit:
                break
        return found

    def vanished(self, orphans: bool) -> list[Pair]:
        links = Link.objects.filter(stream=self.stream, cut_at=None, hold=None)
        # The kind is looked at here: asked for it, SQLite passes over the few that are unsettled and reads all links.
        gone = [link for link in links.filter(seen_gone=True, unsettled=True) if link.kind in _GUARDED]
        if orphans:
            gone += self.local.orphans(links.filter(seen_gone=False, kind__in=_GUARDED))
        return self._pairs(gone)

    def match(self, everything: bool) -> None:
        with self.transaction():
            self.local.match(everything)

    def count_links(self) -> int:
        links = Link.objects.filter(stream=self.stream, kind__in=_GUARDED, cut_at=None, seen__isnull=False)
        return links.exclude(record_id="").count()

    def count_held(self) -> int:
        return self.held.count()

    def dirty(self, after: int, limit: int) -> tuple[list[Pair], int]:
        rows = list(DirtyRow.objects.filter(stream=self.stream, pk__gt=after).order_by("pk")[:limit])
        return self._of_records({row.record_id: row.seq for row in rows}), rows[-1].pk if rows else after

    def unsettled(self, after: int, limit: int) -> tuple[list[Pair], int]:
        dirty = DirtyRow.objects.filter(stream=self.stream, kind=OuterRef("kind"), record_id=OuterRef("record_id"))
        links = Link.objects.filter(_DUE, ~Exists(dirty), stream=self.stream, pk__gt=after)
        return self._chunk(links, after, limit)

    def links(self, after: int, limit: int) -> tuple[list[Pair], int]:
        """Every pair of the stream, for a full run, in order."""
        return self._chunk(Link.objects.filter(stream=self.stream, pk__gt=after), after, limit)

    def _chunk(self, links, after: int, limit: int) -> tuple[list[Pair], int]:
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
        best: dict[str, Link] = {}
        for link in links:
            if link.record_id not in best or link.cut_at is None:
                best[link.record_id] = link
        views = self.local.read(kind, seqs)
        return [
            _pair(best.get(record_id), views.get(record_id, NOWHERE), seq, kind, record_id)
            for record_id, seq in seqs.items()
        ]

    def _pairs(self, links: Sequence[Link]) -> list[Pair]:
        ids = [link.record_id for link in links if link.record_id]
        # Before the records themselves: an edit between the two looks is then newer than what is settled, and stays.
        seqs = dict(
            DirtyRow.objects.filter(stream=self.stream, record_id__in=ids).values_list("record_id", "seq")
            if ids
            else ()
        )
        views = self.local.read(self.kind.name, ids)
        nobodys = self.local.unmatched([link for link in links if not link.record_id and link.kind == self.kind.name])
        return [
            _pair(
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
            self.held.put_aside(decisions, of)

    def open_intents(self) -> dict[str, Fields]:
        links = Link.objects.filter(stream=self.stream, intent__isnull=False).order_by("pk")
        return {link.remote_id: (link.intent or {}).get("fields") or {} for link in links}

    def taken(self, creates: Mapping[str, str]) -> set[str]:
        links = Link.objects.filter(stream=self.stream, remote_id__in=creates) if creates else Link.objects.none()
        known = links.values_list("remote_id", "record_id")
        return {remote_id for remote_id, record_id in known if record_id != creates[remote_id]}

    def intend(self, decisions: Sequence[tuple[Decision, Operation, int]]) -> None:
        with self.transaction():
            self.results.intend(decisions)

    def forget_intents(self, pairs: Sequence[Pair]) -> None:
        with self.transaction():
            self._of(pairs).update(intent=None)

    def _of(self, pairs: Sequence[Pair]):
        records = [pair.record_id for pair in pairs if pair.record_id]
        ids = [pair.link_id for pair in pairs if pair.link_id]
        return Link.objects.filter(Q(pk__in=ids) | Q(record_id__in=records, cut_at=None), stream=self.stream)

    def settle_intents(self, records: Mapping[str, RemoteRecord]) -> None:
        with self.transaction():
            add_items(self.results.settle(records))

    def save_local(self, decisions: Sequence[Decision]) -> set[str]:
        if not decisions:
            return set()
        with self.transaction():
            overtaken = self.results.decided_meanwhile(decisions)
            overtaken |= self.local.apply([d for d in decisions if d.pair.key not in overtaken])
            add_items(self.results.here(decisions, overtaken))
        return overtaken

    def save_written(self, written: Sequence[Written]) -> None:
        if not written:
            return
        with self.transaction():
            add_items(self.results.written(written))

    def item(self, pair: Pair, outcome: Outcome, action: str, message: str = "") -> JobItem:
        return JobItem(
            job=self.job,
            connection=self.connection,
            kind=pair.kind.name,
            key=pair.key,
            record_id=pair.record_id,
            remote_id=pair.remote_id,
            outcome=outcome,
            action=action,
            message=message[:300],
        )

    def settle_dirty(self, pairs: Sequence[Pair]) -> None:
        """These records have been dealt with, in the version that was read; a later edit stays dirty."""
        seqs = {pair.record_id: pair.dirty_seq for pair in pairs if pair.dirty_seq is not None}
        rows = DirtyRow.objects.select_for_update().filter(stream=self.stream, record_id__in=seqs)
        done = [pk for pk, record_id, seq in rows.values_list("pk", "record_id", "seq") if seqs[record_id] == seq]
        DirtyRow.objects.filter(pk__in=done).delete()

    def resolve(self, pairs: Sequence[Pair], *codes: str) -> None:
        keys = [pair.key for pair in pairs]
        resolve_problems(self.connection, now=timezone.now(), codes=codes or None, record_ids=keys)


def _pair(link: Link | None, local, seq: int | None, kind: str, record_id: str) -> Pair:
    if link is None:
        return Pair(KINDS[kind], record_id, "", local, dirty_seq=seq)
    return Pair(
        KINDS[kind],
        record_id,
        link.remote_id,
        local,
        link_id=link.pk,
        base=link.base,
        seen=link.seen,
        gone=link.seen_gone,
        tag=link.seen_tag,
        cut=link.cut_at is not None,
        held=link.hold_id is not None,
        generation=link.generation,
        dirty_seq=seq,
        decision=link.decision,
    )
