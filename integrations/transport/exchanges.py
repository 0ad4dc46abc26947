"""Which calls are made behind a piece of work, and whose records each of them carries.

Whoever wants to know says `collected`; a client that puts several records into one call, or one into several calls,
says with `carrying` which. Nothing of headers, queries or bodies is kept here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from integrations.transport.meter import Sent


@dataclass(slots=True)
class Part:
    """One record's share of a call: `key` is the operation's, or the id that is looked up. Where several share a call,
    `method` and `path` (without its query) are those of this part, and `status` is its own answer's."""

    key: str
    method: str = ""
    path: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class CallMade:
    """One call, and what it carries: `parts` is None where nobody has said that, and empty where it lists whatever
    there is (`listing`)."""

    sent: Sent
    parts: Sequence[Part] | None = None

    @property
    def worked(self) -> bool:
        return isinstance(self.sent.status, int) and self.sent.status < 300


_collected: ContextVar[list[CallMade] | None] = ContextVar("collected", default=None)
_carried: ContextVar[Sequence[Part] | None] = ContextVar("carried", default=None)


@contextmanager
def collected() -> Iterator[list[CallMade]]:
    """Gives a list that holds, in their order, the calls of accounts that are made inside."""
    exchanges: list[CallMade] = []
    token = _collected.set(exchanges)
    try:
        yield exchanges
    finally:
        _collected.reset(token)


@contextmanager
def carrying(parts: Sequence[Part]) -> Iterator[None]:
    """Says what the calls that are made inside carry. Their answers may be written into the parts later."""
    token = _carried.set(parts)
    try:
        yield
    finally:
        _carried.reset(token)


@contextmanager
def listing() -> Iterator[list[CallMade]]:
    """Says that the calls that are made inside list records, and gives them: whoever keeps an answer for later pages
    says then with `tell` where it came from."""
    made: list[CallMade] = []
    try:
        with collected() as made, carrying(()):
            yield made
    finally:
        tell(made)


def tell(made: Sequence[CallMade]) -> None:
    """Takes calls down that were made before, where somebody collects them: what is read now came with them."""
    if (exchanges := _collected.get()) is not None:
        exchanges.extend(made)


def note(sent: Sent) -> None:
    """Takes a call down, where somebody collects them."""
    if (exchanges := _collected.get()) is not None:
        exchanges.append(CallMade(sent, _carried.get()))
