"""What the page of notices shows: who gets which mail, and the company's chat."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.notices import KINDS, SECURITY, MailKind, is_for, may_choose_for, nobody_gets, wants
from integrations.models import ChatAddress, Connection, ConnectionState
from integrations.services.chat import SPOKEN

MOST_PEOPLE = 200


@dataclass(frozen=True)
class NoticeCell:
    """Whether one person gets one kind of mail. `value` names both in the form."""

    kind: MailKind
    value: str
    element: str
    wanted: bool
    fixed: bool


@dataclass(frozen=True)
class NoticePerson:
    """One person's mails."""

    member: Member
    cells: Sequence[NoticeCell]
    may: bool
    is_own: bool

    @property
    def summary(self) -> str:
        """Returns `5 of 8 kinds`."""
        free = [cell for cell in self.cells if not cell.fixed]
        number = sum(cell.wanted for cell in free)
        return gettext("{number} of {all} kinds").format(number=number, all=len(free))


@dataclass(frozen=True)
class NoticeReaders:
    """Who gets one kind."""

    kind: MailKind
    names: Sequence[str]
    nobody: bool


def people_of(desk_user: DeskUser) -> list[NoticePerson]:
    """Returns the person who looks first, and behind them, for who may see it, all others whom a mail is for: two
    queries."""
    workspace = desk_user.workspace
    if workspace is None:
        return []
    active = Member.objects.filter(workspace=workspace, is_active=True).select_related("user")
    if not desk_user.may("settings"):
        active = active.filter(pk=desk_user.member.pk) if desk_user.member else active.none()
    accounts = Connection.objects.filter(workspace=workspace, member__isnull=False)
    with_account = set(accounts.exclude(state=ConnectionState.DISCONNECTED).values_list("member_id", flat=True))
    people = [_person(member, desk_user, member.pk in with_account) for member in active[: MOST_PEOPLE * 5]]
    others = [person for person in people if not person.is_own and len(person.cells) > 1]
    return [person for person in people if person.is_own] + others[:MOST_PEOPLE]


def _person(member: Member, desk_user: DeskUser, has_account: bool) -> NoticePerson:
    own = desk_user.member is not None and desk_user.member.pk == member.pk
    kinds = [kind for kind in KINDS if is_for(member, kind, has_account=has_account)]
    cells = [
        NoticeCell(
            kind, f"{member.pk}:{kind.name}", f"notice-{member.pk}-{kind.name}", wants(member, kind), kind.always
        )
        for kind in kinds
    ]
    return NoticePerson(member, cells, may_choose_for(member, desk_user.member), own)


def readers_of(people: Iterable[NoticePerson]) -> list[NoticeReaders]:
    """Returns for each kind who gets it; none is left out, so that it shows what nobody gets."""
    found, members = list(people), [person.member for person in people]
    return [
        NoticeReaders(
            kind,
            [
                str(person.member)
                for person in found
                if person.member.email and person.member.role in kind.roles and wants(person.member, kind)
            ],
            nobody_gets(members, kind),
        )
        for kind in KINDS
        if kind is not SECURITY
    ]


def choices_of(people: Iterable[NoticePerson]) -> list[tuple[str, Any]]:
    """Returns what this person may choose, as the form offers it."""
    return [(cell.value, cell.kind.label) for person in people if person.may for cell in person.cells if not cell.fixed]


def chosen(was: Sequence[str], now: Sequence[str]) -> dict[str, dict[str, bool]]:
    """Returns what is to be other than the page showed it: what somebody else has chosen meanwhile stays."""
    found: dict[str, dict[str, bool]] = {}
    for value in {*was} ^ {*now}:
        member_id, _colon, kind = value.partition(":")
        found.setdefault(member_id, {})[kind] = value in now
    return found


def kinds_said(address: ChatAddress | None) -> list[tuple[MailKind, bool]]:
    """Returns the kinds that a chat may be told, and whether this one is."""
    return [(kind, address is None or kind.name not in address.off) for kind in SPOKEN]


# What stands with a chat that did not take a message, where nothing was answered.
_NO_ANSWER = {
    "TIMEOUT": _("it did not answer in time"),
    "TLS": _("no secure connection came about"),
    "BLOCKED_ADDRESS": _("the address points into a private network"),
    "INTERNAL": _("the address that is kept cannot be read: enter it anew"),
}


def chat_answered(status: int | None, error: str) -> str:
    """Returns what a chat answered, or why nothing, as a part of a sentence."""
    if status in (404, 410):
        return gettext("it answered {status}: the channel or the address is gone, so enter a new one").format(
            status=status
        )
    if status:
        return gettext("it answered {status}").format(status=status)
    return str(_NO_ANSWER.get(error) or gettext("it could not be reached"))


def own_address(desk_user: DeskUser) -> str:
    """Returns where mails to this person go; "" for nowhere."""
    return desk_user.member.email if desk_user.member else (desk_user.user.email or "")


def kinds_of(member: Member | None) -> list[str]:
    """Returns what the person gets, in words."""
    return [str(kind.label) for kind in KINDS if member and member.role in kind.roles and wants(member, kind)]
