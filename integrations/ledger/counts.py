"""What became of each record of a job: one outcome per connection and record, and the counts as their sums."""

from collections import Counter
from collections.abc import Sequence

from django.db.models import Count, F

from integrations.models import JobItem, Outcome, SyncJob

# A record that was both pulled and pushed counts as pushed; failed beats all.
_RANK = {Outcome.SKIPPED: 0, Outcome.PULLED: 1, Outcome.PUSHED: 2, Outcome.FAILED: 3}
_CHUNK = 500


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


def assert_sums(job: SyncJob) -> None:
    """The run's end: every record looked at is in exactly one of the four counts."""
    sums = dict(job.items.order_by().values_list("outcome").annotate(Count("pk")))
    counts = {name: getattr(job, name) for name in Outcome.values}
    if counts != {name: sums.get(name, 0) for name in Outcome.values}:
        raise CountsDoNotAddUp(f"{job.pk}: {counts} but {sums}")
