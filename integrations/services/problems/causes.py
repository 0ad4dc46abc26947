"""What has made a problem: the word by which problems are told apart, tried again and answered together."""

from typing import Any

from django.db.models import Q, QuerySet

from integrations.errors import ProblemCode, ProblemReason
from integrations.models import Problem

# Every cause that a problem may have: what exactly is wrong, or its code where nothing more is known.
CAUSES: tuple[str, ...] = tuple(dict.fromkeys([*ProblemReason, *(code.lower() for code in ProblemCode)]))
_NO_REASON = Q(data__reason__isnull=True) | Q(data__reason=None) | Q(data__reason="")


def reason_of(problem: Problem) -> str:
    return str(problem.data.get("reason") or "") if isinstance(problem.data, dict) else ""


def cause_of(problem: Problem) -> str:
    return reason_of(problem) or str(problem.code).lower()


def of_cause(problems: QuerySet[Problem], cause: str) -> QuerySet[Problem]:
    """Returns those of these problems that have this cause."""
    return problems.filter(Q(data__reason=cause) | (_NO_REASON & Q(code=cause.upper())))


def state_of(problem: Problem) -> str:
    """Returns `open`, `notice` (merely good to know), `ignored` or `resolved`."""
    if problem.resolved_at is not None:
        return "resolved"
    if problem.ignored_at is not None:
        return "ignored"
    return "notice" if problem.notice else "open"


_STATES: dict[str, Any] = {
    "open": lambda rows: rows.listed(),
    "notice": lambda rows: rows.notices(),
    "ignored": lambda rows: rows.ignored(),
    "resolved": lambda rows: rows.filter(resolved_at__isnull=False),
}
STATES = tuple(_STATES)


def in_state(problems: Any, state: str) -> Any:
    """Returns those of these problems that `state_of` says this of."""
    return _STATES[state](problems)
