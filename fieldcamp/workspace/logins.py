"""Logins of members: invite, send again, accept, revoke.

An invitation claims nothing: it is a link in a mail, of this one company. Which login the person gets is decided when
the link is followed, by whoever reads that mailbox; the company that invited is never told what existed before. A login
may belong to several companies, each of which has a member with it. It is never deleted, because the history of what
somebody did hangs on it: revoked in the last company it is a login without a password that Django lets nobody in with.
"""

from enum import Enum
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.texts import said
from fieldcamp.workspace import mailed
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import AddressChange, Invitation, Member, Role
from fieldcamp.workspace.roles import is_privileged
from fieldcamp.workspace.team import (
    ONLY_OWNER_WHO_SIGNS_IN,
    can_sign_in,
    may_handle,
    other_owners_can_sign_in,
    why_not,
)
from fieldcamp.workspace.tracking import attributed

LONGEST_USERNAME = 150  # Django's column


class LoginState(TextChoices):
    NONE = "none", _("No login")
    INVITED = "invited", _("Invited")
    ACTIVE = "active", _("Active")
    REVOKED = "revoked", _("Revoked")


def login_state(member: Member) -> LoginState:
    """Returns how it stands with the member's login; `user` and `invitation` are to be fetched with the member."""
    if member.user is not None:
        return LoginState.ACTIVE if member.user.is_active else LoginState.REVOKED
    if invitation_of(member):
        return LoginState.INVITED
    return LoginState.REVOKED if member.login_ended_at else LoginState.NONE


def invitation_of(member: Member) -> Invitation | None:
    """Returns the member's invitation while its link is good: one that has ended is as if it had never been."""
    invitation = getattr(member, "invitation", None)
    return invitation if invitation is not None and invitation.is_open else None


def _refusal(sentence: str, **values: Any) -> InvalidTransition:
    return InvalidTransition(sentence.format(**values))


def invite(*, member: Member, by: Member | None) -> bool:
    """Invites the member to a login by mail, or sends the invitation again; `by` is None for an operator.

    The link is good once and for PASSWORD_RESET_TIMEOUT. Whether the mail could be sent. Raises InvalidTransition.
    """
    with transaction.atomic():
        member = _locked(member)
        _check(member, by)
        state = login_state(member)
        if state == LoginState.ACTIVE:
            raise _refusal(gettext("{member} can sign in already."), member=member)
        if member.user is not None:
            off = gettext("An operator of this site has switched off the login of {member}. Ask them.")
            raise _refusal(off, member=member)
        if not member.is_active:
            raise _refusal(gettext("{member} is switched off. Switch the person on first."), member=member)
        if not member.email:
            raise _refusal(gettext("{member} has no e-mail address. Enter one first."), member=member)
        if len(member.email) > LONGEST_USERNAME:
            long = gettext(
                "The e-mail address of {member} is too long for a login. Enter one of at most {most} letters."
            )
            raise _refusal(long, member=member, most=LONGEST_USERNAME)
        invitation, token = mailed.make(Invitation, member, member.email)
        action = "login.invited_again" if state == LoginState.INVITED else "login.invited"
        _note(action, member, after={"address": invitation.address, "role": member.role})
    return mailed.deliver(
        invitation,
        token,
        subject=gettext("Your login for {company} at FieldCamp").format(company=said(member.workspace.name)),
        template="desk/invitation.txt",
        context={"name": member.first_name, "company": member.workspace.name},
    )


class Step(Enum):
    """What it takes of the person to accept an invitation."""

    PASSWORD = "password"  # noqa: S105  # a login is made, or one that ended comes back
    SIGN_IN = "sign_in"  # there is a login with this address
    JOIN = "join"  # they are signed in with it
    OTHER = "other"  # they are signed in with another one
    TAKEN = "taken"  # somebody of this company has that login already
    BARRED = "barred"  # it is an operator's, or an operator has switched it off or gave it another address


def step_of(invitation: Invitation, user: User | AnonymousUser) -> Step:
    """Returns what comes next for whoever has followed the link with this sign-in. It is for their eyes alone."""
    login = login_at(invitation.address)
    if login is None:
        return Step.PASSWORD
    theirs = not login.email or login.email.lower() == invitation.address.strip().lower()
    if is_privileged(login) or not theirs or not (login.is_active or is_loose(login)):
        return Step.BARRED
    if not login.is_active or (is_loose(login) and not login.has_usable_password()):
        return Step.PASSWORD
    if login.members.filter(workspace_id=invitation.member.workspace_id).exists():
        return Step.TAKEN
    if not user.is_authenticated:
        return Step.SIGN_IN
    return Step.JOIN if user.pk == login.pk else Step.OTHER


