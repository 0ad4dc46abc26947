"""Problems of one cause as one card: a table of the records, and one button for all that are ticked."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import DeskUser
from integrations.admin.conflicts import Unit
from integrations.admin.problem_cards import TOGETHER, ProblemCard
from integrations.admin.record_lines import SHOWN, Foldable, RecordLine, line_of
from integrations.admin.values import PLURALS, Table
from integrations.books.agreeing import Agreement, likely_pairs
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import KINDS, SubjectKind
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.services.problems import choice as table
from integrations.services.problems.books_choices import MAKE_NEW
from integrations.services.problems.causes import cause_of, reason_of
from integrations.services.problems.choice import Choice
from integrations.services.problems.choices import may_retry

FEWEST = 3  # alike: fewer are a card each
RETRY, IGNORE = "retry", "ignore"
IN_SIGHT = 3  # answers; the others are unfolded
# What is asked of an account or of many records at once, and what is answered for each record by itself.
_ALONE_CODES = (ProblemCode.CONFIRMATION_NEEDED, ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION,
                ProblemCode.MEMBER_INACTIVE, ProblemCode.MISCONFIGURED)  # fmt: skip
_ALONE_REASONS = (ProblemReason.GROSS_PRICE, ProblemReason.SUBSCRIPTION)
_LABELS: dict[str, Any] = {table.SAME: _("They are the same")}
_AGREES: dict[Agreement, Any] = {
    Agreement.BOTH: _("Everything that tells them apart agrees"),
    Agreement.NAME: _("Only the name agrees"),
    Agreement.KEY: _("Only the e-mail address or number agrees"),
    Agreement.INACTIVE: _("It agrees, and is inactive there"),
}


@dataclass(frozen=True)
class GroupAnswer:
    """One button: `name` is what it sends, `number` how many of the listed take this answer."""

    name: str
    label: str
    effect: str
    number: int
    tone: str = ""


@dataclass(frozen=True)
class ProblemGroup(Foldable):
    """All listed problems of one integration, cause and kind of record. `unticked` are exceptions, which are answered
    by themselves; `compare` is the page that has all pairs side by side."""

    key: str
    title: str
    place: str
    sentence: str
    tone: str
    integration: str
    cause: str
    kind: str
    lines: Sequence[RecordLine]
    answers: Sequence[GroupAnswer] = field(default_factory=list)
    ticked: frozenset[str] = frozenset()
    compare: str = ""

    @property
    def is_group(self) -> bool:
        return True

    @property
    def unticked(self) -> int:
        return len(self.lines) - len(self.ticked)

    @property
    def sides(self) -> bool:
        """Returns whether anything is compared."""
        return any(line.here or line.there for line in self.lines)

    @property
    def why_of_all(self) -> str:
        """Returns the reason that all of them have alike, which is said once; empty where they differ."""
        whys = {line.why for line in self.lines}
        return whys.pop() if len(whys) == 1 else ""

    @property
    def in_sight(self) -> Sequence[GroupAnswer]:
        return self.answers[:IN_SIGHT]

    @property
    def others(self) -> Sequence[GroupAnswer]:
        return self.answers[IN_SIGHT:]


def grouped_cards(cards: Sequence[ProblemCard], desk_user: DeskUser) -> list[ProblemCard | ProblemGroup]:
    """Returns the cards in their order, those of one cause as one where there are several."""
    alike: dict[tuple[str, str, str], list[ProblemCard]] = defaultdict(list)
    for card in cards:
        if key := _key(card):
            alike[key].append(card)
    found: list[ProblemCard | ProblemGroup] = []
    for card in cards:
        key = _key(card)
        mine = alike[key] if key else []
        if len(mine) < FEWEST:
            found.append(card)
        elif card is mine[0]:
            found.append(group_of(mine, desk_user))
    return found


def _key(card: ProblemCard) -> tuple[str, str, str] | None:
    problem = card.problem
    if problem.code in _ALONE_CODES or reason_of(problem) in _ALONE_REASONS:
        return None
    if problem.record_kind in [*SubjectKind]:
        return None  # it is about no record
    if not problem.record_id or not problem.connection_id or problem.notice or problem.integration not in PROVIDERS:
        return None
    return problem.integration, cause_of(problem), problem.record_kind


def group_of(cards: Sequence[ProblemCard], desk_user: DeskUser) -> ProblemGroup:
    """Returns these cards of one cause as one."""
    one = cards[0]
    integration, cause, kind = one.problem.integration, cause_of(one.problem), one.problem.record_kind
    pairs = _agreements(cards) if cause == ProblemReason.MATCH and kind in TOGETHER else None
    lines = [_line(card, desk_user, pairs) for card in cards]
    ticked = {card.problem.pk for card in cards if pairs is None or pairs.get(card.problem.pk) is Agreement.BOTH}
    return ProblemGroup(
        key=f"{integration}-{cause}-{kind}",
        title=_title(one, len(cards), cause),
        place=one.place,
        sentence=str(one.fix.sentence),
        tone=one.tone,
        integration=integration,
        cause=cause,
        kind=kind,
        lines=sorted(lines, key=lambda line: line.value not in ticked),
        answers=_answers(cards, desk_user),
        ticked=frozenset(ticked),
        compare=_compare(cards) if pairs else "",
    )


def _title(card: ProblemCard, number: int, cause: str) -> str:
    records = str(PLURALS.get(card.problem.record_kind, _("Records"))).lower()
    if cause == ProblemReason.MATCH:
        sentence = gettext("{number} {records} may be in {place} already")
        return sentence.format(number=f"{number:,}", records=records, place=card.place)
    return gettext("{title}: {number} {records}").format(title=card.fix.title, number=f"{number:,}", records=records)


def _agreements(cards: Sequence[ProblemCard]) -> dict[str, Agreement]:
    """Returns what a record and the one that stands out there agree in, by problem; a constant number of queries for
    each company of the books."""
    kind = KINDS[cards[0].problem.record_kind]
    accounts: dict[str, Connection] = {}
    for card in cards:
        assert card.problem.connection is not None
        accounts[card.problem.connection.pk] = card.problem.connection
    return {pair.problem_id: pair.by for account in accounts.values() for pair in likely_pairs(account, kind)}


def _compare(cards: Sequence[ProblemCard]) -> str:
    page = reverse("integrations:same", args=[cards[0].problem.connection_id])
    one = len({card.problem.connection_id for card in cards}) == 1
    return f"{page}?kind={cards[0].problem.record_kind}" if one else ""


def _line(card: ProblemCard, desk_user: DeskUser, pairs: Mapping[str, Agreement] | None) -> RecordLine:
    problem = card.problem
    here, there, why = "", "", problem.message
    if card.units:
        here, there = (_values(card.units, side) for side in ("local", "remote"))
        why = ""
    elif card.books and card.books.candidates:
        there = ", ".join(candidate.name for candidate in card.books.candidates)
        by = pairs.get(problem.pk) if pairs is not None else None
        said = _AGREES[by] if by else None
        differs = card.books.candidates[0].differs if len(card.books.candidates) == 1 else ""
        parts = [str(said)] if said else [] if pairs is None else [gettext("None stands out")]
        parts += [gettext("differs: {fields}").format(fields=differs.lower())] if differs else []
        why = "; ".join(parts) or problem.message
    line = line_of(card.record, desk_user, gettext("A record that only {place} has").format(place=card.place))
    page = reverse("admin:integrations_problem_change", args=[problem.pk])
    return replace(line, value=problem.pk, here=here, there=there, why=why, page=page)


def _values(units: Sequence[Unit], side: str) -> SafeString:
    """Returns what the fields that are asked about say on this side, a line each."""
    lines = [line for unit in units if unit.asked for line in unit.lines if line.local != line.remote]
    said = [(line.label, _short(getattr(line, side))) for line in lines[:SHOWN]]
    return format_html_join("", '<span class="fc-line"><span class="fc-muted">{}</span> {}</span>', said)


def _short(value: str | Table) -> str:
    if isinstance(value, Table):
        return format_html("{}", "; ".join(" · ".join(row) for row in value.rows))
    return value


def _answers(cards: Sequence[ProblemCard], desk_user: DeskUser) -> list[GroupAnswer]:
    """Returns the answers that several of these take, the harmless ones first."""
    numbers: Counter[str] = Counter()
    first: dict[str, Choice] = {}
    for card in cards:
        for choice in {each.for_all: each for each in card.choices if each.for_all}.values():
            numbers[choice.for_all] += 1
            first.setdefault(choice.for_all, choice)
    kind = cards[0].problem.record_kind
    offered = sorted(first.items(), key=lambda pair: (pair[1].dangerous, not pair[1].default))
    found = [
        GroupAnswer(name, _label(choice, kind), choice.effect, numbers[name], _tone(choice)) for name, choice in offered
    ]
    tried = sum(may_retry(card.problem) for card in cards)
    if tried and desk_user.may("retry"):
        effect = gettext("They are sent once more as they are now.")
        found.append(GroupAnswer(RETRY, str(cards[0].fix.button), effect, tried, "" if found else "primary"))
    if desk_user.may("ignore"):
        effect = gettext("They are left as they are, and asked about again when one of the sides changes.")
        found.append(GroupAnswer(IGNORE, gettext("Ignore until they change"), effect, len(cards)))
    return sorted(found, key=lambda answer: answer.tone == "danger")


def _label(choice: Choice, kind: str) -> str:
    """Returns what the answer is called for many, without the name of one."""
    if choice.for_all in _LABELS:
        return str(_LABELS[choice.for_all])
    if choice.for_all == choice.id and choice.name and kind in MAKE_NEW:
        return str(MAKE_NEW[kind])
    return choice.label


def _tone(choice: Choice) -> str:
    return "danger" if choice.dangerous else "primary" if choice.default else ""
