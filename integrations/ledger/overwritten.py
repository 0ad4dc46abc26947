"""What people wrote at the other side and a sync has written over or taken away: it goes into the record's history."""

from collections.abc import Mapping
from typing import Any

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import ADDRESS_PARTS
from integrations.kinds import BOOKS, VISIT
from integrations.models import Connection
from integrations.sync.folding import same
from integrations.sync.state import Action, Decision, Pair

MOST = 2_000  # characters of each text
SHORT = 200  # characters of a value of the books
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
        audit(
            "record.put_back",
            workspace_id=connection.workspace_id,
            object_id=pair.record_id,
            object_name=str(seen.get("display_name") or seen.get("name") or seen.get("number") or ""),
            before={name: _text(seen[name]) for name in names},
            after={name: _text(push[name]) for name in names},
            actor=connection.account_name,
        )


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