def login_at(address: str) -> User | None:
    """Returns the login with this e-mail address, or with this name."""
    address = address.strip()
    known = User.objects.filter(Q(email__iexact=address) | Q(username__iexact=address))
    # A name that reads as an address is the login's own only where its address says nothing else.
    return min(known, key=lambda user: (user.email.lower() != address.lower(), user.pk), default=None)


def is_loose(user: User) -> bool:
    """Returns whether the login belongs to no company."""
    return not user.members.exists()


def accept_with_password(*, token: str, password: str) -> Member:
    """Makes the login, or gives a revoked one back, with this password. Raises InvalidTransition."""
    with transaction.atomic():
        invitation = _followed(token, AnonymousUser(), Step.PASSWORD)
        member, address = invitation.member, User.normalize_username(invitation.address.strip().lower())
        user = login_at(address) or User(username=address)
        user.email, user.is_active, user.is_staff = address, True, True
        user.first_name, user.last_name = member.first_name[:150], member.last_name[:150]
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:  # another invitation to this address was accepted this very moment
            raise InvalidTransition(gettext("There is a login with this address now. Open the link again.")) from None
        _join(invitation, user)
        # Last: whoever hears of new passwords asks whose it is.
        user.set_password(password)
        user.save(update_fields=["password"])
    return member


def accept_signed_in(*, token: str, user: User) -> Member:
    """Adds the company to those of this login, which the invitation's address is. Raises InvalidTransition."""
    with transaction.atomic():
        invitation = _followed(token, user, Step.JOIN)
        _join(invitation, user)
    return invitation.member


def _followed(token: str, user: User | AnonymousUser, step: Step) -> Invitation:
    """Returns the invitation, locked until it is used up. Raises InvalidTransition."""
    invitation = mailed.locked(Invitation, token)
    if invitation is None or not is_good(invitation):
        raise InvalidTransition(gettext("This link is not good any more."))
    if step_of(invitation, user) != step:
        raise InvalidTransition(gettext("Something has changed meanwhile. Open the link again."))
    return invitation


def is_good(invitation: Invitation) -> bool:
    return invitation.member.is_active and invitation.member.user_id is None


def _join(invitation: Invitation, user: User) -> None:
    member = invitation.member
    member.user, member.login_ended_at = user, None
    member.save(update_fields=["user", "login_ended_at"])
    invitation.delete()
    with attributed(actor=str(member)):
        _note("login.accepted", member, after={"username": user.username, "role": member.role})


def revoke(*, member: Member, by: Member | None) -> None:
    """Ends what the login may do in this company, at once, and every link to it. A login of no other company ends with
    its sessions and loses whatever right it had. Raises InvalidTransition."""
    with transaction.atomic():
        member = _locked(member)
        _check(member, by)
        if by and by.pk == member.pk:
            raise InvalidTransition(gettext("You cannot revoke your own login. Ask another owner or admin."))
        user = member.user
        if user is None and not invitation_of(member):
            raise _refusal(gettext("{member} has no login to revoke."), member=member)
        if can_sign_in(member) and not other_owners_can_sign_in(member):
            raise InvalidTransition(ONLY_OWNER_WHO_SIGNS_IN)
        Invitation.objects.filter(member=member).delete()
        AddressChange.objects.filter(member=member).delete()
        member.user = None
        if user is not None:
            member.login_ended_at = timezone.now()
        member.save(update_fields=["user", "login_ended_at"])
        if user is not None:
            _end(user)
        _note("login.revoked", member, before={"username": user.username} if user else {"address": member.email})


def _end(user: User) -> None:
    """Takes every right of its own from the login, and the login itself where no company is left."""
    user.is_superuser = False
    if is_loose(user):
        user.is_active = False
        user.set_unusable_password()
    user.save(update_fields=["is_superuser", "is_active", "password"])
    user.groups.clear()
    user.user_permissions.clear()


def _locked(member: Member) -> Member:
    """Returns the member under one lock with all owners, so that two owners cannot revoke each other at once."""
    both = Q(workspace_id=member.workspace_id, role=Role.OWNER) | Q(pk=member.pk)
    rows = Member.objects.select_for_update(of=("self",)).filter(both).order_by("pk")
    return next(row for row in rows.select_related("user", "workspace", "invitation") if row.pk == member.pk)


def may_invite(member: Member, by: Member | None) -> bool:
    """Returns whether this person may handle this login: an admin leaves the owners' alone, everybody an operator's."""
    return may_handle(member, by)


def _check(member: Member, by: Member | None) -> None:
    if not may_invite(member, by):
        raise InvalidTransition(why_not(member))


def _note(action: str, member: Member, **values: Any) -> None:
    audit(action, workspace_id=member.workspace_id, object_id=member.pk, object_name=str(member), **values)
