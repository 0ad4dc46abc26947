"""What is known of one pair of records at the moment of planning. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from integrations.errors import ProblemReason
from integrations.kinds import Kind, Owner
from integrations.records import Fields


class Absence(StrEnum):
    """Why a record has no place at the other side, as long as it is as it is."""

    DELETED = "deleted"
    MERGED = "merged"
    CANCELLED = "cancelled"
    UNSCHEDULED = "unscheduled"
    NO_TECHNICIAN = "no_technician"
    OTHER_TECHNICIAN = "other_technician"
    OTHER_CALENDAR = "other_calendar"
    LEAVING = "leaving"
    DRAFT = "draft"
    VOID = "void"
    INACTIVE = "inactive"
    MADE_THERE = "made_there"
    BEFORE_OPENING_DATE = "before_opening_date"


@dataclass(frozen=True, slots=True)
class Local:
    """FieldCamp's side of a pair, as one stream should show it.

    `fields` is None when the record has no place in this stream: removed, cancelled, unscheduled or another person's;
    `absence` says why, where the side knows it without asking. `exists` is false when there is no such record at all.
    `fixed` records (completed visits) are not moved any more. `theirs` were made at the other side, which may take them
    away again. `blocked` says why the record cannot be synced now; with a `reason` a person has to do something about
    it. For a remote record that FieldCamp does not have, `blocked` says why it is not taken in. `link` is where a
    person opens the record.
    """

    fields: Fields | None
    exists: bool = True
    in_window: bool = True
    fixed: bool = False
    theirs: bool = False
    blocked: str = ""
    reason: ProblemReason | None = None
    absence: Absence | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    link: str = ""


NOWHERE = Local(fields=None, exists=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """Local, base and seen of one pair. `link_id` names its row; without one, or while nothing was ever seen of it
    (a create that has not been answered), the record has no remote counterpart yet."""

    kind: Kind
    record_id: str
    remote_id: str
    local: Local
    link_id: int | None = None
    base: Fields | None = None
    seen: Fields | None = None
    gone: bool = False
    tag: str = ""
    cut: bool = False
    held: bool = False
    generation: int = 0
    dirty_seq: int | None = None
    decision: dict[str, Any] | None = None

    @property
    def has_counterpart(self) -> bool:
        """Returns whether there is, or was, a remote counterpart."""
        return self.link_id is not None and (self.gone or self.seen is not None or self.base is not None)

    @property
    def unmatched(self) -> bool:
        """Returns whether it is a remote record of one of our kinds that FieldCamp does not have."""
        return not self.record_id and self.kind.owner is Owner.LOCAL

    @property
    def is_settled(self) -> bool:
        """Returns whether both sides are to the letter as they have agreed: most pairs are, and this is known of them
        without a look at each field."""
        local = self.local.fields or {}
        return bool(self.base and self.seen == self.base and local.items() <= self.base.items())

    @property
    def key(self) -> str:
        """Returns how the job's log calls this pair."""
        return self.record_id or self.remote_id


class Action(StrEnum):
    """What a sync does about a pair. The comment says when; the table is in `plan.py`."""

    NOTHING = "nothing"
    SETTLE = "settle"  # both sides are equal: remember that
    PULL = "pull"
    CREATE_LOCAL = "create_local"
    REMOVE_LOCAL = "remove_local"
    CREATE_REMOTE = "create_remote"
    UPDATE_REMOTE = "update_remote"
    REMOVE_REMOTE = "remove_remote"
    CUT = "cut"  # the remote counterpart vanished: keep the record, flag it
    FORGET = "forget"  # both are gone
    ASK = "ask"
    HOLD = "hold"
    WAIT = "wait"  # for another record, or for a person to choose something


REMOTE_WRITES = frozenset({Action.CREATE_REMOTE, Action.UPDATE_REMOTE, Action.REMOVE_REMOTE})


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the plan. A merge has both `pull` and `push`.

    `removal` marks what the mass-removal guard counts. `reason` says in plain words why nothing was done. An `ASK` has
    there the fields that it is about, and where no side contests the other's change the `question`.
    """

    pair: Pair
    action: Action
    pull: Fields = field(default_factory=dict)
    push: Fields = field(default_factory=dict)
    removal: bool = False
    reason: str = ""
    question: str = ""


def seed_of(stream_id: str, record_id: str, generation: int) -> str:
    """Returns what the id of a create is made of (`Provider.make_id`): always the same for the same try at it."""
    return f"{stream_id}|{record_id}|{generation}"
