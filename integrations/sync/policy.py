"""What may happen in one stream: directions, and who wins. Pure data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """`pulls` and `pushes` are the stream's direction, `winner` its conflict policy, `full` whether this run trusts
    neither cursor nor `seen`, and `first` whether it is the connection's first (which never removes)."""

    pulls: bool = True
    pushes: bool = True
    winner: Literal["local", "remote", "ask"] = "local"
    full: bool = False
    first: bool = False
