"""How a record stands in one place. The steps are asked in their order, so that of several things that hold the one is
told that somebody has to deal with first; docs/sync-state.md says the order."""

from collections.abc import Callable
from dataclasses import replace

import structlog
from django.db import InterfaceError, OperationalError

from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import TAX, VISIT, SubjectKind
from integrations.ledger.failures import FAILED_HERE
from integrations.ledger.private import where
from integrations.models import Problem
from integrations.selectors.dashboard import SEVERITY
from integrations.selectors.links import mapping_url, setup_url
from integrations.services.problems.causes import reason_of
from integrations.services.problems.fixes import fix_of
from integrations.services.sync_state.of_accounts import not_in_use, of_account, of_problem, of_stream
from integrations.services.sync_state.of_records import NOTHING_TO_DO, why_absent, why_out_of_window
from integrations.services.sync_state.of_time import of_time, what_is_open
from integrations.services.sync_state.reasons import IN_STEP, Explanation, SyncReason, because
from integrations.services.sync_state.situation import Situation
from integrations.services.sync_state.wording import day
from integrations.sync.plan import FIRST_SYNC as FIRST_REMOVES_NOTHING
from integrations.sync.plan import ONLY_PULLS, ONLY_PUSHES, WAS_REMOVED
from integrations.sync.state import Absence, Action

log = structlog.get_logger(__name__)

# FieldCamp's own side says these, and each run asks it anew: where it says so no longer they are over.
_ASKED_ANEW = (
    ProblemReason.WAITING, ProblemReason.TAX_MAPPING, ProblemReason.ITEM_MAPPING, ProblemReason.MERGED_HERE,
    ProblemReason.INTERNAL,
)  # fmt: skip
_UNWRITTEN = (Action.NOTHING, Action.FORGET)


def judge(situation: Situation) -> Explanation:
    """Returns how the record stands there, and why. Of one that our own side fails at that is told: the others of a
    list are none the worse for it."""
    try:
        return next((found for step in STEPS if (found := step(situation))), IN_STEP)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        stream = situation.stream
        log.error("record_not_explained", connection_id=stream.connection_id, stream_id=stream.pk, **where(error))
        problem = Problem(pk="", code=ProblemCode.INTERNAL_ERROR, message=FAILED_HERE, data={})
        return of_problem(problem)


def by_severity(problem: Problem) -> int:
    """Returns the rank of a problem among those of one record: the gravest first."""
    ranks = {str(code): rank for rank, code in enumerate(SEVERITY)}
    return ranks.get(problem.code, len(ranks))


def _record(situation: Situation) -> Explanation | None:
    """Tells where the record itself leaves no place for it there; what still stands there is taken away first."""
    absence, decision, record = situation.absence, situation.decision, situation.record
    if decision.action is Action.WAIT and not _is_final(situation):
        return None
    if decision.action not in (*_UNWRITTEN, Action.WAIT) and not (absence and not situation.is_looked_at):
        return None
    if situation.local.absence is Absence.BEFORE_OPENING_DATE:
        earlier = why_absent(record, situation.kind, Absence.BEFORE_OPENING_DATE, situation.label, situation.since)
        return replace(earlier, sentence=situation.local.blocked) if earlier else None
    if situation.kind is VISIT and situation.local.fields and not (situation.local.in_window or situation.is_present):
        return why_out_of_window(record, situation.now)  # type: ignore[arg-type]
    if absence is None or (situation.local.fields is not None and situation.is_present):
        return None
    found = why_absent(record, situation.kind, absence, situation.label, situation.since)
    if found is None or not situation.is_present:
        return found
    stays = f"{found.sentence} Its {situation.kind.counterpart} in {situation.label} stays as it is."
    return because(SyncReason(found.reason), stays, found.next_step)


def _is_final(situation: Situation) -> bool:
    """Returns whether what the record waits for makes no difference, since there is nothing to post of it."""
    final = (Absence.DELETED, Absence.VOID, Absence.DRAFT, Absence.BEFORE_OPENING_DATE)
    return situation.absence in final and not situation.is_present


def _connection(situation: Situation) -> Explanation | None:
    return not_in_use(situation.account.connection, situation.account.provider)


def _account(situation: Situation) -> Explanation | None:
    return of_account(situation.account)


def _problem(situation: Situation) -> Explanation | None:
    """Tells the record's own problem, unless it has been settled since, and the next run will say so."""
    found = situation.open_problems
    ids = tuple(problem.pk for problem in found)
    for problem in found:
        if situation.is_asked or not situation.to_do or not _is_over(situation, problem):
            told = of_problem(problem)
            return Explanation(told.state, told.reason, told.sentence, told.next_step, ids, _awaited(situation))
    if found and situation.decision.action is not Action.WAIT:
        since = "It was changed since the last sync asked about it" if situation.changed_at else "That was settled"
        sentence = f"{what_is_open(situation)} {since}: “{found[0].message}”"
        step = "Nothing to do: the next sync looks at it again. Start one to have it at once."
        return because(SyncReason.EDITED_SINCE, sentence, step, problem_ids=ids)
    return None if _ignored(situation) else _asked(situation)


def _ignored(situation: Situation) -> list[Problem]:
    """Returns what somebody chose to leave as it is, and nothing has changed of since."""
    found = [problem for problem in situation.problems if problem.ignored_at is not None]
    tried = situation.to_do and not situation.is_asked
    return [problem for problem in found if not (tried and _is_over(situation, problem))]


def _is_over(situation: Situation, problem: Problem) -> bool:
    changed, parked = situation.changed_at, situation.link is not None and situation.link.parked
    if changed is not None and changed > problem.occurred_at:
        return True
    return reason_of(problem) in _ASKED_ANEW and not parked


