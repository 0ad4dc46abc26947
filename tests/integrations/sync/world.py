"""A run of the engine over a world in memory: no database, no network, no time that passes by itself.

One `World` is run as often as a test likes: a run that was broken off is gone on with by the next.
"""

import datetime as dt
import random

from integrations.records import Fields, Marker, Window
from integrations.sync.isolation import RunEnds
from integrations.sync.policy import SyncPolicy
from integrations.sync.ports import RunProgress, Target
from integrations.sync.run import StreamRun
from integrations.sync.state import Local
from tests.faketime import START, FakeTime
from tests.integrations.sync.memory_ledger import LinkRow, MemoryLedger
from tests.integrations.sync.sides import MemoryRecords, MemoryRemote

WINDOW = Window(START - dt.timedelta(days=30), START + dt.timedelta(days=180))


class World:
    """Both sides, what is remembered, and runs over them."""

    def __init__(self, batch_size: int = 3, seed: int = 1):
        self.time, self.remote, self.local = FakeTime(), MemoryRemote(), MemoryRecords()
        self.ledger = MemoryLedger(self.local)
        self.batch_size = batch_size
        self.checkpoints, self.ends_at = 0, None
        self.rng = random.Random(seed)
        self.is_writable = False  # what is said of the calendar to who asks

    def visit(self, record_id: str, fields: Fields | None, *, dirty: bool = True, **more) -> None:
        self.local.records[record_id] = Local(fields, **more)
        if dirty:
            self.ledger.make_dirty(record_id)

    def agreed(self, record_id: str, fields: Fields) -> LinkRow:
        """A visit that its event shows."""
        row = self.ledger.link(record_id, f"event-{record_id}", fields)
        row.tag = self.remote.put(row.remote_id, fields, marker=Marker("wsp_1", record_id, row.remote_id)).tag
        self.visit(record_id, fields, dirty=False)
        return row

    def checkpoint(self) -> None:
        self.checkpoints += 1
        if self.checkpoints == self.ends_at:
            raise SliceOver

    def run(self, policy: SyncPolicy | None = None, full: bool = False, careful: bool = False) -> StreamRun:
        stored = self.ledger.progress
        return StreamRun(
            target=Target("str_1", "wsp_1", "main"),
            ledger=self.ledger,
            local=self.local,
            remote=self.remote,
            policy=policy or SyncPolicy(full=full),
            window=WINDOW,
            batch_size=self.batch_size,
            make_id=lambda seed: f"id({seed})",
            progress=RunProgress(**stored) if stored else RunProgress(full=full),
            checkpoint=self.checkpoint,
            sleep=self.time.sleep,
            now=self.time.clock,
            careful=careful,
            is_writable=lambda: self.is_writable,
            rng=self.rng,
        )

    def sync(self, full: bool = False, **policy) -> bool:
        """A whole run; true when removals were held."""
        self.ledger.progress = None
        return self.run(SyncPolicy(full=full, **policy), full).everything()

    def calls(self) -> list[str]:
        """What the provider was asked, in order."""
        return [name for name, _ in self.remote.calls]

    def steps(self, *kinds: str) -> list[tuple]:
        """What the run has written down, of these kinds, in order."""
        return [entry for entry in self.ledger.trail if entry[0] in kinds]


class SliceOver(RunEnds):
    """The slice ends here."""
