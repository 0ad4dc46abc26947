"""Applying decisions: the local half at once, writes at the provider in its batches, and what becomes of each.

A write is stored before it is sent, so that a lost answer is resolved by looking and not by writing again.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from integrations.errors import Duplicate, Gone, ProviderError, RateLimited, Stale, Unavailable
from integrations.records import Capabilities, Fields, Marker, Operation, Verb
from integrations.sync.plan import plan
from integrations.sync.policy import SyncPolicy
from integrations.sync.ports import Ledger, Remote, Target, Written
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Pair

TRIES = 4  # writes of one record in one run, each after a new look
LONGEST_SLEEP = 5.0  # the longest wait inside a run; what must wait longer is put off (seconds)
MINUTE = 60.0  # after this long a provider's rate window has passed (seconds)

_VERBS = {
    Action.CREATE_REMOTE: Verb.CREATE,
    Action.UPDATE_REMOTE: Verb.UPDATE,
    Action.REMOVE_REMOTE: Verb.DELETE,
}


@dataclass
class Applier:
    """Applies the plans of one stream's run. `policy` is the stream's at this moment; `checkpoint` is called between
    any two steps and raises to end the slice."""

    target: Target
    ledger: Ledger
    remote: Remote
    policy: Callable[[], SyncPolicy]
    capabilities: Capabilities
    make_id: Callable[[str], str]
    checkpoint: Callable[[], None]
    sleep: Callable[[float], None]
    now: Callable[[], dt.datetime]
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._queue: list[Decision] = []
        self._tries: dict[str, int] = {}
        self._refusals = 0

    @property
    def waiting(self) -> int:
        """Decisions that wait for a full batch."""
        return len(self._queue)

    def settle_intents(self) -> None:
        """Writes whose answer was lost are resolved by looking, not by writing again."""
        while intents := self.ledger.open_intents():
            names = list(intents)
            for start in range(0, len(names), self.capabilities.batch_size):
                ids = names[start : start + self.capabilities.batch_size]
                self.ledger.settle_intents(self.remote.get(self.target.container_id, ids, intents))
                self.checkpoint()

    def do(self, pairs: Iterable[Pair], *, first: bool = False) -> None:
        decisions = plan(pairs, self.policy())
        overtaken = self.ledger.save_local([decision for decision in decisions if decision.pull or _is_local(decision)])
        writes = [d for d in decisions if d.action in REMOTE_WRITES and d.pair.key not in overtaken]
        # What was tried before goes together again: some providers know a batch that is sent twice.
        self._queue = [*writes, *self._queue] if first else [*self._queue, *writes]
        self.flush(rest=False)

    def flush(self, *, rest: bool) -> None:
        size = self.capabilities.batch_size
        while len(self._queue) >= (1 if rest else size):
            batch, self._queue = self._queue[:size], self._queue[size:]
            self._write(batch)
            self.checkpoint()

    def _write(self, batch: list[Decision]) -> None:
        operations = self._operations(batch)
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

    def _operations(self, batch: Sequence[Decision]) -> list[tuple[Operation, int]]:
        """The writes of a batch. An id under which the stream knows somebody else's record already is passed over."""
        operations = [self._operation(decision) for decision in batch]
        while taken := self.ledger.taken({op.remote_id: op.key for op, _ in operations if op.verb is Verb.CREATE}):
            operations = [
                self._operation(decision, generation + 1) if operation.remote_id in taken else (operation, generation)
                for decision, (operation, generation) in zip(batch, operations, strict=True)
            ]
        return operations

    def _operation(self, decision: Decision, generation: int | None = None) -> tuple[Operation, int]:
        """The write of a decision, and the generation of its remote id (that of a create may be given)."""
        pair, verb = decision.pair, _VERBS[decision.action]
        kind, link = pair.kind.name, pair.local.link
        if verb is not Verb.CREATE:
            marker = Marker(self.target.workspace_id, pair.record_id, pair.remote_id)
            push = {**_noted(pair), **_with_companions(pair, decision.push)}
            return Operation(pair.key, verb, kind, pair.remote_id, push, pair.tag, marker, link), pair.generation
        # A removed event keeps its id for good, so what is made again gets a new one.
        if generation is None:
            generation = pair.generation + 1 if pair.gone else pair.generation
        remote_id = self.make_id(f"{self.target.stream_id}|{pair.record_id}|{generation}")
        marker = Marker(self.target.workspace_id, pair.record_id, remote_id)
        push = {**_noted(pair), **decision.push}
        return Operation(pair.key, verb, kind, remote_id, push, marker=marker, link=link), generation

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
            self.sleep(
                min(LONGEST_SLEEP, self.rng.uniform(0.5, 1.0) * 2 ** max(self._tries[d.pair.key] for d in again))
            )
        self.ledger.save_written(
            [Written(d, error=Stale("It keeps changing at the other side. It is tried again later.")) for d in given_up]
        )
        if not again:
            return
        self.settle_intents()
        self.checkpoint()
        self.do(self.ledger.refresh([decision.pair for decision in again]), first=True)

    def _put_off(self, decisions: list[Decision], error: RateLimited) -> None:
        """The provider asked for patience. A short wait is slept out; a longer one ends this account's turn.

        Most refusals name no time: each in a row doubles the wait, up to the minute after which rates are forgotten.
        """
        self.ledger.forget_intents([decision.pair for decision in decisions])
        self._refusals += 1
        wait = max((error.retry_at - self.now()).total_seconds(), self.rng.uniform(0.5, 1.0) * 2**self._refusals)
        if wait > LONGEST_SLEEP:
            error.retry_at = max(error.retry_at, self.now() + dt.timedelta(seconds=MINUTE))
            raise error
        self.sleep(wait)
        self.do(self.ledger.refresh([decision.pair for decision in decisions]), first=True)


def _with_companions(pair: Pair, push: Fields) -> Fields:
    """The fields to write, and those that make sense only together with them, as they are there."""
    if not (pair.seen and push.keys() & set(pair.kind.together)):
        return push
    return {**{name: pair.seen[name] for name in pair.kind.together}, **push}


def _noted(pair: Pair) -> Fields:
    """What is never compared, as FieldCamp has it: books are told the tax that we came to."""
    return {name: (pair.local.fields or {}).get(name) for name in pair.kind.noted}


def _is_local(decision: Decision) -> bool:
    return decision.action not in REMOTE_WRITES
