"""Problems as the API shows them: what is wrong, about which record, and what can be answered."""

from collections.abc import Sequence
from typing import Any

from integrations.errors import ProblemCode
from integrations.models import Problem
from integrations.records import instant
from integrations.selectors.links import leaving_url, mapping_url, problem_url, reconnect_url
from integrations.selectors.remote_names import RemoteNames
from integrations.selectors.status import about_record
from integrations.selectors.subjects import local_kind, subjects
from integrations.services.problems.causes import cause_of, state_of
from integrations.services.problems.choice import Choice
from integrations.services.problems.choices import choices_of, choices_with, may_retry, open_holds
from integrations.services.problems.fix_reasons import FixTarget
from integrations.services.problems.fixes import fix_of
from integrations.services.problems.matches import (
    SHOWN,
    MatchQuestion,
    counterpart_name,
    match_questions,
    subject_of,
    with_paid,
)
from integrations.services.problems.sides import SIDES_OF_DATA, field_groups, side_of

_PAGES = {FixTarget.MAPPING: mapping_url, FixTarget.LEAVING: leaving_url}
_ACCESS = (ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION)
READ_WITH = ("connection__workspace", "link", "workspace")  # what is read along with problems


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Returns problems as the rows of a list; a constant number of queries for as many as a page has."""
    offered = choices_of(problems)
    return [_row(problem, offered[problem.pk]) for problem in problems]


def problem_detail(problem: Problem) -> dict[str, Any]:
    """Returns one problem with both sides, those that may be the same, and the provider's own words."""
    about = subjects([(problem.workspace_id, problem.record_kind, subject_of(problem))])
    questions = match_questions([problem], about)
    offered = choices_with([problem], questions, open_holds([problem]))[problem.pk]
    return {
        **_row(problem, offered),
        "sides": _sides(problem),
        "candidates": _candidates(problem, questions[problem.pk]) if problem.pk in questions else [],
        "provider_message": problem.detail or None,
    }


def _row(problem: Problem, offered: Sequence[Choice]) -> dict[str, Any]:
    fix = fix_of(problem)
    return {
        "id": problem.pk,
        "integration": problem.integration,
        "connection_id": problem.connection_id,
        "code": problem.code,
        "cause": cause_of(problem),
        "state": state_of(problem),
        "title": str(fix.title),
        "message": problem.message,
        "next_step": str(fix.sentence),
        "occurred_at": instant(problem.occurred_at),
        "resolved_at": instant(problem.resolved_at) if problem.resolved_at else None,
        "record": _record(problem),
        "choices": [_choice(choice) for choice in offered],
        "can_retry": may_retry(problem),
        "next_action_url": _next_action_url(problem),
    }


def _record(problem: Problem) -> dict[str, Any] | None:
    if not about_record(problem):
        return None
    link = problem.link
    # Of what belongs to no record of FieldCamp no name there is told: it may be somebody's own event.
    known = link is not None and link.seen is not None and (link.record_id or subject_of(problem) != problem.record_id)
    return {
        "kind": problem.record_kind,
        "type": local_kind(problem.record_kind),
        "id": subject_of(problem),
        "remote_id": link.remote_id if link and known else None,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "id": choice.id,
        "label": choice.label,
        "effect": choice.effect,
        "default": choice.default,
        "dangerous": choice.dangerous,
        "values": list(choice.values),
        "for_all": choice.for_all or None,
    }


def _next_action_url(problem: Problem) -> str:
    """Returns the page of the desk where a person goes on."""
    connection = problem.connection
    if connection is not None and state_of(problem) in ("open", "notice"):
        if problem.code in _ACCESS:
            return reconnect_url(connection)
        if fix_of(problem).leads in _PAGES:
            return _PAGES[fix_of(problem).leads](connection.pk)
    return problem_url(problem.pk)


def _sides(problem: Problem) -> list[dict[str, Any]]:
    """Returns the fields in which the sides differed when the problem was seen, with names in the place of ids."""
    sides = [side_of(problem, name) for name in SIDES_OF_DATA]
    if not (sides[0] or sides[1]):
        return []
    if problem.code == ProblemCode.CONFLICT:
        fields = {name: group.asked for group in field_groups(problem) for name in group.names}
    else:
        fields = {name: False for name in {**sides[0], **sides[1]} if sides[0].get(name) != sides[1].get(name)}
    names = RemoteNames((problem.connection_id, side) for side in sides)
    here, there, base = (names.named(problem.connection_id, side) for side in sides)
    return [
        {
            "field": name,
            "fieldcamp": here.get(name),
            "provider": there.get(name),
            "base": base.get(name),
            "asked": asked,
        }
        for name, asked in fields.items()
    ]


def _candidates(problem: Problem, question: MatchQuestion) -> list[dict[str, Any]]:
    kind = problem.record_kind
    names = RemoteNames((problem.connection_id, link.seen) for link in question.candidates)
    found = []
    for link in question.candidates:
        seen = with_paid(names.named(problem.connection_id, link.seen))
        found.append(
            {
                "remote_id": link.remote_id,
                "name": counterpart_name(kind, seen),
                "taken_by": link.record_id or None,
                "fields": [
                    {"field": name, "fieldcamp": question.local.get(name), "provider": seen.get(name)}
                    for name in SHOWN[kind]
                    if question.local.get(name) or seen.get(name)
                ],
            }
        )
    return found
