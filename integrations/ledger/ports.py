"""What the ledger needs of FieldCamp's records: `calendar/` and `books/` implement it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from integrations.errors import ProblemCode
from integrations.models import Link, Stream
from integrations.records import Window
from integrations.sync.state import Decision, Local


class LocalSide(Protocol):
    """FieldCamp's side of one stream, as the ledger needs it: `sync.ports.LocalRecords`, and what only databases know.

    Everything that writes does so inside the caller's transaction.
    """

    stream: Stream
    window: Window
    made: dict[int, str]  # link id -> the record that was made of it

    def read(self, kind: str, record_ids: Iterable[str]) -> Mapping[str, Local]: ...
    def unlinked(self, after: str, limit: int) -> list[str]: ...
    def count_unlinked(self) -> int: ...
    def enter_window(self) -> None:
        """Makes dirty what has come into the window since the last run."""

    def match(self, everything: bool) -> None:
        """Links records of both sides that have met for the first time and are the same; of ours all that have no
        link, or only those that are dirty."""

    def circumstances(self, record_ids: Collection[str]) -> Mapping[str, str]:
        """Returns, for each of these records, a digest of what a refusal of it may depend on beside the record itself;
        no entry for what depends on nothing else."""

    def unmatched(self, links: Sequence[Link]) -> Mapping[int, Local]:
        """Returns what is to become of remote records that FieldCamp does not have, by their links."""

    def orphans(self, links: Any) -> Any:
        """Returns those of these links whose record does not exist any more."""

    def prepare(self, decisions: Sequence[Decision]) -> None:
        """Does beforehand what takes its time: no transaction is open yet."""

    def apply(self, decisions: Sequence[Decision]) -> set[str]:
        """Makes the local half of decisions true. Returns the keys of records that somebody edited since they were
        read: those are left as they are, and stay dirty."""

    def expand(self, decisions: Sequence[Decision]) -> None:
        """Does what else follows from decisions that have been made true."""

    def removed_remotely(self) -> tuple[ProblemCode, str]:
        """Returns the code and the sentence of a counterpart that was removed at the other side."""
