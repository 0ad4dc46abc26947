"""Ending logins of people who are erased."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models

from fieldcamp.workspace.audit import forget_entries
from fieldcamp.workspace.audit_chain import ERASED
from fieldcamp.workspace.erasing import Words, entries_about
from fieldcamp.workspace.login_sessions import end_sessions
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.roles import is_privileged


def is_only_in(user: User, workspace_id: str) -> bool:
    """Returns whether the login is nobody's but this company's: no operator's, and of no other company."""
    return not is_privileged(user) and not Member.objects.filter(user=user).exclude(workspace=workspace_id).exists()


def forget_login(user: User, words: Words) -> None:
    """Takes the login out of the entries of no company: what operators have done to it before it had one."""
    named = Words(inside=words.inside)
    forget_entries(None, entries_about(None, {f"user_{user.pk}"}, named, user.date_joined, ("login.",)))


def erase_login(user: User) -> None:
    """Ends the login with all that hangs on it. Its row stays, empty: Django's list of edits points to it."""
    end_sessions(user)
    for related in User._meta.related_objects:
        deleted = getattr(related, "on_delete", None) is models.CASCADE and related.related_model is not LogEntry
        if deleted:
            related.related_model._base_manager.filter(**{related.field.name: user}).delete()
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).update(object_repr=ERASED, change_message="")
    user.username, user.email, user.first_name, user.last_name = f"erased-{user.pk}", "", "", ""
    user.is_active = user.is_staff = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()
