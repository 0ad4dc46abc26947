"""Mails about connections that need a person."""

from django.conf import settings
from django.core.mail import send_mail

from fieldcamp.workspace.models import Member, Role
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.services.jobs import connect_url


def owners_of(workspace_id: str) -> list[str]:
    """The addresses of the workspace's active owners."""
    owners = Member.objects.filter(workspace_id=workspace_id, role=Role.OWNER, is_active=True)
    return sorted({address for address in owners.values_list("email", flat=True) if address})


def tell_paused(connection_id: str) -> None:
    """One mail to the owners: which account is paused, why, and where to resume it."""
    connection = Connection.objects.select_related("workspace").get(pk=connection_id)
    label = PROVIDERS[connection.integration].label
    addresses = owners_of(connection.workspace_id)
    if not addresses:
        return
    send_mail(
        f"{label} of {connection.account_name} is paused",
        f"{connection.state_reason}\n\n"
        f"Nothing is lost: what has changed meanwhile is synced as soon as the connection works again.\n"
        f"Open {connect_url(connection.integration)} and press Sync now to try, or connect the account again.\n",
        settings.DEFAULT_FROM_EMAIL,
        addresses,
    )


def tell_needs_person(connection_id: str) -> None:
    """One mail to owners, admins and the member concerned: which account, what happened, where to repair it."""
    connection = Connection.objects.select_related("workspace", "member").get(pk=connection_id)
    label = PROVIDERS[connection.integration].label
    desk = Member.objects.filter(
        workspace_id=connection.workspace_id, role__in=[Role.OWNER, Role.ADMIN], is_active=True
    ).values_list("email", flat=True)
    theirs = connection.member.email if connection.member else ""
    addresses = sorted({address for address in (*desk, theirs) if address})
    if not addresses:
        return
    send_mail(
        f"{label} of {connection.account_name}: {connection.get_state_display().lower()}",
        f"{connection.state_reason}\n\n"
        f"Nothing is lost: what changes meanwhile is synced as soon as the account is connected again.\n"
        f"Two clicks repair it: {connect_url(connection.integration)}?connection={connection.pk}\n",
        settings.DEFAULT_FROM_EMAIL,
        addresses,
    )
