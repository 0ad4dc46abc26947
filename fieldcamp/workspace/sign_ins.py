"""What happens to logins, in the audit trail: Django tells of each sign-in and new password, by whatever way."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.tracking import current_actor

NOBODY = "unknown name"  # what was typed instead may be a password


def audit_login(
    action: str,
    user: AbstractBaseUser | None,
    *,
    actor: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Writes `login.<action>` down: with each company that the login belongs to, else with none; `actor` is the person
    unless somebody else is named. `user` is None where nobody has such a login."""
    members: list[Member | None] = list(Member.objects.filter(user_id=user.pk).order_by("pk")) if user else []
    for member in members or [None]:
        name = str(member) if member else user.get_username() if user else NOBODY
        audit(
            f"login.{action}",
            workspace_id=member.workspace_id if member else None,
            object_id=member.pk if member else f"user_{user.pk}" if user else "",
            object_name=name,
            actor=(name if user else "") if actor is None else actor,
            before=before,
            after=after,
        )


def follow_sign_ins() -> None:
    """Has Django tell of sign-ins from now on."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")


def _signed_in(*, user: AbstractBaseUser, **_rest: Any) -> None:
    audit_login("succeeded", user)


def _signed_out(*, user: AbstractBaseUser | None, **_rest: Any) -> None:
    if user is not None:  # else the session had ended before
        audit_login("signed_out", user)


def _failed(*, credentials: Mapping[str, Any], **_rest: Any) -> None:
    name = str(credentials.get("username") or credentials.get("email") or "")
    user = None if "\x00" in name else User.objects.filter(username=name).first()
    # Whoever tried was not that person, as far as anybody knows.
    audit_login("failed", user, actor="")


class PasswordTrail(MinimumLengthValidator):
    """Asks for a shortest length, and is told of each password that was set, at the desk, by a link, or by a command:
    Django tells whatever stands in AUTH_PASSWORD_VALIDATORS."""

    def password_changed(self, password: str, user: Any = None) -> None:
        """Writes down that a login has got a password: by its person, unless somebody else is at work."""
        if user is not None and user.pk:
            audit_login("password_set", user, actor=current_actor() or None)
