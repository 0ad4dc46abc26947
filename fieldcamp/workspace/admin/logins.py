"""Logins and groups, for superusers. Accounts at vendors are no logins here, so allauth's tables are not shown."""

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from fieldcamp.desk.admins import SuperuserAdmin
from fieldcamp.desk.forms import PlainTexts
from fieldcamp.desk.guards import confirmed_admin
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.sign_ins import audit_login

for _model in (User, Group, EmailAddress, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class LoginForm(PlainTexts, UserChangeForm):
    """Gives no right of its own to a login of a company, whose people then would handle it."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        member = self.instance.members.select_related("workspace").first() if self.instance.pk else None
        for name in ("is_superuser", "groups", "user_permissions"):
            given = cleaned.get(name)
            if member and (given if isinstance(given, bool) else given and given.exists()):
                said = gettext(
                    "This login belongs to {member} of {company}, and who belongs to a company has no rights beside "
                    "it. Revoke it there first, or make another login for the operator."
                )
                self.add_error(name, forms.ValidationError(said.format(member=member, company=member.workspace)))
        return cleaned


@admin.register(User)
@confirmed_admin
class LoginAdmin(SuperuserAdmin, UserAdmin):
    """What is done here goes into the audit trail; so does each new password, whoever sets it."""

    may_write = True
    add_fieldsets = UserAdmin.add_fieldsets  # the theme's own has nothing, and would make logins without a name
    form = LoginForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leaves the address of a company's login to the person's page, where it moves together with theirs."""
        fixed = ("username", "email") if obj and obj.members.exists() else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        before, after = _changed(form, change)
        if before or after or not change:
            _note(request, "changed" if change else "created", obj, before, after)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        _note(request, "deleted", obj, {"username": obj.get_username()}, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            _note(request, "deleted", user, {"username": user.get_username()}, {})
        super().delete_queryset(request, queryset)


@admin.register(Group)
@confirmed_admin
class LoginGroupAdmin(SuperuserAdmin, GroupAdmin):
    may_write = True

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        before, after = _changed(form, change)
        action = "group.changed" if change else "group.created"
        _note_group(request, action, obj, before, after)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        _note_group(request, "group.deleted", obj, {}, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            _note_group(request, "group.deleted", group, {}, {})
        super().delete_queryset(request, queryset)


def _note(request: HttpRequest, action: str, user: User, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    audit_login(action, user, actor=desk_user_of(request).name, before=before, after=after)


def _note_group(
    request: HttpRequest, action: str, group: Group, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    audit(
        action,
        workspace_id=None,
        object_id=f"group_{group.pk}",
        object_name=group.name,
        actor=desk_user_of(request).name,
        before=before,
        after=after,
    )


def _changed(form: Any, change: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what a form has changed, before and after, without passwords."""
    names = [name for name in form.changed_data if "password" not in name]
    before = {name: _words(form.initial.get(name)) for name in names} if change else {}
    return before, {name: _words(form.cleaned_data.get(name)) for name in names}


def _words(value: Any) -> Any:
    """Returns the value as people read it: of many, such as groups, their names."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return sorted(str(each) for each in value) if hasattr(value, "__iter__") else str(value)
