"""What a run needs of the world. `ledger.py` and `local.py` implement these over the ORM, providers the remote side."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

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
        """Ids after `after`, in order, of records that the stream should show and has no live link for."""


@dataclass(slots=True)
class Written:
    """A decision whose write has been answered: the record as the provider has it now, or why it refused."""

    decision: Decision
    record: RemoteRecord | None = None
    error: ProviderError | None = None
    generation: int = 0


@dataclass(slots=True)
class RunProgress:
    """Where a stream's run stands, kept with the job: another slice, or another worker, goes on here."""

    phase: str = "observe"  # observe -> guard -> apply -> done
    full: bool = False
    after_link: int = 0
    after_dirty: int = 0
    after_record: str = ""
    notes: dict[str, str] = field(default_factory=dict)


class Ledger(Protocol):
    """Everything that a run remembers. Each method is one short transaction that fails once the lease is lost."""

    def save_progress(self, progress: RunProgress) -> None: ...
    def open_intents(self) -> dict[str, Fields]:
        """Remote ids of the writes that were begun and whose answer was never saved, with what creates sent."""

    def settle_intents(self, records: Mapping[str, RemoteRecord]) -> None: ...
    def cursor(self, full: bool) -> str: ...
    def announce(self, stage: str, full: bool = False) -> None:
        """What the run does now, and how many records that will be."""

    def begin_full(self, again: bool = False) -> None: ...
    def save_page(self, page: Page, expected: str, full: bool) -> None: ...
    def known(self, names: Collection[str]) -> set[str]:
        """Those ids that live links have."""

    def taken(self, creates: Mapping[str, str]) -> set[str]:
        """Those of the remote ids of creates that a link of another record has; by the key of what is to be made."""

    def instances(self, series: Sequence[str], window: Window) -> set[str]:
        """Remote ids of live links of these series that are not over before the window."""

    def unlisted(self, window: Window, limit: int) -> list[str]:
        """Remote ids of live links that a finished full listing did not show, though it should have."""

    def save_refreshed(self, records: Mapping[str, RemoteRecord]) -> None:
        """Stores records that were fetched one by one as what was last seen of them."""

    def finish_full(self) -> None: ...
    def vanished(self, orphans: bool) -> list[Pair]:
        """Pairs of guarded kinds whose remote side is gone; with `orphans`, also events of ours without a record."""

    def match(self, everything: bool) -> None:
        """Links records of both sides that have met for the first time and are the same; of ours all that have no
        link, or only those that are dirty."""

    def count_links(self) -> int: ...
    def count_held(self) -> int: ...
    def hold(self, decisions: Sequence[Decision], of: int) -> None: ...
    def dirty(self, after: int, limit: int) -> tuple[list[Pair], int]: ...
    def unsettled(self, after: int, limit: int) -> tuple[list[Pair], int]: ...
    def links(self, after: int, limit: int) -> tuple[list[Pair], int]: ...
    def pairs_of_records(self, record_ids: Sequence[str]) -> list[Pair]: ...
    def refresh(self, pairs: Sequence[Pair]) -> list[Pair]: ...
    def intend(self, decisions: Sequence[tuple[Decision, Operation, int]]) -> None: ...
    def forget_intents(self, pairs: Sequence[Pair]) -> None:
        """These writes are known not to have been done."""

    def save_local(self, decisions: Sequence[Decision]) -> set[str]:
        """Makes the local half of decisions true, all of it or none. Returns the keys of pairs that a person has edited
        or decided about, since they were read: those are left alone, and looked at again."""

    def save_written(self, written: Sequence[Written]) -> None: ...
    def finish(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """The stream that a run is about."""

    stream_id: str
    workspace_id: str
    container_id: str
