"""Logins of members: invite, send again, revoke. Django makes the link and knows whether it is still good.

A login belongs to one member and so to one company. It is never deleted, because the history of what somebody did
hangs on it: revoked is a login without a password that Django lets nobody in with.
"""

from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import Q, TextChoices
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Member, Role
from fieldcamp.workspace.team import ONLY_OWNER_WHO_SIGNS_IN, may_handle, other_owners_can_sign_in

log = structlog.get_logger(__name__)


class LoginState(TextChoices):
    NONE = "none", _("No login")
    INVITED = "invited", _("Invited")
    ACTIVE = "active", _("Active")
    REVOKED = "revoked", _("Revoked")


def login_state(member: Member) -> LoginState:
    """Returns how it stands with the member's login; `user` is to be fetched with the member."""
    if member.user is None:
        return LoginState.NONE
    if not member.user.is_active:
        return LoginState.REVOKED
    return LoginState.ACTIVE if member.user.has_usable_password() else LoginState.INVITED


def _refusal(sentence: str, **values: Any) -> InvalidTransition:
    return InvalidTransition(sentence.format(**values))


def invite(*, member: Member, by: Member | None) -> bool:
    """Gives the member a login, a revoked one back, or sends the invitation again; `by` is None for an operator.

    The link in the mail lets the person set a password, once and for PASSWORD_RESET_TIMEOUT. Whether the mail could
    be sent. Raises InvalidTransition.
    """
    with transaction.atomic():
        member = _locked(member)
        _check(member, by)
        state = login_state(member)
        if state == LoginState.ACTIVE:
            raise _refusal(gettext("{member} has set a password already and can sign in."), member=member)
        if not member.is_active:
            raise _refusal(gettext("{member} is switched off. Switch the person on first."), member=member)
        if not member.email:
            raise _refusal(gettext("{member} has no e-mail address. Enter one first."), member=member)
        member.user = _login_for(member)
        member.save(update_fields=["user"])
        action = "login.invited_again" if state == LoginState.INVITED else "login.invited"
        _note(action, member, after={"username": member.user.username, "role": member.role})
    return _send(member)


def _login_for(member: Member) -> User:
    """Returns the member's user row under the address that the invitation goes to. Raises InvalidTransition."""
    address = member.email.strip().lower()
    known = User.objects.filter(Q(username__iexact=address) | Q(email__iexact=address))
    if any(user.pk != member.user_id for user in known):
        taken = gettext("{address} has a login already, and a login belongs to exactly one person.")
        raise _refusal(taken, address=address)
    user = member.user or User()
    user.username, user.email, user.is_active, user.is_staff = address, address, True, True
    user.first_name, user.last_name = member.first_name[:150], member.last_name[:150]
    user.set_unusable_password()  # also ends the links of earlier invitations
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody else was given the same name this very moment
        raise _refusal(gettext("{address} has a login already."), address=address) from None
    return user


def revoke(*, member: Member, by: Member | None) -> None:
    """Ends the login at once, with every session and link of it. Raises InvalidTransition."""
    with transaction.atomic():
        member = _locked(member)
        _check(member, by)
        if by and by.pk == member.pk:
            raise InvalidTransition(gettext("You cannot revoke your own login. Ask another owner or admin."))
        if member.user is None or login_state(member) == LoginState.REVOKED:
            raise _refusal(gettext("{member} has no login to revoke."), member=member)
        if login_state(member) == LoginState.ACTIVE and not other_owners_can_sign_in(member):
            raise InvalidTransition(ONLY_OWNER_WHO_SIGNS_IN)
        member.user.is_active = False
        member.user.set_unusable_password()
        member.user.save(update_fields=["is_active", "password"])
        _note("login.revoked", member, before={"username": member.user.username})


def _locked(member: Member) -> Member:
    """Returns the member under one lock with all owners, so that two owners cannot revoke each other at once."""
    both = Q(workspace_id=member.workspace_id, role=Role.OWNER) | Q(pk=member.pk)
    rows = Member.objects.select_for_update(of=("self",)).filter(both).order_by("pk")
    return next(row for row in rows.select_related("user", "workspace") if row.pk == member.pk)


def may_invite(member: Member, by: Member | None) -> bool:
    """Returns whether this person may handle this login: an admin leaves the owners' alone."""
    return may_handle(member, by)


def _check(member: Member, by: Member | None) -> None:
    if not may_invite(member, by):
        raise InvalidTransition(gettext("Only an owner handles the login of an owner."))


def _note(action: str, member: Member, **values: Any) -> None:
    audit(action, workspace_id=member.workspace_id, object_id=member.pk, object_name=str(member), **values)


def password_link(user: User) -> str:
    """Returns where the person sets a password. The link is a credential: it goes into a mail and nowhere else."""
    parts = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    return settings.PUBLIC_URL + reverse("password_reset_confirm", kwargs=parts)


def _send(member: Member) -> bool:
    assert member.user
    days = max(settings.PASSWORD_RESET_TIMEOUT // 86_400, 1)
    values = {"member": member, "link": password_link(member.user), "days": days, "address": settings.PUBLIC_URL}
    try:
        send_mail(
            gettext("Your login for {company} at FieldCamp").format(company=member.workspace.name),
            render_to_string("desk/invitation.txt", values),
            settings.DEFAULT_FROM_EMAIL,
            [member.user.email],
        )
    except OSError as error:  # smtplib's errors and all of the network's
        log.warning("invitation_not_sent", member_id=member.pk, error=type(error).__name__)
        return False
    return True
