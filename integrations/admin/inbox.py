"""The conflict inbox: every open conflict of the company with both sides, and who changed them when."""

from dataclasses import dataclass
from typing import Any

from fieldcamp.desk.seat import Seat
from integrations.admin.conflicts import Touch, touches
from integrations.admin.problem_cards import ProblemCard, problem_cards
from integrations.errors import ProblemCode
from integrations.models import ConflictPolicy, Problem
from integrations.selectors.status import open_problems

MOST = 30


@dataclass(frozen=True)
class InboxEntry:
    """One conflict. `remembers`: this person may say who wins from now on."""

    card: ProblemCard
    here: Touch
    there: Touch
    decides: bool
    remembers: bool


def inbox_context(seat: Seat) -> dict[str, Any]:
    """The page; a constant number of queries."""
    if seat.workspace is None:
        return {"entries": [], "more": False}
    rows = open_problems(seat.workspace).filter(code=ProblemCode.CONFLICT)
    found = list(rows.select_related("connection", "link__stream")[: MOST + 1])
    return {"entries": entries(found[:MOST], seat), "more": len(found) > MOST}


def entries(problems: list[Problem], seat: Seat) -> list[InboxEntry]:
    about = touches(problems)
    unknown = (Touch(), Touch())
    return [
        InboxEntry(
            card,
            *about.get(card.problem.pk, unknown),
            decides=seat.may("retry") and card.problem.link is not None,
            remembers=seat.may("settings") and _asks(card.problem),
        )
        for card in problem_cards(problems, seat)
    ]


def _asks(problem: Problem) -> bool:
    return problem.link is not None and problem.link.stream.policy == ConflictPolicy.ASK
