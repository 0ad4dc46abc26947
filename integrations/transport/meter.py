"""The meter of one account: how many calls it makes, and how many of them its provider bills as reads."""

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Metered(Enum):
    """Whether the provider bills a call. `UNSETTLED`: what it has published can be read either way."""

    NO = "no"
    YES = "yes"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Sent:
    """One call as it went, each try by itself. `status` is that of HTTP, or a word for what went wrong; `path` has no
    query. `trace` is the provider's own name for the exchange."""

    at: dt.datetime
    method: str
    path: str
    status: int | str
    ms: int
    trace: str
    reads: bool
    metered: Metered
    counted: int = 1  # as how many calls the provider counts it: each part of a batch is one, where it is so there

    @property
    def billed(self) -> bool:
        """Returns whether it may have been billed, if such calls are: an answer that was lost may have been a good
        one, a refusal was none."""
        return not isinstance(self.status, int) or self.status < 300


class Meter(Protocol):
    def admit(self, now: dt.datetime) -> None:
        """Lets a metered call through, or raises `AllowanceSpent`."""

    def count(self, call: Sent) -> None:
        """Takes a call that was sent into account."""
