"""The audit trail: written by the services, in the transaction of the action itself."""

from collections.abc import Mapping
from typing import Any

import structlog

from fieldcamp.workspace.models import AuditEntry
from fieldcamp.workspace.tracking import current_actor, plain


def audit(
    action: str,
    *,
    workspace_id: str,
    object_id: str = "",
    object_name: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> AuditEntry:
    """Writes one action down: by `actor`, or by whoever `attributed` says; of what was and is, only what differs.

    The caller names harmless fields only: a secret or a token is never among them.
    """
    old, new = dict(before or {}), dict(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    return AuditEntry.objects.create(
        workspace_id=workspace_id,
        actor=(current_actor() if actor is None else actor)[:200],
        action=action,
        object_id=object_id,
        object_name=object_name[:255],
        before={name: plain(value) for name, value in old.items() if name not in same},
        after={name: plain(value) for name, value in new.items() if name not in same},
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64],
    )
