"""A vendor that does not take this site's address does so for every account: it is told once, asked again every day by
one of them, and the schedule goes on meanwhile."""

import datetime as dt

import structlog

from integrations.mail.push import tell_operators
from integrations.models import Heartbeat
from integrations.selectors.push_switch import TRIED_AGAIN_AFTER, refusal_name

log = structlog.get_logger(__name__)


def refused(integration: str, why: str, fault: str, now: dt.datetime) -> None:
    """Switches the vendor's pushes off for a day. The operators are told the first time."""
    row, first = Heartbeat.objects.get_or_create(name=refusal_name(integration), defaults={"at": now})
    if not first:
        Heartbeat.objects.filter(pk=row.pk).update(at=now)
        return
    log.error("push_address_refused", integration=integration, fault=fault)
    tell_operators(integration, why, fault)


def taken(integration: str) -> None:
    """Switches them on again."""
    Heartbeat.objects.filter(name=refusal_name(integration)).delete()


def may_try(integration: str, now: dt.datetime) -> bool:
    """Returns whether the vendor may be asked to push: after a refusal one a day is, who finds out for all."""
    row = Heartbeat.objects.filter(name=refusal_name(integration)).first()
    if row is None:
        return True
    if row.at > now - TRIED_AGAIN_AFTER:
        return False
    return Heartbeat.objects.filter(pk=row.pk, at=row.at).update(at=now) == 1
