"""The team, and the company's own settings."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from fieldcamp.desk.admins import ServiceAdmin
from fieldcamp.desk.seat import seat_of
from fieldcamp.workspace.admin.forms import MEMBER_FORM, MemberForm, SettingsForm
from fieldcamp.workspace.models import Member, Role, Workspace


@admin.register(Member)
class MemberAdmin(ServiceAdmin):
    form = MemberForm
    needs = {"view": "view", "add": "settings", "change": "settings"}
    list_display = ("name", "email", "shown_role", "is_technician", "has_login", "is_active")
    list_filter = ("role", "is_technician", "is_active")
    search_fields = ("first_name", "last_name", "email")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).select_related("user")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["login"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*MEMBER_FORM, *self.get_readonly_fields(request, obj)]

    @display(description="Name", ordering="first_name")
    def name(self, member: Member) -> str:
        return str(member)

    @display(description="Role", label=dict.fromkeys(("Owner", "Admin"), "info"), ordering="role")
    def shown_role(self, member: Member) -> str:
        return Role(member.role).label

    @display(description="Login", boolean=True)
    def has_login(self, member: Member) -> bool:
        return member.user_id is not None

    @display(description="Login")
    def login(self, member: Member) -> str:
        return member.user.get_username() if member.user else "None. An operator gives logins."


@admin.register(Workspace)
class WorkspaceAdmin(ServiceAdmin):
    form = SettingsForm
    workspace_path = "pk"
    needs = {"view": "settings", "change": "settings"}
    list_display = ("name", "timezone")
    readonly_fields = ("id", "daily_request_limit", "created_at")
    fields = ("name", "timezone", *readonly_fields)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Members have one company: its page is the list."""
        seat = seat_of(request)
        if seat.member and self.has_view_permission(request):
            return self.change_view(request, seat.member.workspace_id, extra_context=extra_context)
        return super().changelist_view(request, extra_context)
