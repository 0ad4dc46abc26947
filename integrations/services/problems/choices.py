"""What a person or a program can answer to a problem: one table for the desk's buttons and for the API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, INVOICE, ITEM, PAYMENT
from integrations.models import Hold, Problem
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import subjects
from integrations.services.books.decisions import NEW, REMOVED
from integrations.services.problems.causes import reason_of, state_of
from integrations.services.problems.fix_reasons import FixTarget
from integrations.services.problems.fixes import fix_of
from integrations.services.problems.matches import (
    MatchQuestion,
    counterpart_name,
    is_over_applied,
    is_repeated,
    match_questions,
    subject_of,
)
from integrations.services.problems.sides import field_groups

CHUNK = 200  # problems that are looked at by one set of queries
KEEP_FIELDCAMP, KEEP_PROVIDER, BY_FIELD = "keep_fieldcamp", "keep_provider", "by_field"
PUT_BACK, CUT_LOOSE = "put_back", "cut_loose"
LEAVE_REMOVED, CANCEL_VISIT = "leave_removed", "cancel_visit"
SAME, VOID_SAME, MAKE_AGAIN, VOID_HERE = "same", "void_same", "make_again", "void_here"
LEAVE_APART = "leave_apart"
Called = Callable[[str, Mapping[str, Any]], str]
_WAITS_FOR_ACCESS = (ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION)
_MAKE_NEW: dict[str, Any] = {
    CUSTOMER.name: _("Make a new customer"),
    ITEM.name: _("Make a new item"),
    INVOICE.name: _("It is another: give this one the next number"),
    PAYMENT.name: _("It is another payment"),
}


@dataclass(frozen=True)
class Choice:
    """One answer. `effect` says what it does, `right` which right a person needs for it (`workspace.roles`).

    `dangerous`: it cannot be taken back. `values`: what may be sent along. `for_all`: the name by which it can be given
    to all problems of one cause; "" where it cannot. `remote_id` is the record there that it names, `name` what a new
    one is made as unless another is sent."""

    id: str
    label: str
    effect: str
    right: str = "retry"
    default: bool = False
    dangerous: bool = False
    values: tuple[str, ...] = ()
    for_all: str = ""
    remote_id: str = ""
    name: str = ""


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
    rows = Hold.objects.filter(pk__in=held, decision="").select_related("stream__connection__workspace")
    return {hold.pk: hold for hold in rows} if held else {}


def choices_with(
    problems: Sequence[Problem],
    questions: Mapping[str, MatchQuestion],
    holds: Mapping[str, Hold],
    called: Called = counterpart_name,
) -> dict[str, list[Choice]]:
    """Returns the choices of each problem, by its id: none of one that is settled, or ignored. `called` says how a
    record there is named, by its kind and fields."""
    return {
        problem.pk: _choices(problem, questions.get(problem.pk), holds.get(problem.record_id), called)
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
        return [_leave_apart()]
    found = _of_match(problem, question, called) if question else []
    return [*found, *_of_removed(problem)] if problem.code == REMOVED else found


def _of_hold(hold: Hold) -> list[Choice]:
    return [
        Choice(
            PUT_BACK,
            gettext("Put them back") if hold.stream.kind else gettext("Put the events back"),
            gettext("What is missing there is made again."),
            right="settings",
            default=True,
            for_all=PUT_BACK,
        ),
        Choice(
            CUT_LOOSE,
            gettext("Cut them loose"),
            gettext("It stays removed there, and FieldCamp syncs it no more. Nothing is deleted in FieldCamp."),
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


def _of_removed(problem: Problem) -> list[Choice]:
    if problem.link_id is None:
        return []
    document = problem.record_kind in (INVOICE.name, PAYMENT.name)
    there = PROVIDERS[problem.integration].label
    found = []
    if reason_of(problem) != ProblemReason.MERGED:
        label = gettext("Post it again") if document else gettext("Make it again there")
        made = gettext("It is made again in {place}.").format(place=there)
        found.append(Choice(MAKE_AGAIN, label, made, default=True, for_all=MAKE_AGAIN))
    if document:
        voided = gettext("It is voided in FieldCamp as well.")
        void = gettext("Void it here too")
        found.append(Choice(VOID_HERE, void, voided, right="settings", dangerous=True, for_all=VOID_HERE))
    return found


def _leave_apart() -> Choice:
    return Choice(
        LEAVE_APART,
        gettext("Leave the two apart"),
        gettext("Nothing is changed, and it is not asked again while both stay as they are."),
        right="ignore",
        for_all=LEAVE_APART,
    )


def _of_match(problem: Problem, question: MatchQuestion, called: Called) -> list[Choice]:
    return [*_sames(problem, question, called), *_another(problem, question)]


def _sames(problem: Problem, question: MatchQuestion, called: Called) -> list[Choice]:
    if is_repeated(problem):
        return []
    kind = problem.record_kind
    free = [link for link in question.candidates if not link.record_id]
    taken = [link for link in question.candidates if link.record_id] if kind == PAYMENT.name else []
    alone = len(free) == 1 and len(question.candidates) == 1
    linked = gettext("The two are linked, and kept equal from now on. Nothing is made there.")
    money = gettext("The two are linked as one payment, with the day, the amount and the invoices that stand there.")
    voided = gettext("This payment is voided in FieldCamp, which has the other one already.")
    return [
        Choice(
            f"{SAME}:{link.remote_id}",
            gettext("Same as “{name}”").format(name=called(kind, link.seen or {})),
            money if kind == PAYMENT.name else linked,
            default=len(free) == 1 and kind not in (INVOICE.name, PAYMENT.name),
            for_all=SAME if alone else "",
            remote_id=link.remote_id,
        )
        for link in free
    ] + [
        Choice(
            f"{VOID_SAME}:{link.remote_id}",
            gettext("Same as “{name}”: void this one").format(name=called(kind, link.seen or {})),
            voided,
            right="settings",
            dangerous=True,
            remote_id=link.remote_id,
        )
        for link in taken
    ]


def _another(problem: Problem, question: MatchQuestion) -> list[Choice]:
    """Returns the choice that makes a new one; under another name where its own is taken there."""
    if is_over_applied(problem) or problem.code == REMOVED:
        return []
    kind, there = problem.record_kind, PROVIDERS[problem.integration].label
    if is_repeated(problem):
        taken_in = gettext("The payment of {place} is taken in as another one.").format(place=there)
        return [Choice(NEW, gettext("It is another payment: take it in"), taken_in, for_all=NEW)]
    label, name = str(_MAKE_NEW[kind]), question.new_name
    if name:
        label = gettext("{make}, “{name}”").format(make=label, name=name)
    effect = gettext("Another one is made in {place}.").format(place=there)
    if kind == INVOICE.name:
        effect = gettext("It gets the next free number and is made in {place}. Send it to the client again then.")
        effect = effect.format(place=there)
    values = ("name",) if kind in (CUSTOMER.name, ITEM.name) else ()
    return [Choice(NEW, label, effect, values=values, for_all=NEW, name=name)]
