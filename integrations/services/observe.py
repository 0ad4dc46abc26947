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
from integrations.providers import PROVIDERS
from integrations.records import Page
from integrations.selectors.freshness import told_by_push
from integrations.selectors.metering import Allowance, meters_of
from integrations.sync.observe import with_certainty
from integrations.sync.ports import CursorMoved
from integrations.transport.patience import within

FRESH = dt.timedelta(seconds=2)
# Those who read on from a place come again and again, so that what they ask for is asked of the vendor less often:
READ_ON = dt.timedelta(seconds=20)
TOLD_BY_PUSH = dt.timedelta(minutes=5)  # where the vendor tells of changes by itself
BILLED = dt.timedelta(minutes=10)  # where it bills each read; and no more than half of a day's go to readers

log = structlog.get_logger(__name__)


class _Stop(Exception):
    """The time is up, or a job has taken over."""


def observe_pending(workspace, integration: str, seconds: float = 2.0, *, reading_on: bool = False) -> dt.datetime:
    """Observes the integration's accounts for at most about `seconds`; the time that the feed is true of. For somebody
    who is `reading_on` from a place an account counts as fresh for longer.

    That is the time of the account looked at longest ago: an account that cannot be asked makes the answer older,
    never wrong.
    """
    ends = time.monotonic() + seconds
    connections = Connection.objects.usable().filter(workspace=workspace, integration=integration, leaving__isnull=True)
    asked = list(connections.select_related("workspace", "member"))
    if reading_on:
        asked = _not_fresh(asked, timezone.now())
    for connection in asked:
        if time.monotonic() < ends and _claim(connection):
            with within(max(0.2, ends - time.monotonic())):
                _observe(connection, ends, rests=reading_on)
    looked = connections.values_list("observed_at", "last_synced_at")
    known = [max(times) for pair in looked if (times := [at for at in pair if at])]
    return min(known, default=timezone.now())


def _not_fresh(connections: list[Connection], now: dt.datetime) -> list[Connection]:
    """Returns those that may be asked for somebody who reads on, the one looked at longest ago first; two queries at
    most."""
    first = dt.datetime.min.replace(tzinfo=dt.UTC)
    looked = {each.pk: max(each.observed_at or first, each.last_synced_at or first) for each in connections}
    stale = [each for each in connections if looked[each.pk] < now - READ_ON]
    if not stale:
        return []
    billed = [each for each in stale if PROVIDERS[each.integration].meters_reads]
    meters = meters_of(billed, now) if billed else {}
    told = told_by_push(stale)
    return sorted(
        (
            each
            for each in stale
            if looked[each.pk] < now - (TOLD_BY_PUSH if each.pk in told else READ_ON)
            and (each.pk not in meters or (looked[each.pk] < now - BILLED and _has_plenty(meters[each.pk].allowance)))
        ),
        key=lambda each: looked[each.pk],
    )


def _has_plenty(allowance: Allowance) -> bool:
    """Returns whether more than half of a day's billed reads are left, which syncs need."""
    return not allowance.limit or allowance.used * 2 < allowance.limit


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


def _observe(connection: Connection, ends: float, rests: bool) -> None:
    """Takes in what is pending. An account that could not be asked `rests` for as long as a claim holds, so that those
    who come again and again do not wait for it each time."""
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
            account = seen.calls.through(remote)
            cursor = seen.cursor(full=False)
            window = window_at(started)
            try:
                for page in getting_on(account.changes(stream.container_id, cursor, window)):
                    seen.save_page(with_certainty(page, account, stream.container_id, seen, window), cursor, full=False)
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
        row = Connection.objects.filter(pk=connection.pk)
        if complete:
            row.update(observing_until=None, observed_at=started)
        elif not rests:
            row.update(observing_until=None)
