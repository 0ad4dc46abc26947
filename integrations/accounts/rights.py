"""Who may connect, renew and set up which connection."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from fieldcamp.workspace.models import Member, Workspace
from fieldcamp.workspace.roles import may
from integrations.models import Connection
from integrations.providers import PROVIDERS


class NotAllowed(Exception):
    """This person may not do that."""


@dataclass(frozen=True)
class Rights:
    """A person in a workspace: owners and admins manage every connection, technicians their own."""

    manages: bool
    member: Member | None

    @property
    def may_connect(self) -> bool:
        return self.manages or (self.member is not None and self.member.is_technician)

    def may_connect_to(self, integration: str) -> bool:
        """Returns whether they may connect it: a technician's own calendar is theirs, books are the company's."""
        return self.manages or (self.may_connect and PROVIDERS[integration].is_calendar)

    def may_change(self, connection: Connection) -> bool:
        """Returns whether it is theirs to change: bound to them, or connected by them and bound to nobody yet."""
        if self.manages:
            return True
        if self.member is None or not self.may_connect:
            return False
        if connection.member_id:
            return connection.member_id == self.member.pk
        return connection.connected_by_id == self.member.user_id

    def may_bind(self, member: Member) -> bool:
        return self.manages or (self.member is not None and self.member.pk == member.pk)


def _members_of(user: User | AnonymousUser) -> QuerySet[Member]:
    """Returns the person in each of their companies."""
    rows = Member.objects.select_related("workspace")
    return rows.filter(user_id=user.pk, is_active=True) if user.is_authenticated else rows.none()


def connections_of(user: User | AnonymousUser) -> QuerySet[Connection]:
    """Returns the connections of the person's companies; of every company for a superuser who belongs to none."""
    rows = Connection.objects.select_related("workspace", "member")
    companies = [member.workspace_id for member in _members_of(user)]
    if companies:
        return rows.filter(workspace_id__in=companies)
    return rows if user.is_active and user.is_superuser else rows.none()


def rights_of(user: User | AnonymousUser, workspace: Workspace) -> Rights:
    """Returns what the person may do in this company."""
    member = _members_of(user).filter(workspace=workspace).first()
    manages = bool(user.is_active and user.is_superuser) or may(member, "connect")
    return Rights(manages=manages, member=member)
