"""Whether a vendor tells of an account's changes by itself: for the card and the account's page."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.models import Connection, PushChannel, PushMark, ReceivedPush
from integrations.providers import PROVIDERS
from integrations.queue.planning import MOST_MISSED
from integrations.selectors.push_switch import why_off

State = PushChannel.State
_SHOWN = (State.OPENING, State.LIVE, State.LOST, State.UNSUPPORTED)
RECENT = 10


class PushWord(Enum):
    """How it stands, as people read it."""

    WORKING = _("working")
    LATE = _("late")
    OPENING = _("being set up")
    OFF = _("off")


@dataclass(frozen=True)
class PushState:
    """One account's; `reason` says why it is not working, `last_at` when the vendor told of something last."""

    word: PushWord
    reason: str = ""
    last_at: dt.datetime | None = None

    @property
    def label(self) -> str:
        return str(self.word.value)

    @property
    def tone(self) -> str:
        return {PushWord.WORKING: "success", PushWord.LATE: "warning"}.get(self.word, "muted")


def push_states(connections: Collection[Connection], now: dt.datetime) -> Mapping[str, PushState]:
    """Returns those of the accounts that can sync, by their ids; three queries for all of them."""
    shown = [each for each in connections if each.usable and PROVIDERS[each.integration].push is not None]
    off = {name: why_off(name, now) for name in sorted({each.integration for each in shown})}
    asked = [each.pk for each in shown if not off[each.integration]]
    channels: dict[str, list[PushChannel]] = defaultdict(list)
    marks: dict[str, list[PushMark]] = defaultdict(list)
    if asked:
        rows = PushChannel.objects.filter(stream__connection__in=asked, state__in=_SHOWN, stream__is_active=True)
        for channel in rows.select_related("stream").order_by("pk"):
            channels[channel.stream.connection_id].append(channel)
        for mark in PushMark.objects.filter(stream__connection__in=asked).select_related("stream"):
            marks[mark.stream.connection_id].append(mark)
    return {
        each.pk: PushState(PushWord.OFF, off[each.integration])
        if off[each.integration]
        else _state(each, channels[each.pk], marks[each.pk])
        for each in shown
    }


def _state(connection: Connection, channels: Iterable[PushChannel], marks: Iterable[PushMark]) -> PushState:
    by_channels = PROVIDERS[connection.integration].push
    missed = any(mark.missed >= MOST_MISSED for mark in marks)
    if by_channels is not None and by_channels.channels is not None:
        return _of_channels(list(channels), missed)
    last = max((mark.pushed_at for mark in marks if mark.pushed_at), default=None)
    if last is None:
        return PushState(PushWord.OPENING, gettext("nothing has come yet"))
    return PushState(PushWord.LATE, _late(), last) if missed else PushState(PushWord.WORKING, "", last)


def _of_channels(channels: list[PushChannel], missed: bool) -> PushState:
    last = max((channel.last_push_at for channel in channels if channel.last_push_at), default=None)
    states = {channel.state for channel in channels}
    if State.LOST in states:
        reason = next(channel.reason for channel in channels if channel.state == State.LOST)
        return PushState(PushWord.LATE, reason, last)
    if missed:
        return PushState(PushWord.LATE, _late(), last)
    if State.LIVE in states:
        return PushState(PushWord.WORKING, "", last)
    if states == {State.UNSUPPORTED}:
        return PushState(PushWord.OFF, channels[0].reason, last)
    return PushState(PushWord.OPENING, next((channel.reason for channel in channels if channel.reason), ""), last)


def _late() -> str:
    return gettext("changes were found of which nobody had told; they are looked for as ever")


def recent_pushes(connection: Connection) -> list[ReceivedPush]:
    """Returns what the vendor has told of lately, newest first, with the jobs that came of it."""
    received = ReceivedPush.objects.filter(connection=connection).select_related("job", "stream")
    return list(received.order_by("-received_at", "-pk")[:RECENT])
