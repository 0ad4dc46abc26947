"""The worker's part of the channels' life: what its round looks for, and the threads in which vendors are asked."""

import datetime as dt
import hashlib
import threading

import structlog
from django.conf import settings
from django.db import connections
from django.utils import timezone

from integrations.models import Heartbeat
from integrations.push import channels
from integrations.push.tending import tend_due

log = structlog.get_logger(__name__)

THREADS = 4
TURN = 25  # channels that a thread looks through before the next round
# After so long without a round messages were lost, or this is an old copy of the database, whose channels are gone.
SILENCE = dt.timedelta(hours=1)
SPREAD = dt.timedelta(minutes=10)


class ChannelKeeper:
    """Keeps the channels of all accounts. A vendor that is slow holds its threads, and never the worker's round."""

    def __init__(self, threads: int = THREADS) -> None:
        self._most = threads
        self._running: list[threading.Thread] = []

    def round(self, now: dt.datetime) -> None:
        """Looks what there is to do, and has threads do it unless they are still at it."""
        prepare(now)
        self._running = [thread for thread in self._running if thread.is_alive()]
        waiting = len(channels.due(now, self._most * TURN))
        wanted = min(self._most, -(-waiting // TURN)) - len(self._running)
        for _ in range(wanted):
            # Daemons: what they were at when the worker ends is done by another, once the claim has lapsed.
            thread = threading.Thread(target=_work, name="push-channels", daemon=True)
            self._running.append(thread)
            thread.start()

    def wait(self) -> None:
        """Waits until what was begun is done."""
        for thread in self._running:
            thread.join()


def prepare(now: dt.datetime) -> None:
    """Makes the rows that are missing and has those stopped that are too many. Asks no vendor."""
    if _was_silent(now):
        reopened = channels.reopen_all(now, "It is opened anew after a break.", SPREAD)
        log.info("push_channels_reopened", count=reopened)
    channels.drop_unwanted(now)
    channels.make_missing(now)


def _was_silent(now: dt.datetime) -> bool:
    """Returns, once, whether there was no round for a while, or none at all under our present address."""
    address = hashlib.sha256(settings.PUBLIC_URL.encode()).hexdigest()[:16]
    row, first = Heartbeat.objects.get_or_create(name=f"push-round:{address}", defaults={"at": now})
    if row.at > now - dt.timedelta(minutes=1) and not first:
        return False
    mine = Heartbeat.objects.filter(pk=row.pk, at=row.at).update(at=now) == 1
    return mine and (first or row.at < now - SILENCE)


def _work() -> None:
    try:
        tend_due(most=TURN)
    except Exception:
        log.exception("push_round_failed", at=timezone.now())
    finally:
        connections.close_all()
