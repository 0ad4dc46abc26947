"""Logins and groups, for superusers. Accounts at vendors are no logins here, so allauth's tables are not shown."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from fieldcamp.desk.admins import SuperuserAdmin
from fieldcamp.desk.forms import PlainTexts

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
class LoginAdmin(SuperuserAdmin, UserAdmin):
    may_write = True
    form = LoginForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leaves the address of a company's login to the person's page, where it moves together with theirs."""
        fixed = ("username", "email") if obj and obj.members.exists() else ()
        return (*super().get_readonly_fields(request, obj), *fixed)


@admin.register(Group)
class LoginGroupAdmin(SuperuserAdmin, GroupAdmin):
    may_write = True
