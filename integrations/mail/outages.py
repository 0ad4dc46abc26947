"""Mails about a vendor that fails for everybody: one to each company and one to the operators when it has lasted for a
while, and the same when it is over. Each is claimed in the database first; where it cannot be sent the claim is given
back, and the next round tries again."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from fieldcamp.workspace.models import Workspace
from fieldcamp.workspace.notices import OUTAGE, addresses_for
from integrations.mail.chat import say
from integrations.mail.send import send_mail
from integrations.models import OutageMail, VendorOutage
from integrations.providers import PROVIDERS
from integrations.selectors.links import dashboard_url
from integrations.selectors.outages import troubled

log = structlog.get_logger(__name__)

AT_ONCE = 100  # companies, in one round


def tell(outage: VendorOutage, now: dt.datetime) -> int:
    """Mails whom it concerns and nobody has written to yet, once it has lasted `OUTAGE_MAIL_AFTER_MINUTES`; how many
    companies were written to."""
    if outage.began_at > now - dt.timedelta(minutes=settings.OUTAGE_MAIL_AFTER_MINUTES):
        return 0
    met = troubled(outage.began_at).filter(integration=outage.integration).order_by()
    _to_operators(outage, "operators_told_at", now, _("{integration} fails for many accounts"))
    written = OutageMail.objects.filter(outage=outage).values("workspace")
    counts = (
        met.exclude(workspace__in=written).values_list("workspace").annotate(number=Count("connection", distinct=True))
    )
    sent = 0
    for workspace_id, number in counts[:AT_ONCE]:
        row, mine = OutageMail.objects.get_or_create(
            outage=outage, workspace_id=workspace_id, defaults={"told_at": now}
        )
        if mine:
            with _claimed(row.delete):
                subject = _("{integration} does not answer at the moment")
                _to_company("outage", outage, row.workspace, subject, number=number)
                sent += 1
    return sent


def tell_over(outage: VendorOutage, now: dt.datetime) -> bool:
    """Mails all who were told of it that it is over; whether all of these mails are sent."""
    waiting = OutageMail.objects.filter(outage=outage, over_at=None).select_related("workspace")
    subject = _("{integration} answers again")
    for row in waiting[:AT_ONCE]:
        claim = OutageMail.objects.filter(pk=row.pk)
        if claim.filter(over_at=None).update(over_at=now):
            with _claimed(partial(claim.update, over_at=None)):
                _to_company("outage_over", outage, row.workspace, subject)
    told = VendorOutage.objects.get(pk=outage.pk).operators_told_at is not None
    if told:
        _to_operators(outage, "operators_over_at", now, _("{integration} answers again"))
    done = not told or VendorOutage.objects.filter(pk=outage.pk, operators_over_at__isnull=False).exists()
    return done and not OutageMail.objects.filter(outage=outage, over_at=None).exists()


def _to_company(name: str, outage: VendorOutage, workspace: Workspace, subject: str, **more: Any) -> None:
    if to := addresses_for(workspace.pk, OUTAGE):
        _send(name, outage, to, subject, workspace, url=dashboard_url(), **more)
    label = PROVIDERS[outage.integration].label
    say(workspace.pk, OUTAGE, subject.format(integration=label), dashboard_url())


def _to_operators(outage: VendorOutage, claim: str, now: dt.datetime, subject: str) -> None:
    """Writes to `OPERATOR_EMAIL`, whatever company it is; where none is set the log has it alone."""
    row = VendorOutage.objects.filter(pk=outage.pk)
    if not row.filter(**{claim: None}).update(**{claim: now}):
        return
    met = troubled(outage.began_at).filter(integration=outage.integration)
    counts = met.aggregate(accounts=Count("connection", distinct=True), companies=Count("workspace", distinct=True))
    log.warning("vendor_outage_told", integration=outage.integration, claim=claim, **counts)
    if settings.OPERATOR_EMAIL:
        over = claim == "operators_over_at"
        with _claimed(partial(row.update, **{claim: None})):
            _send("outage_operators", outage, [settings.OPERATOR_EMAIL], subject, None, over=over, **counts)


def _send(
    name: str, outage: VendorOutage, to: Sequence[str], subject: str, workspace: Workspace | None, **more: Any
) -> None:
    provider = PROVIDERS[outage.integration]
    context = {"label": provider.label, "status_page": provider.status_page, "outage": outage, **more}
    send_mail(name, to=to, subject=subject.format(integration=provider.label), workspace=workspace, context=context)


@contextmanager
def _claimed(give_back: Callable[[], object]) -> Iterator[None]:
    """Gives the claim back where the mail cannot be sent, whatever is wrong with it: the others get theirs."""
    try:
        yield
    except Exception:
        log.exception("outage_mail_failed")
        give_back()
