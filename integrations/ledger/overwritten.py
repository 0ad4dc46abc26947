"""What people wrote at one side and a sync has written over or taken away: it goes into the record's history."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import ADDRESS_PARTS
from integrations.kinds import BOOKS, VISIT
from integrations.models import Connection
from integrations.sync.folding import same
from integrations.sync.state import Action, Decision, Pair

MOST = 2_000  # characters of each text
SHORT = 200  # characters of a value of the books
_TABLES = ("lines", "allocations")
NOTHING: tuple[Any, ...] = ("", None, [], {})


def note_overwritten(connection: Connection, decision: Decision) -> None:
    """Writes down what stood there: a visit's title and place that were put back, and notes of an event that was taken
    away; of a record in the books what somebody had changed there. Runs inside the caller's transaction."""
    pair = decision.pair
    if not pair.local.exists or pair.gone:
        return
    if pair.kind is VISIT:
        _of_visit(connection, decision)
    elif pair.kind in BOOKS and decision.action is Action.UPDATE_REMOTE:
        _of_books(connection, decision)


def note_taken_over(connection: Connection, decision: Decision) -> None:
    """Writes down which lines of an invoice the books have written over in FieldCamp, or what a payment pays: the
    change that a pull makes names no more than that they have changed. Runs inside the caller's transaction."""
    pair, pull, local = decision.pair, decision.pull, decision.pair.local.fields or {}
    if pair.kind not in BOOKS or not pair.local.exists or pair.local.fields is None:
        return
    names = [name for name in _TABLES if name in pull and name in local and pull[name] != local[name]]
    said = {name: rows_apart(local[name] or (), pull[name] or ()) for name in names}
    if said := {name: both for name, both in said.items() if any(both)}:
        audit(
            "record.taken_over",
            workspace_id=connection.workspace_id,
            object_id=pair.record_id,
            object_name=str(local.get("number") or ""),
            before={name: both[0] for name, both in said.items()},
            after={name: both[1] for name, both in said.items()},
            actor=connection.account_name,
        )


def _of_visit(connection: Connection, decision: Decision) -> None:
    pair = decision.pair
    seen, base = pair.seen or {}, pair.base or {}
    if decision.action is Action.UPDATE_REMOTE:
        own = [name for name in pair.kind.respelled if name in decision.push and name not in pair.kind.beside.values()]
        stood = {name: seen[name] for name in own if name in base and seen.get(name) not in (None, "", base[name])}
        action = "visit.event_put_back"
    elif decision.action is Action.REMOVE_REMOTE:
        stood = {name: seen[name] for name in pair.kind.beside if seen.get(name)}
        action = "visit.event_notes"
    else:
        return
    if stood:
        audit(
            action,
            workspace_id=connection.workspace_id,
            object_id=pair.record_id,
            object_name=str((pair.local.fields or {}).get("title") or ""),
            before={name: str(value)[:MOST] for name, value in stood.items()},
            actor=connection.account_name,
        )


def _of_books(connection: Connection, decision: Decision) -> None:
    pair, seen, push = decision.pair, decision.pair.seen or {}, decision.push
    names = [name for name in pair.kind.fields if name in push and _was_theirs(pair, name) and push[name] != seen[name]]
    if names:
        said = {name: _both(name, seen[name], push[name]) for name in names}
        audit(
            "record.put_back",
            workspace_id=connection.workspace_id,
            object_id=pair.record_id,
            object_name=str(seen.get("display_name") or seen.get("name") or seen.get("number") or ""),
            before={name: both[0] for name, both in said.items()},
            after={name: both[1] for name, both in said.items()},
            actor=connection.account_name,
        )


def _both(name: str, old: Any, new: Any) -> tuple[str, str]:
    return rows_apart(old or (), new or ()) if name in _TABLES else (_text(old), _text(new))


def rows_apart(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Returns in short the rows that only `old` has, and those that only `new` has; "" where there are none."""
    keys = [Counter(json.dumps(dict(row), sort_keys=True, default=str) for row in rows) for rows in (old, new)]
    gone, come = keys[0] - keys[1], keys[1] - keys[0]
    return tuple("; ".join(_row(json.loads(key)) for key in some.elements())[:SHORT] for some in (gone, come))  # type: ignore[return-value]


def _row(row: Mapping[str, Any]) -> str:
    """Returns a line as people read it, or what a payment pays."""
    if "quantity" in row:
        words = str(row.get("description") or "").strip().splitlines() or ["–"]
        return f"{row['quantity']} × {words[0][:60]}, {row.get('unit_price')}"
    return str(row.get("amount") or "–")


def _was_theirs(pair: Pair, name: str) -> bool:
    """Returns whether what stands there is somebody's word there: it was changed since both sides agreed, or they never
    did."""
    seen, base = pair.seen or {}, pair.base or {}
    if seen.get(name) in NOTHING:
        return False
    return name not in base or not same(pair.kind, name, base[name], seen[name])


def _text(value: Any) -> str:
    """Returns a value in short; "" for what is a table of its own (lines)."""
    if isinstance(value, Mapping):
        return ", ".join(str(value[name]) for name in ADDRESS_PARTS if value.get(name))[:SHORT]
    return "" if isinstance(value, list) or value is None else str(value)[:SHORT]
