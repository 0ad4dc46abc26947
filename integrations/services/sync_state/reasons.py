"""The words for how a record stands with one account, and for why it is not in step: docs/sync-state.md has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from integrations.services.problems.causes import CAUSES


class RecordState(StrEnum):
    """How a record stands with one account."""

    SYNCED = "synced"
    PENDING = "pending"  # it goes on by itself
    HELD = "held"  # it waits until a person lets it go on
    PROBLEM = "problem"  # somebody has to answer, or to mend something
    EXCLUDED = "excluded"  # the rules, or a person, leave it out
    NOT_CONNECTED = "not_connected"


class SyncReason(StrEnum):
    """Why a record is not in step, where no problem says so (a problem's cause is the reason then)."""

    DELETED = "deleted"
    MERGED_INTO = "merged_into"
    CANCELLED = "cancelled"
    UNSCHEDULED = "unscheduled"
    NO_TECHNICIAN = "no_technician"
    TOO_OLD = "too_old"
    TOO_FAR_AHEAD = "too_far_ahead"
    DRAFT = "draft"
    VOID = "void"
    INACTIVE = "inactive"
    MADE_ELSEWHERE = "made_elsewhere"
    BEFORE_OPENING_DATE = "before_opening_date"
    NEVER_CONNECTED = "never_connected"
    TECHNICIAN_NOT_CONNECTED = "technician_not_connected"
    DISCONNECTED = "disconnected"
    SETUP_UNFINISHED = "setup_unfinished"
    NEEDS_RECONNECT = "needs_reconnect"
    NEEDS_PERMISSION = "needs_permission"
    MEMBER_INACTIVE = "member_inactive"
    LEAVING = "leaving"
    PAUSED = "paused"
    PAUSED_AFTER_FAILURES = "paused_after_failures"
    KIND_NOT_SYNCED = "kind_not_synced"
    REMOVAL_HELD = "removal_held"
    IGNORED = "ignored"
    LEFT_REMOVED = "left_removed"
    REMOVED_THERE = "removed_there"
    ONLY_READ = "only_read"
    ONLY_WRITTEN = "only_written"
    WAITS_FOR_RECORD = "waits_for_record"
    WRITE_UNCONFIRMED = "write_unconfirmed"
    WRITE_UNRESOLVED = "write_unresolved"
    NO_WORKER = "no_worker"
    VENDOR_OUTAGE = "vendor_outage"
    READS_USED_UP = "reads_used_up"
    RATE_LIMITED = "rate_limited"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    BACKS_OFF = "backs_off"
    SYNC_QUEUED = "sync_queued"
    SYNC_RUNNING = "sync_running"
    FIRST_SYNC = "first_sync"
    FULL_SYNC_NEEDED = "full_sync_needed"
    EDITED_SINCE = "edited_since"
    BY_HAND_ONLY = "by_hand_only"
    WAITS_FOR_SYNC = "waits_for_sync"


_NOT_CONNECTED = {
    SyncReason.NEVER_CONNECTED, SyncReason.TECHNICIAN_NOT_CONNECTED, SyncReason.DISCONNECTED,
    SyncReason.SETUP_UNFINISHED,
}  # fmt: skip
_PROBLEM = {SyncReason.NEEDS_RECONNECT, SyncReason.NEEDS_PERMISSION, SyncReason.MEMBER_INACTIVE, SyncReason.NO_WORKER}
_HELD = {
    SyncReason.PAUSED, SyncReason.PAUSED_AFTER_FAILURES, SyncReason.REMOVAL_HELD, SyncReason.WRITE_UNRESOLVED,
    SyncReason.FULL_SYNC_NEEDED, SyncReason.BY_HAND_ONLY,
}  # fmt: skip
_PENDING = {
    SyncReason.WAITS_FOR_RECORD, SyncReason.WRITE_UNCONFIRMED, SyncReason.VENDOR_OUTAGE, SyncReason.READS_USED_UP,
    SyncReason.RATE_LIMITED, SyncReason.PROVIDER_UNAVAILABLE, SyncReason.BACKS_OFF, SyncReason.SYNC_QUEUED,
    SyncReason.SYNC_RUNNING, SyncReason.FIRST_SYNC, SyncReason.EDITED_SINCE, SyncReason.WAITS_FOR_SYNC,
}  # fmt: skip


def _state_of(reason: SyncReason) -> RecordState:
    for reasons, state in (
        (_NOT_CONNECTED, RecordState.NOT_CONNECTED),
        (_PROBLEM, RecordState.PROBLEM),
        (_HELD, RecordState.HELD),
        (_PENDING, RecordState.PENDING),
    ):
        if reason in reasons:
            return state
    return RecordState.EXCLUDED


STATE_OF: Mapping[SyncReason, RecordState] = {reason: _state_of(reason) for reason in SyncReason}
# Every word that may stand as a reason.
REASONS: tuple[str, ...] = tuple(dict.fromkeys([*(reason.value for reason in SyncReason), *CAUSES]))


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a record stands with one account: of one in step the state alone. `sentence` says why it is not, with
    figures, and `next_step` what to do. `problem_ids` are the problems to answer, `awaited` the (kind, id) of the
    record that it waits for."""

    state: RecordState
    reason: str = ""
    sentence: str = ""
    next_step: str = ""
    problem_ids: tuple[str, ...] = ()
    awaited: tuple[str, str] | None = None


IN_STEP = Explanation(RecordState.SYNCED)


def because(reason: SyncReason, sentence: str, next_step: str, **more: object) -> Explanation:
    """Returns what is told of a record for this reason."""
    return Explanation(STATE_OF[reason], reason.value, sentence, next_step, **more)  # type: ignore[arg-type]
