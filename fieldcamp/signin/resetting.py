"""Giving back the sign-in to somebody who has lost telephone and recovery codes: by an owner of their company, or by an
operator."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from fieldcamp.desk import notices
from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.signin import factors, records
from fieldcamp.workspace.login_sessions import end_sessions
from fieldcamp.workspace.models import Member, Role
from fieldcamp.workspace.roles import is_privileged


def may_reset(desk_user: DeskUser, member: Member) -> bool:
    """Returns whether this person may reset that one's factors: owners their people's, operators everybody's. The login
    of an operator, or of somebody who is in another company as well, is out of a company's reach, and nobody resets
    themselves (Your login removes a factor)."""
    if member.user is None or member.user_id == desk_user.user.pk:
        return False
    if desk_user.is_superuser:
        return True
    by = desk_user.member
    return (
        by is not None
        and by.workspace_id == member.workspace_id
        and by.role == Role.OWNER
        and not is_privileged(member.user)
        and not Member.objects.filter(user=member.user).exclude(workspace_id=by.workspace_id).exists()
    )


def reset(user: User, by: str) -> bool:
    """Removes all factors of the login, ends its sessions and tells the person; whether there was anything to remove.
    `by` is a person, or "" for FieldCamp itself."""
    if not factors.reset(user):
        return False
    end_sessions(user)
    records.note("factor_reset", user, actor=by)
    notices.tell(
        user,
        gettext("Your second step was reset"),
        gettext("{person} has removed all second steps of your login, and ended its sessions.").format(
            person=by or "FieldCamp"
        ),
    )
    return True


@confirmed
@desk_view("GET", "POST")
def page(request: HttpRequest, member_id: str) -> HttpResponse:
    """Shows on GET what will happen, and does it on POST."""
    desk_user = desk_user_of(request)
    rows = desk_user.scope(Member.objects.select_related("user", "workspace"))
    member = rows.filter(pk=member_id).first()
    if member is None:
        raise Http404
    if not may_reset(desk_user, member):
        raise PermissionDenied
    user: Any = member.user
    if request.method != "POST":
        title = gettext("Reset the second step of {member}?").format(member=member)
        context = {
            **admin.site.each_context(request),
            "title": title,
            "member": member,
            "any": factors.has_factor(user),
        }
        return render(request, "signin/reset.html", context)
    if reset(user, by=desk_user.name):
        messages.success(request, gettext("{member} signs in with the password alone now.").format(member=member))
    else:
        messages.info(request, gettext("{member} has no second step.").format(member=member))
    return redirect("admin:workspace_member_change", member.pk)
