"""Answering problems: one by its id, or all of one cause in one sync. Nothing is decided here: the services
below, which the desk's buttons call as well, keep the rules, the locks and the audit trail."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidTransition
from integrations.accounts.acting import Actor
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, ITEM, KINDS
from integrations.models import Connection, Hold, Link, Problem, SyncJob
from integrations.records import one_line
from integrations.services import decisions, removed_events
from integrations.services.books import bulk
from integrations.services.books import decisions as books
from integrations.services.decisions import AlreadyDecided, ToSync, carry_out
from integrations.services.problems import choice as table
from integrations.services.problems.causes import cause_of, reason_of, state_of
from integrations.services.problems.choice import Choice
from integrations.services.problems.choices import choices_of, may_retry
from integrations.services.problems.sides import field_groups
from integrations.sync.policy import Winner

SIDES = {"fieldcamp": Winner.LOCAL, "provider": Winner.REMOTE}
MOST_AT_ONCE = 200  # that are answered one by one in one call
LONGEST_NAME = 100
REFUSALS = (AlreadyDecided, books.NotPossible, InvalidTransition)


class NoSuchChoice(Exception):
    """The problem has no such choice; `offered` are the names of those that there are."""

    def __init__(self, offered: Iterable[str]):
        self.offered = list(offered)
        sentence = gettext("There is no such choice. Choose one of: {choices}.").format(choices=", ".join(self.offered))
        super().__init__(sentence if self.offered else gettext("There is nothing to choose. See its next step."))


class WrongValues(Exception):
    """What was sent along does not go with the choice; `details` are sentences by name."""

    def __init__(self, details: Mapping[str, list[str]]):
        self.details = dict(details)
        super().__init__(gettext("The values do not go with the choice."))


class CountChanged(Exception):
    """There are not as many as the caller has seen: `count`. Nothing was done."""

    def __init__(self, count: int):
        self.count = count
        sentence = gettext("There are {count} such problems now. Nothing was done. Look at them, and send that number.")
        super().__init__(sentence.format(count=count))


@dataclass(frozen=True)
class Answered:
    """What came of an answer: the job that carries it out; or it `waits` for the sync that is running now or comes
    next; or nothing was left to a sync."""

    job: SyncJob | None
    waits: bool


@dataclass(frozen=True)
class AllAnswered:
    """How many of one cause were answered or tried again; `left` says why each other one is as it was, by its id.
    `job` is the one sync that carries it out; None where it needs none, or another is running, whose successor does."""

    done: int
    left: Mapping[str, str] = field(default_factory=dict)
    job: SyncJob | None = None


def answer(*, problem: Problem, choice: str, values: Mapping[str, Any], user: Actor) -> Answered:
    """Answers one problem with one of its choices. Tried at once, as `carry_out` does.

    Raises NoSuchChoice, WrongValues, AlreadyDecided, NotPossible, InvalidTransition."""
    if state_of(problem) == "resolved":
        raise AlreadyDecided
    if state_of(problem) == "ignored":
        raise InvalidTransition(gettext("This problem is ignored. Bring it back first, then answer it."))
    offered = {each.id: each for each in choices_of([problem])[problem.pk]}
    if choice not in offered:
        raise NoSuchChoice(offered)
    decided = _settle(problem, offered[choice], values, user)
    job = carry_out([decided], user) if decided else None
    return Answered(job, waits=job is None and decided is not None and bool(decided.links))


def try_one(*, problem: Problem, user: Actor) -> Answered:
    """Tries one problem again. Raises AlreadyDecided, InvalidTransition, NotConnected, and SyncInProgress where a whole
    account would have to be synced and another sync is running."""
    if state_of(problem) == "resolved":
        raise AlreadyDecided
    if not may_retry(problem):
        raise InvalidTransition(gettext("Trying this problem again changes nothing. Do what its next step says."))
    job = decisions.retry(problem=problem, user=user)
    return Answered(job, waits=job is None)


def _settle(problem: Problem, choice: Choice, values: Mapping[str, Any], user: Actor) -> ToSync | None:
    """Writes one answer down; what is left to a sync, if anything."""
    if unknown := {name: [gettext("This choice takes no such value.")] for name in values if not _takes(choice, name)}:
        raise WrongValues(unknown)
    if choice.id in _SIMPLE:
        return _SIMPLE[choice.id](problem, user)
    if choice.id == table.BY_FIELD:
        return _of_conflict(problem, _by_field(problem, values), user)
    name = one_line(str(values.get("name", choice.name)))
    if len(name) > LONGEST_NAME:
        raise WrongValues({"name": [gettext("A name has {number} characters at most.").format(number=LONGEST_NAME)]})
    return books.settle_match(problem=problem, choice=choice.remote_id or books.NEW, name=name, user=user)


def _takes(choice: Choice, name: str) -> bool:
    return choice.id == table.BY_FIELD or name in choice.values


def _by_field(problem: Problem, values: Mapping[str, Any]) -> dict[str, str]:
    """Returns a side for each field that is asked about; those that make sense only together have the same."""
    groups = [group for group in field_groups(problem) if group.asked]
    known = {name for group in groups for name in group.names}
    wrong = {name: [gettext("It is not asked about this field.")] for name in values if name not in known}
    wrong |= {
        name: [gettext("Must be one of {sides}.").format(sides=", ".join(SIDES))]
        for name, side in values.items()
        if name in known and (not isinstance(side, str) or side not in SIDES)
    }
    chosen: dict[str, str] = {}
    for group in groups:
        sides = [values[name] for name in group.names if name in values]
        if not sides:
            wrong.setdefault(group.names[0], [gettext("Say which side is kept.")])
        elif any(side != sides[0] for side in sides):
            same = gettext("{fields} are kept from the same side.").format(fields=", ".join(group.names))
            wrong.setdefault(group.names[0], [same])
        elif not wrong:
            chosen |= dict.fromkeys(group.names, SIDES[sides[0]])
    if wrong:
        raise WrongValues(wrong)
    return chosen


def _of_conflict(problem: Problem, choice: str | dict[str, str], user: Actor) -> ToSync:
    link = Link.objects.select_related("stream__connection__workspace").filter(pk=problem.link_id or 0).first()
    if link is None:
        raise AlreadyDecided
    return decisions.settle_conflict(link=link, choice=choice, user=user)


def _put_back(problem: Problem, user: Actor) -> ToSync:
    if problem.code == ProblemCode.CONFIRMATION_NEEDED:
        return _of_hold(problem, Hold.Decision.REJECT, user)
    return removed_events.settle_put_back(problem=problem, user=user)


def _of_hold(problem: Problem, decision: str, user: Actor) -> ToSync:
    hold = Hold.objects.select_related("stream__connection__workspace").filter(pk=problem.record_id).first()
    if hold is None:
        raise AlreadyDecided
    return decisions.settle_hold(hold=hold, decision=decision, user=user)


_SIMPLE: dict[str, Callable[[Problem, Actor], ToSync | None]] = {
    table.KEEP_FIELDCAMP: lambda problem, user: _of_conflict(problem, Winner.LOCAL, user),
    table.KEEP_PROVIDER: lambda problem, user: _of_conflict(problem, Winner.REMOTE, user),
    table.PUT_BACK: _put_back,
    table.CUT_LOOSE: lambda problem, user: _of_hold(problem, Hold.Decision.CONFIRM, user),
    table.LEAVE_REMOVED: lambda problem, user: removed_events.leave_removed(problem=problem, user=user),
    table.CANCEL_VISIT: lambda problem, user: removed_events.cancel_visit(problem=problem, user=user),
    table.MAKE_AGAIN: lambda problem, user: books.settle_posting(problem=problem, user=user),
    table.VOID_HERE: lambda problem, user: books.void_here(problem=problem, user=user),
    table.LEAVE_APART: lambda problem, user: decisions.ignore(problem=problem, user=user),
}


# --- all of one cause -----------------------------------------------------------------------------------------------


def answer_all(*, problems: QuerySet[Problem], choice: str, expected: int, user: Actor) -> AllAnswered:
    """Gives one answer to all of these listed problems of one integration, which have one cause; those that do not
    offer it are left. At most MOST_AT_ONCE are answered, questions about clients and items apart, and the others left.

    Raises CountChanged, and NoSuchChoice where none of them offers it."""
    found = _as_expected(problems, expected)
    offered = choices_of(found)
    by_name = {problem.pk: {each.for_all: each for each in offered[problem.pk] if each.for_all} for problem in found}
    if found and not any(choice in mine for mine in by_name.values()):
        raise NoSuchChoice(dict.fromkeys(name for mine in by_name.values() for name in mine))
    left = {problem.pk: gettext("It has no such choice.") for problem in found if choice not in by_name[problem.pk]}
    todo = [(problem, by_name[problem.pk][choice]) for problem in found if problem.pk not in left]
    with transaction.atomic():
        pairs = [(problem, each) for problem, each in todo if _is_pair(problem, each)]
        decided, done = _settle_pairs(pairs, left, user)
        others = [(problem, each) for problem, each in todo if not _is_pair(problem, each)]
        for number, (problem, each) in enumerate(others):
            if number >= MOST_AT_ONCE:
                left[problem.pk] = gettext("So many are answered at once. Answer the others again.")
                continue
            try:
                with transaction.atomic():
                    to_sync = _settle(problem, each, {}, user)
            except REFUSALS as refusal:
                left[problem.pk] = str(refusal)
                continue
            decided += [to_sync] if to_sync else []
            done += 1
        if done:
            _note("all_answered", found, {"choice": choice, "answered": done, "left": len(left)}, user)
    return AllAnswered(done, left, carry_out(decided, user))


def retry_all(*, problems: QuerySet[Problem], expected: int, user: Actor) -> AllAnswered:
    """Tries again all of these listed problems of one integration, in one sync; those are left that somebody has to
    answer first. While another job is running the next one tries them. Raises CountChanged, NotConnected."""
    found = _as_expected(problems, expected)
    left = {
        problem.pk: gettext("Trying it again changes nothing. Answer it.")
        for problem in found
        if not may_retry(problem)
    }
    tried = [problem for problem in found if problem.pk not in left]
    if not tried:
        return AllAnswered(0, left)
    with transaction.atomic():
        _note("all_retried", tried, {"retried": len(tried), "left": len(left)}, user)
        job = decisions.try_again(problems=tried, user=user)
    return AllAnswered(len(tried), left, job)


def _as_expected(problems: QuerySet[Problem], expected: int) -> list[Problem]:
    # In the order in which a sync locks links, so that neither waits for the other in a circle.
    found = list(problems.select_related("workspace", "connection__workspace", "link").order_by("link", "pk"))
    if len(found) != expected:
        raise CountChanged(len(found))
    return found


def _is_pair(problem: Problem, choice: Choice) -> bool:
    """Returns whether many are answered by one look at both sides: clients and items that are the same."""
    asked = problem.code == ProblemCode.RECORD_REJECTED and reason_of(problem) == ProblemReason.MATCH
    return asked and problem.record_kind in (CUSTOMER.name, ITEM.name) and choice.for_all == table.SAME


def _settle_pairs(
    pairs: Sequence[tuple[Problem, Choice]], left: dict[str, str], user: Actor
) -> tuple[list[ToSync], int]:
    """Answers that these are the same, where exactly one there stands out; the others are added to `left`."""
    chosen: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    accounts: dict[str, Connection] = {}
    for problem, choice in pairs:
        assert problem.connection is not None  # whose candidates they are
        accounts[problem.connection.pk] = problem.connection
        chosen[problem.connection.pk, problem.record_kind][problem.pk] = choice.remote_id
    decided, done = [], 0
    for (connection_id, kind), mine in chosen.items():
        connection = accounts[connection_id]
        to_sync, answered = bulk.settle_pairs(connection=connection, kind=KINDS[kind], chosen=mine, user=user)
        decided.append(to_sync)
        done += len(answered)
        sentence = gettext("The two do not agree so well that it stands out. Answer it by itself.")
        left.update({pk: sentence for pk in mine if pk not in answered})
    return decided, done


def _note(action: str, problems: Sequence[Problem], after: Mapping[str, Any], user: Actor) -> None:
    if problems:
        one = problems[0]
        facts = {"integration": one.integration, "cause": cause_of(one), **after}
        audit(f"problem.{action}", workspace_id=one.workspace_id, after=facts, actor=user.get_username())
