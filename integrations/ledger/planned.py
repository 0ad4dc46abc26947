"""What a dry run notes of each decision, and by what two of them are known as the same.

An id that a record would get at the other side is the one that its create would be sent with, which is always the same
for the same try; where the provider chooses another, that is put in its place (`renamed`) once it is known.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fieldcamp.money import cents
from integrations.kinds import INVOICE, PAYMENT, Kind, Owner
from integrations.models import DirtyRow, Link, PlanOperation, Stream
from integrations.records import Fields
from integrations.sync.state import REMOTE_WRITES, Action, Decision, Pair

Does, Side = PlanOperation.Action, PlanOperation.Side
_LOCAL = {
    Action.PULL: Does.UPDATE,
    Action.CREATE_LOCAL: Does.CREATE,
    Action.REMOVE_LOCAL: Does.DELETE,
    Action.CUT: Does.UNLINK,
}
_REMOTE = {
    Action.CREATE_REMOTE: Does.CREATE,
    Action.UPDATE_REMOTE: Does.UPDATE,
    Action.REMOVE_REMOTE: Does.DELETE,
}
_TOLD_OF_HIDDEN = ("start", "end", "busy")  # nothing else of what somebody else has made


@dataclass(frozen=True, slots=True)
class Planned:
    """One operation, as `PlanOperation` keeps it."""

    stream_id: str
    connection_id: str
    action: str
    side: str
    kind: str
    key: str
    record_id: str
    remote_id: str
    fields: Mapping[str, Any] = field(hash=False)
    decided: Mapping[str, Any] = field(hash=False)

    @property
    def identity(self) -> str:
        """Returns what is equal for the same operation, found again: not where it is only meant for the same record."""
        return json.dumps([self.stream_id, self.action, self.side, self.kind, self.key, self.decided], sort_keys=True)


def acts(decision: Decision) -> bool:
    """Returns whether it changes a record at either side, or that two belong together. What is merely noted (both are
    equal, somebody is asked, one waits) does not."""
    return decision.action in _LOCAL or decision.action in _REMOTE or bool(decision.pull)


def decided_of(decision: Decision) -> dict[str, Any]:
    """Returns the decision as JSON, with what it replaces at either side."""
    pair, action = decision.pair, decision.action
    here, there = pair.local.fields or pair.base or {}, pair.seen or {}
    replaced = {
        "here": here if action is Action.REMOVE_LOCAL else {name: here.get(name) for name in decision.pull},
        "there": there if action is Action.REMOVE_REMOTE else {name: there.get(name) for name in decision.push},
    }
    decided = {"action": action, "pull": decision.pull, "push": decision.push, "replaced": replaced}
    return dict(json.loads(json.dumps(decided, sort_keys=True)))


def is_as_planned(decided: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    """Returns whether what is decided now is what was planned, or of a merge the half that is still to be made: what
    comes in is saved first, and who decides again before the rest is written finds that done."""
    return decided == planned or (not decided["pull"] and decided == _rest_of(planned))


def _rest_of(planned: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what is left of what was planned (`decided_of`) once its half in FieldCamp is made."""
    if planned["action"] not in REMOTE_WRITES:
        return {}
    return {**planned, "pull": {}, "replaced": {**planned["replaced"], "here": {}}}


def planned_of(decision: Decision, stream: Stream, made_id: str = "") -> list[Planned]:
    """Returns the operations of one decision: of a merge two. `made_id` is by what a create is known there."""
    pair, decided = decision.pair, decided_of(decision)
    found = []
    for side, does, fields in _halves(decision):
        remote_id = made_id or pair.remote_id
        found.append(
            Planned(
                stream.pk, stream.connection_id, does, side, pair.kind.name, pair.key, pair.record_id, remote_id,
                json.loads(json.dumps(fields)), decided,
            )
        )  # fmt: skip
    return found


