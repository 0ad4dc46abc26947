"""What people wrote on a visit's event and a sync has written over or taken away: it goes into the visit's history."""

from fieldcamp.workspace.audit import audit
from integrations.kinds import VISIT
from integrations.models import Connection
from integrations.sync.state import Action, Decision

MOST = 2_000  # characters of each text


def note_overwritten(connection: Connection, decision: Decision) -> None:
    """Writes down what stood there: title and place that were put back, and notes of an event that was taken away.
    Runs inside the caller's transaction."""
    pair = decision.pair
    if pair.kind is not VISIT or not pair.local.exists or pair.gone:
        return
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
