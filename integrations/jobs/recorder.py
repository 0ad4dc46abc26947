"""What a dry run's stream comes to: its decisions are noted, and its writes answered as if they had been made."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from integrations.ledger.planned import Planned, acts, linked, money_of, planned_of
from integrations.models import JobItem, Link, Outcome, Stream, SyncJob
from integrations.records import Operation, RemoteRecord, Verb, WriteResult
from integrations.sync.run import StreamRun
from integrations.sync.state import Action, Decision, Pair

_TAG = "planned"


@dataclass
class Findings:
    """What a dry run has found of one account. `money` has sums by what is done; `standing` is what was dirty."""

    operations: list[Planned] = field(default_factory=list)
    money: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    counts: Counter[str] = field(default_factory=Counter)  # held, skipped, failed
    standing: dict[str, dict[str, int]] = field(default_factory=dict)
    currency: str = ""
    failures: list[tuple[str, str, str]] = field(default_factory=list)  # stream, code, sentence


class Recorder:
    """Notes what one stream's run does. `gate` is the run's, `written` answers its writes."""

    def __init__(self, stream: Stream, job: SyncJob):
        self.stream, self.job = stream, job
        self._decisions: list[Decision] = []
        self._pairs: dict[str, Pair] = {}
        self._made: dict[str, str] = {}  # key → the id that its create was sent with
        self._held: set[str] = set()
        self._unmatched: set[int] = set()
        self._began = timezone.now()

    def watch(self, run: StreamRun) -> None:
        """Has the run tell which records have met for the first time."""
        before = run.before_push

        def look() -> None:
            before()
            unmatched = Link.objects.live().unmatched().filter(stream=self.stream)
            self._unmatched = set(unmatched.values_list("pk", flat=True))

        run.before_push = look

    def gate(self, decisions: Sequence[Decision]) -> list[Decision]:
        for decision in decisions:
            self._pairs[decision.pair.key] = decision.pair
            if decision.action is Action.HOLD:
                self._held.add(decision.pair.key)
            elif acts(decision):
                self._decisions.append(decision)
        return list(decisions)

    def written(self, operations: Sequence[Operation]) -> list[WriteResult]:
        """Returns the answers of a provider that takes everything as it was sent."""
        return [WriteResult(operation.key, self._record(operation)) for operation in operations]

    def _record(self, operation: Operation) -> RemoteRecord:
        pair, creates = self._pairs[operation.key], operation.verb is Verb.CREATE
        if operation.verb is Verb.DELETE:
            return RemoteRecord(operation.remote_id, _TAG, operation.kind, gone=True)
        if creates:
            self._made[operation.key] = operation.remote_id
        fields = {**({} if creates else pair.seen or {}), **operation.fields}
        return RemoteRecord(operation.remote_id, _TAG, operation.kind, fields, marker=operation.marker,
                            made_with=operation.remote_id if creates else "")  # fmt: skip

    def add_to(self, found: Findings, run: StreamRun) -> None:
        """Adds what the run has come to, as far as nothing has failed at it."""
        made: dict[int, str] = getattr(run.local, "made", {})
        fresh = set(made.values())  # of records that are here only for the moment
        items = JobItem.objects.filter(job=self.job, connection=self.stream.connection_id)
        outcomes = {(kind, key): outcome for kind, key, outcome in items.values_list("kind", "key", "outcome")}
        found.operations += [linked(link, self.stream) for link in self._matched(made)]
        for decision in self._decisions:
            pair = decision.pair
            outcome = outcomes.get((pair.kind.name, pair.key))
            if outcome not in (Outcome.PULLED, Outcome.PUSHED) or pair.record_id in fresh:
                continue
            found.operations += planned_of(decision, self.stream, self._made.get(pair.key, ""))
            if money := money_of(decision):
                found.money[money[0]] += money[1]
        found.counts["held"] += len(self._held)

    def _matched(self, made: dict[int, str]) -> list[Link]:
        """Returns the links of records of both sides that were found to be the same."""
        if not self._unmatched:
            return []
        changed = Link.objects.live().linked().filter(stream=self.stream, updated_at__gte=self._began).order_by("pk")
        return [link for link in changed if link.pk in self._unmatched and link.pk not in made]


def counted(job: SyncJob, connection_id: Any) -> Counter[str]:
    """Returns how many records are skipped, and how many fail, in what a dry run has just gone through."""
    items = JobItem.objects.filter(job=job, connection=connection_id)
    outcomes = Counter(items.values_list("outcome", flat=True))
    return Counter({name: outcomes[name] for name in (Outcome.SKIPPED.value, Outcome.FAILED.value)})
