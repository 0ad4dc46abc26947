"""What a run remembers, in memory: `integrations.sync.ports.Ledger` without a database.

Whether the real ledger keeps the port as well is what the tests with a database are for.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from integrations.kinds import BLOCK, KINDS, VISIT
from integrations.records import Fields, Operation, Page, RemoteRecord, Verb, Window, instant
from integrations.sync.ports import RunProgress, Written
from integrations.sync.state import NOWHERE, REMOTE_WRITES, Action, Decision, Local, Pair
from tests.integrations.sync.sides import MemoryRecords


@dataclass
class LinkRow:
    """A link as the run sees it."""

    pk: int
    kind: str
    record_id: str
    remote_id: str
    base: Fields | None = None
    seen: Fields | None = None
    gone: bool = False
    tag: str = ""
    cut: bool = False
    held: bool = False
    unsettled: bool = False
    parked: bool = False
    mark: str = ""
    generation: int = 0
    intent: dict | None = None
    decision: dict | None = None


@dataclass
class MemoryLedger:
    local: MemoryRecords
    links_by_id: dict[int, LinkRow] = field(default_factory=dict)
    dirty_rows: dict[int, tuple[str, int]] = field(default_factory=dict)  # row -> (record id, number of the change)
    cursors: dict[str, str] = field(default_factory=lambda: {"cursor": "cursor0", "full_cursor": ""})
    full_mark: str = ""
    progress: dict | None = None
    trail: list[tuple] = field(default_factory=list)  # every call that writes, in order
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> (action or error, reason)
    overtaken: set[str] = field(default_factory=set)
    finished: int = 0
    idle: bool = False
    cursors_read: int = 0
    last_page: Page | None = None

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self.local.linked = lambda pk: any(link.record_id == pk and not link.cut for link in self.links_by_id.values())

    # --- what tests put there ---------------------------------------------------------------------------------------

    def link(self, record_id: str, remote_id: str, fields: Fields | None, **more) -> LinkRow:
        """Two records that agree, unless told otherwise."""
        values = {"base": fields, "seen": fields, "tag": "t0", "kind": "visit"} | more
        row = LinkRow(next(self._ids), values.pop("kind"), record_id, remote_id, **values)
        self.links_by_id[row.pk] = row
        return row

    def make_dirty(self, record_id: str, seq: int = 1) -> None:
        self.dirty_rows[next(self._ids)] = (record_id, seq)

    def link_of(self, record_id: str) -> LinkRow:
        [row] = [row for row in self.links_by_id.values() if row.record_id == record_id and not row.cut]
        return row

    # --- the port ---------------------------------------------------------------------------------------------------

    def save_progress(self, progress: RunProgress) -> None:
        self.progress = asdict(progress)
        self.trail.append(("progress", progress.phase, progress.after_dirty, progress.after_link))

    def open_intents(self) -> dict[str, Fields]:
        return {
            row.remote_id: row.intent["fields"] for row in self.links_by_id.values() if row.intent and not row.parked
        }

    def settle_intents(self, records: Mapping[str, RemoteRecord]) -> None:
        self.trail.append(("settle", *sorted(records)))
        for row in [row for row in self.links_by_id.values() if row.intent and row.remote_id in records]:
            record, intent = records[row.remote_id], row.intent
            row.intent = None
            if intent["verb"] == Verb.CREATE and (record.gone or not record.ours):
                row.generation += 1 if record.tag else 0
                continue
            fields = VISIT.pick(record.fields)
            done = record.gone if intent["verb"] == Verb.DELETE else fields == VISIT.pick(intent["fields"])
            row.unsettled = not done or record.gone
            row.seen, row.tag, row.gone = fields, record.tag, record.gone
            row.base = fields if done else row.base
            row.cut = done and intent["verb"] == Verb.DELETE

    def cursor(self, full: bool) -> str:
        assert isinstance(full, bool)
        self.cursors_read += 1
        return self.cursors["full_cursor" if full else "cursor"]

    def begin_pull(self) -> None:
        self.trail.append(("begin_pull",))

    def has_nothing_to_do(self, progress: RunProgress) -> bool:
        return self.idle and not progress.full

    def begin_push(self, progress: RunProgress) -> None:
        self.progress = asdict(progress)
        self.trail.append(("begin_push", progress.full))

    def begin_full(self, again: bool = False) -> None:
        self.trail.append(("begin_full", again))
        if again or not self.full_mark:
            self.full_mark, self.cursors["full_cursor"] = "mark", ""

    def save_page(self, page: Page, expected: str, full: bool) -> None:
        self.last_page = page
        self.trail.append(("page", expected, full, tuple(record.id for record in page.records)))
        assert self.cursors["full_cursor" if full else "cursor"] == expected
        self.cursors["full_cursor" if full else "cursor"] = page.cursor
        self._see(page.records, self.full_mark if full else "")

    def _see(self, records: Iterable[RemoteRecord], mark: str) -> None:
        for record in records:
            rows = [row for row in self.links_by_id.values() if row.remote_id == record.id]
            if not rows:
                kind = VISIT if record.ours else BLOCK
                record_id = record.marker.record_id if record.ours and record.marker else ""
                rows = [self.link(record_id, record.id, None, kind=kind.name)]
            [row] = rows
            if record.tag != row.tag or record.gone != row.gone:
                row.seen = row.seen if record.gone else KINDS[row.kind].pick(record.fields)
                row.tag, row.gone, row.unsettled, row.parked = record.tag, record.gone, True, False
            row.mark = mark

    def known(self, names) -> set[str]:
        return {row.remote_id for row in self.links_by_id.values() if row.remote_id in names and not row.gone}

    def taken(self, creates: Mapping[str, str]) -> set[str]:
        rows = [row for row in self.links_by_id.values() if row.remote_id in creates]
        return {row.remote_id for row in rows if row.record_id != creates[row.remote_id]}

    def instances(self, series: Sequence[str], window: Window) -> set[str]:
        rows = self.links_by_id.values()
        return {row.remote_id for row in rows if (row.seen or {}).get("series_id") in series and not row.gone}

    def unlisted(self, window: Window, limit: int) -> list[str]:
        rows = [row for row in self.links_by_id.values() if row.mark != self.full_mark and row.seen and not row.gone]
        ends = [(row.remote_id, (row.seen or {}).get("end") or "9") for row in rows if not row.cut]
        return [remote_id for remote_id, end in ends if end > instant(window.start)][:limit]

    def save_refreshed(self, records: Mapping[str, RemoteRecord]) -> None:
        self.trail.append(("refreshed", *sorted(records)))
        self._see(records.values(), self.full_mark)

    def finish_full(self) -> None:
        self.trail.append(("finish_full",))
        self.cursors = {"cursor": self.cursors["full_cursor"], "full_cursor": ""}
        self.full_mark = ""

    def vanished(self, orphans: bool) -> list[Pair]:
        self.trail.append(("vanished", orphans))
        rows = [row for row in self.links_by_id.values() if row.kind == "visit" and not row.cut and not row.held]
        gone = [row for row in rows if row.gone and row.unsettled]
        lost = [row for row in rows if orphans and not row.gone and row.record_id not in self.local.records]
        return self._pairs([*gone, *lost])

    def count_links(self) -> int:
        rows = self.links_by_id.values()
        return sum(row.kind == "visit" and not row.cut and row.seen is not None for row in rows)

    def count_held(self) -> int:
        return sum(row.held and not row.cut for row in self.links_by_id.values())

    def hold(self, decisions: Sequence[Decision], of: int) -> None:
        self.trail.append(("hold", len(decisions), of))
        for decision in decisions:
            self.links_by_id[decision.pair.link_id].held = True

    def dirty(self, after: int, limit: int) -> tuple[list[Pair], int]:
        rows = [(pk, row) for pk, row in sorted(self.dirty_rows.items()) if pk > after][:limit]
        seqs = {record_id: seq for _, (record_id, seq) in rows}
        return self._of_records(seqs), rows[-1][0] if rows else after

    def unsettled(self, after: int, limit: int) -> tuple[list[Pair], int]:
        waiting = {record_id for record_id, _ in self.dirty_rows.values()}
        rows = [row for row in self.links_by_id.values() if row.unsettled and not row.parked and not row.cut]
        return self._chunk([row for row in rows if row.record_id not in waiting or not row.record_id], after, limit)

    def links(self, after: int, limit: int) -> tuple[list[Pair], int]:
        return self._chunk(list(self.links_by_id.values()), after, limit)

    def _chunk(self, rows: list[LinkRow], after: int, limit: int) -> tuple[list[Pair], int]:
        found = sorted((row for row in rows if row.pk > after), key=lambda row: row.pk)[:limit]
        return self._pairs(found), found[-1].pk if found else after

    def pairs_of_records(self, record_ids: Sequence[str]) -> list[Pair]:
        seqs = dict(self.dirty_rows.values())
        return self._of_records({record_id: seqs.get(record_id) for record_id in record_ids})

    def pairs_of_links(self, link_ids: Sequence[int]) -> list[Pair]:
        return self._pairs([self.links_by_id[pk] for pk in link_ids])

    def refresh(self, pairs: Sequence[Pair]) -> list[Pair]:
        records = self.pairs_of_records([pair.record_id for pair in pairs if pair.record_id])
        return records + self._pairs([self.links_by_id[pair.link_id] for pair in pairs if not pair.record_id])

    def _of_records(self, seqs: Mapping[str, int | None]) -> list[Pair]:
        best: dict[str, LinkRow] = {}
        for row in sorted(self.links_by_id.values(), key=lambda row: not row.cut):
            best[row.record_id] = row
        views = self.local.read("visit", seqs)
        return [
            _pair(best.get(pk), views.get(pk, NOWHERE), seq, "visit", pk)
            for pk, seq in seqs.items()
            if not _is_abandoned(best.get(pk))
        ]

    def _pairs(self, rows: Sequence[LinkRow]) -> list[Pair]:
        views, seqs = self.local.read("visit", [row.record_id for row in rows]), dict(self.dirty_rows.values())
        return [
            _pair(row, views.get(row.record_id, NOWHERE), seqs.get(row.record_id), row.kind, row.record_id)
            for row in rows
            if not _is_abandoned(row)
        ]

    def intend(self, decisions: Sequence[tuple[Decision, Operation, int]]) -> None:
        self.trail.append(("intend", *(decision.pair.key for decision, _, _ in decisions)))
        for decision, operation, generation in decisions:
            row = self.links_by_id.get(decision.pair.link_id or 0)
            row = row or self.link(decision.pair.record_id, operation.remote_id, None)
            fields = {**(decision.pair.seen or {}), **operation.fields}
            if operation.verb is Verb.CREATE:
                row.remote_id, row.generation, row.cut, row.gone = operation.remote_id, generation, False, False
                row.base = row.seen = None
            row.intent, row.unsettled = {"verb": operation.verb, "fields": fields}, True

    def forget_intents(self, pairs: Sequence[Pair]) -> None:
        self.trail.append(("forget", *(pair.key for pair in pairs)))
        for row in self.links_by_id.values():
            if row.record_id in {pair.record_id for pair in pairs}:
                row.intent = None

    def leave_waiting(self, pairs: Sequence[Pair], reason: str) -> None:
        self.trail.append(("wait", *(pair.key for pair in pairs)))
        for pair in pairs:
            self.outcomes[pair.key] = ("waiting", reason)

    def save_local(self, decisions: Sequence[Decision]) -> set[str]:
        self.trail.append(("local", *((decision.pair.key, decision.action) for decision in decisions)))
        overtaken = self.overtaken & {decision.pair.key for decision in decisions}
        for decision in (decision for decision in decisions if decision.pair.key not in overtaken):
            row = self.links_by_id.get(decision.pair.link_id or 0)
            if decision.action in REMOTE_WRITES:
                row.base = {**(row.base or {}), **decision.pull}
                continue
            self.outcomes[decision.pair.key] = (decision.action, decision.reason)
            if row and decision.action not in (Action.WAIT, Action.HOLD):
                row.unsettled, row.base = False, row.seen
                row.cut = row.cut or decision.action is Action.CUT
            self._settled(decision.pair)
        return overtaken

    def save_written(self, written: Sequence[Written]) -> None:
        self.trail.append(("written", *(item.decision.pair.key for item in written)))
        for item in written:
            pair = item.decision.pair
            row = self.links_by_id.get(pair.link_id or 0) or self.link_of(pair.record_id)
            row.intent = None
            if item.error:
                self.outcomes[pair.key] = (type(item.error).__name__, str(item.error))
                continue
            self.outcomes[pair.key] = (item.decision.action, "")
            row.base = row.seen = None if item.record.gone else VISIT.pick(item.record.fields)
            row.tag, row.unsettled, row.gone = item.record.tag, False, item.record.gone
            row.cut = item.record.gone
            self._settled(pair)

    def abandon_intent(self, remote_id: str, error: Exception) -> None:
        [row] = [row for row in self.links_by_id.values() if row.intent and row.remote_id == remote_id]
        row.parked = True
        self._fail(row.record_id or row.remote_id, error)

    def save_failure(self, pair: Pair, error: Exception) -> None:
        if pair.link_id:
            self.links_by_id[pair.link_id].parked = True
        self._fail(pair.key, error)

    def save_unreadable(self, record: RemoteRecord, error: Exception) -> None:
        self._fail(record.id, error)

    def _fail(self, key: str, error: Exception) -> None:
        self.trail.append(("failure", key))
        self.outcomes[key] = (type(error).__name__, str(error))

    def _settled(self, pair: Pair) -> None:
        self.dirty_rows = {pk: row for pk, row in self.dirty_rows.items() if row != (pair.record_id, pair.dirty_seq)}

    def finish(self, progress: RunProgress) -> None:
        self.progress = asdict(progress)
        self.trail.append(("finish", progress.full))
        self.finished += 1


def _is_abandoned(row: LinkRow | None) -> bool:
    """Nothing is decided about a write that could not be resolved."""
    return row is not None and row.parked and row.intent is not None


def _pair(row: LinkRow | None, local: Local, seq: int | None, kind: str, record_id: str) -> Pair:
    if row is None:
        return Pair(KINDS[kind], record_id, "", local, dirty_seq=seq)
    return Pair(
        KINDS[kind], record_id, row.remote_id, local, link_id=row.pk, base=row.base, seen=row.seen, gone=row.gone,
        tag=row.tag, cut=row.cut, held=row.held, generation=row.generation, dirty_seq=seq, decision=row.decision,
    )  # fmt: skip
