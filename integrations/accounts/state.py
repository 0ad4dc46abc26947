"""What becomes of a connection that cannot go on by itself: its state, one open problem, one mail."""

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.errors import ProblemCode
from integrations.ledger.problems import open_problem
from integrations.mail.alerts import alert_needs_person
from integrations.models import Connection, ConnectionState

log = structlog.get_logger(__name__)

NEEDS_RECONNECT, NEEDS_PERMISSION = ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION


def mark_needs_reconnect(connection: Connection | str, reason: str) -> bool:
    """Says once that the grant is dead: state, problem, mail. True if this call was the one that said it."""
    return _mark(connection, ConnectionState.NEEDS_RECONNECT, NEEDS_RECONNECT, reason)


def mark_needs_permission(connection: Connection | str, reason: str, mail: bool = True) -> bool:
    """Says once that the grant lacks a permission; `reason` names it. No mail where the person is looking on."""
    return _mark(connection, ConnectionState.NEEDS_PERMISSION, NEEDS_PERMISSION, reason, mail)


def _mark(connection: Connection | str, state: ConnectionState, code: str, reason: str, mail: bool = True) -> bool:
    pk = connection if isinstance(connection, str) else connection.pk
    with transaction.atomic():
        moved = (
            Connection.objects.filter(pk=pk)
            .exclude(state__in=[state, ConnectionState.DISCONNECTED])
            .update(state=state, state_reason=reason[:300], retry_at=None)
        )
        if moved:
            row = Connection.objects.get(pk=pk)
            open_problem(row, code, f"{row.account_name}: {reason}", now=timezone.now())
            if mail:
                transaction.on_commit(lambda: alert_needs_person(pk), robust=True)
    if moved:
        log.warning("connection_needs_person", connection_id=pk, state=state.value)
        if not isinstance(connection, str):
            connection.refresh_from_db()
    return bool(moved)
