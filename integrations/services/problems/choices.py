"""What a person or a program can answer to a problem: one table for the desk's buttons and for the API."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext

from integrations.errors import ProblemCode, ProblemReason
from integrations.models import Hold, Problem
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import subjects
from integrations.services.books.decisions import REMOVED
from integrations.services.books.net_prices import net_prices
from integrations.services.problems.books_choices import leave_apart, of_match, of_net_prices, of_removed
from integrations.services.problems.causes import reason_of, state_of
from integrations.services.problems.choice import (
    BY_FIELD,
    CANCEL_VISIT,
    CUT_LOOSE,
    KEEP_FIELDCAMP,
    KEEP_PROVIDER,
    LEAVE_REMOVED,
    PUT_BACK,
    Called,
    Choice,
)
from integrations.services.problems.fix_reasons import FixTarget
from integrations.services.problems.fixes import fix_of
from integrations.services.problems.matches import (
    MatchQuestion,
    counterpart_name,
    match_questions,
    subject_of,
)
from integrations.services.problems.sides import field_groups

CHUNK = 200  # problems that are looked at by one set of queries
_WAITS_FOR_ACCESS = (ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION)


def choices_of(problems: Sequence[Problem]) -> dict[str, list[Choice]]:
    """Returns the choices of each problem, by its id; a constant number of queries for CHUNK of them. Their `link` is
    read by the caller."""
    found: dict[str, list[Choice]] = {}
    for start in range(0, len(problems), CHUNK):
        some = problems[start : start + CHUNK]
        about = subjects((problem.workspace_id, problem.record_kind, subject_of(problem)) for problem in some)
        found |= choices_with(some, match_questions(some, about), open_holds(some))
    return found


def open_holds(problems: Sequence[Problem]) -> dict[str, Hold]:
    """Returns the held removals that these problems ask about and nobody has decided, by their ids."""
    held = [problem.record_id for problem in problems if problem.code == ProblemCode.CONFIRMATION_NEEDED]
    rows = Hold.objects.filter(pk__in=held, decision="").select_related(
        "stream__connection__workspace", "stream__connection__member"
    )
    return {hold.pk: hold for hold in rows} if held else {}


def choices_with(
    problems: Sequence[Problem],
    questions: Mapping[str, MatchQuestion],
    holds: Mapping[str, Hold],
    called: Called = counterpart_name,
) -> dict[str, list[Choice]]:
    """Returns the choices of each problem, by its id: none of one that is settled, or ignored. `called` says how a
    record there is named, by its kind and fields."""
    prices = net_prices(problems)
    return {
        problem.pk: [
            *_choices(problem, questions.get(problem.pk), holds.get(problem.record_id), called),
            *of_net_prices(prices.get(problem.pk, ())),
        ]
        if state_of(problem) in ("open", "notice")
        else []
        for problem in problems
    }


def may_retry(problem: Problem) -> bool:
    """Returns whether trying again may change something: not where somebody has to answer first."""
    if state_of(problem) != "open" or problem.connection_id is None:
        return False
    if problem.code in _WAITS_FOR_ACCESS or problem.code == ProblemCode.CONFIRMATION_NEEDED:
        return False
    fix = fix_of(problem)
    if (problem.code == ProblemCode.CONFLICT and problem.link_id) or fix.leads is FixTarget.LEAVING:
        return False
    return bool(fix.button)


def _choices(problem: Problem, question: MatchQuestion | None, hold: Hold | None, called: Called) -> list[Choice]:
    if problem.code == ProblemCode.CONFIRMATION_NEEDED:
        return _of_hold(hold) if hold else []
    if problem.code == ProblemCode.EVENT_REMOVED:
        return [] if problem.notice else _of_removed_event()
    if problem.code == ProblemCode.CONFLICT:
        return _of_conflict(problem) if problem.link_id and not problem.notice else []
    if problem.code == ProblemCode.POSSIBLE_DUPLICATE and reason_of(problem) == ProblemReason.MERGED_HERE:
        return [leave_apart()]
    found = of_match(problem, question, called) if question else []
    return [*found, *of_removed(problem)] if problem.code == REMOVED else found


def _of_hold(hold: Hold) -> list[Choice]:
    of_books = bool(hold.stream.kind)
    stays = gettext("They stay removed there, also at the next full check. Nothing is deleted in FieldCamp.")
    visits_stay = gettext(
        "The visits stay in FieldCamp without an event, also after the next full check. An edit of a visit makes its "
        "event again."
    )
    return [
        Choice(
            PUT_BACK,
            gettext("Put them back") if of_books else gettext("Put the events back"),
            gettext("What is missing there is made again.")
            if of_books
            else gettext("The events that are missing are made again, and look as before."),
            right="settings",
            default=True,
            for_all=PUT_BACK,
        ),
        Choice(
            CUT_LOOSE,
            gettext("Leave them removed"),
            stays if of_books else visits_stay,
            right="settings",
            dangerous=True,
            for_all=CUT_LOOSE,
        ),
    ]


def _of_removed_event() -> list[Choice]:
    return [
        Choice(
            PUT_BACK,
            gettext("Put it back"),
            gettext("The event is made again in the calendar."),
            default=True,
            for_all=PUT_BACK,
        ),
        Choice(
            LEAVE_REMOVED,
            gettext("Leave it removed"),
            gettext("The visit stays without an event, also at a full sync, until it is edited."),
            for_all=LEAVE_REMOVED,
        ),
        Choice(
            CANCEL_VISIT,
            gettext("Cancel the visit"),
            gettext("The visit is cancelled in FieldCamp."),
            right="settings",
            dangerous=True,
            for_all=CANCEL_VISIT,
        ),
    ]


def _of_conflict(problem: Problem) -> list[Choice]:
    there = PROVIDERS[problem.integration].label
    if reason_of(problem) == ProblemReason.MOVED_FAR:
        return [
            Choice(
                KEEP_PROVIDER,
                gettext("Take it"),
                gettext("The visit moves as its event did."),
                default=True,
                for_all=KEEP_PROVIDER,
            ),
            Choice(
                KEEP_FIELDCAMP,
                gettext("Put it back"),
                gettext("The event goes where the visit is."),
                for_all=KEEP_FIELDCAMP,
            ),
        ]
    found = [
        Choice(
            KEEP_FIELDCAMP,
            gettext("Keep FieldCamp's"),
            gettext("FieldCamp's values are written to {place}.").format(place=there),
            default=True,
            for_all=KEEP_FIELDCAMP,
        ),
        Choice(
            KEEP_PROVIDER,
            gettext("Keep {place}'s").format(place=there),
            gettext("The values of {place} are taken over into FieldCamp.").format(place=there),
            for_all=KEEP_PROVIDER,
        ),
    ]
    if names := [group.names[0] for group in field_groups(problem) if group.asked]:
        found.append(
            Choice(
                BY_FIELD,
                gettext("Choose for each field"),
                gettext("Each field is kept from the side that is chosen for it."),
                values=tuple(names),
            )
        )
    return found
