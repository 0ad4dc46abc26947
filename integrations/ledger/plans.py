"""Plans as they are kept: made account by account, completed once, held against what would be done now."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet

from integrations.ledger.planned import (
    Does,
    Planned,
    Side,
    acts,
    actual_ids,
    decided_of,
    is_as_planned,
    money_text,
)
from integrations.models import Link, Plan, PlanOperation, Stream, SyncJob
from integrations.records import renamed, texts_of
from integrations.sync.ports import Gate
from integrations.sync.state import Decision

LIVES = dt.timedelta(hours=1)
KEPT = dt.timedelta(days=1)  # to be looked at, once it has expired
NAMED = 20  # of what has changed

_COLUMNS = tuple(Planned.__dataclass_fields__)


def plan_of(job: SyncJob, now: dt.datetime) -> Plan:
    """Returns the plan that a dry run makes; the first time a new one. Runs inside the caller's transaction."""
    plan, _ = Plan.objects.get_or_create(
        job=job,
        defaults={
            "workspace_id": job.workspace_id,
            "integration": job.integration,
            "made_at": now,
            "expires_at": now + LIVES,
        },
    )
    return plan


def add_operations(
    plan: Plan,
    operations: Sequence[Planned],
    standing: Mapping[str, Any],
    others: Mapping[str, Any],
    currency: str,
    sums: Mapping[str, Decimal],
) -> None:
    """Adds what was found of one account, and of its money. Runs inside the caller's transaction, of which there is one
    at a time, and which has read the plan."""
    first = plan.operations.count() + 1
    PlanOperation.objects.bulk_create(
        [
            PlanOperation(plan=plan, number=number, **{name: getattr(operation, name) for name in _COLUMNS})
            for number, operation in enumerate(operations, start=first)
        ],
        batch_size=500,
    )
    plan.standing = {**plan.standing, **standing}
    counts = Counter(plan.counts)
    counts.update(others)
    plan.counts = dict(counts)
    if sums:
        known = {name: Decimal(amount) for name, amount in plan.money.get(currency, {}).items()}
        total: dict[str, Decimal] = defaultdict(Decimal, known)
        for name, amount in sums.items():
            total[name] += amount
        plan.money = {**plan.money, currency: money_text(total)}
    plan.save(update_fields=["standing", "counts", "money"])


def complete(plan: Plan, now: dt.datetime) -> None:
    """Counts the operations of all accounts; the plan lives from now on. Runs inside the caller's transaction, which
    has read the plan."""
    counts = {
        Side.FIELDCAMP.value: {action.value: 0 for action in Does},
        Side.PROVIDER.value: {action.value: 0 for action in (Does.CREATE, Does.UPDATE, Does.DELETE)},
    }
    rows = plan.operations.order_by().values_list("side", "action").annotate(Count("pk"))
    for side, action, number in rows:
        counts[side][action] = number
    held = {name: plan.counts.get(name, 0) for name in ("held", "skipped", "failed")}
    plan.counts = {"operations": sum(number for *_, number in rows), **counts, **held}
    plan.made_at, plan.expires_at = now, now + LIVES
    plan.save(update_fields=["counts", "made_at", "expires_at"])


def rows_of(operations: Iterable[PlanOperation]) -> list[Planned]:
    return [Planned(**{name: getattr(row, name) for name in _COLUMNS}) for row in operations]


def changed_since(plan: Plan, connection_id: str, operations: Sequence[Planned]) -> list[str]:
    """Returns what of one account would not be done as planned: records by their ids, those that FieldCamp does not
    have by the ids there. What is new is there too."""
    before = {row.identity: row for row in rows_of(plan.operations.filter(connection=connection_id))}
    now = {row.identity: row for row in operations}
    differing = [before[name] for name in before if name not in now] + [now[name] for name in now if name not in before]
    return list(dict.fromkeys(row.record_id or row.remote_id for row in differing))


