"""What became of each record of a job: one outcome per connection and record, and the counts as their sums."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Count, F

from integrations.models import Connection, JobItem, Link, Outcome, SyncJob
from integrations.records import RemoteRecord
from integrations.sync.state import Action, Pair

# A record that was both pulled and pushed counts as pushed; failed beats all.
_RANK = {Outcome.SKIPPED: 0, Outcome.PULLED: 1, Outcome.PUSHED: 2, Outcome.FAILED: 3}
_CHUNK = 500
IGNORED = "Held back, as somebody ignores its problem until it changes. {message}"


class JobLog:
    """Collects what became of records of one account in one job, until `save` writes it down."""

    def __init__(self, job: SyncJob, connection: Connection):
        self.job, self.connection = job, connection
        self._items: list[JobItem] = []

    def add(self, pair: Pair, outcome: Outcome, action: str, message: str = "") -> None:
        self._add(pair.kind.name, pair.key, pair.record_id, pair.remote_id, outcome, action, message)

    def add_judged(self, pair: Pair, outcome: Outcome, action: str, message: str, *, aside: bool) -> None:
        """Adds what became of a pair; where somebody has put its problem `aside` it has not failed, it is held back."""
        if aside and outcome is Outcome.FAILED:
            outcome, message = Outcome.SKIPPED, IGNORED.format(message=message)
        self.add(pair, outcome, action, message)

    def add_link(self, link: Link, outcome: Outcome, action: str, message: str = "") -> None:
        key = link.record_id or link.remote_id
        self._add(link.kind, key, link.record_id, link.remote_id, outcome, action, message)

    def add_remote(self, record: RemoteRecord, name: str, outcome: Outcome, message: str) -> None:
        """Adds what became of a record that has no link, under the `name` by which it may be shown."""
        self._add(record.kind, name, "", name, outcome, Action.NOTHING, message)

    def add_counterpart(self, link: Link, outcome: Outcome, message: str) -> None:
        """Adds what became of the remote half alone: the record has an outcome of its own, elsewhere."""
        self._add(link.kind, link.remote_id, "", link.remote_id, outcome, Action.NOTHING, message)

    def save(self) -> None:
        """Writes what was collected, inside the caller's transaction."""
        items, self._items = self._items, []
        add_items(items)

    def _add(
        self, kind: str, key: str, record_id: str, remote_id: str, outcome: Outcome, action: str, message: str
    ) -> None:
        self._items.append(
            JobItem(
                job=self.job,
                connection=self.connection,
                kind=kind,
                key=key,
                record_id=record_id,
                remote_id=remote_id,
                outcome=outcome,
                action=action,
                message=message[:300],
            )
        )


def add_items(items: Sequence[JobItem]) -> None:
    """Writes outcomes inside the caller's transaction; an earlier, stronger outcome of the same record stays."""
    for start in range(0, len(items), _CHUNK):
        _add(items[start : start + _CHUNK])


def _add(items: Sequence[JobItem]) -> None:
    if not items:
        return
    fresh = {(item.kind, item.key): item for item in items}
    first = items[0]
    known = JobItem.objects.filter(
        job_id=first.job_id, connection_id=first.connection_id, key__in={k for _, k in fresh}
    )
    change: Counter[str] = Counter()
    stronger = []
    for old in known:
        new = fresh.pop((old.kind, old.key), None)
        if new is not None and _RANK[Outcome(new.outcome)] > _RANK[Outcome(old.outcome)]:
            change.update({old.outcome: -1, new.outcome: 1})
            old.outcome, old.action, old.message = new.outcome, new.action, new.message
            stronger.append(old)
    change.update(item.outcome for item in fresh.values())
    JobItem.objects.bulk_update(stronger, ["outcome", "action", "message"])
    JobItem.objects.bulk_create(fresh.values())
    SyncJob.objects.filter(pk=first.job_id).update(
        **{name: F(name) + delta for name, delta in change.items() if delta}, done=F("done") + len(fresh)
    )


class CountsDoNotAddUp(Exception):
    """The job's counts are not the sums of its records: a defect of ours, never hidden."""


def assert_sums(job: SyncJob) -> dict[str, Counter[str]]:
    """Raises CountsDoNotAddUp unless every record that was looked at is in exactly one of the four counts. Returns the
    counts of each account."""
    sums: Counter[str] = Counter()
    accounts: dict[str, Counter[str]] = defaultdict(Counter)
    for connection_id, outcome, number in (
        job.items.order_by().values_list("connection", "outcome").annotate(Count("pk"))
    ):
        sums[outcome] += number
        accounts[connection_id][outcome] += number
    counts = {name: getattr(job, name) for name in Outcome.values}
    if counts != {name: sums.get(name, 0) for name in Outcome.values}:
        raise CountsDoNotAddUp(f"{job.pk}: {counts} but {dict(sums)}")
    return accounts


def save_counts(job: SyncJob, accounts: Mapping[str, Mapping[str, int]]) -> None:
    """Writes what became of each account's records with its part of the job, inside the caller's transaction."""
    for connection_id, counts in accounts.items():
        job.parts.filter(connection=connection_id).update(**{name: counts.get(name, 0) for name in Outcome.values})
