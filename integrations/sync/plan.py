r"""Deciding, and nothing else: `plan(pairs, policy) -> list of decisions`. No I/O, no clock.

    local \ remote    same              edited            gone                (no link) new
    same              nothing           pull              removed there       create local
    edited            push              conflict          recreate remote     -
    gone              remove remote     owner decides     forget              -
    (no link) new     create remote     -                 -                   match

"Same" means that the synced fields are unchanged since `base`, what both sides last agreed on.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from integrations.kinds import OWN_REMOVED, Kind, Owner
from integrations.records import Fields, is_day
from integrations.sync.folding import SPELLED_THERE, is_spelling, same, unstated
from integrations.sync.policy import RemovalChoice, SyncPolicy, Winner
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Pair

ONLY_PULLS = "FieldCamp only reads here."
ONLY_PUSHES = "FieldCamp only writes here."
OUT_OF_WINDOW = "Outside the time that is synced."
NOT_WANTED = "Nothing to show there."
NOT_BUSY = "Does not block time."
HELD = "Waits for a person to confirm the removal."
WAS_REMOVED = "Its counterpart was removed at the other side."
STAYS = "It was removed in FieldCamp, and stays where it is at the other side."
ORPHAN = "An event of ours without a record; a full sync removes it."
BLANK: tuple[Any, ...] = ("", None, [], {})
FIRST_SYNC = "The first sync of a connection never removes."


def plan(pairs: Iterable[Pair], policy: SyncPolicy) -> list[Decision]:
    return [decide(pair, policy) for pair in pairs]


def decide(pair: Pair, policy: SyncPolicy) -> Decision:
    """Returns the decision about one pair, after the stream's direction has been applied to it."""
    if pair.kind.owner is Owner.REMOTE:
        decision = _of_remote_owner(pair)
    elif pair.unmatched:
        decision = _of_nobody(pair)
    else:
        decision = _of_local_owner(pair, policy)
    if pair.held and decision.action in (Action.CUT, Action.REMOVE_REMOTE, Action.CREATE_REMOTE):
        return Decision(pair, Action.HOLD, reason=HELD)
    if decision.removal and policy.first:
        return Decision(pair, Action.NOTHING, reason=FIRST_SYNC)
    return _allowed(decision, policy)


def _allowed(decision: Decision, policy: SyncPolicy) -> Decision:
    """Returns what the stream's direction leaves of a decision."""
    pair, action = decision.pair, decision.action
    if action in REMOTE_WRITES and not policy.pushes:
        if decision.pull:
            return Decision(pair, Action.PULL, pull=decision.pull)
        return Decision(pair, Action.NOTHING, reason=ONLY_PULLS)
    if (decision.pull or action is Action.REMOVE_LOCAL) and not policy.pulls and pair.kind.owner is Owner.LOCAL:
        # A full sync repairs each difference, and here FieldCamp's side is the right one.
        repaired = [name for name in decision.pull if not _only_respelled(pair, name)] if policy.full else []
        push = {**decision.push, **_wanted(pair, repaired)}
        if push:
            return Decision(pair, Action.UPDATE_REMOTE, push=push)
        return Decision(pair, Action.NOTHING, reason=ONLY_PUSHES)
    if action is Action.WAIT and not policy.pushes and not pair.has_counterpart:
        return Decision(pair, Action.NOTHING, reason=ONLY_PULLS)
    if action in (Action.PULL, Action.CREATE_LOCAL) and not policy.pulls:
        return Decision(pair, Action.NOTHING, reason=ONLY_PUSHES)
    return decision


def _wanted(pair: Pair, names: Iterable[str]) -> dict[str, Any]:
    local = pair.local.fields or {}
    return {name: local[name] for name in names if name not in pair.kind.pulled}


