"""Mails about connections that need a person."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from fieldcamp import formats
from fieldcamp.workspace.models import Member, Role
from integrations.mail.send import send_mail
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.selectors.links import connection_url, reconnect_url


def addresses_of(workspace_id: str, roles: Sequence[str]) -> list[str]:
    """Returns the addresses of the workspace's active people with one of these roles."""
    people = Member.objects.filter(workspace_id=workspace_id, role__in=roles, is_active=True).exclude(email="")
    return sorted(set(people.values_list("email", flat=True)))


def alert_paused(connection_id: str) -> None:
    """Mails the owners: which account is paused, why, and where to resume it."""
    connection = Connection.objects.select_related("workspace").get(pk=connection_id)
    _tell(
        "paused",
        connection,
        addresses_of(connection.workspace_id, [Role.OWNER]),
        _("{integration} of {account} is paused"),
        connection_url(connection.pk),
    )


def alert_needs_person(connection_id: str) -> None:
    """Mails owners, admins and the member concerned: which account, what happened, where to repair it."""
    connection = Connection.objects.select_related("workspace", "member").get(pk=connection_id)
    to = concerned(connection)
    if connection.state == ConnectionState.NEEDS_PERMISSION:
        name, subject = "needs_permission", _("{integration} of {account} lacks a permission")
    else:
        name, subject = "needs_reconnect", _("{integration} of {account} needs to be reconnected")
    _tell(name, connection, to, subject, reconnect_url(connection))


def alert_ends_soon(connection_id: str, ends: dt.datetime) -> None:
    """Mails the same people: on which day of their company's the vendor ends the access, and where to renew it."""
    connection = Connection.objects.select_related("workspace", "member").get(pk=connection_id)
    with timezone.override(zoneinfo.ZoneInfo(connection.workspace.timezone)):
        there = formats.day(ends)
    subject = _("{integration} of {account}: access ends on {day}").replace("{day}", there)
    _tell("ends_soon", connection, concerned(connection), subject, reconnect_url(connection), ends=ends)


def concerned(connection: Connection) -> list[str]:
    desk = addresses_of(connection.workspace_id, [Role.OWNER, Role.ADMIN])
    theirs = connection.member.email if connection.member and connection.member.is_active else ""
    return sorted({*desk, theirs} - {""})


def _tell(name: str, connection: Connection, to: list[str], subject: str, url: str, **more: Any) -> None:
    if not to:
        return
    label = PROVIDERS[connection.integration].label
    send_mail(
        name,
        to=to,
        subject=subject.format(integration=label, account=connection.account_name),
        workspace=connection.workspace,
        context={"connection": connection, "label": label, "url": url, "support_reference": connection.pk, **more},
    )
