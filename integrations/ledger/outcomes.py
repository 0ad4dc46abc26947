"""What a decision leaves behind on our own side: one row of `EFFECTS` for each action, in memory and without I/O."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import Owner
from integrations.ledger.links import agreed, cut
from integrations.models import Link, Outcome
from integrations.sync.state import Action, Decision, Local


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """A problem to open about the decision's record. A `notice` is merely good to know."""

    code: ProblemCode
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """How a decision counts. `outcome` is None where its write is still to come; `settles` is false where the record
    stays dirty, to be looked at again; `problem` is opened, and where there is none the record's problems are over."""

    outcome: Outcome | None
    message: str = ""
    problem: RecordProblem | None = None
    settles: bool = True


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision's effect depends on beside its pair: the time, our record as a pull has just changed it, and how
    a conflict and a counterpart that was removed are spoken of here."""

    now: dt.datetime
    pulled: Local | None
    conflict: str
    removed: tuple[ProblemCode, str]


def apply_effect(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    """Changes the link in memory as the decision asks for, and returns how that counts."""
    return EFFECTS[decision.action](decision, link, circumstances)


def _settle(decision: Decision, link: Link | None) -> None:
    """Marks the pair as dealt with; what was held and has come back waits for nobody any more."""
    if link is None:
        return
    link.unsettled = link.parked = False
    link.decision = None
    if decision.pair.local.exists and not decision.pair.gone:
        link.hold = None


def _nothing(decision: Decision, link: Link | None, _: Circumstances) -> Effect:
    _settle(decision, link)
    local = decision.pair.local
    if decision.pair.unmatched and local.reason:  # a record of theirs, of which a person is asked before it is taken in
        data = {**reason_data(local.reason), **local.data}
        problem = RecordProblem(ProblemCode.RECORD_REJECTED, decision.reason, data)
        return Effect(Outcome.FAILED, decision.reason, problem)
    return Effect(Outcome.SKIPPED, decision.reason)


def _equal(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    _agree(decision, link, circumstances)
    return Effect(Outcome.SKIPPED, decision.reason)


def _pulled(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    _agree(decision, link, circumstances)
    assert link is not None
    link.pulled_at = circumstances.now
    return Effect(Outcome.PULLED, decision.reason)


def _agree(decision: Decision, link: Link | None, circumstances: Circumstances) -> None:
    assert link is not None
    _settle(decision, link)
    pair = decision.pair
    if pair.kind.owner is Owner.REMOTE:
        link.base = link.seen
    else:
        link.base = agreed(pair, pair.seen or {}, circumstances.pulled, decision.pull)


def _removed_locally(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    assert link is not None
    _settle(decision, link)
    link.base, link.pulled_at = None, circumstances.now
    if decision.pair.record_id:
        cut(link, circumstances.now)
    return Effect(Outcome.PULLED)


def _cut(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    assert link is not None
    choice = (decision.pair.decision or {}).get("removal")
    _settle(decision, link)
    cut(link, circumstances.now)
    link.pulled_at = circumstances.now
    code, sentence = circumstances.removed
    # Of an event it has been decided then; what the books have lost is a difference until somebody decides.
    notice = code is ProblemCode.EVENT_REMOVED and choice is not None
    if notice:
        link.decision = {"removal": choice}
    return Effect(Outcome.PULLED, sentence, RecordProblem(code, sentence, notice=notice))


def _forgotten(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    _settle(decision, link)
    if link is not None:
        link.base = None
        cut(link, circumstances.now)
    return Effect(Outcome.SKIPPED, decision.reason)


def _asked(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    assert link is not None
    link.parked = True
    pair, sentence = decision.pair, decision.question or circumstances.conflict
    data = {"local": pair.local.fields, "remote": pair.seen, "base": pair.base, "fields": decision.reason}
    data |= reason_data(ProblemReason.MOVED_FAR if decision.question else None)
    return Effect(Outcome.FAILED, sentence, RecordProblem(ProblemCode.CONFLICT, sentence, data))


def _held(decision: Decision, _link: Link | None, _: Circumstances) -> Effect:
    return Effect(Outcome.SKIPPED, decision.reason, settles=False)


def _waiting(decision: Decision, _link: Link | None, _: Circumstances) -> Effect:
    """Leaves the link as it is, and dirty; where a person has to do something about it, that is a problem of the
    record."""
    local = decision.pair.local
    if not local.reason:
        return Effect(Outcome.SKIPPED, decision.reason, settles=False)
    code = ProblemCode.WAITING_FOR_GONE if local.reason is ProblemReason.WAITING else ProblemCode.RECORD_REJECTED
    problem = RecordProblem(code, decision.reason, {**reason_data(local.reason), **local.data})
    return Effect(Outcome.FAILED, decision.reason, problem, settles=False)


def _half_merged(decision: Decision, link: Link | None, circumstances: Circumstances) -> Effect:
    """Agrees on the pulled half of a merge; the dirty row waits for the half that is written there."""
    assert link is not None
    link.base = {**(link.base or {}), **decision.pull}
    if decision.pull:
        link.pulled_at = circumstances.now
    return Effect(None, settles=False)


EFFECTS: Mapping[Action, Callable[[Decision, Link | None, Circumstances], Effect]] = {
    Action.NOTHING: _nothing,
    Action.SETTLE: _equal,
    Action.PULL: _pulled,
    Action.CREATE_LOCAL: _pulled,
    Action.REMOVE_LOCAL: _removed_locally,
    Action.CREATE_REMOTE: _half_merged,
    Action.UPDATE_REMOTE: _half_merged,
    Action.REMOVE_REMOTE: _half_merged,
    Action.CUT: _cut,
    Action.FORGET: _forgotten,
    Action.ASK: _asked,
    Action.HOLD: _held,
    Action.WAIT: _waiting,
}


def reason_data(reason: ProblemReason | None) -> dict[str, str]:
    """Returns the reason as a problem's `data` holds it."""
    return {"reason": reason} if reason else {}
