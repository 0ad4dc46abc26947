"""What can be done with the people of a workspace, and with its own settings, and by whom."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace import addresses
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Invitation, Member, Role, Workspace
from fieldcamp.workspace.roles import is_privileged
from fieldcamp.workspace.telling import tell_of_person

ONLY_OWNER_WHO_SIGNS_IN = _("This is the only owner who can sign in. Give another owner a login first.")

MEMBER_FIELDS = frozenset({"first_name", "last_name", "email", "role", "is_technician", "is_active", "weekly_summary"})
SETTINGS = frozenset({"name", "timezone", "currency", "second_factor"})

_consumers: list[Callable[[str], object]] = []


def register_member_consumer(consumer: Callable[[str], object]) -> None:
    """Has `consumer` called with a person's id, in the same transaction, when they have become active or inactive."""
    if consumer not in _consumers:
        _consumers.append(consumer)


def create_member(*, workspace: Workspace, by: Member | None, fields: Mapping[str, Any]) -> Member:
    """Creates a person, without a login. `by` is None for an operator, who may do everything."""
    _check_role(by, None, fields.get("role", Role.STAFF))
    with transaction.atomic():
        member = Member.objects.create(
            workspace=workspace, **{name: fields[name] for name in MEMBER_FIELDS & {*fields}}
        )
        _note("member.created", member, after=_facts(member))
        tell_of_person(member, None)
    return member


def update_member(*, workspace: Workspace, member_id: str, by: Member | None, changes: Mapping[str, Any]) -> Member:
    """Makes `changes` to the person. An admin leaves owners alone, everybody an operator's row, nobody changes their
    own role, one owner stays.

    The address of somebody who signs in with it moves only once the new one is confirmed (`addresses`); till then the
    member returned has the old one.
    """
    with transaction.atomic():
        # All owners under one lock, so that two of them cannot step down at once.
        owners = list(
            Member.objects.select_for_update()
            .filter(workspace=workspace, role=Role.OWNER, is_active=True)
            .order_by("pk")
        )
        rows = Member.objects.select_for_update(of=("self",)).select_related("user", "workspace", "address_change")
        member = rows.get(workspace=workspace, pk=member_id)
        if is_privileged(member.user) and not may_handle(member, by):
            raise InvalidFields.of("__all__", why_not(member))
        after = {**{name: getattr(member, name) for name in MEMBER_FIELDS}, **changes}
        if after["role"] != member.role or after["is_active"] != member.is_active or member.role == Role.OWNER:
            _check_role(by, member, after["role"])
        if by and by.pk == member.pk and (after["role"] != member.role or not after["is_active"]):
            own = gettext("You cannot change your own role or switch yourself off. Ask another owner.")
            raise InvalidFields.of("role", own)
        if member.pk in {owner.pk for owner in owners} and not (after["role"] == Role.OWNER and after["is_active"]):
            if len(owners) == 1:
                only = gettext("This is the only owner. Make another person an owner first.")
                raise InvalidFields.of("role", only)
            if can_sign_in(member) and not other_owners_can_sign_in(member):
                raise InvalidFields.of("role", str(ONLY_OWNER_WHO_SIGNS_IN))
        before = _facts(member)
        changes = dict(changes)
        if "email" in changes and not addresses.same(changes["email"], member.email):
            if member.user is not None:
                addresses.ask(member=member, address=changes.pop("email"))
            else:  # who reads the old mailbox is not invited any more
                Invitation.objects.filter(member=member).delete()
        for name, value in changes.items():
            setattr(member, name, value)
        member.save(update_fields=list(changes))
        if before["is_active"] != member.is_active:
            for consumer in _consumers:
                consumer(member.pk)
        if changes:
            after = _facts(member)
            _note("member.updated", member, before=before, after=after)
            tell_of_person(member, {name: before[name] for name in before if before[name] != after[name]})
    return member


def _facts(member: Member) -> dict[str, Any]:
    return {name: getattr(member, name) for name in MEMBER_FIELDS}


def _note(action: str, member: Member, **values: Any) -> None:
    audit(action, workspace_id=member.workspace_id, object_id=member.pk, object_name=str(member), **values)


def can_sign_in(member: Member) -> bool:
    user = member.user
    return member.is_active and user is not None and user.is_active and user.has_usable_password()


def other_owners_can_sign_in(member: Member) -> bool:
    """Returns whether the company keeps an owner who can sign in when this member no longer can; true for who is no
    owner."""
    if member.role != Role.OWNER:
        return True
    others = Member.objects.filter(workspace_id=member.workspace_id, role=Role.OWNER, is_active=True)
    return any(can_sign_in(other) for other in others.exclude(pk=member.pk).select_related("user"))


def may_handle(member: Member, by: Member | None) -> bool:
    """Returns whether `by` (None: an operator) may change this person: an admin leaves owners alone, and whose login
    has rights of its own is for operators alone, whatever the role."""
    if by is None:
        return True
    return (by.role == Role.OWNER or member.role != Role.OWNER) and not is_privileged(member.user)


def why_not(member: Member) -> str:
    """Returns why somebody may not handle this person."""
    if is_privileged(member.user):
        return gettext("{member} is an operator of this site. Only operators change this person.").format(member=member)
    return gettext("Only an owner may handle an owner.")


def _check_role(by: Member | None, member: Member | None, role: str) -> None:
    if by is None or by.role == Role.OWNER:
        return
    if role == Role.OWNER or (member and not may_handle(member, by)):
        raise InvalidFields.of("role", gettext("Only an owner may make or change an owner."))


def update_settings(*, workspace: Workspace, changes: Mapping[str, Any]) -> Workspace:
    """Gives the company another name or time zone, or says who needs a second factor."""
    unknown = set(changes) - SETTINGS
    if unknown:
        raise TypeError(f"Not settings: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        # Read anew: the form that asks for it has put what was entered into its own copy.
        workspace = Workspace.objects.select_for_update().get(pk=workspace.pk)
        before = {name: getattr(workspace, name) for name in changes}
        for name, value in changes.items():
            setattr(workspace, name, value)
        workspace.save(update_fields=list(changes))
        if changes:
            audit(
                "settings.changed",
                workspace_id=workspace.pk,
                object_id=workspace.pk,
                object_name=workspace.name,
                before=before,
                after=changes,
            )
    return workspace
