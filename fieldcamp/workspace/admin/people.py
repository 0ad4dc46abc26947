"""The team with its logins, and the company's own settings."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ServiceAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.users import desk_user_of
from fieldcamp.signin.resetting import may_reset
from fieldcamp.workspace import logins
from fieldcamp.workspace.admin.forms import MEMBER_FORM, MemberForm, SettingsForm
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.logins import LoginState, login_state
from fieldcamp.workspace.models import Member, Role, Workspace
from fieldcamp.workspace.tracking import attributed

ROLE_TONES = {role.value: "info" if role in (Role.OWNER, Role.ADMIN) else "" for role in Role}
LOGIN_TONES = {
    LoginState.ACTIVE: "success",
    LoginState.INVITED: "info",
    LoginState.REVOKED: "danger",
    LoginState.NONE: "muted",
}


@admin.register(Member)
class MemberAdmin(ServiceAdmin):
    form = MemberForm
    needs = {"view": "view", "add": "settings", "change": "settings"}
    list_display = ("name", "email", "shown_role", "is_technician", "login", "is_active")
    list_filter = ("role", "is_technician", "is_active")
    search_fields = ("first_name", "last_name", "email")
    fields = MEMBER_FORM
    change_form_outer_after_template = "admin/workspace/login.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).select_related("user")

    @display(description=_("Name"), ordering="first_name")
    def name(self, member: Member) -> str:
        return str(member)

    @display(description=_("Role"), label=ROLE_TONES, ordering="role")
    def shown_role(self, member: Member) -> tuple[str, str]:
        return member.role, member.get_role_display()

    @display(description=_("Login"), label={state.value: tone for state, tone in LOGIN_TONES.items()})
    def login(self, member: Member) -> tuple[str, Any]:
        state = login_state(member)
        return state.value, state.label

    def response_add(self, request: HttpRequest, obj: Member, post_url_continue: Any = None) -> HttpResponse:
        """Leads on to the new person's page, where a login can be given."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, gettext("{member} is on the team.").format(member=obj), messages.SUCCESS)
        return self._to(obj)

    add_view = confirmed(ServiceAdmin.add_view)

    @confirmed
    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        member = self.get_object(request, unquote(object_id))
        extra = {"login": self._login(request, member)} if member else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def _login(self, request: HttpRequest, member: Member) -> dict[str, Any]:
        """Returns what the login's panel shows: the state, and the buttons that this person may press."""
        state = login_state(member)
        by = self._by(request)
        handles = self.has_change_permission(request) and logins.may_invite(member, by)
        myself = by is not None and by.pk == member.pk
        return {
            "member": member,
            "state": state,
            "tone": LOGIN_TONES[state],
            "may_invite": handles and member.is_active and bool(member.email) and state != LoginState.ACTIVE,
            "may_reset": member.user is not None and may_reset(desk_user_of(request), member),
            "may_revoke": handles and state in (LoginState.ACTIVE, LoginState.INVITED) and not myself,
            "lacks_email": handles and not member.email,
            "verb": gettext("Send the invitation again") if state == LoginState.INVITED else gettext("Invite"),
        }

    def _by(self, request: HttpRequest) -> Member | None:
        desk_user = desk_user_of(request)
        return None if desk_user.is_superuser else desk_user.member

    def _to(self, member: Member) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:workspace_member_change", args=[member.pk]))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/invite/", view(self.invite_view), name="workspace_member_invite"),
            path("<path:object_id>/revoke/", view(self.revoke_view), name="workspace_member_revoke"),
            *super().get_urls(),
        ]

    def _member(self, request: HttpRequest, object_id: str) -> Member:
        if not self.has_change_permission(request):
            raise PermissionDenied
        member = self.get_object(request, unquote(object_id))
        if member is None:
            raise Http404
        if not logins.may_invite(member, self._by(request)):
            raise PermissionDenied
        return member

    @confirmed
    def invite_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Gives a login, or sends its invitation again."""
        member = self._member(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            with attributed(actor=desk_user_of(request).name):
                sent = logins.invite(member=member, by=self._by(request))
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, member, gettext("Invited."))
            if sent:
                said, level = gettext("The invitation is on its way to {address}."), messages.SUCCESS
            else:
                said = gettext("The mail to {address} could not be sent. Try again in a few minutes.")
                level = messages.ERROR
            self.message_user(request, said.format(address=member.email), level)
        return self._to(member)

    @confirmed
    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows on GET what will happen, and does it on POST."""
        member = self._member(request, object_id)
        if request.method != "POST":
            title = gettext("Revoke the login of {member}?").format(member=member)
            context = {**self.admin_site.each_context(request), "member": member, "opts": self.opts, "title": title}
            return TemplateResponse(request, "admin/workspace/revoke_login.html", context)
        try:
            with attributed(actor=desk_user_of(request).name):
                logins.revoke(member=member, by=self._by(request))
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, member, gettext("Login revoked."))
            said = gettext("{member} can no longer sign in.").format(member=member)
            self.message_user(request, said, messages.SUCCESS)
        return self._to(member)


@admin.register(Workspace)
class WorkspaceAdmin(ServiceAdmin):
    form = SettingsForm
    workspace_path = "pk"
    needs = {"view": "settings", "change": "settings"}
    list_display = ("name", "timezone")
    readonly_fields = ("id", "daily_request_limit", moment("created_at", _("Created")))
    fields = ("name", "timezone", "second_factor", *readonly_fields)

    change_view = confirmed(ServiceAdmin.change_view)

    @confirmed
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Members have one company: its page is the list."""
        desk_user = desk_user_of(request)
        if desk_user.member and self.has_view_permission(request):
            return self.change_view(request, desk_user.member.workspace_id, extra_context=extra_context)
        return super().changelist_view(request, extra_context)
