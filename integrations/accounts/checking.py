"""Asking a vendor, where there is reason for doubt, whether it still lets FieldCamp in: not only with the next sync.

What is asked for is a new access token: that is not billed, touches no data, and its refusal is the one proof that an
access has ended.
"""

import datetime as dt
from collections.abc import Iterable

import structlog
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from fieldcamp.signin.throttle import once
from integrations.accounts.clients import token_source
from integrations.accounts.grants import OrmGrantStore
from integrations.errors import ProviderError, Transient
from integrations.models import BROKEN, Connection
from integrations.models.connections import ConnectionQuerySet
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.selectors.outages import is_out

log = structlog.get_logger(__name__)

REST = dt.timedelta(minutes=5)  # after an access was renewed, for which it is not asked about again
AT_ONCE = 50  # accounts, where nobody has said which one it is
APART = 60  # seconds between two such rounds


def check_soon(provider: Provider, account_id: str = "") -> int:
    """Has a worker ask about the access to an account at the provider, or, where it is not named, to those that were
    asked about longest ago; how many there are. Whoever names an account proves nothing by it, and learns nothing; each
    account is asked about once in a while however often that is done, whatever came of it."""
    now = timezone.now()
    due = _due(now).filter(integration=provider.name)
    if account_id:
        due = due.for_account(provider.name, account_id)
    elif is_out(provider.name, now) or not once("access-check", provider.name, seconds=APART):
        return 0
    found = due.order_by("grant__refreshed_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
    rested = [pk for pk in found if once("access-check", pk, seconds=int(REST.total_seconds()))]
    if rested:
        async_task("integrations.jobs.tasks.check_access", *rested)
    return len(rested)


def check_access(connection_ids: Iterable[str]) -> None:
    """Renews accounts' access. Where the vendor refuses it, the account needs to be reconnected, and people are told as
    after a sync. Where the vendor does not answer the rest is for the next syncs."""
    for connection in _due(timezone.now()).filter(pk__in=connection_ids).order_by("pk"):
        try:
            current = OrmGrantStore(connection.pk).read().access_token
            token_source(connection, PROVIDERS[connection.integration]).renewed(current)
        except ProviderError as error:
            log.info("access_checked", connection_id=connection.pk, code=error.code)
            if isinstance(error, Transient):
                return
        else:
            log.info("access_checked", connection_id=connection.pk, code="")


def _due(now: dt.datetime) -> ConnectionQuerySet:
    renewed = Q(grant__refreshed_at=None) | Q(grant__refreshed_at__lt=now - REST)
    return Connection.objects.connected().exclude(state__in=BROKEN).filter(renewed, grant__isnull=False)
