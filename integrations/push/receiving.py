"""Takes in what vendors post: each item is judged alone, and what is believed makes streams due.

A post proves who sent it by what was agreed for its channel, or by the app's signature. It chooses streams and nothing
else: no name, time or address in it is used. An item that is not believed costs one look-up, and no write.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import connection
from django.db.models import Q

from fieldcamp.impatience import LONGEST_WAIT, impatient
from integrations.models import Connection, PushChannel, Stream
from integrations.providers.base import Provider
from integrations.providers.push import NoticeKind, PostedPush, PushNotice
from integrations.push.marks import PushMessage, mark_all
from integrations.push.secrets import NOBODYS, is_channel_id, is_resource_id, is_right
from integrations.push.together import WrittenTogether

State = PushChannel.State
# What may still push: one that is replaced, too, and one that we have given up but the vendor has not.
LISTENED_TO = (State.OPENING, State.LIVE, State.RETIRING, State.LOST)
# Of one post; no vendor sends a hundred. What stands behind them is left to the schedule.
MOST_ITEMS = 500
SEEN_EVERY = dt.timedelta(seconds=5)  # how exactly it is kept when the last push came
# A renewal that is under way, or about to be, is not asked for again.
SOON = dt.timedelta(minutes=15)
MARKING = (NoticeKind.CHANGED, NoticeKind.MISSED, NoticeKind.REMOVED)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many items a post had, and how many of them are believed; `signed`: it was the vendor who has sent it,
    whatever is in it."""

    items: int
    believed: int
    signed: bool = False


@dataclass(frozen=True, slots=True)
class _News:
    """What one post has told that is believed."""

    believed: Sequence[tuple[PushNotice, PushChannel]]
    messages: Sequence[PushMessage]
    at: dt.datetime


def receive(provider: Provider, posted: PostedPush, now: dt.datetime) -> Taken:
    """Takes in one post. Raises `NotBelieved` for a signature that is wrong, and django.db.Error where the database
    does not answer in time: then nothing of it is kept, and the vendor has to come again."""
    assert provider.push
    notices = list(islice(provider.push.read(posted), MOST_ITEMS))
    signed = provider.push.channels is None
    if not notices:
        return Taken(0, 0, signed)
    by_account = [each for each in notices if each.account_id]
    with impatient(writes=False):
        believed = list(_of_channels(provider, [each for each in notices if each.channel_id]))
        messages = _of_accounts(provider, by_account)
    messages += [
        PushMessage([channel.stream_id], notice.told, notice.message_id)
        for notice, channel in believed
        if notice.kind in MARKING
    ]
    if believed or messages:  # what is not believed never waits for a lock, nor holds one
        news = _News(believed, messages, now)
        if connection.vendor == "sqlite":
            _WRITER.put(news, LONGEST_WAIT / 2000)
        else:
            _write([news])
    return Taken(len(notices), len(believed) + len(by_account), signed)


def _write(all_news: Sequence[_News]) -> None:
    """Writes what one post has told, or several, in one transaction."""
    now = max(news.at for news in all_news)
    messages = [message for news in all_news for message in news.messages]
    with impatient(writes=True):
        _note_channels([pair for news in all_news for pair in news.believed], now)
        if messages:
            mark_all(_together(messages), now)


_WRITER = WrittenTogether(_write)


def _of_channels(provider: Provider, notices: Sequence[PushNotice]) -> Iterator[tuple[PushNotice, PushChannel]]:
    """Yields the believed ones with their channels. What names no channel of ours takes the same way and time."""
    ids = {notice.channel_id for notice in notices if is_channel_id(notice.channel_id)}
    if not notices:
        return
    rows = PushChannel.objects.filter(integration=provider.name, channel_id__in=ids, state__in=LISTENED_TO)
    channels = {channel.channel_id: channel for channel in rows}
    for notice in notices:
        channel = channels.get(notice.channel_id)
        right = is_right(notice.secret, channel.secret_digest if channel else NOBODYS)
        if channel is not None and right and _is_about(notice, channel):
            yield notice, channel


def _is_about(notice: PushNotice, channel: PushChannel) -> bool:
    """Returns whether it names what the channel watches. A channel whose opening was not answered (yet) learns that
    from its first message."""
    if channel.resource_id:
        return notice.resource_id == channel.resource_id
    return is_resource_id(notice.resource_id)


def _of_accounts(provider: Provider, notices: Sequence[PushNotice]) -> list[PushMessage]:
    """Returns what the notices of an app's one address mark: all companies that have this account connected."""
    streams: dict[str, list[tuple[str, str]]] = {}
    for account_id in {notice.account_id for notice in notices}:
        connections = Connection.objects.for_account(provider.name, account_id).connected()
        rows = Stream.objects.filter(connection__in=connections, is_active=True)
        streams[account_id] = list(rows.values_list("pk", "kind"))
    found = []
    for notice in notices:
        ids = [pk for pk, kind in streams[notice.account_id] if not notice.record_kinds or kind in notice.record_kinds]
        if ids:
            found.append(PushMessage(ids, notice.told, notice.message_id))
    return found


def _together(messages: Iterable[PushMessage]) -> list[PushMessage]:
    """Puts together what says the same of different streams, or of one several times, and has no name of its own."""
    ids: dict[str, set[str]] = defaultdict(set)
    named = []
    for message in messages:
        if message.message_id:
            named.append(message)
        else:
            ids[message.kind] |= set(message.stream_ids)
    return [*named, *(PushMessage(sorted(streams), kind) for kind, streams in ids.items())]


def _note_channels(believed: Sequence[tuple[PushNotice, PushChannel]], now: dt.datetime) -> None:
    """Writes down what the messages say of their channels, in the order of the keys: receivers never wait for each
    other in a circle. Most messages change nothing here."""
    by_channel: dict[int, list[PushNotice]] = defaultdict(list)
    channels: dict[int, PushChannel] = {}
    for notice, channel in believed:
        by_channel[channel.pk].append(notice)
        channels[channel.pk] = channel
    for pk in sorted(channels):
        channel, kinds = channels[pk], {notice.kind for notice in by_channel[pk]}
        row = PushChannel.objects.filter(pk=pk)
        if not channel.resource_id:
            row.filter(resource_id="").update(resource_id=by_channel[pk][0].resource_id)
        if channel.state == State.OPENING:
            row.filter(state=State.OPENING, channel_id=channel.channel_id).update(state=State.LIVE, opened_at=now)
        if kinds & set(MARKING) and (channel.last_push_at is None or channel.last_push_at < now - SEEN_EVERY):
            row.update(last_push_at=now)
        if NoticeKind.REMOVED in kinds:
            row.filter(state__in=(State.OPENING, State.LIVE)).update(
                state=State.LOST, renew_at=now, reason="The vendor has ended the channel."
            )
        elif NoticeKind.REAUTHORIZE in kinds:
            row.filter(Q(renew_at=None) | Q(renew_at__gt=now + SOON), state=State.LIVE).update(renew_at=now)
