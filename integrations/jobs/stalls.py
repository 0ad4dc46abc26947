"""Notices accounts whose data is older than it should be, tells of those where that lasts, and that it is over.

Freshness is worked out of what the database holds, so any process may look, and several may at once: the worker does
each minute, and where none runs the site's own processes do. Each step is claimed by one conditional update.
"""

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Mapping
from time import monotonic

import structlog
from django.db import DatabaseError, connections, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from fieldcamp.webhooks.recording import record_event
from integrations.mail import stalls as mail
from integrations.models import Connection, Heartbeat
from integrations.selectors.dashboard import NOBODY_WORKS, WORKER
from integrations.selectors.freshness import AWAITED, Freshness, is_awaited
from integrations.selectors.stalls import (
    OF_THE_SITE,
    TOLD_BY_THE_STATE,
    Stall,
    StallCause,
    all_freshness,
    in_flight,
    stalls_among,
)
from integrations.selectors.status import connection_entries

log = structlog.get_logger(__name__)

LASTED = dt.timedelta(minutes=4)  # what is over before that was no stall
LOOKED = "looked:stalls"
A_TURN = dt.timedelta(seconds=50)
_TOLD = "told:no worker"  # the operators; the row is the claim
AT_ONCE = 2_000  # accounts that are looked at together
# Within which further accounts need no mail of theirs about a cause that was told.
SAME_TROUBLE = dt.timedelta(hours=1)
EVERY = 60.0  # seconds between two looks of a process that only looks because no worker does


def watch(now: dt.datetime) -> None:
    """Takes down which accounts have been stalled for a while and which are not any more, and sends the mails due. One
    process at a time: else a company's accounts would be told of in parts, or by nobody."""
    if not _my_turn(now):
        return
    jobs = in_flight()
    looked = Connection.objects.filter(Q(state__in=AWAITED) | Q(stalled_at__isnull=False)).order_by("pk")
    last = ""
    while batch := list(looked.filter(pk__gt=last).select_related("member", "workspace")[:AT_ONCE]):
        last = batch[-1].pk
        found = all_freshness(batch, jobs, now)
        stalled = {stall.connection.pk: stall for stall in stalls_among(batch, found, jobs, now)}
        for connection in batch:
            stall = stalled.get(connection.pk)
            if stall is not None and connection.stalled_at is None:
                if stall.since <= now - LASTED and not found[connection.pk].tried_now:
                    _begin(stall, found, now)
            elif stall is not None and connection.stall_cause != stall.cause:
                _row(connection).filter(stalled_at=connection.stalled_at).update(stall_cause=stall.cause)
            elif stall is None and connection.stalled_at is not None:
                _end(connection, found, now)
        _tell(list(stalled.values()), now)
    _tell_operators(now)


def _my_turn(now: dt.datetime) -> bool:
    """Returns whether nobody has looked within the last minute. Who is killed while looking misses one turn."""
    row, first = Heartbeat.objects.get_or_create(name=LOOKED, defaults={"at": now})
    before = Q(at__lte=now - A_TURN) | Q(at__gt=now + A_TURN)  # a clock that was ahead holds up nobody
    return first or bool(Heartbeat.objects.filter(before, pk=row.pk).update(at=now))


def _row(connection: Connection) -> QuerySet[Connection]:
    return Connection.objects.filter(pk=connection.pk)


def _begin(stall: Stall, found: Mapping[str, Freshness], now: dt.datetime) -> None:
    connection = stall.connection
    with transaction.atomic():
        # As it was looked at: a sync may have come to its end meanwhile, or a person paused it.
        same = _row(connection).filter(
            stalled_at=None,
            state=connection.state,
            fresh_from=connection.fresh_from,
            last_synced_at=connection.last_synced_at,
        )
        if not same.update(stalled_at=stall.since, stall_cause=stall.cause, stalled_told_at=None):
            return
        _record("connection.stalled", connection, found, stall.cause, now)
    connection.stalled_at, connection.stall_cause = stall.since, stall.cause
    log.warning("connection_stalled", connection_id=connection.pk, cause=stall.cause.value)


def _end(connection: Connection, found: Mapping[str, Freshness], now: dt.datetime) -> None:
    """Takes down that it is over; of one that was put aside meanwhile (paused, disconnected) that is what is told."""
    cause = connection.stall_cause
    with transaction.atomic():
        ours = _row(connection).filter(stalled_at=connection.stalled_at)
        if not ours.update(stalled_at=None, stall_cause="", stalled_told_at=None):
            return
        if is_awaited(connection):
            _record("connection.recovered", connection, found, cause, now)
    log.info("connection_recovered", connection_id=connection.pk, cause=cause)


