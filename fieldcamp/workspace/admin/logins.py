"""Logins and groups, for superusers. Accounts at vendors are no logins here, so allauth's tables are not shown."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from fieldcamp.desk.admins import SuperuserAdmin
from fieldcamp.desk.guards import confirmed_admin

for _model in (User, Group, EmailAddress, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(User)
@confirmed_admin
class LoginAdmin(SuperuserAdmin, UserAdmin):
    may_write = True
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
@confirmed_admin
class LoginGroupAdmin(SuperuserAdmin, GroupAdmin):
    may_write = True
