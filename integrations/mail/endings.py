"""Mails ahead of the day on which a vendor ends a consent: one each, 60, 14 and 3 days before."""

import datetime as dt

import structlog
from django.db.models import Q

from integrations.mail.alerts import alert_ends_soon
from integrations.models import Connection, OAuthGrant
from integrations.selectors.endings import LASTING, SOON

log = structlog.get_logger(__name__)

AHEAD = (3, 14, SOON.days)
SLACK = dt.timedelta(days=1)  # vendors count the rest of a consent anew in each answer, give or take a moment


def warn(now: dt.datetime) -> int:
    """Mails what is due, however many processes do this; how many accounts were told of."""
    _forget_renewed(now)
    accounts = Connection.objects.filter(state__in=LASTING).of_active_people()
    ending = OAuthGrant.objects.filter(
        connection__in=accounts, refresh_expires_at__gt=now, refresh_expires_at__lte=now + SOON
    )
    sent = 0
    columns = ("pk", "connection_id", "refresh_expires_at", "granted_at", "end_told_days")
    for pk, connection_id, end, granted_at, told in ending.order_by("refresh_expires_at").values_list(*columns):
        days = due(now, end, granted_at, told) if end else None
        # Claimed first: a second mail is worse than none, and a mail server that is down gives the claim back.
        if days and OAuthGrant.objects.filter(pk=pk, end_told_days=told).update(end_told_days=days):
            try:
                alert_ends_soon(connection_id, end)
                sent += 1
            except OSError:
                log.exception("ending_mail_failed", connection_id=connection_id)
                OAuthGrant.objects.filter(pk=pk, end_told_days=days).update(end_told_days=told)
    return sent


def due(now: dt.datetime, end: dt.datetime, granted_at: dt.datetime | None, told: int | None) -> int | None:
    """Returns which of the days ahead is to be told of now; None for none.

    The nearest alone: a worker that was down for a while does not send the others after it. One that is longer than the
    consent was from its first day on tells nothing (an app in testing mode: seven days)."""
    days = next((days for days in AHEAD if end - now <= dt.timedelta(days=days)), None)
    if days is None or (told is not None and told <= days):
        return None
    return None if granted_at and end - granted_at <= dt.timedelta(days=days) else days


def _forget_renewed(now: dt.datetime) -> None:
    """Begins anew with consents whose end has moved away since it was told of, by a new consent or by use."""
    for days in AHEAD:
        away = Q(refresh_expires_at=None) | Q(refresh_expires_at__gt=now + dt.timedelta(days=days) + SLACK)
        OAuthGrant.objects.filter(away, end_told_days=days).update(end_told_days=None)
