"""What may happen in each of an account's streams, and FieldCamp's side of it."""

from collections.abc import Iterable

from django.utils import timezone

from integrations.books import SIDES
from integrations.calendar.visits import VisitsOfStream
from integrations.calendar.window import far_moves
from integrations.ledger.ports import LocalSide
from integrations.models import Direction, Stream
from integrations.records import Window
from integrations.sync.policy import SyncPolicy, Winner


def side_of(stream: Stream, window: Window) -> LocalSide:
    """Returns FieldCamp's side of a calendar, or of one kind of the books' records."""
    return SIDES[stream.kind](stream, window) if stream.kind else VisitsOfStream(stream, window)


def policy_of(stream: Stream, *, full: bool, others: Iterable[Stream] | None = None) -> SyncPolicy:
    """Returns what a run of the stream may do. `others` are the account's streams, where they are at hand."""
    return SyncPolicy(
        pulls=stream.direction != Direction.PUSH,
        pushes=stream.direction != Direction.PULL or _may_lose_events(stream, others),
        winner=Winner(stream.policy),
        full=full,
        first=stream.first_synced_at is None,
        far=None if stream.kind else far_moves(timezone.now()),
    )


def owes_full(stream: Stream) -> bool:
    """Returns whether the next run of the stream is a full one whatever was asked for: what one has not finished (the
    first, or after other choices) is owed."""
    return stream.window_end is None


def _may_lose_events(stream: Stream, others: Iterable[Stream] | None) -> bool:
    """Returns whether it is a calendar that is not the target, or not any more: whatever was made in it for visits is
    taken away, unless nothing is to be written into this account at all."""
    if stream.kind or stream.is_target:
        return False
    if others is None:
        others = Stream.objects.filter(connection=stream.connection, is_target=True)
    return not any(each.is_target and each.is_active and each.direction == Direction.PULL for each in others)
