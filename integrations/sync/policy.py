"""What may happen in one stream: directions, and who wins. Pure data."""

from dataclasses import dataclass
from enum import StrEnum

from integrations.sync.far import FarMoves


class Winner(StrEnum):
    """Whose value stays where both sides changed a field. `ASK` leaves it to a person."""

    LOCAL = "local"
    REMOTE = "remote"
    ASK = "ask"


class RemovalChoice(StrEnum):
    """What a person has decided about a removal that was held, or about a record that was removed there."""

    CUT = "cut"
    PUT_BACK = "put_back"


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """`pulls` and `pushes` are the stream's direction, `winner` its conflict policy, `full` whether this run trusts
    neither cursor nor `seen`, and `first` whether it is the connection's first (which never removes). `far` says which
    moves at the other side a person is asked about."""

    pulls: bool = True
    pushes: bool = True
    winner: Winner = Winner.LOCAL
    full: bool = False
    first: bool = False
    far: FarMoves | None = None
