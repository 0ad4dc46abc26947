"""The team with its logins, and the company's own settings."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.api.services import keys_made_by
from fieldcamp.desk.admins import ServiceAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.lists.exporting import chosen, field, worked_out
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.addresses import pending_of
from fieldcamp.workspace.admin.forms import MEMBER_FORM, MemberForm, SettingsForm
from fieldcamp.workspace.admin.member_login import LOGIN_TONES, LoginPages, by_of
from fieldcamp.workspace.logins import login_state
from fieldcamp.workspace.models import Member, Role, Workspace
from fieldcamp.workspace.roles import is_privileged

ROLE_TONES = {role.value: "info" if role in (Role.OWNER, Role.ADMIN) else "" for role in Role}


@admin.register(Member)
class MemberAdmin(LoginPages, ServiceAdmin):
    form = MemberForm
    needs = {"view": "view", "add": "settings", "change": "settings"}
    list_display = ("name", "email", "shown_role", "is_technician", "login", "is_active")
    list_filter = ("role", "is_technician", "is_active")
    search_fields = ("first_name", "last_name", "email", "=id")
    ordering = ("first_name", "last_name", "id")
    empty = EmptyList(_("Nobody is on the team yet."), _("Add a person"), "admin:workspace_member_add", "settings")
    cells = (
        worked_out(str, _("Name")), field("email", _("E-mail")), chosen("role", _("Role")),
        field("is_technician", _("Technician")), worked_out(lambda row: login_state(row).label, _("Login")),
        field("is_active", _("Active")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} person", "{number} people", number).format(number=grouped(number))

    fields = MEMBER_FORM
    change_form_outer_after_template = "admin/workspace/login.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).select_related("user", "workspace", "invitation", "address_change")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Returns whether the person may be changed: one who is an operator is shown, and changed by operators."""
        if not super().has_change_permission(request, obj):
            return False
        return not isinstance(obj, Member) or by_of(request) is None or not is_privileged(obj.user)

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
        return self.to_person(obj)

    add_view = confirmed(ServiceAdmin.add_view)
    change_view = confirmed(LoginPages.change_view)

    def response_change(self, request: HttpRequest, obj: Member) -> HttpResponse:
        """Says what waits for a confirmation, and asks about the keys of who was switched off."""
        obj = self.get_queryset(request).get(pk=obj.pk)
        if change := pending_of(obj):
            said = gettext("A link to confirm the new address goes to {address}. Until then the old one stays.")
            self.message_user(request, said.format(address=change.address), messages.INFO)
        if not obj.is_active and keys_made_by(obj).exists():
            return HttpResponseRedirect(reverse("admin:workspace_member_keys", args=[obj.pk]))
        return super().response_change(request, obj)


@admin.register(Workspace)
class WorkspaceAdmin(ServiceAdmin):
    form = SettingsForm
    workspace_path = "pk"
    needs = {"view": "settings", "change": "settings"}
    list_display = ("name", "timezone")
    search_fields = ("name", "=id")
    cells = (field("name", _("Name")), field("timezone", _("Time zone")))
    readonly_fields = ("id", "daily_request_limit", moment("created_at", _("Created")))
    fieldsets: Any = (
        (None, {"fields": ("name", ("timezone", "currency"), "second_factor", *readonly_fields[1:])}),
        (_("Details for support"), {"fields": ("id",), "classes": ("collapse",)}),
    )

    change_view = confirmed(ServiceAdmin.change_view)

    @confirmed
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Members have one company: its page is the list."""
        desk_user = desk_user_of(request)
        if desk_user.member and self.has_view_permission(request):
            return self.change_view(request, desk_user.member.workspace_id, extra_context=extra_context)
        return super().changelist_view(request, extra_context)