def told(changed: Sequence[str]) -> dict[str, Any]:
    """Returns what has changed as callers are told it."""
    return {"count": len(changed), "ids": list(changed[:NAMED])}


def dirty_since(plan: Plan, standing: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Returns the records that were saved since the plan was made, or are no more to be synced: what it stood on was
    `plan.standing`, and this is what stands now."""
    found: dict[str, None] = {}
    for stream_id, before in plan.standing.items():
        now = standing.get(stream_id, {})
        found.update(dict.fromkeys(id for id in (*before, *now) if before.get(id) != now.get(id)))
    return list(found)


class PlanGate:
    """Lets those decisions of a stream's run through that its plan has, as they stand in it."""

    def __init__(self, plan: Plan, stream: Stream):
        rows = plan.operations.filter(stream=stream)
        self._decided: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        texts: set[str] = set()
        for kind, key, decided in rows.values_list("kind", "key", "decided"):
            self._decided[kind, key].append(decided)
            texts.update(texts_of(decided))
        creates = plan.operations.filter(connection=stream.connection_id, side=Side.PROVIDER, action=Does.CREATE)
        found = creates.exclude(remote_id="").values_list("stream_id", "kind", "record_id", "remote_id")
        self._named = {row[3]: row for row in found if row[3] in texts}  # creates that others of this stream refer to

    def __call__(self, decisions: Sequence[Decision]) -> list[Decision]:
        planned = [self._planned(decision) if acts(decision) else [] for decision in decisions]
        made = self._made(planned)
        return [
            decision
            for decision, those in zip(decisions, planned, strict=True)
            if not acts(decision) or _is_among(decision, those, made)
        ]

    def _planned(self, decision: Decision) -> list[dict[str, Any]]:
        return self._decided.get((decision.pair.kind.name, decision.pair.key), [])

    def _made(self, planned: Sequence[list[dict[str, Any]]]) -> dict[str, str]:
        """Returns what the creates that these refer to were given as their ids since, by the planned ones."""
        if not self._named:
            return {}
        named = self._named.keys() & set(texts_of(list(planned)))
        return actual_ids([self._named[planned_id] for planned_id in named]) if named else {}


def _is_among(decision: Decision, planned: Sequence[dict[str, Any]], made: Mapping[str, str]) -> bool:
    wanted = decided_of(decision)
    return any(is_as_planned(wanted, renamed(each, made) if made else each) for each in planned)


def gate_of(plan: Plan, stream: Stream) -> Gate:
    return PlanGate(plan, stream)


def not_done(operations: QuerySet[PlanOperation], done: Collection[tuple[str, str, str]]) -> list[str]:
    """Returns the records with one of these operations that was not made; `done` are (connection, kind, key) of those
    that were."""
    rows = operations.exclude(action=PlanOperation.Action.LINK).order_by("number").defer("decided")
    left = [row for row in rows if (row.connection_id, row.kind, row.key) not in done]
    found: dict[str, None] = {}
    for start in range(0, len(left), 5_000):
        some = left[start : start + 5_000]
        links = Link.objects.filter(
            stream__in={row.stream_id for row in some}, record_id__in={r.record_id for r in some}
        )
        by_record = {(link.stream_id, link.kind, link.record_id): link for link in links.order_by("pk")}
        for row in some:
            if not _is_as_planned(row, by_record.get((row.stream_id, row.kind, row.record_id))):
                found[row.record_id or row.remote_id] = None
    return list(found)


def _is_as_planned(row: PlanOperation, link: Link | None) -> bool:
    """Returns whether the other side was last seen as the plan wanted it: of a write whose answer was lost nobody has
    noted more than that."""
    if not row.record_id or row.side != PlanOperation.Side.PROVIDER or link is None:
        return False
    if row.action == PlanOperation.Action.DELETE:
        return link.seen_gone or link.cut_at is not None
    seen = link.seen or {}
    return not link.seen_gone and bool(seen) and all(seen.get(name) == to for name, (_from, to) in row.fields.items())