def _of_remote_owner(pair: Pair) -> Decision:
    """Decides about busy time: FieldCamp shows what the provider has."""
    if pair.gone:
        return Decision(pair, Action.REMOVE_LOCAL if pair.base is not None else Action.FORGET)
    seen = pair.seen or {}
    if pair.base is not None and not _differing(pair, pair.base, seen):
        return Decision(pair, Action.NOTHING)
    busy_before = bool(pair.base and pair.base.get("busy"))
    if not seen.get("busy") and not busy_before:
        return Decision(pair, Action.SETTLE, reason=NOT_BUSY)
    return Decision(pair, Action.PULL, pull=seen)


def _of_nobody(pair: Pair) -> Decision:
    """Decides about a record of ours by its kind, made at the other side."""
    if pair.gone:
        return Decision(pair, Action.FORGET)
    if pair.local.blocked:
        return Decision(pair, Action.NOTHING, reason=pair.local.blocked)
    return Decision(pair, Action.CREATE_LOCAL, pull=pair.seen or {})


def _of_local_owner(pair: Pair, policy: SyncPolicy) -> Decision:
    """Decides about a record that FieldCamp owns and both sides may change."""
    if pair.local.blocked and not (pair.gone and pair.local.theirs):
        return Decision(pair, Action.WAIT, reason=pair.local.blocked)
    if not pair.has_counterpart and not pair.cut:
        return _unlinked(pair)
    if pair.cut:
        return _cut(pair, policy)
    if pair.gone:
        return _vanished(pair, policy)
    if pair.local.fields is None:
        return _unwanted(pair, policy)
    if (pair.seen or {}).get("repeats") == OWN_REMOVED and _vanished(pair, policy).action is Action.CUT:
        # Somebody has made a series of it and then removed the one that it was: so it is removed, and what is left of
        # the series is no visit's.
        return Decision(pair, Action.REMOVE_REMOTE, reason=WAS_REMOVED)
    return _compared(pair, policy)


def _unlinked(pair: Pair) -> Decision:
    if pair.local.fields is None:
        return Decision(pair, Action.FORGET if pair.link_id else Action.NOTHING, reason=NOT_WANTED)
    if not pair.local.in_window:
        return Decision(pair, Action.NOTHING, reason=OUT_OF_WINDOW)
    # A person may have chosen another name for what is to be made.
    return Decision(pair, Action.CREATE_REMOTE, push={**pair.local.fields, **(pair.decision or {}).get("create", {})})


def _cut(pair: Pair, policy: SyncPolicy) -> Decision:
    """Decides about what was removed there earlier: it comes back with an edit in FieldCamp, and by a full sync
    unless a person has left it removed."""
    local = pair.local
    if local.fields is None or not local.in_window:
        return Decision(pair, Action.NOTHING, reason=NOT_WANTED)
    choice = (pair.decision or {}).get("removal")
    revived, left = choice == RemovalChoice.PUT_BACK, choice == RemovalChoice.CUT
    edited = pair.base is None or bool(_differing(pair, pair.base, local.fields))
    if revived or pair.kind.revives and ((policy.full and not left) or edited):
        return Decision(pair, Action.CREATE_REMOTE, push=local.fields)
    return Decision(pair, Action.NOTHING, reason=WAS_REMOVED)


def _vanished(pair: Pair, policy: SyncPolicy) -> Decision:
    local = pair.local.fields
    choice = (pair.decision or {}).get("removal")
    if pair.local.theirs and (local is not None or pair.local.blocked):
        return Decision(pair, Action.REMOVE_LOCAL, removal=choice is None)  # what it waits for does not matter any more
    if local is None:
        return Decision(pair, Action.FORGET)
    edited = pair.base is None or _differing(pair, pair.base, local)
    revives = pair.kind.revives and pair.local.in_window and (policy.full or edited)
    if choice == RemovalChoice.PUT_BACK or (choice is None and revives):
        return Decision(pair, Action.CREATE_REMOTE, push=local)
    return Decision(pair, Action.CUT, removal=choice is None)


