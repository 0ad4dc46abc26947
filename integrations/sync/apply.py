"""Applying decisions: the local half at once, writes at the provider in its batches, and what becomes of each.

A write is stored before it is sent, so that a lost answer is resolved by looking and not by writing again.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.errors import (
    ContainerUnavailable,
    Duplicate,
    Gone,
    ProviderError,
    RateLimited,
    Rejected,
    Stale,
    Subject,
    Unavailable,
)
from integrations.records import Fields, Operation, RemoteRecord, Verb, WriteResult
from integrations.sync.isolation import Item, isolated
from integrations.sync.operations import operations_of
from integrations.sync.plan import plan
from integrations.sync.policy import SyncPolicy
from integrations.sync.ports import Gate, Ledger, Remote, Target, Written, all_of_them
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Pair

TRIES = 4  # writes of one record in one run, each after a new look
LONGEST_SLEEP = 5.0  # the longest wait inside a run; what must wait longer is put off (seconds)
NOT_PLANNED = "It is not in the plan that is applied; the next sync looks at it."
MINUTE = 60.0  # after this long a provider's rate window has passed (seconds)


@dataclass
class Applier:
    """Applies the plans of one stream's run. `policy` is the stream's at this moment; `checkpoint` is called between
    any two steps and raises to end the slice. `is_writable` asks whether the container may be written: what it refuses
    as a whole, or of what is new, is left waiting, and `barred` says why (None: nothing is). `gate` passes on those
    decisions that may be made true, where not all are; the others are left for the next run. An exception that is not
    `fatal` is the fault of the record at which it is raised: that one fails, and the others go on."""

    target: Target
    ledger: Ledger
    remote: Remote
    policy: Callable[[], SyncPolicy]
    batch_size: int
    make_id: Callable[[str], str]
    checkpoint: Callable[[], None]
    sleep: Callable[[float], None]
    now: Callable[[], dt.datetime]
    fatal: tuple[type[Exception], ...]
    is_writable: Callable[[], bool] = lambda: False
    gate: Gate = all_of_them
    rng: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._queue: list[Decision] = []
        self._tries: dict[str, int] = {}
        self._refusals = 0
        self._taken_some = False
        self.barred: ContainerUnavailable | None = None

    @property
    def waiting(self) -> int:
        """Decisions that wait for a full batch."""
        return len(self._queue)

    def settle_intents(self) -> None:
        """Resolves writes whose answer was lost by looking, not by writing again."""
        looked: set[str] = set()
        while intents := self.ledger.open_intents():
            names = list(intents)
            if looked.issuperset(names):
                raise Unavailable("The provider answers about other records than those that it was asked about.")
            looked.update(names)
            for start in range(0, len(names), self.batch_size):
                self._isolated(
                    names[start : start + self.batch_size],
                    lambda some: self.ledger.settle_intents(self._look(some, intents)),
                    self.ledger.abandon_intent,
                )
                self.checkpoint()

    def _look(self, names: Sequence[str], sent: Mapping[str, Fields]) -> dict[str, RemoteRecord]:
        """Returns the records of these writes as they are now. Raises what was raised at one that cannot be read."""
        found = self.remote.get(self.target.container_id, names, sent)
        for record in found.values():
            if record.fault is not None:
                raise record.fault
        return found

    def do(self, pairs: Iterable[Pair], *, first: bool = False) -> None:
        """Decides about pairs and applies the local half at once; writes wait for a full batch, or are the next
        (`first`)."""
        decisions: list[Decision] = []
        self._isolated(list(pairs), lambda some: decisions.extend(plan(some, self.policy())), self.ledger.save_failure)
        decisions = self._let_through(decisions)
        untouchable = self._save_local([d for d in decisions if d.pull or _is_local(d)])
        writes = [d for d in decisions if d.action in REMOTE_WRITES and d.pair.key not in untouchable]
        # What was tried before goes together again: some providers know a batch that is sent twice.
        self._queue = [*writes, *self._queue] if first else [*self._queue, *writes]
        self.flush(rest=False)

    def _let_through(self, decisions: Sequence[Decision]) -> list[Decision]:
        through = self.gate(decisions)
        if len(through) < len(decisions):
            passed = {id(decision) for decision in through}
            self.ledger.leave_waiting([d.pair for d in decisions if id(d) not in passed], NOT_PLANNED)
        return through

    def _save_local(self, decisions: Sequence[Decision]) -> set[str]:
        """Makes the local half true; the keys of pairs that must not be written now, because somebody was faster or
        because they failed."""
        overtaken: set[str] = set()
        failed = self._isolated(
            decisions,
            lambda some: overtaken.update(self.ledger.save_local(some)),
            lambda decision, error: self.ledger.save_failure(decision.pair, error),
        )
        return overtaken | {decision.pair.key for decision in failed}

    def _isolated(
        self, items: Sequence[Item], work: Callable[[Sequence[Item]], None], fail: Callable[[Item, Exception], None]
    ) -> list[Item]:
        return isolated(items, work, fail, self.fatal)

    def flush(self, *, rest: bool) -> None:
        size = self.batch_size
        while len(self._queue) >= (1 if rest else size):
            batch, self._queue = self._queue[:size], self._queue[size:]
            self._write(batch)
            self.checkpoint()

    def _write(self, batch: Sequence[Decision], *, alone: bool = False) -> None:
        """Writes a batch. Where that fails in a way that no provider explains, each of its records is looked at and
        written `alone`, and the one at which it fails again is left with a problem."""
        if self.barred:
            waits, batch = _barred(batch, self.barred)
            self._leave_waiting(waits, self.barred)
            if not batch:
                return
        sent: list[tuple[Decision, Operation, int]] = []

        def intend(some: Sequence[Decision]) -> None:
            operations = operations_of(some, self.target, self.make_id, self.ledger.taken)
            intended = [(decision, *write) for decision, write in zip(some, operations, strict=True)]
            self.ledger.intend(intended)
            sent.extend(intended)

        self._isolated(batch, intend, lambda decision, error: self.ledger.save_failure(decision.pair, error))
        if not sent:
            return
        try:
            results = self.remote.write(self.target.container_id, [operation for _, operation, _ in sent])
        except Unavailable as error:
            self._look_and_retry([decision for decision, _, _ in sent], error)
        except ContainerUnavailable as error:
            self._bar([decision for decision, _, _ in sent], error)
        except self.fatal:
            raise
        except Exception as error:
            if alone:
                for _, operation, _ in sent:
                    self.ledger.abandon_intent(operation.remote_id, error)
            else:
                self._write_one_by_one([decision for decision, _, _ in sent])
        else:
            self._take(sent, {result.key: result for result in results})

    def _write_one_by_one(self, decisions: Sequence[Decision]) -> None:
        """Looks whether these writes have been done in part, and does what is left, each alone."""
        self.settle_intents()
        for pair in self.ledger.refresh([decision.pair for decision in decisions]):
            for decision in self._let_through(plan([pair], self.policy())):
                if decision.action in REMOTE_WRITES:
                    self._write([decision], alone=True)
                    self.checkpoint()
                else:
                    self._save_local([decision])

    def _take(self, sent: Sequence[tuple[Decision, Operation, int]], results: Mapping[str, WriteResult]) -> None:
        """Takes the answers of a batch in; what was lost, refused for its rate or has moved on is dealt with anew."""
        written: list[Written] = []
        again: list[Decision] = []
        later: list[Decision] = []
        trouble: Unavailable | None = None
        refusal: RateLimited | None = None
        barred: list[Decision] = []
        bar: ContainerUnavailable | None = None
        ends: ProviderError | None = None
        for decision, operation, _ in sent:
            result = results[operation.key]
            error = result.error
            if isinstance(error, RateLimited):
                later.append(decision)
                refusal = max(refusal or error, error, key=lambda error: error.retry_at)
            elif isinstance(error, (Stale, Gone, Duplicate, Unavailable)):
                again.append(decision)
                trouble = error if isinstance(error, Unavailable) else trouble
            elif isinstance(error, ContainerUnavailable):
                barred.append(decision)
                bar = error if bar is None or bar.doubtful or bar.only_creates else bar
            elif isinstance(error, ProviderError) and error.about in (Subject.ACCOUNT, Subject.APP):
                ends = error  # the open intents are resolved by the next run
            elif error is None or isinstance(error, ProviderError):
                self._taken_some |= error is None and operation.verb is not Verb.DELETE
                written.append(Written(decision, result.record, error, operation.remote_id))
            else:
                raise error
        self._save_written(written)
        if bar:
            self._bar(barred, bar)
        if ends is not None:
            raise ends
        if again:
            self._look_and_retry(again, trouble)
        if refusal:
            self._put_off(later, refusal)
        else:
            self._refusals = 0

    def _bar(self, decisions: Sequence[Decision], error: ContainerUnavailable) -> None:
        """Takes a refusal of the whole container: what else of this run's writes it is about waits as well. What is
        also said of single records is theirs where others were taken, and the container may still be written."""
        if error.doubtful and self._taken_some and self.is_writable():
            refused = Rejected("The calendar may be changed, but not this event in it.", detail=error.detail)
            self._save_written([Written(decision, error=refused) for decision in decisions])
            return
        if self.barred is None or self.barred.only_creates:
            self.barred = error
        self.ledger.forget_intents([decision.pair for decision in decisions])
        self._leave_waiting(decisions, error)

    def _leave_waiting(self, decisions: Sequence[Decision], error: ContainerUnavailable) -> None:
        self.ledger.leave_waiting([decision.pair for decision in decisions], str(error))

    def _save_written(self, written: Sequence[Written]) -> None:
        """Saves answers. One that cannot be saved stays an open write, to be looked for before it is tried again."""
        self._isolated(
            written,
            self.ledger.save_written,
            lambda entry, error: self.ledger.abandon_intent(entry.remote_id or entry.decision.pair.remote_id, error),
        )

    def _look_and_retry(self, decisions: list[Decision], trouble: ProviderError | None) -> None:
        """Looks at just these records and decides anew: something moved under us, or an answer was lost."""
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
        self._save_written(
            [Written(d, error=Stale("It keeps changing at the other side. It is tried again later.")) for d in given_up]
        )
        if not again:
            return
        self.settle_intents()
        self.checkpoint()
        self.do(self.ledger.refresh([decision.pair for decision in again]), first=True)

    def _put_off(self, decisions: list[Decision], error: RateLimited) -> None:
        """Waits as the provider asked. A short wait is slept out; a longer one ends this account's turn.

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


def _barred(batch: Sequence[Decision], bar: ContainerUnavailable) -> tuple[list[Decision], list[Decision]]:
    """Returns the writes of a batch that wait for what bars them, and the others."""
    waits = [decision for decision in batch if not bar.only_creates or decision.action is Action.CREATE_REMOTE]
    return waits, [decision for decision in batch if bar.only_creates and decision.action is not Action.CREATE_REMOTE]


def _is_local(decision: Decision) -> bool:
    return decision.action not in REMOTE_WRITES
