"""Removals that wait for an answer: which records they are, and what becomes of them with each answer."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from fieldcamp.desk.users import DeskUser
from integrations.admin.record_lines import Foldable, RecordLine, line_of
from integrations.admin.values import PLURALS
from integrations.kinds import KINDS, VISIT
from integrations.models import Hold, Link
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import subjects

MOST = 500  # records that a card has of one hold; its own page has them all
_EVER_AFTER = "9999"


@dataclass(frozen=True)
class Removals(Foldable):
    """What a hold holds. `lines` in the order of their dates; `more` are those that are not listed."""

    title: str
    lines: Sequence[RecordLine] = field(default_factory=list)
    more: int = 0
    page: str = ""


def removals_of(holds: Collection[Hold], desk_user: DeskUser, most: int = MOST) -> dict[str, Removals]:
    """Returns them by hold, for the cards; a constant number of queries. Needs their streams with the accounts and
    their people."""
    if not holds:
        return {}
    links = _links([hold.pk for hold in holds], most)
    workspaces = {hold.pk: hold.stream.connection.workspace_id for hold in holds}
    about = subjects((workspaces[pk], link.kind, link.record_id) for pk, mine in links.items() for link in mine)
    found = {}
    for hold in holds:
        lines = []
        for link in links[hold.pk]:
            record = about.get((link.kind, link.record_id)) if link.record_id else None
            when = str(getattr(record, "scheduled_start", None) or getattr(record, "date", None) or _EVER_AFTER)
            # Of what belongs to no record of FieldCamp nothing is told: it may be somebody's own event.
            lines.append((when, line_of(record, desk_user, gettext("Without a record here"), value=str(link.pk))))
        found[hold.pk] = Removals(
            _title(hold, gone=all(link.seen_gone for link in links[hold.pk])),
            [line for _when, line in sorted(lines, key=lambda pair: (pair[0], pair[1].name))],
            max(hold.removals - len(lines), 0),
            reverse("integrations:held", args=[hold.pk]),
        )
    return found


def _links(hold_ids: Sequence[str], most: int) -> Mapping[str, list[Link]]:
    """Returns the first links of each hold."""
    found: dict[str, list[Link]] = defaultdict(list)
    place = Window(RowNumber(), partition_by=[F("hold")], order_by=F("pk").asc())
    rows = Link.objects.filter(hold__in=hold_ids).annotate(place=place).filter(place__lte=most)
    for link in rows.only("pk", "hold", "kind", "record_id", "seen_gone").order_by("hold", "pk"):
        found[link.hold_id or ""].append(link)
    return found


def _title(hold: Hold, gone: bool) -> str:
    """Returns `10 of Ravi's 24 events are gone from Google Calendar`."""
    connection = hold.stream.connection
    kind = KINDS[hold.stream.kind or VISIT.name]
    there = PROVIDERS[connection.integration].label
    what = gettext("events") if kind is VISIT else str(PLURALS[kind.name]).lower()
    member = connection.member if kind is VISIT else None
    of = f"{hold.of:,}"
    number = f"{hold.removals:,}"
    if member and gone:
        sentence = gettext("{number} of {name}'s {of} {what} are gone from {place}")
    elif member:
        sentence = gettext("{number} of {name}'s {of} {what} would be removed from {place}")
    elif gone:
        sentence = gettext("{number} of {of} {what} are gone from {place}")
    else:
        sentence = gettext("{number} of {of} {what} would be removed from {place}")
    name = (member.first_name or str(member)) if member else ""
    return sentence.format(number=number, of=of, what=what, place=there, name=name)


def removed_words(number: int, *, put_back: bool) -> str:
    """Says how many were put back, or left removed."""
    if put_back:
        return ngettext("{number} is made again.", "{number} are made again.", number).format(number=f"{number:,}")
    left = ngettext("{number} is left removed.", "{number} are left removed.", number)
    return left.format(number=f"{number:,}")
