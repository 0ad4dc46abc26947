"""The e-mail address of somebody who signs in with it: it moves, with the login's, once the new mailbox has said so.

Until then everything stays as it was: mails, links for a new password and the sign-in are those of the old address.
"""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.texts import said
from fieldcamp.workspace import mailed
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.login_sessions import end_sessions
from fieldcamp.workspace.models import AddressChange, Member
from fieldcamp.workspace.roles import is_privileged
from fieldcamp.workspace.telling import tell_of_person
from fieldcamp.workspace.tracking import attributed

LONGEST_USERNAME = 150  # Django's column, which the address is kept in, too

TAKEN = _("There is another login with this address. Ask for another address.")


def same(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()


def pending_of(member: Member) -> AddressChange | None:
    """Returns the address that waits to be confirmed; `address_change` is to be fetched with the member."""
    change = getattr(member, "address_change", None)
    return change if change is not None and change.is_open else None


def ask(*, member: Member, address: str) -> None:
    """Mails a link to the new address and a notice to the old one, after the transaction; a link before this one ends.
    Raises InvalidFields."""
    if not address:
        raise InvalidFields.of("email", gettext("Who signs in needs an e-mail address. Revoke the login first."))
    if len(address) > LONGEST_USERNAME:
        long = gettext("This is too long for a login. Enter an address of at most {most} letters.")
        raise InvalidFields.of("email", long.format(most=LONGEST_USERNAME))
    with transaction.atomic():
        change, token = mailed.make(AddressChange, member, address)
        _note("login.address_asked", member, before={"email": member.email}, after={"email": address})
        transaction.on_commit(lambda: _tell(change, token, member), robust=True)


def _tell(change: AddressChange, token: str, member: Member) -> None:
    names = {"name": member.first_name, "company": member.workspace.name, "new": change.address, "old": member.email}
    subject = gettext("Your e-mail address at {company}").format(company=said(member.workspace.name))
    mailed.deliver(change, token, subject=subject, template="desk/address_confirm.txt", context=names)
    for old in {member.email, member.user.email if member.user else ""} - {""}:
        mailed.send(old, subject=subject, template="desk/address_notice.txt", context=names)


def withdraw(*, member: Member) -> None:
    """Ends the link to the new address: the old one stays."""
    with transaction.atomic():
        if AddressChange.objects.filter(member=member).delete()[0]:
            _note("login.address_withdrawn", member)


def needs_sign_in(change: AddressChange, user: User | AnonymousUser) -> bool:
    """Returns whether the person has to be signed in to confirm. A login of several companies, or of an operator, moves
    only by its owner's own word: else one company could lead it to a mailbox of its choice."""
    login = change.member.user
    assert login
    more = is_privileged(login) or login.members.exclude(pk=change.member_id).exists()
    return more and user.pk != login.pk


def confirm(*, token: str, user: User | AnonymousUser, session_key: str = "") -> Member:
    """Moves the address of the person and of the login at once, and ends all sessions of the login but this one.
    Raises InvalidTransition."""
    with transaction.atomic():
        change = mailed.locked(AddressChange, token)
        if change is None or not is_good(change):
            raise InvalidTransition(gettext("This link is not good any more."))
        if needs_sign_in(change, user):
            raise InvalidTransition(gettext("Sign in first, then open the link again."))
        member, login, address = change.member, change.member.user, change.address.strip().lower()
        assert login
        if _taken(address, login):
            raise InvalidTransition(str(TAKEN))
        old = login.email or member.email
        everywhere = Member.objects.select_for_update().filter(Q(pk=member.pk) | Q(user=login, email__iexact=old))
        for row in everywhere.order_by("pk"):
            before, row.email = row.email, change.address
            row.save(update_fields=["email"])
            with attributed(actor=str(row)):
                _note("login.address_changed", row, before={"email": before}, after={"email": row.email})
                tell_of_person(row, {"email": before})
        if same(login.username, old) or same(login.username, member.email):
            login.username = User.normalize_username(address)
        login.email = address
        try:
            with transaction.atomic():  # links for a new password of before end by this
                login.save(update_fields=["username", "email"])
        except IntegrityError:
            raise InvalidTransition(str(TAKEN)) from None
        change.delete()
        end_sessions(login, keep=session_key if user.pk == login.pk else "")
        names = {"name": member.first_name, "company": member.workspace.name, "new": address, "old": old}
        subject = gettext("Your e-mail address at FieldCamp was changed")
        told = {"subject": subject, "template": "desk/address_changed.txt", "context": names}
        if old:
            transaction.on_commit(lambda: _send(old, told), robust=True)
    member.refresh_from_db()
    return member


def _send(address: str, told: dict[str, Any]) -> None:
    mailed.send(address, **told)


def _taken(address: str, login: User) -> bool:
    others = User.objects.filter(Q(email__iexact=address) | Q(username__iexact=address))
    return others.exclude(pk=login.pk).exists()


def is_good(change: AddressChange) -> bool:
    """Returns whether the person still signs in, which the change is about."""
    user = change.member.user
    return change.member.is_active and user is not None and user.is_active


def _note(action: str, member: Member, **values: Any) -> None:
    audit(action, workspace_id=member.workspace_id, object_id=member.pk, object_name=str(member), **values)
