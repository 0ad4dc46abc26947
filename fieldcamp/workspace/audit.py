"""The audit trail: written by the services, in the transaction of the action itself."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.db import transaction

from fieldcamp.workspace.audit_chain import FORGOTTEN, forget, sealer
from fieldcamp.workspace.models import AuditEntry
from fieldcamp.workspace.tracking import current_actor, plain


def audit(
    action: str,
    *,
    workspace_id: str | None,
    object_id: str = "",
    object_name: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> AuditEntry:
    """Writes one action down: by `actor`, or by whoever `attributed` says; of what was and is, only what differs.

    `workspace_id` is None for what concerns no company. The caller names harmless fields only: a secret or a token is
    never among them. The entry becomes a part of its company's chain as soon as the transaction has ended well.
    """
    old, new = dict(before or {}), dict(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    known = structlog.contextvars.get_contextvars()
    entry = AuditEntry.objects.create(
        workspace_id=workspace_id,
        actor=(current_actor() if actor is None else actor)[:200],
        action=action,
        object_id=object_id,
        object_name=object_name[:255],
        before={name: plain(value) for name, value in old.items() if name not in same},
        after={name: plain(value) for name, value in new.items() if name not in same},
        request_id=str(known.get("request_id", ""))[:64],
        caller_request_id=str(known.get("caller_request_id", ""))[:64],
    )
    seal = sealer(workspace_id or "")
    if all(waiting[1] is not seal for waiting in transaction.get_connection().run_on_commit):
        transaction.on_commit(seal, robust=True)
    return entry


def audit_export(name: str, *, workspace_id: str | None, actor: str) -> None:
    """Writes down that somebody has taken a table of the company's data with them."""
    audit("export.made", workspace_id=workspace_id, object_name=name, actor=actor)


def forget_entries(workspace_id: str | None, entries: Iterable[int]) -> int:
    """Erases who and what stands in these entries of a company (None: of no company), and writes down that this was
    done. How many."""
    with transaction.atomic():
        found = forget(workspace_id or "", entries)
        if found:
            audit(FORGOTTEN, workspace_id=workspace_id, after={"entries": found})
    return len(found)