def _unwanted(pair: Pair, policy: SyncPolicy) -> Decision:
    """Decides about what someone took away in FieldCamp: asked for, so no removal in the guard's sense. An event of
    ours without any record was asked for by nobody."""
    if not pair.kind.removable:
        return Decision(pair, Action.NOTHING, reason=STAYS)
    if pair.local.exists:
        return Decision(pair, Action.REMOVE_REMOTE)
    choice = (pair.decision or {}).get("removal")
    if choice == RemovalChoice.CUT or (policy.full and choice is None):
        return Decision(pair, Action.REMOVE_REMOTE, removal=choice is None)
    return Decision(pair, Action.NOTHING, reason=ORPHAN)


def _compared(pair: Pair, policy: SyncPolicy) -> Decision:
    """Compares what is on both sides, field by field: what changed on one side only is merged, not fought over."""
    local, seen = pair.local.fields or {}, pair.seen or {}
    base = pair.base or {}
    if pair.is_settled:
        return Decision(pair, Action.NOTHING)
    pull: dict[str, Any] = {}
    push: dict[str, Any] = {}
    contested: list[str] = []
    differing = _differing(pair, local, seen)
    for name in differing:
        edited_there = pair.base is not None and not same(pair.kind, name, base.get(name), seen.get(name))
        edited_here = pair.base is None or local.get(name) != base.get(name)
        if name in pair.kind.pulled:
            pull[name] = seen.get(name)
        elif name not in pair.kind.two_way or not (edited_there or _first_met(pair, seen, name)):
            push[name] = local.get(name)
        elif edited_here and not _first_met(pair, local, name, blank=True):
            contested.append(name)
        else:
            pull[name] = seen.get(name)
    push |= {name: local[name] for name in _edited_unsaid(pair, local, seen)}
    push |= {name: local[name] for name in _changed_here(pair, local) if local[name] != seen.get(name)}
    push |= _respelled(pair, differing)
    pull |= _respelled_there(pair, differing)
    if (pull or contested) and (pair.local.fixed or not takes(pair.kind, seen)):
        push |= _wanted(pair, [*pull, *contested])  # FieldCamp cannot take it: put back
        pull, contested = {}, []
    if pull and push.keys() & set(pair.kind.two_way) and not takes(pair.kind, {**local, **pull}):
        contested = [*pull, *(name for name in push if name in pair.kind.two_way)]  # a merge that makes no sense
    winners = {name: _winner(pair, policy, name) for name in contested}
    if Winner.ASK in winners.values():
        return Decision(pair, Action.ASK, reason=", ".join(sorted(contested)))
    for name, winner in winners.items():
        pull.pop(name, None)
        push.pop(name, None)
        (pull if winner == Winner.REMOTE else push)[name] = (seen if winner == Winner.REMOTE else local).get(name)
    if policy.far and policy.pulls and (question := policy.far.question(local, {**local, **pull})):
        asked = [name for name in pull if name in pair.kind.two_way]
        if not all(_chosen(pair, name) for name in asked):
            return Decision(pair, Action.ASK, reason=", ".join(sorted(asked)), question=question)
        refused = [name for name in asked if _chosen(pair, name) == Winner.LOCAL]
        pull = {name: value for name, value in pull.items() if name not in refused}
        push |= _wanted(pair, refused)
    if push:
        return Decision(pair, Action.UPDATE_REMOTE, pull=pull, push=push)
    if pull:
        return Decision(pair, Action.PULL, pull=pull)
    equal_base = pair.base is not None and not _differing(pair, base, seen) and not _changed_here(pair, local)
    return Decision(pair, Action.NOTHING if equal_base else Action.SETTLE)


def _only_respelled(pair: Pair, name: str) -> bool:
    return same(pair.kind, name, (pair.local.fields or {}).get(name), (pair.seen or {}).get(name))


