"""How records stand with one integration, in one word: what lists show and are filtered by. It is the answer of
`states.sync_states`, and nothing beside it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrations.errors import ProblemCode, ProblemReason
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.services.sync_state.reasons import RecordState, SyncReason
from integrations.services.sync_state.states import SyncStateRow, sync_states

# How many records one answer looks at: each costs a look at both of its sides.
MOST_LOOKED_AT = 2_000


class RecordStanding(StrEnum):
    IN_STEP = "in_step"
    WAITS = "waits"  # goes on by itself, or when its account, another record or a decision about many lets it
    DIFFERS = "differs"  # both sides have it, and not the same
    REFUSED = "refused"  # somebody has to answer or to correct something about this record
    LEFT = "left_out"  # it stands there, and a rule or a person leaves it as it is
    NOT_THERE = "not_there"


# The worst first: of several accounts that is the one that is told.
WORST = (
    RecordStanding.REFUSED,
    RecordStanding.DIFFERS,
    RecordStanding.WAITS,
    RecordStanding.LEFT,
    RecordStanding.IN_STEP,
    RecordStanding.NOT_THERE,
)
_DIFFERENT = {
    str(cause).lower()
    for cause in (
        ProblemCode.CONFLICT, ProblemCode.AMOUNT_VARIANCE, ProblemCode.EVENT_REMOVED, ProblemCode.RECORD_REMOVED,
        ProblemReason.VARIANCE, ProblemReason.MOVED, ProblemReason.MOVED_FAR, ProblemReason.MERGED,
        ProblemReason.HOLDS_MORE,
    )
}  # fmt: skip
# What keeps the account, or the calendar, and not this record.
_OF_ACCOUNT = {
    str(code).lower()
    for code in (ProblemCode.CALENDAR_UNAVAILABLE, ProblemCode.MISCONFIGURED, ProblemCode.CONFIRMATION_NEEDED)
} | {reason.value for reason in SyncReason}
_CHOSEN = {SyncReason.IGNORED, SyncReason.ONLY_READ, SyncReason.ONLY_WRITTEN}


@dataclass(frozen=True, slots=True)
class Stand:
    """How a record stands with one integration. `reason` is a word of `reasons.REASONS`, "" where it is in step."""

    standing: RecordStanding
    reason: str = ""
    sentence: str = ""
    next_step: str = ""


NOWHERE = Stand(RecordStanding.NOT_THERE)


def standing_of(row: SyncStateRow) -> RecordStanding:
    """Returns the word for how a record stands in one place."""
    told = row.explanation
    if told.state is RecordState.SYNCED:
        return RecordStanding.IN_STEP
    if told.state in (RecordState.PENDING, RecordState.HELD):
        return RecordStanding.WAITS
    if told.state is RecordState.PROBLEM:
        if told.reason in _OF_ACCOUNT:
            return RecordStanding.WAITS
        return RecordStanding.DIFFERS if told.reason in _DIFFERENT else RecordStanding.REFUSED
    if row.remote_id is None:
        return RecordStanding.NOT_THERE
    return RecordStanding.DIFFERS if told.reason in _CHOSEN else RecordStanding.LEFT


def stands(workspace_id: str, kind: str, record_ids: Collection[str]) -> dict[str, dict[str, Stand]]:
    """Returns how these records of a company stand, by record and integration: of several accounts the worst. A
    constant number of queries."""
    found: dict[str, dict[str, Stand]] = {}
    for record_id, rows in sync_states(workspace_id, kind, record_ids).items():
        mine = found[record_id] = {}
        for row in rows:
            told = row.explanation
            stand = Stand(standing_of(row), told.reason, told.sentence, told.next_step)
            known = mine.get(row.integration)
            if known is None or WORST.index(stand.standing) < WORST.index(known.standing):
                mine[row.integration] = stand
    return found


def used_by(workspace_id: str, kind: str) -> list[str]:
    """Returns the integrations in which the company has an account that may have such records: one query."""
    offered = [name for name, provider in PROVIDERS.items() if kind in provider.kinds]
    rows = Connection.objects.connected().filter(workspace=workspace_id, integration__in=offered).order_by()
    used = set(rows.values_list("integration", flat=True).distinct())
    return [name for name in offered if name in used]


@dataclass(frozen=True)
class Narrowed:
    """Those of the rows that stand so. `looked_at` is None where all were looked at, else how many."""

    ids: Sequence[str]
    looked_at: int | None


def standing_so(workspace_id: str, kind: str, rows: Any, wanted: Mapping[str, str]) -> Narrowed:
    """Returns which of these rows stand so with these integrations: the first MOST_LOOKED_AT of them, in their order,
    are looked at."""
    ids = list(rows.values_list("pk", flat=True)[: MOST_LOOKED_AT + 1])
    looked_at = MOST_LOOKED_AT if len(ids) > MOST_LOOKED_AT else None
    ids = ids[:MOST_LOOKED_AT]
    found = stands(workspace_id, kind, ids)
    so = [
        pk
        for pk in ids
        if all(found.get(pk, {}).get(name, NOWHERE).standing == standing for name, standing in wanted.items())
    ]
    return Narrowed(so, looked_at)
