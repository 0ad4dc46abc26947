"""The conflict inbox: every open conflict of the company with both sides, and who changed them when."""

from dataclasses import dataclass
from typing import Any

from fieldcamp.desk.users import DeskUser
from integrations.admin.conflicts import LastChange
from integrations.admin.problem_cards import ProblemCard, problem_cards
from integrations.errors import ProblemCode
from integrations.models import ConflictPolicy, Problem
from integrations.selectors.standings import open_problems

MOST = 30


@dataclass(frozen=True)
class InboxEntry:
    """One conflict. `remembers`: this person may say who wins from now on."""

    card: ProblemCard
    here: LastChange
    there: LastChange
    decides: bool
    remembers: bool


def inbox_context(desk_user: DeskUser) -> dict[str, Any]:
    """Returns the page; a constant number of queries."""
    if desk_user.workspace is None:
        return {"entries": [], "more": False}
    rows = open_problems(desk_user.workspace).filter(code=ProblemCode.CONFLICT)
    found = list(rows.select_related("connection", "link__stream")[: MOST + 1])
    return {"entries": entries(found[:MOST], desk_user), "more": len(found) > MOST}


def entries(problems: list[Problem], desk_user: DeskUser) -> list[InboxEntry]:
    return [
        InboxEntry(
            card,
            *card.changes,
            decides=desk_user.may("retry") and card.problem.link is not None,
            remembers=desk_user.may("settings") and _asks(card.problem),
        )
        for card in problem_cards(problems, desk_user)
    ]


def _asks(problem: Problem) -> bool:
    return problem.link is not None and problem.link.stream.policy == ConflictPolicy.ASK
