"""The conflict inbox: every open conflict of the company with both sides, and who changed them when."""

from dataclasses import dataclass
from typing import Any

from fieldcamp.desk.seat import Seat
from integrations.admin.conflicts import Touch, touches
from integrations.admin.problems import Problem, problems
from integrations.models import Issue, Policy
from integrations.selectors.status import open_issues

MOST = 30


@dataclass(frozen=True)
class Entry:
    """One conflict. `remembers`: this person may say who wins from now on."""

    problem: Problem
    here: Touch
    there: Touch
    decides: bool
    remembers: bool


def inbox_context(seat: Seat) -> dict[str, Any]:
    """The page; a constant number of queries."""
    if seat.workspace is None:
        return {"entries": [], "more": False}
    rows = open_issues(seat.workspace).filter(code="CONFLICT")
    found = list(rows.select_related("connection", "link__stream")[: MOST + 1])
    return {"entries": entries(found[:MOST], seat), "more": len(found) > MOST}


def entries(issues: list[Issue], seat: Seat) -> list[Entry]:
    about = touches(issues)
    unknown = (Touch(), Touch())
    return [
        Entry(
            problem,
            *about.get(problem.issue.pk, unknown),
            decides=seat.may("retry") and problem.issue.link is not None,
            remembers=seat.may("settings") and _asks(problem.issue),
        )
        for problem in problems(issues, seat)
    ]


def _asks(issue: Issue) -> bool:
    return issue.link is not None and issue.link.stream.policy == Policy.ASK