def _record(
    event_type: str, connection: Connection, found: Mapping[str, Freshness], cause: str, now: dt.datetime
) -> None:
    (entry,) = connection_entries([connection], found, now)
    record_event(
        connection.workspace_id,
        event_type,
        {**entry, "cause": cause or None},
        record_id=connection.pk,
        integration=connection.integration,
    )


def _tell(stalled: list[Stall], now: dt.datetime) -> None:
    """Writes to each company with accounts that nobody was told of: one mail about all of them."""
    by_company: dict[str, list[Stall]] = defaultdict(list)
    for stall in stalled:
        connection = stall.connection
        if connection.stalled_at is not None and connection.stalled_told_at is None and _needs_a_mail(stall):
            by_company[connection.workspace_id].append(stall)
    for workspace_id, stalls in by_company.items():
        mine = _claim([stall.connection.pk for stall in stalls], now)
        told = [stall for stall in stalls if stall.connection.pk in mine]
        if told and (news := _news(workspace_id, told, now)):
            try:
                mail.tell(news)
            except Exception:  # the others get theirs, and the next round tries this one again
                log.exception("stall_mail_failed", workspace_id=workspace_id)
                Connection.objects.filter(pk__in=mine, stalled_told_at=now).update(stalled_told_at=None)


def _needs_a_mail(stall: Stall) -> bool:
    """Returns whether nothing else tells of it: the mails of the state do, and those of an outage until it is over."""
    return stall.cause not in (*TOLD_BY_THE_STATE, StallCause.VENDOR_OUTAGE)


def _claim(pks: list[str], now: dt.datetime) -> set[str]:
    with transaction.atomic():
        rows = Connection.objects.filter(pk__in=pks, stalled_at__isnull=False, stalled_told_at=None)
        mine = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        Connection.objects.filter(pk__in=mine).update(stalled_told_at=now)
    return set(mine)


def _news(workspace_id: str, told: list[Stall], now: dt.datetime) -> list[Stall]:
    """Leaves out what the company knows: that nobody works, or that a vendor is in trouble since a moment ago."""
    before = Connection.objects.filter(
        workspace=workspace_id, stalled_at__isnull=False, stalled_told_at__isnull=False
    ).exclude(pk__in=[stall.connection.pk for stall in told])
    known = list(before.values_list("integration", "stall_cause", "stalled_told_at"))
    site = {cause for _integration, cause, _at in known if cause in OF_THE_SITE}
    lately = {(integration, cause) for integration, cause, at in known if at and at > now - SAME_TROUBLE}
    return [
        stall
        for stall in told
        if stall.cause not in site and (stall.connection.integration, stall.cause.value) not in lately
    ]


def _tell_operators(now: dt.datetime) -> None:
    """Writes to the operators once that no worker works, where accounts are stalled by that."""
    claim = Heartbeat.objects.filter(name=_TOLD)
    stalled = Connection.objects.filter(stalled_at__isnull=False, stall_cause=StallCause.NO_WORKER)
    count = stalled.count()
    if not count:
        claim.delete()
        return
    if not Heartbeat.objects.get_or_create(name=_TOLD, defaults={"at": now})[1]:
        return
    try:
        mail.tell_operators(count)
    except Exception:
        log.exception("stall_mail_failed")
        claim.delete()


def stand_in(now: dt.datetime | None = None) -> bool:
    """Looks where no worker does; whether it did. For processes that answer requests."""
    now = now or timezone.now()
    beat = Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()
    if beat is not None and now - beat < NOBODY_WORKS:
        return False
    watch(now)
    return True


class StandIn:
    """Calls `stand_in` once a minute at most in this process, beside the request at which it is called."""

    def __init__(self) -> None:
        self._next = monotonic() + EVERY
        self._lock = threading.Lock()

    def __call__(self) -> threading.Thread | None:
        if monotonic() < self._next or not self._lock.acquire(blocking=False):
            return None
        self._next = monotonic() + EVERY
        thread = threading.Thread(target=self._look, name="stand-in for the worker", daemon=True)
        thread.start()
        return thread

    def _look(self) -> None:
        try:
            stand_in()
        except DatabaseError:
            log.warning("stand_in_failed", exc_info=True)
        finally:
            connections.close_all()
            self._lock.release()
