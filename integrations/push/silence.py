"""Notices that a vendor has stopped telling: without asking it, by what is found without a push."""

import datetime as dt
from collections.abc import Collection

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from integrations.models import PushChannel, PushMark, Stream, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.queue.planning import MOST_MISSED

_COUNTED_FOR = dt.timedelta(days=1)
# Shown to people with the state.
SILENT = "Changes were found of which the vendor had not told."

log = structlog.get_logger(__name__)


def judge_silence(now: dt.datetime) -> int:
    """Counts the pushes that should have come by now; how many have been missed. The third in a day (and each third
    after it) takes the stream's channel for lost, so that it is opened anew; where there are no channels, the schedule
    is at once what it was without pushes."""
    missed, lost = 0, list[Stream]()
    while ids := list(PushMark.objects.filter(owed_by__lte=now).order_by("pk").values_list("pk", flat=True)[:200]):
        with transaction.atomic():
            locked = (
                PushMark.objects.filter(pk__in=ids, owed_by__lte=now).order_by("pk").select_for_update(of=("self",))
            )
            told = set(_live(ids, now))
            for mark in locked.select_related("stream__connection"):
                count = _judge(mark, mark.pk in told, now)
                missed += bool(count)
                if count and count % MOST_MISSED == 0:
                    lost.append(mark.stream)
            PushMark.objects.filter(pk__in=ids, owed_by__lte=now).update(owed_by=None)
        # Jobs that end lock the integration first and marks last: nothing is touched here with marks in hand.
        while lost:
            _take_for_lost(lost.pop(), now)
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
    if not (has_channel if source.channels else mark.pushed_at is not None and source.usable()):
        return 0
    anew = mark.missed < MOST_MISSED and (mark.missed_since is None or mark.missed_since < now - _COUNTED_FOR)
    count = 1 if anew else min(mark.missed + 1, 30_000)
    PushMark.objects.filter(pk=mark.pk).update(missed=count, missed_since=now if anew else F("missed_since"))
    log.info("push_missed", connection_id=connection.pk, stream_id=mark.pk, missed=count)
    return count


def _take_for_lost(stream: Stream, now: dt.datetime) -> None:
    connection = stream.connection
    source = PROVIDERS[connection.integration].push
    if source is not None and source.scheduled_every is not None:
        rows = WorkspaceIntegration.objects.filter(
            workspace=connection.workspace_id, integration=connection.integration
        )
        rows.filter(next_sync_at__gt=now).update(next_sync_at=now)
    channels = PushChannel.objects.filter(stream=stream, state=PushChannel.State.LIVE)
    channels.update(state=PushChannel.State.LOST, reason=SILENT, renew_at=now)
