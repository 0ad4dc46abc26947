"""Who uses the desk: the person, their member row, and what they may see and do."""

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from fieldcamp.workspace.models import Member, Workspace
from fieldcamp.workspace.roles import may

Row = TypeVar("Row", bound=Model)


# In the session of a superuser without a member, and of who belongs to several companies: the one that was chosen.
CHOSEN = "desk_company"


@dataclass
class DeskUser:
    """A login sees the workspace of its member. One with members in several sees the one that was chosen on the
    dashboard, else the first by name. A superuser without a member sees every workspace, or the one that was chosen."""

    user: Any
    member: Member | None
    chosen: Workspace | None = None
    members: Sequence[Member] = ()  # all that the login has, active ones only

    @property
    def is_superuser(self) -> bool:
        return bool(self.user.is_active and self.user.is_superuser)

    @property
    def may_enter(self) -> bool:
        return bool(self.user.is_active and self.user.is_staff and (self.member or self.user.is_superuser))

    @property
    def sees_all(self) -> bool:
        return self.is_operator and self.chosen is None

    @property
    def is_operator(self) -> bool:
        """Belongs to no company, and so may choose one."""
        return self.member is None and self.is_superuser

    def may(self, action: str) -> bool:
        """Returns whether the role allows the action (`workspace.roles`)."""
        return self.is_superuser or may(self.member, action)

    def scope(self, rows: QuerySet[Row], path: str = "workspace") -> QuerySet[Row]:
        """Returns only the rows of the person's own workspace; `path` leads from the row to it."""
        if self.sees_all:
            return rows
        company = self.member.workspace_id if self.member else self.chosen.pk if self.chosen else None
        return rows.filter(**{path: company}) if company else rows.none()

    @cached_property
    def workspace(self) -> Workspace | None:
        """Returns the company whose dashboard is shown. For who sees all: the oldest one."""
        if self.member:
            return self.member.workspace
        if self.chosen:
            return self.chosen
        return Workspace.objects.order_by("created_at", "id").first() if self.is_superuser else None

    @property
    def timezone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.workspace.timezone if self.workspace else "UTC")

    @property
    def currency(self) -> str:
        """Returns what amounts are shown in; "" where no company is looked at."""
        return self.workspace.currency if self.workspace else ""

    @property
    def name(self) -> str:
        """Returns the person in history rows and on jobs."""
        return str(self.member) if self.member else self.user.get_username()


def desk_user_of(request: HttpRequest) -> DeskUser:
    """Returns the request's desk user, read from the database once."""
    desk_user = getattr(request, "_desk_user", None)
    if desk_user is None or desk_user.user != request.user:
        members = _members(request.user)
        member = _chosen_of(request, members) if len(members) > 1 else next(iter(members), None)
        chosen = None if member else _chosen(request)
        desk_user = DeskUser(request.user, member, chosen, members)
        request._desk_user = desk_user  # type: ignore[attr-defined]
    return desk_user


def _chosen_of(request: HttpRequest, members: Sequence[Member]) -> Member:
    """Returns the member in the company that was chosen; a choice of what is not theirs is not listened to."""
    chosen = request.session.get(CHOSEN)
    return next((member for member in members if member.workspace_id == chosen), members[0])


def _chosen(request: HttpRequest) -> Workspace | None:
    """Returns the company that a superuser has chosen; a session that says so without the right is not listened to."""
    chosen = request.session.get(CHOSEN) if request.user.is_active and request.user.is_superuser else None
    return Workspace.objects.filter(pk=chosen).first() if chosen else None


def _members(user: Any) -> Sequence[Member]:
    if not user.is_authenticated:
        return ()
    rows = Member.objects.select_related("workspace").filter(user=user, is_active=True)
    return tuple(rows.order_by("workspace__name", "workspace_id"))
