"""Notices that a vendor has stopped telling: without asking it, by what is found without a push."""

import datetime as dt
from collections.abc import Collection

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from integrations.models import Connection, PushChannel, PushMark, Stream
from integrations.providers import PROVIDERS
from integrations.queue.planning import MOST_MISSED, end_lengthening, scheduled_every

_COUNTED_FOR = dt.timedelta(days=1)
# Shown to people with the state.
SILENT = "Changes were found of which the vendor had not told."

log = structlog.get_logger(__name__)


def judge_silence(now: dt.datetime) -> int:
    """Counts the pushes that should have come by now; how many have been missed. The third in a day (and each third
    after it) takes the stream's channel for lost, so that it is opened anew; where there are no channels, each makes
    the schedule at once what it was without pushes."""
    missed, found = 0, list[tuple[Stream, int]]()
    while ids := list(PushMark.objects.filter(owed_by__lte=now).order_by("pk").values_list("pk", flat=True)[:200]):
        with transaction.atomic():
            locked = (
                PushMark.objects.filter(pk__in=ids, owed_by__lte=now).order_by("pk").select_for_update(of=("self",))
            )
            told = set(_live(ids, now))
            for mark in locked.select_related("stream__connection"):
                count = _judge(mark, mark.pk in told, now)
                missed += bool(count)
                if count:
                    found.append((mark.stream, count))
            PushMark.objects.filter(pk__in=ids, owed_by__lte=now).update(owed_by=None)
        # Jobs that end lock the integration first and marks last: nothing is touched here with marks in hand.
        while found:
            _draw_consequences(*found.pop(), now)
    return missed


def _live(stream_ids: Collection[str], now: dt.datetime) -> QuerySet[PushChannel, str]:
    channels = PushChannel.objects.filter(stream__in=stream_ids, state=PushChannel.State.LIVE, opened_at__lt=now)
    return channels.values_list("stream_id", flat=True)


def _judge(mark: PushMark, has_channel: bool, now: dt.datetime) -> int:
    """Returns how many have been missed with this one; 0 where none was to come."""
    connection = mark.stream.connection
    source = PROVIDERS[connection.integration].push
    if source is None or mark.stream.kind in source.never_told:
        return 0
    if not (has_channel if source.channels else source.usable() and _was_told_of(connection)):
        return 0
    anew = mark.missed < MOST_MISSED and (mark.missed_since is None or mark.missed_since < now - _COUNTED_FOR)
    count = 1 if anew else min(mark.missed + 1, 30_000)
    PushMark.objects.filter(pk=mark.pk).update(
        missed=count, missed_since=now if anew else F("missed_since"), missed_at=now
    )
    log.info("push_missed", connection_id=connection.pk, stream_id=mark.pk, missed=count)
    return count


def _was_told_of(connection: Connection) -> bool:
    """Returns whether the vendor has ever told of the account, of whatever stream: then it should of each."""
    return PushMark.objects.filter(stream__connection=connection, pushed_at__isnull=False).exists()


def _draw_consequences(stream: Stream, missed: int, now: dt.datetime) -> None:
    connection = stream.connection
    if scheduled_every(connection.integration) is not None:
        end_lengthening(connection.workspace_id, connection.integration, now)
    if missed % MOST_MISSED == 0:
        channels = PushChannel.objects.filter(stream=stream, state=PushChannel.State.LIVE)
        channels.update(state=PushChannel.State.LOST, reason=SILENT, renew_at=now)
