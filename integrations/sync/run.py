"""One stream's run: observe, plan, guard, apply. It holds no state that a crash could lose: whoever goes on reads the
ledger and arrives at the same plan."""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from integrations.errors import CursorExpired, Duplicate, Gone, ProviderError, RateLimited, Stale, Unavailable
from integrations.records import Capabilities, Fields, Marker, Operation, Verb, Window
from integrations.sync.guard import judge
from integrations.sync.observe import cleared
from integrations.sync.plan import plan
from integrations.sync.policy import Policy
from integrations.sync.ports import Ledger, LocalRecords, Overtaken, Progress, Remote, Target, Written
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Pair

CHUNK = 500  # pairs planned at a time
PATIENT_CHUNKS = 4  # chunks after which decisions do not wait any longer for a full batch
TRIES = 4  # writes of one record in one run, each after a new look
NAP = 5.0  # the longest wait inside a run; what must wait longer is put off (seconds)
MINUTE = 60.0  # after this long a provider's rate window has passed (seconds)

_VERBS = {
    Action.CREATE_REMOTE: Verb.CREATE,
    Action.UPDATE_REMOTE: Verb.UPDATE,
    Action.REMOVE_REMOTE: Verb.DELETE,
}


@dataclass
class StreamRun:
    """Brings one stream into agreement. `breathe` is called between any two steps and raises to end the slice."""

    target: Target
    ledger: Ledger
    local: LocalRecords
    remote: Remote
    policy: Policy
    window: Window
    capabilities: Capabilities
    make_id: Callable[[str], str]
    progress: Progress
    breathe: Callable[[], None]
    sleep: Callable[[float], None]
    now: Callable[[], dt.datetime]
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._queue: list[Decision] = []
        self._tries: dict[str, int] = {}
        self._refusals = self._unflushed = 0

    def everything(self) -> bool:
        """The whole run; true when removals were held for a person."""
        if self.progress.phase == "observe":
            self.ledger.announce("pull")
            self._settle_intents()
            self._observe()
            self._enter("guard")
        if self.progress.phase == "guard":
            if self._guard():
                self.progress.notes["held"] = "yes"
            self._enter("apply")
        self.ledger.announce("push", self.progress.full)
        self._settle_intents()
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
        self._settle_intents()
        self._do(self.ledger.refresh(pairs))
        self._flush(rest=True)

    def _enter(self, phase: str) -> None:
        self.progress.phase = phase
        self.ledger.save_progress(self.progress)
        self.breathe()

    # --- observe ----------------------------------------------------------------------------------------------------

    def _settle_intents(self) -> None:
        """Writes whose answer was lost are resolved by looking, not by writing again."""
        while intents := self.ledger.open_intents():
            names = list(intents)
            for start in range(0, len(names), self.capabilities.batch_size):
                ids = names[start : start + self.capabilities.batch_size]
                self.ledger.settle_intents(self.remote.get(self.target.container_id, ids, intents))
                self.breathe()

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
            while ids := self.ledger.unlisted(self.window, self.capabilities.batch_size):
                self.ledger.look_again(self.remote.get(self.target.container_id, ids))
                self.breathe()
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
                    page = cleared(page, self.remote, self.target.container_id, self.ledger, self.window)
                    self.ledger.save_page(page, cursor, full)
                    cursor = page.cursor
                    if not page.last:  # else each slice would end here, and none get beyond
                        self.breathe()
                return
            except Overtaken:  # a reader of the change feed was faster: go on behind it
                continue

    # --- guard ------------------------------------------------------------------------------------------------------

    def _guard(self) -> bool:
        vanished = self.ledger.vanished(orphans=self.progress.full)
        removals = [decision for decision in plan(vanished, self._policy) if decision.removal]
        if not removals:
            return False
        links = self.ledger.count_links()
        if not judge(len(removals) + self.ledger.count_held(), links).tripped:
            return False
        self.ledger.hold(removals, of=links)
        return True

    @property
    def _policy(self) -> Policy:
        """The stream's policy as this run may apply it: an expired cursor makes any run a full one."""
        return replace(self.policy, full=self.progress.full)

    # --- apply ------------------------------------------------------------------------------------------------------

    def _apply_incremental(self) -> None:
        self._each_chunk(self.ledger.dirty, "after_dirty")
        self._each_chunk(self.ledger.unsettled, "after_link")
        self._flush(rest=True)

    def _apply_full(self) -> None:
        self._each_chunk(self.ledger.links, "after_link")
        while ids := self.local.unlinked(self.progress.after_record, CHUNK):
            self._do(self.ledger.pairs_of_records(ids))
            self.progress.after_record = ids[-1]
            self._checkpoint()
        self._each_chunk(self.ledger.dirty, "after_dirty")
        self._flush(rest=True)

    def _each_chunk(self, read: Callable[[int, int], tuple[list[Pair], int]], name: str) -> None:
        while True:
            pairs, after = read(getattr(self.progress, name), CHUNK)
            if not pairs:
                return
            self._do(pairs)
            setattr(self.progress, name, after)
            self._checkpoint()

    def _checkpoint(self) -> None:
        """The next slice, or another worker, takes the run up here, behind what it has looked at."""
        self._unflushed = self._unflushed + 1 if self._queue else 0
        if self.progress.full or self._unflushed >= PATIENT_CHUNKS:
            self._flush(rest=True)
        elif self._queue:
            return  # ending the slice here would drop what waits for a full batch, again and again
        self.ledger.save_progress(self.progress)
        self.breathe()

    def _do(self, pairs: Iterable[Pair], *, first: bool = False) -> None:
        decisions = plan(pairs, self._policy)
        overtaken = self.ledger.save_here([decision for decision in decisions if decision.pull or _is_here(decision)])
        writes = [d for d in decisions if d.action in REMOTE_WRITES and d.pair.key not in overtaken]
        # What was tried before goes together again: some providers know a batch that is sent twice.
        self._queue = [*writes, *self._queue] if first else [*self._queue, *writes]
        self._flush(rest=False)

    def _flush(self, *, rest: bool) -> None:
        size = self.capabilities.batch_size
        while len(self._queue) >= (1 if rest else size):
            batch, self._queue = self._queue[:size], self._queue[size:]
            self._write(batch)
            self.breathe()

    def _write(self, batch: list[Decision]) -> None:
        operations = [self._operation(decision) for decision in batch]
        self.ledger.intend([(d, op, generation) for d, (op, generation) in zip(batch, operations, strict=True)])
        try:
            outcomes = self.remote.write(self.target.container_id, [op for op, _ in operations])
        except Unavailable as error:
            self._look_and_retry(batch, error)
            return
        written: list[Written] = []
        again: list[Decision] = []
        later: list[Decision] = []
        trouble: Unavailable | None = None
        refusal: RateLimited | None = None
        by_key = {outcome.key: outcome for outcome in outcomes}
        for decision, (operation, generation) in zip(batch, operations, strict=True):
            outcome = by_key[operation.key]
            problem = outcome.error
            if isinstance(problem, RateLimited):
                later.append(decision)
                refusal = max(refusal or problem, problem, key=lambda error: error.retry_at)
            elif isinstance(problem, (Stale, Gone, Duplicate, Unavailable)):
                again.append(decision)
                trouble = problem if isinstance(problem, Unavailable) else trouble
            elif problem is None or isinstance(problem, ProviderError):
                written.append(Written(decision, outcome.record, problem, generation))
            else:
                raise problem
        self.ledger.save_written(written)
        if again:
            self._look_and_retry(again, trouble)
        if refusal:
            self._put_off(later, refusal)
        else:
            self._refusals = 0

    def _operation(self, decision: Decision) -> tuple[Operation, int]:
        pair, verb = decision.pair, _VERBS[decision.action]
        if verb is not Verb.CREATE:
            marker = Marker(self.target.workspace_id, pair.record_id, pair.remote_id)
            push = {**_noted(pair), **_with_companions(pair, decision.push)}
            return Operation(pair.key, verb, pair.kind.name, pair.remote_id, push, pair.tag, marker), pair.generation
        # A removed event keeps its id for good, so what is made again gets a new one.
        generation = pair.generation + 1 if pair.gone or pair.cut else pair.generation
        remote_id = self.make_id(f"{self.target.stream_id}|{pair.record_id}|{generation}")
        marker = Marker(self.target.workspace_id, pair.record_id, remote_id)
        push = {**_noted(pair), **decision.push}
        return Operation(pair.key, verb, pair.kind.name, remote_id, push, marker=marker), generation

    def _look_and_retry(self, decisions: list[Decision], trouble: ProviderError | None) -> None:
        """Something moved under us, or an answer was lost: look at just these records and decide anew."""
        given_up: list[Decision] = []
        again: list[Decision] = []
        for decision in decisions:
            key = decision.pair.key
            self._tries[key] = self._tries.get(key, 0) + 1
            (again if self._tries[key] < TRIES else given_up).append(decision)
        if given_up and trouble is not None:
            raise trouble  # the provider is ill: the open intents are resolved by the next run
        if trouble is not None:
            self.sleep(min(NAP, self.rng.uniform(0.5, 1.0) * 2 ** max(self._tries[d.pair.key] for d in again)))
        self.ledger.save_written(
            [Written(d, error=Stale("It keeps changing at the other side. It is tried again later.")) for d in given_up]
        )
        if not again:
            return
        self._settle_intents()
        self.breathe()
        self._do(self.ledger.refresh([decision.pair for decision in again]), first=True)

    def _put_off(self, decisions: list[Decision], error: RateLimited) -> None:
        """The provider asked for patience. A short wait is slept out; a longer one ends this account's turn.

        Most refusals name no time: each in a row doubles the wait, up to the minute after which rates are forgotten.
        """
        self.ledger.forget_intents([decision.pair for decision in decisions])
        self._refusals += 1
        wait = max((error.retry_at - self.now()).total_seconds(), self.rng.uniform(0.5, 1.0) * 2**self._refusals)
        if wait > NAP:
            error.retry_at = max(error.retry_at, self.now() + dt.timedelta(seconds=MINUTE))
            raise error
        self.sleep(wait)
        self._do(self.ledger.refresh([decision.pair for decision in decisions]), first=True)


def _with_companions(pair: Pair, push: Fields) -> Fields:
    """The fields to write, and those that make sense only together with them, as they are there."""
    if not (pair.seen and push.keys() & set(pair.kind.together)):
        return push
    return {**{name: pair.seen[name] for name in pair.kind.together}, **push}


def _noted(pair: Pair) -> Fields:
    """What is never compared, as FieldCamp has it: books are told the tax that we came to."""
    return {name: (pair.local.fields or {}).get(name) for name in pair.kind.noted}


def _is_here(decision: Decision) -> bool:
    return decision.action not in REMOTE_WRITES
