"""Mails about pushes that do not come: the sync goes on by its schedule, so nobody is hurried."""

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from fieldcamp.workspace.notices import PUSH, addresses_for
from integrations.mail.chat import say
from integrations.mail.send import send_mail
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.selectors.links import connection_url
from integrations.selectors.push_switch import push_url

log = structlog.get_logger(__name__)


def tell_of_failing_push(connection_id: str, why: str) -> None:
    """Mails who wants to know (owners, unless they say no) that changes of this account come by the schedule alone at
    present, and why."""
    connection = Connection.objects.select_related("workspace").filter(pk=connection_id).first()
    if connection is None:
        return
    label, url = PROVIDERS[connection.integration].label, connection_url(connection.pk)
    subject = _("{integration} of {account}: changes arrive later than usual").format(
        integration=label, account=connection.account_name
    )
    if to := addresses_for(connection.workspace_id, PUSH):
        send_mail(
            "push_failing",
            to=to,
            subject=subject,
            workspace=connection.workspace,
            context={
                "connection": connection,
                "label": label,
                "why": why,
                "url": url,
                "support_reference": connection.pk,
            },
        )
    say(connection.workspace_id, PUSH, subject, url)


def tell_operators(integration: str, why: str, fault: str) -> None:
    """Writes to `OPERATOR_EMAIL` that a vendor does not take this site's address; where none is set the log has it."""
    if not settings.OPERATOR_EMAIL:
        return
    label = PROVIDERS[integration].label
    try:
        send_mail(
            "push_refused",
            to=[settings.OPERATOR_EMAIL],
            subject=_("{integration} does not push to this site").format(integration=label),
            workspace=None,
            context={"label": label, "why": why, "fault": fault, "address": push_url(integration)},
        )
    except OSError:
        log.exception("push_mail_failed", integration=integration)