def _halves(decision: Decision) -> Sequence[tuple[str, str, dict[str, list[Any]]]]:
    """Returns side, action and fields (name → from, to) of what a decision does at each side."""
    pair, action, halves = decision.pair, decision.action, []
    here = pair.local.fields or pair.base or {}
    there = pair.seen or {}
    if action in _LOCAL or decision.pull:
        does, pull = _LOCAL.get(action, Does.UPDATE), decision.pull
        if pair.kind.owner is Owner.REMOTE and action is Action.PULL:
            does = Does.UPDATE if here else Does.CREATE
        fields = {name: [here.get(name), value] for name, value in pull.items() if here.get(name) != value}
        if action is Action.REMOVE_LOCAL:
            fields = {name: [value, None] for name, value in here.items()}
        halves.append((Side.FIELDCAMP, does, _shown(pair.kind, fields)))
    if action in REMOTE_WRITES:
        fields = {name: [there.get(name), value] for name, value in decision.push.items()}
        if action is Action.CREATE_REMOTE:
            fields = {name: [None, value] for name, value in decision.push.items()}
        if action is Action.REMOVE_REMOTE:
            fields = {name: [value, None] for name, value in there.items()}
        halves.append((Side.PROVIDER, _REMOTE[action], _shown(pair.kind, fields)))
    return halves


def _shown(kind: Kind, fields: dict[str, list[Any]]) -> dict[str, list[Any]]:
    names = _TOLD_OF_HIDDEN if kind.hidden_ids else kind.fields
    return {name: fields[name] for name in names if name in fields}


def linked(link: Link, stream: Stream) -> Planned:
    """Returns that two records which have met for the first time are the same."""
    decided = {"action": Does.LINK.value, "remote_id": link.remote_id}
    return Planned(
        stream.pk, stream.connection_id, Does.LINK, Side.FIELDCAMP, link.kind, link.record_id, link.record_id,
        link.remote_id, {}, decided,
    )  # fmt: skip


def standing_of(streams: Iterable[Stream]) -> dict[str, dict[str, int]]:
    """Returns what is dirty in these streams: {stream id: {record id: number of its change}}."""
    found: dict[str, dict[str, int]] = {stream.pk: {} for stream in streams}
    rows = DirtyRow.objects.filter(stream__in=list(found)).order_by("pk")
    for stream_id, record_id, seq in rows.values_list("stream_id", "record_id", "seq"):
        found[stream_id][record_id] = seq
    return found


def money_of(decision: Decision) -> tuple[str, Decimal] | None:
    """Returns what a decision does to the amounts of invoices or payments: `invoices_created`, say, and the amount, or
    for a changed one the difference; None where it is about no money."""
    pair = decision.pair
    name = {INVOICE.name: "total", PAYMENT.name: "amount"}.get(pair.kind.name)
    if name is None or not acts(decision):
        return None
    before, after = _amounts(pair, decision, name)
    if decision.action in (Action.CREATE_REMOTE, Action.CREATE_LOCAL):
        return f"{pair.kind.plural}_created", after
    if decision.action in (Action.REMOVE_REMOTE, Action.REMOVE_LOCAL):
        return f"{pair.kind.plural}_removed", before
    return f"{pair.kind.plural}_changed", after - before


def _amounts(pair: Pair, decision: Decision, name: str) -> tuple[Decimal, Decimal]:
    """Returns the amount at the side that is written, before and after."""
    here, there = pair.local.fields or {}, pair.seen or {}
    if decision.action in REMOTE_WRITES:
        return _amount(there, name), _amount({**here, **decision.push}, name)
    if decision.action in (Action.CREATE_LOCAL, Action.REMOVE_LOCAL):
        return _amount(here, name), _amount(there, name)
    moved = set(decision.pull) & {"lines", "discount", "tax_code", "amount", "voided", "deposit"}
    return _amount(here, name), _amount({**there, **decision.pull} if moved else here, name)


def _amount(fields: Fields, name: str) -> Decimal:
    return Decimal(0) if fields.get("voided") else Decimal(str(fields.get(name) or 0))


def money_text(sums: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: cents(amount) for name, amount in sums.items()}


def actual_ids(creates: Sequence[tuple[str, str, str, str]]) -> dict[str, str]:
    """Returns what planned creates were given as their ids since: (stream id, kind, record id, planned id) each."""
    wanted = {(stream_id, kind, record_id): planned for stream_id, kind, record_id, planned in creates}
    links = Link.objects.live().filter(stream__in={key[0] for key in wanted}, seen__isnull=False, seen_gone=False)
    ids = sorted({key[2] for key in wanted})
    found: dict[str, str] = {}
    for start in range(0, len(ids), 5_000):
        rows = links.filter(record_id__in=ids[start : start + 5_000])
        for stream_id, kind, record_id, remote_id in rows.values_list("stream_id", "kind", "record_id", "remote_id"):
            if planned := wanted.get((stream_id, kind, record_id)):
                found[planned] = remote_id
    return found
