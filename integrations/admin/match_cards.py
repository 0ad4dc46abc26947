"""Cards that ask who is who: our record and those of the books that it may be, beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext

from fieldcamp.desk.templatetags.desk import at as shown_at
from integrations.admin.conflicts import LastChange, Line, last_changes
from integrations.admin.values import EMPTY, label_of, shown
from integrations.kinds import PAYMENT
from integrations.models import Link, Problem
from integrations.selectors.remote_names import RemoteNames
from integrations.selectors.subjects import Subjects, subjects
from integrations.services.problems.matches import NAMED_BY, SHOWN, MatchQuestion, with_paid


@dataclass(frozen=True)
class MatchCandidate:
    """A record of the books that may be ours. `taken_by`: the record that it belongs to already. `differs` names the
    fields in which the two do."""

    remote_id: str
    name: str
    lines: list[Line]
    taken_by: str = ""
    differs: str = ""


def match_cards(problems: Sequence[Problem], questions: Mapping[str, MatchQuestion]) -> dict[str, list[MatchCandidate]]:
    """Returns them by problem, for those that ask who is who; a constant number of queries."""
    asked = [problem for problem in problems if problem.pk in questions]
    if not asked:
        return {}
    links = [link for problem in asked for link in questions[problem.pk].candidates]
    names = RemoteNames((link.stream.connection_id, link.seen) for link in links)
    workspaces = {problem.connection_id: problem.workspace_id for problem in asked}
    owners = subjects(
        (workspaces[link.stream.connection_id], link.kind, link.record_id) for link in links if link.record_id
    )
    changes = last_changes(asked)
    cards = {}
    for problem in asked:
        here, _there = changes.get(problem.pk, (LastChange(), LastChange()))
        cards[problem.pk] = _candidates(problem, questions[problem.pk], here, names, owners)
    return cards


def _candidates(
    problem: Problem, question: MatchQuestion, here: LastChange, names: RemoteNames, owners: Subjects
) -> list[MatchCandidate]:
    kind, candidates = problem.record_kind, []
    for link in question.candidates:
        seen = with_paid(names.named(problem.connection_id, link.seen))
        taken_by = str(owners.get((link.kind, link.record_id)) or "") if link.record_id else ""
        lines = _lines(kind, question.local, seen)
        differs = ", ".join(str(line.label) for line in lines if line.local != line.remote)
        lines.append(_changed(here, link))
        candidates.append(MatchCandidate(link.remote_id, name_there(kind, seen), lines, taken_by, differs))
    return candidates


def name_there(kind: str, seen: Mapping[str, Any]) -> str:
    """Returns how one of the books' records is called; a payment by its amount and day."""
    if kind == PAYMENT.name:
        return " · ".join(str(shown(name, seen[name])) for name in ("amount", "date") if seen.get(name)) or EMPTY
    return str(seen.get(NAMED_BY[kind]) or EMPTY)


def _lines(kind: str, local: Mapping[str, Any], seen: Mapping[str, Any]) -> list[Line]:
    names = [name for name in SHOWN[kind] if local.get(name) or seen.get(name)]
    return [Line(label_of(kind, name), shown(name, local.get(name)), shown(name, seen.get(name))) for name in names]


def _changed(here: LastChange, link: Link) -> Line:
    """Returns who changed it here last, and when the other was seen."""
    at = shown_at(here.at) if here.at else ""
    mine = format_html("{}, {}", here.who, at) if here.who and at else here.who or at or EMPTY
    there = format_html(gettext("seen {time}"), time=shown_at(link.seen_at)) if link.seen_at else EMPTY
    return Line(gettext("Last change"), mine, there)
