"""What a run needs of the world: `integrations.ledger` remembers, `calendar` and `books` have our records, a provider
has the others."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from integrations.errors import ProviderError
from integrations.records import Fields, Operation, Page, RemoteRecord, Window, WriteResult
from integrations.sync.state import Decision, Local, Pair


class CursorMoved(Exception):
    """Another reader has moved the stream's cursor on since it was read."""


class Remote(Protocol):
    """One account at the provider (see `providers/base.py`)."""

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]: ...
    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]: ...
    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]: ...


class LocalRecords(Protocol):
    """FieldCamp's records, as one stream should show them."""

    def read(self, kind: str, record_ids: Iterable[str]) -> Mapping[str, Local]: ...
    def unlinked(self, after: str, limit: int) -> list[str]:
        """Returns ids after `after`, in order, of records that the stream should show and has no live link for."""


Gate = Callable[[Sequence[Decision]], list[Decision]]  # those of some decisions that may be made true, in their order


def all_of_them(decisions: Sequence[Decision]) -> list[Decision]:
    """Returns all of these decisions: the gate of a run that does whatever there is to do."""
    return list(decisions)


@dataclass(slots=True)
class Written:
    """A decision whose write has been answered: the record as the provider has it now, or why it refused."""

    decision: Decision
    record: RemoteRecord | None = None
    error: ProviderError | None = None
    remote_id: str = ""  # what the write was sent with


class Phase(StrEnum):
    """The steps of a stream's run, in their order."""

    OBSERVE = "observe"
    APPLY = "apply"
    DONE = "done"


class Stage(StrEnum):
    """What a run is doing, as people are shown it."""

    PULL = "pull"
    PUSH = "push"


@dataclass(slots=True)
class RunProgress:
    """Where a stream's run stands, kept with the job: another slice, or another worker, goes on here."""

    phase: str = Phase.OBSERVE
    full: bool = False
    after_link: int = 0
    after_dirty: int = 0
    after_record: str = ""
    held: bool = False  # removals wait for a person
    in_hand: str = ""  # the record that a careful run is at: should the process die, it was this one
    left_out: list[str] = field(default_factory=list)  # at which it has died
    listing: dict[str, Any] = field(default_factory=dict)  # how the listing gets on (`integrations.paging.Turns`)
    forced: bool = False  # the provider could not tell what has changed, so everything is read


class Ledger(Protocol):
    """Everything that a run remembers. Each method is one short transaction that fails once the lease is lost."""

    def save_progress(self, progress: RunProgress) -> None: ...
    def open_intents(self) -> dict[str, Fields]:
        """Returns remote ids of the writes that were begun and whose answer was never saved, with what creates sent."""

    def settle_intents(self, records: Mapping[str, RemoteRecord]) -> None: ...
    def abandon_intent(self, remote_id: str, error: Exception) -> None:
        """Leaves an open write that cannot be resolved, and its record with a problem: it is looked for again when
        somebody edits or retries the record."""

    def cursor(self, full: bool) -> str: ...
    def begin_pull(self) -> None:
        """Shows that the run reads what has changed at the provider."""

    def has_nothing_to_do(self, progress: RunProgress) -> bool:
        """Returns whether the run is over once it has observed: that is most of all runs. It may say no for others, and
        writes nothing."""

    def begin_push(self, progress: RunProgress) -> None:
        """Shows that the run brings both sides into agreement, and of how many records. Links those of both sides that
        have met for the first time and are the same: a full run of all of ours that have no link, else of those that
        are dirty."""

    def begin_full(self, again: bool = False) -> None: ...
    def save_page(self, page: Page, expected: str, full: bool) -> None: ...
    def known(self, names: Collection[str]) -> set[str]:
        """Returns those ids that live links have."""

    def taken(self, creates: Mapping[str, str]) -> set[str]:
        """Returns those of the remote ids of creates that a link of another record has. `creates` maps them to the keys
        of what is to be made."""

    def instances(self, series: Sequence[str], window: Window) -> set[str]:
        """Returns remote ids of live links of these series that are not over before the window."""

    def unlisted(self, window: Window, limit: int) -> list[str]:
        """Returns remote ids of live links that a finished full listing did not show, though it should have."""

    def save_refreshed(self, records: Mapping[str, RemoteRecord]) -> None:
        """Stores records that were fetched one by one as what was last seen of them."""

    def finish_full(self) -> None: ...
    def vanished(self, orphans: bool) -> list[Pair]:
        """Pairs of guarded kinds whose remote side is gone; with `orphans`, also events of ours without a record."""

    def count_links(self) -> int: ...
    def count_held(self) -> int: ...
    def hold(self, decisions: Sequence[Decision], of: int) -> None: ...
    def dirty(self, after: int, limit: int) -> tuple[list[Pair], int]: ...
    def unsettled(self, after: int, limit: int) -> tuple[list[Pair], int]: ...
    def links(self, after: int, limit: int) -> tuple[list[Pair], int]: ...
    def pairs_of_records(self, record_ids: Sequence[str]) -> list[Pair]: ...
    def pairs_of_links(self, link_ids: Sequence[int]) -> list[Pair]: ...
    def refresh(self, pairs: Sequence[Pair]) -> list[Pair]: ...
    def intend(self, decisions: Sequence[tuple[Decision, Operation, int]]) -> None: ...
    def forget_intents(self, pairs: Sequence[Pair]) -> None:
        """Forgets writes that are known not to have been done."""

    def leave_waiting(self, pairs: Sequence[Pair], reason: str) -> None:
        """Leaves pairs whose writes wait for the container as they are, to be looked at again by each run."""

    def save_local(self, decisions: Sequence[Decision]) -> set[str]:
        """Makes the local half of decisions true, all of it or none. Returns the keys of pairs that a person has edited
        or decided about, since they were read: those are left alone, and looked at again."""

    def save_written(self, written: Sequence[Written]) -> None: ...
    def save_failure(self, pair: Pair, error: Exception) -> None:
        """Leaves a record with a problem that names it: our side has failed at it, as no provider explains."""

    def save_unreadable(self, record: RemoteRecord, error: Exception) -> None:
        """Leaves a problem about a record of a listing that could not be written down."""

    def finish(self, progress: RunProgress) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """The stream that a run is about."""

    stream_id: str
    workspace_id: str
    container_id: str