def _respelled(pair: Pair, differing: Sequence[str]) -> dict[str, Any]:
    """Returns what says the same at both sides and has been spelled anew in FieldCamp: an edit is sent, however small;
    what was spelled otherwise from the start is left alone."""
    local, seen, base = pair.local.fields or {}, pair.seen or {}, pair.base or {}
    names = [name for name in _compared_fields(pair.kind, local, seen) if name in pair.kind.folds]
    known = [name for name in names if name in local and name in base and name in seen and name not in differing]
    return {name: local[name] for name in known if local[name] not in (base[name], seen[name])}


def _respelled_there(pair: Pair, differing: Sequence[str]) -> dict[str, Any]:
    """Returns what has been spelled anew at the other side, and in FieldCamp not: a bookkeeper's correction, however
    small, is taken over."""
    local, seen, base = pair.local.fields or {}, pair.seen or {}, pair.base or {}
    taken = {**base, **(base.get(SPELLED_THERE) or {})}  # what was taken over last
    names = [name for name in _compared_fields(pair.kind, local, seen) if is_spelling(pair.kind, name)]
    known = [name for name in names if name in local and name in base and name in seen and name not in differing]
    untouched = [name for name in known if local[name] == base[name]]
    return {name: seen[name] for name in untouched if seen[name] not in (base[name], taken[name])}


def _first_met(pair: Pair, fields: Fields, name: str, blank: bool = False) -> bool:
    """Returns whether the two have just been matched, and this side has something to say of the field (or nothing)."""
    value = fields.get(name)
    return pair.base is None and (value in BLANK or unstated(pair.kind, name, value)) == blank


def _winner(pair: Pair, policy: SyncPolicy, name: str) -> str:
    """Returns who wins a field that both sides changed: a person's choice for this pair, else the stream's policy."""
    return _chosen(pair, name) or policy.winner


def _chosen(pair: Pair, name: str) -> str:
    """Returns the side that a person has chosen for this field of this pair; "" where nobody has."""
    choice = pair.decision or {}
    return choice.get("fields", {}).get(name) or choice.get("winner") or ""


def _differing(pair: Pair, one: Fields, other: Fields) -> list[str]:
    """Returns the fields that say different things and are neither side's own affair. One that either does not say is
    no difference."""
    kind = pair.kind
    names = [name for name in _compared_fields(kind, one, other) if _says_otherwise(one, other, name)]
    return [name for name in names if not same(kind, name, one[name], other[name])]


def _says_otherwise(one: Fields, other: Fields, name: str) -> bool:
    return name in one and name in other and bool(one[name] != other[name])


def _edited_unsaid(pair: Pair, local: Fields, seen: Fields) -> list[str]:
    """Returns the fields that have changed in FieldCamp, and of which the other side does not say what it has."""
    names = [name for name in _compared_fields(pair.kind, local, seen) if name not in seen]
    unsaid = [name for name in names if name not in pair.kind.pulled]
    return [name for name in unsaid if _says_otherwise(local, pair.base or {}, name)]


def _changed_here(pair: Pair, local: Fields) -> list[str]:
    """Returns the fields that are each side's own affair and have changed in FieldCamp since both agreed."""
    return [name for name in pair.kind.loose if pair.base and name in local and local[name] != pair.base.get(name)]


def _compared_fields(kind: Kind, one: Fields, other: Fields) -> list[str]:
    """Returns the fields that are compared: of a document that has ended, only that."""
    names = (kind.ends,) if kind.ends and (one.get(kind.ends) or other.get(kind.ends)) else kind.fields
    return [name for name in names if name not in kind.loose]


def takes(kind: Kind, fields: Fields) -> bool:
    """Returns whether FieldCamp can take these values: of a visit two instants, the end after the start."""
    if "start" not in kind.fields:
        return True
    start, end = fields.get("start") or "", fields.get("end") or ""
    return not is_day(start) and not is_day(end) and start < end
