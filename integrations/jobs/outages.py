"""Notices that a vendor fails for everybody, and that it is over. Any number of processes may do this at once: the
database has one open outage of each vendor, and each mail is claimed there before it is sent."""

import datetime as dt
import random
from collections.abc import Callable

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from integrations.mail import outages as mail
from integrations.models import Connection, ConnectionState, VendorOutage, WorkspaceIntegration
from integrations.selectors.outages import WINDOW, Trouble, let_in, looks_out, troubles

log = structlog.get_logger(__name__)

SETTLED = dt.timedelta(minutes=15)  # so long accounts have to be let in before anybody is told that it is over
FORGOTTEN = dt.timedelta(hours=12)  # nobody has met with it for so long, nor was let in: nobody is connected any more
CAUGHT_UP = dt.timedelta(minutes=10)  # within which those that wait are synced when it is over
MAILS_TRIED = dt.timedelta(days=1)


def watch(now: dt.datetime, spread: Callable[[], float] = random.random) -> None:
    """Opens, ends, takes up again and closes outages, and sends the mails about them that are due."""
    open_ = {outage.integration: outage for outage in VendorOutage.objects.filter(closed_at=None)}
    found = troubles(now - WINDOW)
    for integration in {*open_, *found}:
        trouble, outage = found.get(integration, Trouble()), open_.get(integration)
        if outage is None:
            if looks_out(integration, trouble, now):
                _begin(integration, trouble.first or now)
        elif outage.ended_at is None:
            if _is_over(outage, trouble, now):
                _end(outage, now, spread)
        elif _is_back(outage, outage.ended_at, now):
            _row(outage).update(ended_at=None)
        elif outage.ended_at <= now - SETTLED and (
            mail.tell_over(outage, now) or outage.ended_at <= now - SETTLED - MAILS_TRIED
        ):
            _row(outage).update(closed_at=now)
    for outage in VendorOutage.objects.filter(closed_at=None, ended_at=None):
        mail.tell(outage, now)


def _begin(integration: str, began_at: dt.datetime) -> None:
    try:
        with transaction.atomic():
            VendorOutage.objects.create(integration=integration, began_at=began_at)
    except IntegrityError:  # another process was faster
        return
    log.warning("vendor_outage_began", integration=integration)


def _is_over(outage: VendorOutage, trouble: Trouble, now: dt.datetime) -> bool:
    """Returns whether far more accounts are let in than fail. (Those that were let in before it began do not count.)"""
    well = let_in(outage.integration, max(now - WINDOW, outage.began_at))
    if well or trouble.accounts:
        return well > 2 * trouble.accounts
    return outage.began_at <= now - FORGOTTEN and outage.integration not in troubles(now - FORGOTTEN)


def _is_back(outage: VendorOutage, ended_at: dt.datetime, now: dt.datetime) -> bool:
    """Returns whether the vendor fails again: what was met with since it ended would begin an outage. (What was met
    with before it ended is no evidence, though it be minutes old. Who was let in before and has met with nothing since
    is: between this and `_is_over` there is room, so that a few that fail still do not turn it each minute.)"""
    trouble = troubles(max(ended_at, now - WINDOW)).get(outage.integration, Trouble())
    return looks_out(outage.integration, trouble, now)


def _end(outage: VendorOutage, now: dt.datetime, spread: Callable[[], float]) -> None:
    """Ends it for now: what has backed off because of it is synced soon, and what was refused in it is no evidence
    against an account."""
    if not _row(outage).filter(ended_at=None).update(ended_at=now):
        return
    log.warning("vendor_outage_ended", integration=outage.integration)
    waiting = WorkspaceIntegration.objects.filter(
        integration=outage.integration, failures__gt=0, next_sync_at__gt=now + CAUGHT_UP
    )
    for pk in waiting.values_list("pk", flat=True):
        WorkspaceIntegration.objects.filter(pk=pk, next_sync_at__gt=now + CAUGHT_UP).update(
            failures=0, next_sync_at=now + CAUGHT_UP * spread()
        )
    accounts = Connection.objects.filter(integration=outage.integration, state=ConnectionState.ACTIVE)
    accounts.exclude(refused_at=None).update(refused_at=None)


def _row(outage: VendorOutage) -> QuerySet[VendorOutage]:
    return VendorOutage.objects.filter(pk=outage.pk)
