"""Logins and groups, for superusers. Accounts at vendors are no logins here, so allauth's tables are not shown."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from fieldcamp.desk.admins import SuperuserAdmin
from fieldcamp.desk.guards import confirmed

for _model in (User, Group, EmailAddress, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(User)
class LoginAdmin(SuperuserAdmin, UserAdmin):
    may_write = True
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    add_view = confirmed(UserAdmin.add_view)
    change_view = confirmed(UserAdmin.change_view)
    delete_view = confirmed(UserAdmin.delete_view)
    user_change_password = confirmed(UserAdmin.user_change_password)


@admin.register(Group)
class LoginGroupAdmin(SuperuserAdmin, GroupAdmin):
    may_write = True
