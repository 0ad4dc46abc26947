"""The page on which many questions who is who are answered at once: the pairs, by what they agree in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.models import AuditEntry
from integrations.admin.conflicts import Line
from integrations.admin.record_pages import page_of
from integrations.admin.values import label_of, shown
from integrations.books.agreeing import Agreement, LikelyPair, is_inactive, likely_pairs
from integrations.books.clients import customer_fields
from integrations.books.items import item_fields
from integrations.kinds import CUSTOMER, ITEM, KINDS, Kind
from integrations.models import Connection
from integrations.services.books.bulk import answers_to_take_back
from integrations.services.problems.matches import SHOWN
from integrations.sync import folding

MOST = 500  # pairs of one group on a page
ANSWERED_TOGETHER: tuple[Kind, ...] = (CUSTOMER, ITEM)
_TITLES: dict[tuple[str, Agreement], Any] = {
    (CUSTOMER.name, Agreement.BOTH): _("They agree in e-mail and name"),
    (CUSTOMER.name, Agreement.NAME): _("They agree in the name"),
    (CUSTOMER.name, Agreement.KEY): _("They agree in an e-mail address"),
    (CUSTOMER.name, Agreement.INACTIVE): _("Inactive there"),
    (ITEM.name, Agreement.BOTH): _("They agree in SKU and name"),
    (ITEM.name, Agreement.NAME): _("They agree in the name"),
    (ITEM.name, Agreement.KEY): _("They agree in the SKU"),
    (ITEM.name, Agreement.INACTIVE): _("Inactive there"),
}
_HINTS: dict[Agreement, Any] = {
    Agreement.NAME: _("A name alone is no proof: look at what differs, and tick those that are the same."),
    Agreement.KEY: _("People of one household or office share these: tick those that are the same."),
    Agreement.INACTIVE: _(
        "Documents of one that is inactive there are refused until it is made active there. Tick those that are the "
        "same."
    ),
}
_LABELS: dict[str, Any] = {CUSTOMER.name: _("Clients"), ITEM.name: _("Items")}


@dataclass(frozen=True)
class PairLine:
    """A pair as the page lists it; `value` is what its box sends."""

    value: str
    name: str
    url: str
    name_there: str
    agrees: str
    differs: list[Line]
    ticked: bool


@dataclass(frozen=True)
class PairGroup:
    """The pairs that agree in the same; `more` are those that the page does not list. `tick` leads to the page with all
    of them ticked."""

    key: str
    title: str
    hint: str
    lines: list[PairLine]
    more: int
    tick: str


@dataclass(frozen=True)
class AnswerLine:
    """An answer for many that can be taken back."""

    entry: AuditEntry
    number: int


def same_context(
    connection: Connection, kind: Kind, ticked: str, desk_user: DeskUser, left_out: Sequence[str] | None = None
) -> dict[str, Any]:
    """Returns what the page shows. All of the group `ticked` are ticked beforehand, and those that agree in both; after
    a refusal (`left_out`) none is."""
    pairs = likely_pairs(connection, kind)
    page = reverse("integrations:same", args=[connection.pk])
    groups = []
    for by in Agreement:
        mine = [pair for pair in pairs if pair.by is by]
        if mine:
            all_ticked = left_out is None and by in (Agreement.BOTH, ticked)
            lines = [_line(kind, pair, all_ticked, desk_user) for pair in mine[:MOST]]
            tick = "" if all_ticked else f"{page}?{urlencode({'kind': kind.name, 'tick': by.value})}#group-{by.value}"
            groups.append(
                PairGroup(
                    by.value,
                    str(_TITLES[kind.name, by]),
                    str(_HINTS.get(by, "")),
                    lines,
                    max(len(mine) - MOST, 0),
                    tick,
                )
            )
    return {
        "connection": connection,
        "kind": kind.name,
        "tabs": [
            (str(_LABELS[each.name]), f"{page}?{urlencode({'kind': each.name})}", each is kind)
            for each in ANSWERED_TOGETHER
        ],
        "groups": groups,
        "answers": [AnswerLine(entry, len(entry.after["pairs"])) for entry in answers_to_take_back(connection)]
        if desk_user.may("settings")
        else [],
    }


def _line(kind: Kind, pair: LikelyPair, ticked: bool, desk_user: DeskUser) -> PairLine:
    ours = dict(customer_fields(pair.record) if kind is CUSTOMER else item_fields(pair.record, ""))
    seen = pair.link.seen or {}
    agrees, differs = [], []
    for name in SHOWN[kind.name]:
        if not (ours.get(name) or seen.get(name)):
            continue
        if folding.same(KINDS[kind.name], name, ours.get(name), seen.get(name)):
            agrees.append(str(label_of(kind.name, name)))
        else:
            differs.append(Line(label_of(kind.name, name), shown(name, ours.get(name)), shown(name, seen.get(name))))
    if is_inactive(pair.link):
        differs.append(Line(gettext("State"), gettext("active"), gettext("inactive")))
    return PairLine(
        f"{pair.problem_id}:{pair.link.remote_id}",
        str(pair.record),
        page_of(pair.record, desk_user),
        kind.name_in(seen) or pair.link.remote_id,
        ", ".join(agrees),
        differs,
        ticked,
    )
