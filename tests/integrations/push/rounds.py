"""What workers do with channels, round by round, and what came of it."""

import datetime as dt

from django.utils import timezone

from integrations.models import Heartbeat, PushChannel, PushMark, Stream
from integrations.push import keeper
from integrations.push.tending import tend_due

DAY = dt.timedelta(days=1)


def round() -> int:
    """What a worker does every ten seconds; how many vendors were asked."""
    keeper.prepare(timezone.now())
    return sum(iter(tend_due, 0))


def states(stream: Stream) -> list[str]:
    return list(PushChannel.objects.filter(stream=stream).order_by("pk").values_list("state", flat=True))


def current(stream: Stream) -> PushChannel:
    return PushChannel.objects.filter(stream=stream).exclude(state__in=("stopped", "retiring")).get()


def due(stream: Stream) -> bool:
    return bool(PushMark.objects.filter(stream=stream, due_at__lte=timezone.now()).update(due_at=None))


def passes(clock, time: dt.timedelta) -> None:
    """Time passes in which workers have done their rounds, and found nothing to do."""
    clock.move(time.total_seconds())
    Heartbeat.objects.filter(name__startswith="push-round").update(at=timezone.now())


def ends(moment: dt.datetime, clock) -> None:
    """The moment is over."""
    passes(clock, max(moment - timezone.now(), dt.timedelta(0)) + dt.timedelta(seconds=1))
