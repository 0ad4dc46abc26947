"""One stream's run: observe, plan, guard, apply. It holds no state that a crash could lose: whoever goes on reads the
ledger and arrives at the same plan."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from integrations.errors import CursorExpired
from integrations.records import Window
from integrations.sync.apply import Applier
from integrations.sync.guard import judge
from integrations.sync.observe import with_certainty
from integrations.sync.plan import plan
from integrations.sync.policy import SyncPolicy
from integrations.sync.ports import CursorMoved, Ledger, LocalRecords, Remote, RunProgress, Target
from integrations.sync.state import Pair

CHUNK = 500  # pairs planned at a time
MAX_UNFLUSHED_CHUNKS = 4  # chunks after which decisions do not wait any longer for a full batch


@dataclass
class StreamRun:
    """Brings one stream into agreement. `checkpoint` is called between any two steps and raises to end the slice."""

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
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._unflushed = 0
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
            rng=self.rng,
        )

    def everything(self) -> bool:
        """The whole run; true when removals were held for a person."""
        if self.progress.phase == "observe":
            self.ledger.announce("pull")
            self.applier.settle_intents()
            self._observe()
            self._enter("guard")
        if self.progress.phase == "guard":
            if self._guard():
                self.progress.notes["held"] = "yes"
            self._enter("apply")
        self.ledger.announce("push", self.progress.full)
        self.applier.settle_intents()
        self.ledger.match(self.progress.full)
        if self.progress.full:
            self._apply_full()
        else:
            self._apply_incremental()
        self.ledger.finish()
        self._enter("done")
        return "held" in self.progress.notes

    def only(self, pairs: Sequence[Pair]) -> None:
        """Just these pairs: what a person decided about them, at once."""
        self.applier.settle_intents()
        self.applier.do(self.ledger.refresh(pairs))
        self.applier.flush(rest=True)

    def _enter(self, phase: str) -> None:
        self.progress.phase = phase
        self.ledger.save_progress(self.progress)
        self.checkpoint()

    # --- observe ----------------------------------------------------------------------------------------------------

    def _observe(self) -> None:
        if self.progress.full:
            self.ledger.begin_full()
        elif not self.ledger.cursor(full=False):
            self._go_full()
        try:
            self._listing()
        except CursorExpired:
            self.progress.notes["forced"] = "yes"
            self._go_full(again=True)
            self._listing()
        if self.progress.full:
            while ids := self.ledger.unlisted(self.window, self.batch_size):
                self.ledger.save_refreshed(self.remote.get(self.target.container_id, ids))
                self.checkpoint()
            self.ledger.finish_full()

    def _go_full(self, again: bool = False) -> None:
        self.progress.full = True
        self.ledger.begin_full(again)
        self.ledger.save_progress(self.progress)

    def _listing(self) -> None:
        full = self.progress.full
        while True:
            cursor = self.ledger.cursor(full)
            try:
                for page in self.remote.changes(self.target.container_id, cursor, self.window):
                    page = with_certainty(page, self.remote, self.target.container_id, self.ledger, self.window)
                    self.ledger.save_page(page, cursor, full)
                    cursor = page.cursor
                    if not page.last:  # else each slice would end here, and none get beyond
                        self.checkpoint()
                return
            except CursorMoved:  # a reader of the change feed was faster: go on behind it
                continue

    # --- guard ------------------------------------------------------------------------------------------------------

    def _guard(self) -> bool:
        vanished = self.ledger.vanished(orphans=self.progress.full)
        removals = [decision for decision in plan(vanished, self._policy()) if decision.removal]
        if not removals:
            return False
        links = self.ledger.count_links()
        if not judge(len(removals) + self.ledger.count_held(), links).tripped:
            return False
        self.ledger.hold(removals, of=links)
        return True

    def _policy(self) -> SyncPolicy:
        """The stream's policy as this run may apply it: an expired cursor makes any run a full one."""
        return replace(self.policy, full=self.progress.full)

    # --- apply ------------------------------------------------------------------------------------------------------

    def _apply_incremental(self) -> None:
        self._each_chunk(self.ledger.dirty, "after_dirty")
        self._each_chunk(self.ledger.unsettled, "after_link")
        self.applier.flush(rest=True)

    def _apply_full(self) -> None:
        self._each_chunk(self.ledger.links, "after_link")
        while ids := self.local.unlinked(self.progress.after_record, CHUNK):
            self.applier.do(self.ledger.pairs_of_records(ids))
            self.progress.after_record = ids[-1]
            self._save_progress()
        self._each_chunk(self.ledger.dirty, "after_dirty")
        self.applier.flush(rest=True)

    def _each_chunk(self, read: Callable[[int, int], tuple[list[Pair], int]], name: str) -> None:
        while True:
            pairs, after = read(getattr(self.progress, name), CHUNK)
            if not pairs:
                return
            self.applier.do(pairs)
            setattr(self.progress, name, after)
            self._save_progress()

    def _save_progress(self) -> None:
        """The next slice, or another worker, takes the run up here, behind what it has looked at."""
        self._unflushed = self._unflushed + 1 if self.applier.waiting else 0
        if self.progress.full or self._unflushed >= MAX_UNFLUSHED_CHUNKS:
            self.applier.flush(rest=True)
        elif self.applier.waiting:
            return  # ending the slice here would drop what waits for a full batch, again and again
        self.ledger.save_progress(self.progress)
        self.checkpoint()
