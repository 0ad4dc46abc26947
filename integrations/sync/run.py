"""One stream's run: observe, plan, guard, apply. It holds no state that a crash could lose: whoever goes on reads the
ledger and arrives at the same plan."""

import contextlib
import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from integrations.errors import CursorExpired, Endless, ProviderError, Unavailable
from integrations.paging import getting_on
from integrations.records import Page, Window
from integrations.sync.apply import Applier
from integrations.sync.guard import is_drastic, judge
from integrations.sync.isolation import RunEnds, isolated
from integrations.sync.observe import with_certainty
from integrations.sync.plan import plan
from integrations.sync.policy import SyncPolicy
from integrations.sync.ports import (
    CursorMoved,
    Gate,
    Ledger,
    LocalRecords,
    Phase,
    Remote,
    RunProgress,
    Target,
    all_of_them,
)
from integrations.sync.state import Pair

CHUNK = 500  # pairs planned at a time
MAX_UNFLUSHED_CHUNKS = 4  # chunks after which decisions do not wait any longer for a full batch


class DiedBefore(Exception):
    """A record at which the process of a careful run has died."""


@dataclass
class StreamRun:
    """Brings one stream into agreement. `checkpoint` is called between any two steps and raises to end the slice.
    `careful` runs take record by record, so that what kills a process is known when it has done so. `gate` passes on
    those decisions that the run may make true."""

    target: Target
    ledger: Ledger
    local: LocalRecords
    remote: Remote
    policy: SyncPolicy
    window: Window
    batch_size: int
    make_id: Callable[[str], str]
    progress: RunProgress
    checkpoint: Callable[[], None]
    sleep: Callable[[float], None]
    now: Callable[[], dt.datetime]
    fatal: tuple[type[Exception], ...] = (ProviderError, RunEnds)
    careful: bool = False
    is_writable: Callable[[], bool] = lambda: False
    before_push: Callable[[], None] = lambda: None  # called once all is observed and before anything is decided
    gate: Gate = all_of_them
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._unflushed = 0
        if self.progress.in_hand:
            self.progress.left_out.append(self.progress.in_hand)
            self.progress.in_hand = ""
        self.applier = Applier(
            target=self.target,
            ledger=self.ledger,
            remote=self.remote,
            policy=self._policy,
            batch_size=self.batch_size,
            make_id=self.make_id,
            checkpoint=self.checkpoint,
            sleep=self.sleep,
            now=self.now,
            fatal=self.fatal,
            is_writable=self.is_writable,
            gate=self.gate,
            rng=self.rng,
        )

    def everything(self) -> bool:
        """Goes through the whole run; true when removals were held for a person."""
        if self.progress.phase == Phase.OBSERVE:
            self.ledger.begin_pull()
            self.applier.settle_intents()
            self._observe()
            if self.ledger.has_nothing_to_do(self.progress):
                return self._end()
            self.progress.held = self._guard() or self.progress.held
            self.progress.phase = Phase.APPLY
        else:
            self.applier.settle_intents()
        self.before_push()
        self.ledger.begin_push(self.progress)
        if self.progress.full:
            self._apply_full()
        else:
            self._apply_incremental()
        self._raise_what_bars()
        return self._end()

    def _end(self) -> bool:
        self.progress.phase = Phase.DONE
        self.ledger.finish(self.progress)
        self.checkpoint()
        return self.progress.held

    def only(self, link_ids: Sequence[int]) -> None:
        """Runs just these links: what a person decided about them, at once."""
        self.before_push()
        for start in range(0, len(link_ids), CHUNK):
            pairs = self.ledger.pairs_of_links(link_ids[start : start + CHUNK])
            self.applier.settle_intents()
            self.applier.do(self.ledger.refresh(pairs))
            self.applier.flush(rest=True)
        self._raise_what_bars()

    def removals(self) -> None:
        """Takes away what has no place there any more, without reading anything else: the account is being left."""
        self.progress.phase, self.progress.full = Phase.APPLY, True
        self.applier.settle_intents()
        self.ledger.begin_push(self.progress)
        self._each_chunk(self.ledger.dirty, "after_dirty")
        self._raise_what_bars()

    def _raise_what_bars(self) -> None:
        """Raises where the container takes no writes, once all else is done: then the run is not whole."""
        if self.applier.barred:
            raise self.applier.barred

    # --- observe ----------------------------------------------------------------------------------------------------

    def _observe(self) -> None:
        try:
            self._listing(self._begin())
        except CursorExpired:
            self.progress.forced = True
            self._go_full(again=True)
            self._listing(self.ledger.cursor(full=True))
        if self.progress.full:
            self._look_for_unlisted()
            self.ledger.finish_full()

    def _begin(self) -> str:
        """Returns where the listing is gone on with, or begun."""
        if self.progress.full:
            self.ledger.begin_full()
        elif cursor := self.ledger.cursor(full=False):
            return cursor
        else:
            self._go_full()
        return self.ledger.cursor(full=True)

    def _look_for_unlisted(self) -> None:
        asked: set[str] = set()
        while ids := self.ledger.unlisted(self.window, self.batch_size):
            if asked.issuperset(ids):
                raise Unavailable("The provider answers about other records than those that it was asked about.")
            asked.update(ids)
            self.ledger.save_refreshed(self.remote.get(self.target.container_id, ids))
            self.progress.listing["rows"] = self.progress.listing.get("rows", 0) + len(ids)
            self.ledger.save_progress(self.progress)
            self.checkpoint()

    def _go_full(self, again: bool = False) -> None:
        self.progress.full, self.progress.listing = True, {}
        self.ledger.begin_full(again)
        self.ledger.save_progress(self.progress)

    def _listing(self, cursor: str) -> None:
        """Reads the listing to its end from `cursor`, where the ledger says that it stands."""
        full = self.progress.full
        while True:
            pages = self.remote.changes(self.target.container_id, cursor, self.window)
            try:
                for page in getting_on(pages, self.progress.listing):
                    page = with_certainty(page, self.remote, self.target.container_id, self.ledger, self.window)
                    self._save_page(page, cursor, full)
                    cursor = page.cursor
                    if not page.last:  # else each slice would end here, and none get beyond
                        self.ledger.save_progress(self.progress)
                        self.checkpoint()
                return
            except CursorMoved:  # a reader of the change feed was faster: go on behind it
                cursor = self.ledger.cursor(full)
            except Endless as error:  # what it has led to is no place to go on from
                self.progress.listing = {}
                with contextlib.suppress(CursorMoved):
                    self.ledger.save_page(Page([], error.restart, last=False), cursor, full)
                raise

    def _save_page(self, page: Page, cursor: str, full: bool) -> None:
        """Saves a page; a record that cannot be written down is left with a problem, and the others are taken in."""
        try:
            self.ledger.save_page(page, cursor, full)
        except CursorMoved:
            raise
        except self.fatal:
            raise
        except Exception:
            isolated(
                page.records,
                lambda some: self.ledger.save_refreshed({record.id: record for record in some}),
                self.ledger.save_unreadable,
                self.fatal,
            )
            self.ledger.save_page(Page([], page.cursor, page.last), cursor, full)

    # --- guard ------------------------------------------------------------------------------------------------------

    def _guard(self) -> bool:
        vanished = self.ledger.vanished(orphans=self.progress.full)
        removals = [decision for decision in plan(vanished, self._policy()) if is_drastic(decision)]
        if not removals:
            return False
        links = self.ledger.count_links()
        if not judge(len(removals) + self.ledger.count_held(), links).tripped:
            return False
        self.ledger.hold(removals, of=links)
        return True

    def _policy(self) -> SyncPolicy:
        """Returns the stream's policy as this run may apply it: an expired cursor makes any run a full one."""
        return replace(self.policy, full=self.progress.full)

    # --- apply ------------------------------------------------------------------------------------------------------

    def _apply_incremental(self) -> None:
        self._each_chunk(self.ledger.dirty, "after_dirty")
        self._each_chunk(self.ledger.unsettled, "after_link")
        self.applier.flush(rest=True)

    def _apply_full(self) -> None:
        self._each_chunk(self.ledger.links, "after_link")
        while ids := self.local.unlinked(self.progress.after_record, self._chunk):
            self._do(self.ledger.pairs_of_records(ids))
            self.progress.after_record = ids[-1]
            self._save_progress()
        self._each_chunk(self.ledger.dirty, "after_dirty")

    def _each_chunk(self, read: Callable[[int, int], tuple[list[Pair], int]], name: str) -> None:
        while True:
            pairs, after = read(getattr(self.progress, name), self._chunk)
            if not pairs:
                return
            self._do(pairs)
            setattr(self.progress, name, after)
            self._save_progress()

    @property
    def _chunk(self) -> int:
        return 1 if self.careful else CHUNK

    def _do(self, pairs: Sequence[Pair]) -> None:
        """Applies pairs; a careful run writes down first which one it has in hand, and leaves out those at which its
        process died."""
        if not self.careful:
            self.applier.do(pairs)
            return
        for pair in pairs:
            if pair.key in self.progress.left_out:
                self.ledger.save_failure(pair, DiedBefore("The process has died at this record more than once."))
                continue
            self.progress.in_hand = pair.key
            self.ledger.save_progress(self.progress)
            try:
                self.applier.do([pair])
                self.applier.flush(rest=True)
            except self.fatal:  # a slice that is over, say: no death
                self.progress.in_hand = ""
                self.ledger.save_progress(self.progress)
                raise
            self.progress.in_hand = ""

    def _save_progress(self) -> None:
        """Saves where the run stands: the next slice, or another worker, takes it up behind what it has looked at. Of a
        full run nothing waits then to be written."""
        self._unflushed = self._unflushed + 1 if self.applier.waiting else 0
        if self.progress.full or self._unflushed >= MAX_UNFLUSHED_CHUNKS:
            self.applier.flush(rest=True)
        elif self.applier.waiting:
            return  # ending the slice here would drop what waits for a full batch, again and again
        self.ledger.save_progress(self.progress)
        self.checkpoint()
