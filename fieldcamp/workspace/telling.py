"""Telling of records that others see: of each once in a piece of work, when all that belongs to it is saved.

A change row is written when a record is saved; an invoice's lines, or what a payment gives to invoices, may be written
after it. Who tells others how a record looks now is called at the end of `together`, in the same transaction; outside
of it, at each save.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from fieldcamp.workspace.attribution import Attribution, who


@dataclass(frozen=True, slots=True)
class Moved:
    """What happened to one record. `before` has the old values of the fields that changed, all of them for one that is
    gone; rows of other tables that were replaced stand there by the name of their relation."""

    model: type[Any]  # of `TrackedModel`, which stands above
    workspace_id: str
    record_id: str
    before: dict[str, Any]
    is_new: bool
    by: Attribution


Consumer = Callable[[Sequence[Moved]], None]
PersonConsumer = Callable[[Any, Mapping[str, Any] | None, Attribution], None]

_consumers: list[Consumer] = []
_person_consumers: list[PersonConsumer] = []
_waiting: ContextVar[list[Moved] | None] = ContextVar("moves", default=None)


def register_teller(consumer: Consumer) -> None:
    """Has `consumer` called with what has happened to records, in the transaction in which it has. What was undone
    inside of `together`, by a savepoint, is among it: how the record stands now is the consumer's to look up."""
    if consumer not in _consumers:
        _consumers.append(consumer)


def register_person_teller(consumer: PersonConsumer) -> None:
    """Has `consumer` called with a person of the team, the old values of what of them has changed (None: they are new)
    and who did it, in the same transaction."""
    if consumer not in _person_consumers:
        _person_consumers.append(consumer)


def tell_of_person(member: Any, before: Mapping[str, Any] | None) -> None:
    for consumer in _person_consumers:
        consumer(member, before, who())


def tell(moves: Sequence[Moved]) -> None:
    """Tells the consumers, now or at the end of the work at hand."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting += moves
    elif moves:
        _tell(moves)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Runs what is inside in a transaction, at the end of which each record that it has moved is told of once."""
    if _waiting.get() is not None:
        with transaction.atomic():
            yield
        return
    moves: list[Moved] = []
    with transaction.atomic():
        token = _waiting.set(moves)
        try:
            yield
        finally:
            _waiting.reset(token)
        if moves:
            _tell(list(_merged(moves)))


def _tell(moves: Sequence[Moved]) -> None:
    for consumer in _consumers:
        consumer(moves)


def _merged(moves: Iterable[Moved]) -> Iterable[Moved]:
    """Returns one move for each record: from what it was at first."""
    first: dict[tuple[type, str], Moved] = {}
    for move in moves:
        key = (move.model, move.record_id)
        known = first.get(key)
        first[key] = replace(known, before={**move.before, **known.before}) if known else move
    return first.values()
