"""What people do to connections, in the audit trail."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser

from fieldcamp.workspace.audit import audit
from integrations.accounts.acting import Actor
from integrations.models import Connection


def audit_connection(
    action: str,
    connection: Connection,
    user: Actor | AnonymousUser | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    vendor: str = "",
) -> None:
    """Writes down what somebody (None: FieldCamp, or whoever `attributed` names) did to a connection, or what was done
    because its `vendor` said so."""
    audit(
        f"connection.{action}",
        workspace_id=connection.workspace_id,
        object_id=connection.pk,
        object_name=f"{connection.integration}: {connection.account_name}",
        before=before,
        after=after,
        actor=user.get_username() if user else vendor or None,
    )
