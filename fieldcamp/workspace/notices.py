"""Which kinds of mail there are, who of a company gets which, and who chooses that.

A person's own choices are in `Member.notices` ({kind: wanted}); what is not there is as the role has it. The weekly
summary is a column of its own, which its mails and the team's page have, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace import team
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Member, Role, Workspace

_OWNERS = (Role.OWNER,)
_MANAGERS = (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True)
class MailKind:
    """A kind of mail: which roles may have it, which have it unless they say no, and whether the person gets it whose
    own account it is about, whatever the role. `always`: nobody switches it off."""

    name: str
    label: Any
    about: Any
    roles: Sequence[str] = _MANAGERS
    unless_refused: Sequence[str] = _MANAGERS
    own_account: bool = False
    always: bool = False


ACCESS = MailKind(
    "access", _("An account has to be connected again"),
    _("It has lost its access or a permission, or its access ends soon."), own_account=True,
)  # fmt: skip
PROBLEMS = MailKind(
    "problems", _("New problems, once a day"),
    _("By day, where something waits for an answer that is new since the last of these mails."), unless_refused=(),
)  # fmt: skip
STALLED = MailKind(
    "stalled", _("An account is not up to date"), _("Its data is older than it should be, and why."), own_account=True
)
PUSH = MailKind(
    "push", _("Changes arrive later than usual"), _("A vendor has stopped telling of them at once."),
    unless_refused=_OWNERS,
)  # fmt: skip
OUTAGE = MailKind("outage", _("A vendor does not answer"), _("For many of its customers, and when it is over."))
PAUSED = MailKind("paused", _("FieldCamp has paused an account"), _("After many failed runs."), unless_refused=_OWNERS)
WEEKLY = MailKind(
    "weekly", _("Weekly summary"), _("Each Monday: what was synced, and what waits for a person.")
)  # fmt: skip
WEBHOOKS = MailKind("webhooks", _("A webhook does not arrive"), _("It fails, will be disabled, or was disabled."))
KEYS = MailKind(
    "keys", _("An API key ends soon"), _("Two weeks before."), roles=_OWNERS, unless_refused=_OWNERS
)  # fmt: skip
SECURITY = MailKind(
    "security", _("Your own login"), _("A new password, address, second step or key. This cannot be switched off."),
    roles=tuple(Role.values), unless_refused=tuple(Role.values), always=True,
)  # fmt: skip
KINDS = (ACCESS, PROBLEMS, STALLED, PUSH, OUTAGE, PAUSED, WEEKLY, WEBHOOKS, KEYS, SECURITY)
BY_NAME: Mapping[str, MailKind] = {kind.name: kind for kind in KINDS}


def wants(member: Member, kind: MailKind) -> bool:
    """Returns whether the person wants this kind, as far as it is for them."""
    if kind.always:
        return True
    if kind is WEEKLY:
        return member.weekly_summary
    chosen = member.notices.get(kind.name)
    if isinstance(chosen, bool):
        return chosen
    return kind.own_account if member.role not in kind.roles else member.role in kind.unless_refused


def is_for(member: Member, kind: MailKind, *, has_account: bool) -> bool:
    """Returns whether this kind is for them at all: by their role, or for an account of their own."""
    return member.role in kind.roles or (kind.own_account and has_account)


def addresses_for(workspace_id: str, kind: MailKind, owner: Member | None = None) -> list[str]:
    """Returns the addresses of the active people who get this kind of mail; `owner` is whose account it is about."""
    people = Member.objects.filter(workspace_id=workspace_id, role__in=kind.roles, is_active=True).exclude(email="")
    found = {member.email for member in people if wants(member, kind)}
    if kind.own_account and owner is not None and owner.is_active and owner.email and wants(owner, kind):
        found.add(owner.email)
    return sorted(found)


def may_choose_for(member: Member, by: Member | None) -> bool:
    """Returns whether `by` (None: an operator) chooses for this person: everybody for themselves, owners and admins for
    whom they may change."""
    return by is None or by.pk == member.pk or (by.role in _MANAGERS and team.may_handle(member, by))


def choose(*, workspace: Workspace, by: Member | None, choices: Mapping[str, Mapping[str, bool]]) -> int:
    """Takes what was chosen: {person's id: {kind: wanted}}; how many people's mails are others now. Raises
    InvalidFields, and then nothing is taken."""
    changed = 0
    with transaction.atomic():
        rows = Member.objects.select_for_update(of=("self",)).select_related("user")
        for member in rows.filter(workspace=workspace, pk__in=choices).order_by("pk"):
            if not may_choose_for(member, by):
                raise InvalidFields.of("__all__", team.why_not(member))
            changed += _take(member, choices[member.pk])
    return changed


def _take(member: Member, chosen: Mapping[str, bool]) -> bool:
    before = {}
    for name, wanted in chosen.items():
        kind = BY_NAME.get(name)
        if kind is None or (kind.always and not wanted):
            raise InvalidFields.of("__all__", gettext("There is no such mail to choose."))
        if kind.always or wants(member, kind) == wanted:
            continue
        before[name] = not wanted
        if kind is WEEKLY:
            member.weekly_summary = wanted
        else:
            member.notices = {**member.notices, name: wanted}
    if before:
        member.save(update_fields=["notices", "weekly_summary"])
        audit(
            "notices.chosen",
            workspace_id=member.workspace_id,
            object_id=member.pk,
            object_name=str(member),
            before=before,
            after={name: not was for name, was in before.items()},
        )
    return bool(before)


def nobody_gets(people: Iterable[Member], kind: MailKind) -> bool:
    """Returns whether no active person with an address gets this kind."""
    return not any(member.role in kind.roles and member.email and wants(member, kind) for member in people)
