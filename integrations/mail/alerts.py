"""Mails about connections that need a person."""

import datetime as dt
import zoneinfo
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from fieldcamp import formats
from fieldcamp.workspace.notices import ACCESS, PAUSED, MailKind, addresses_for
from integrations.mail.chat import say
from integrations.mail.send import send_mail
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.selectors.links import connection_url, reconnect_url


def alert_paused(connection_id: str) -> None:
    """Mails who wants to know (owners, unless they say no): which account is paused, why, and where to resume it."""
    connection = Connection.objects.select_related("workspace").get(pk=connection_id)
    _tell(
        "paused",
        PAUSED,
        connection,
        _("{integration} of {account} is paused"),
        connection_url(connection.pk),
    )


def alert_needs_person(connection_id: str) -> None:
    """Mails owners, admins and the member concerned: which account, what happened, where to repair it."""
    connection = Connection.objects.select_related("workspace", "member").get(pk=connection_id)
    if connection.state == ConnectionState.NEEDS_PERMISSION:
        name, subject = "needs_permission", _("{integration} of {account} lacks a permission")
    else:
        name, subject = "needs_reconnect", _("{integration} of {account} needs to be reconnected")
    _tell(name, ACCESS, connection, subject, reconnect_url(connection))


def alert_ends_soon(connection_id: str, ends: dt.datetime) -> None:
    """Mails the same people: on which day of their company's the vendor ends the access, and where to renew it."""
    connection = Connection.objects.select_related("workspace", "member").get(pk=connection_id)
    with timezone.override(zoneinfo.ZoneInfo(connection.workspace.timezone)):
        there = formats.day(ends)
    subject = _("{integration} of {account}: access ends on {day}").replace("{day}", there)
    _tell("ends_soon", ACCESS, connection, subject, reconnect_url(connection), ends=ends)


def _tell(name: str, kind: MailKind, connection: Connection, subject: str, url: str, **more: Any) -> None:
    label = PROVIDERS[connection.integration].label
    subject = subject.format(integration=label, account=connection.account_name)
    owner = connection.member if kind.own_account else None
    if to := addresses_for(connection.workspace_id, kind, owner):
        send_mail(
            name,
            to=to,
            subject=subject,
            workspace=connection.workspace,
            context={"connection": connection, "label": label, "url": url, "support_reference": connection.pk, **more},
        )
    say(connection.workspace_id, kind, subject, url)
