"""Taking in what is pending at a provider when somebody reads the change feed: bounded, one reader at a time, and
without touching a single visit."""

import datetime as dt
import time

import structlog
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from integrations.accounts.clients import open_remote
from integrations.calendar.window import window_at
from integrations.errors import Endless, ProviderError
from integrations.ledger.observations import Observations
from integrations.ledger.private import where
from integrations.models import Connection, SyncJob
from integrations.paging import getting_on
from integrations.records import Page
from integrations.sync.observe import with_certainty
from integrations.sync.ports import CursorMoved
from integrations.transport.patience import within

FRESH = dt.timedelta(seconds=2)

log = structlog.get_logger(__name__)


class _Stop(Exception):
    """The time is up, or a job has taken over."""


def observe_pending(workspace, integration: str, seconds: float = 2.0) -> dt.datetime:
    """Observes the integration's accounts for at most about `seconds`; the time that the feed is true of.

    That is the time of the account looked at longest ago: an account that cannot be asked makes the answer older,
    never wrong.
    """
    ends = time.monotonic() + seconds
    connections = Connection.objects.usable().filter(workspace=workspace, integration=integration, leaving__isnull=True)
    for connection in connections.select_related("workspace", "member"):
        if time.monotonic() < ends and _claim(connection):
            with within(max(0.2, ends - time.monotonic())):
                _observe(connection, ends)
    looked = connections.values_list("observed_at", "last_synced_at")
    known = [max(times) for pair in looked if (times := [at for at in pair if at])]
    return min(known, default=timezone.now())


def _in_flight(connection: Connection) -> bool:
    jobs = SyncJob.objects.in_flight()
    return jobs.filter(workspace_id=connection.workspace_id, integration=connection.integration).exists()


def _is_free(connection: Connection) -> bool:
    return Connection.objects.usable().filter(pk=connection.pk, leaving__isnull=True).exists()


def _claim(connection: Connection) -> bool:
    now = timezone.now()
    if _in_flight(connection) or (connection.retry_at and connection.retry_at > now):
        return False
    free = Q(observing_until=None) | Q(observing_until__lt=now)
    stale = Q(observed_at=None) | Q(observed_at__lt=now - FRESH)
    return bool(
        Connection.objects.filter(free, stale, pk=connection.pk).update(observing_until=now + dt.timedelta(seconds=30))
    )


def _observe(connection: Connection, ends: float) -> None:
    started = timezone.now()

    def guard() -> None:
        if time.monotonic() > ends or _in_flight(connection) or not _is_free(connection):
            raise _Stop

    complete = True
    try:
        remote = open_remote(connection, before_call=guard, attempts=1)
        for stream in connection.streams.filter(is_active=True).exclude(cursor=""):
            stream.connection = connection
            seen = Observations(stream, guard)
            cursor = seen.cursor(full=False)
            window = window_at(started)
            try:
                for page in getting_on(remote.changes(stream.container_id, cursor, window)):
                    seen.save_page(with_certainty(page, remote, stream.container_id, seen, window), cursor, full=False)
                    cursor = page.cursor
            except Endless as error:
                seen.save_page(Page([], error.restart, last=False), cursor, full=False)  # it is no place to go on from
                raise
    except (_Stop, CursorMoved, ProviderError) as error:
        complete = False
        log.info("feed_not_taken_in", connection_id=connection.pk, reason=type(error).__name__)
    except DatabaseError:
        raise
    except Exception as error:  # whoever reads the feed is told what is known; the next job meets it, and tells
        complete = False
        log.error("feed_not_taken_in", connection_id=connection.pk, **where(error))
    finally:
        values = {"observed_at": started} if complete else {}
        Connection.objects.filter(pk=connection.pk).update(observing_until=None, **values)