def _asked(situation: Situation) -> Explanation | None:
    """Tells what the next run is going to ask."""
    decision, local = situation.decision, situation.local
    if decision.action is Action.ASK:
        data = {"reason": ProblemReason.MOVED_FAR} if decision.question else {}
        code, sentence = ProblemCode.CONFLICT, decision.question or "It was changed in FieldCamp and at the other side."
    elif decision.action is Action.WAIT and local.reason is not None:
        data, sentence = {"reason": local.reason}, local.blocked
        waits = local.reason is ProblemReason.WAITING
        code = ProblemCode.WAITING_FOR_GONE if waits else ProblemCode.RECORD_REJECTED
    else:
        return None
    kind, record_id = situation.kind.name, situation.record.pk
    problem = Problem(pk="", code=code, data=data, message=sentence, record_kind=kind, record_id=record_id)
    told = of_problem(problem)
    return Explanation(told.state, told.reason, sentence, told.next_step, awaited=_awaited(situation))


def _hold(situation: Situation) -> Explanation | None:
    if situation.decision.action is not Action.HOLD or situation.link is None or situation.link.hold is None:
        return None
    hold = situation.link.hold
    told = situation.account.problems_of(SubjectKind.HOLD, hold.pk)
    return because(
        SyncReason.REMOVAL_HELD,
        f"Its {situation.kind.counterpart} was removed in {situation.label} together with others: {hold.removals:,} of "
        f"{hold.of:,} were gone at once, so nothing is drawn from that before somebody confirms it.",
        str(fix_of(told[0]).sentence) if told else "Confirm the removals, or have them put back.",
        problem_ids=tuple(problem.pk for problem in told),
    )


def _choice(situation: Situation) -> Explanation | None:
    """Tells where a person, or the settings, leave it as it is."""
    parked = situation.link is not None and situation.link.parked
    ignored = _ignored(situation)
    if ignored and (parked or not situation.is_present or situation.is_asked):
        [problem, *_] = ignored
        at = day(problem.ignored_at.date()) if problem.ignored_at else ""
        return because(
            SyncReason.IGNORED,
            f"Somebody chose on {at} to leave it as it is: “{problem.message}”",
            "Nothing to do. To have it synced, take that back (unignore the problem) and answer it.",
            problem_ids=tuple(each.pk for each in ignored),
        )
    if situation.decision.action is not Action.NOTHING:
        return None
    return _left_alone(situation)


def _left_alone(situation: Situation) -> Explanation | None:
    kind, label, reason = situation.kind, situation.label, situation.decision.reason
    if reason == FIRST_REMOVES_NOTHING:
        gone = f"Its {kind.counterpart} was removed in {label} before the first sync had ended, which removes nothing."
        return because(SyncReason.FIRST_SYNC, gone, "Start a sync, and another one after that.")
    if reason == WAS_REMOVED:
        again = "Edit the visit" if kind.revives else "Answer that it is to be made again"
        choice = ((situation.link.decision if situation.link else None) or {}).get("removal")
        if choice:
            return because(
                SyncReason.LEFT_REMOVED,
                f"Its {kind.counterpart} was removed in {label}, and somebody chose to leave it so.",
                f"Nothing to do. {again} to have it there again.",
            )
        return because(
            SyncReason.REMOVED_THERE,
            f"Its {kind.counterpart} was removed in {label}, and is not made again unasked.",
            f"{again} to have it there again.",
        )
    if reason == ONLY_PULLS and kind is TAX:
        return because(
            SyncReason.ONLY_READ,
            f"No tax code of {label} is this tax yet, and none is ever made there.",
            f"Say at {mapping_url(situation.account.connection.pk)} which tax code it is.",
        )
    # Made only where it is told: this is asked of each record of a list.
    settings_page = setup_url(situation.account.connection.pk) if reason in (ONLY_PULLS, ONLY_PUSHES) else ""
    if reason == ONLY_PULLS:
        return because(
            SyncReason.ONLY_READ,
            f"FieldCamp only reads in this account, so the {kind.singular} is not written to {label}.",
            f"Nothing to do. To have {kind.plural} written there, choose another direction at {settings_page}.",
        )
    if reason == ONLY_PUSHES:
        return because(
            SyncReason.ONLY_WRITTEN,
            f"FieldCamp only writes into this account: what was changed in {label} is not taken over.",
            f"Nothing to do. To have it taken over, choose another direction at {settings_page}; a full sync puts it "
            "back to what FieldCamp has.",
        )
    return None


def _missing(situation: Situation) -> Explanation | None:
    """Tells where nothing is to be done by the rules, and yet there is no counterpart."""
    if situation.is_present:
        return None
    sentence = f"{situation.label} does not have the {situation.kind.singular}, and no change of it is known."
    return because(SyncReason.FULL_SYNC_NEEDED, sentence, "Start a full sync.")


def _waiting(situation: Situation) -> Explanation | None:
    if situation.decision.action is not Action.WAIT:
        return None
    return because(
        SyncReason.WAITS_FOR_RECORD, situation.local.blocked, f"{NOTHING_TO_DO} It goes on by itself after that.",
        awaited=_awaited(situation),
    )  # fmt: skip


def _awaited(situation: Situation) -> tuple[str, str] | None:
    named = situation.local.data.get("waits_for")
    return (named["kind"], named["id"]) if named else None


STEPS: tuple[Callable[[Situation], Explanation | None], ...] = (
    _record, _connection, _account, of_stream, _problem, _hold, _choice, _waiting, of_time, _missing,
)  # fmt: skip
