"""Events about accounts: `connection.*`. The object is the account's entry in `connections[]` of the status."""

from typing import Any, Protocol

from django.utils import timezone

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.recording import record_event
from fieldcamp.workspace.attribution import is_by_key
from integrations.errors import ProblemCode
from integrations.models import USABLE, Connection, ConnectionState, SyncJob
from integrations.selectors.links import reconnect_url
from integrations.selectors.stalls import all_freshness
from integrations.selectors.status import connection_entries

_NAMED = {
    ConnectionState.ACTIVE: "connection.resumed",
    ConnectionState.PAUSED: "connection.paused",
    ConnectionState.MEMBER_INACTIVE: "connection.paused",
    ConnectionState.NEEDS_RECONNECT: "connection.needs_reconnect",
    ConnectionState.NEEDS_PERMISSION: "connection.needs_permission",
    ConnectionState.DISCONNECTED: "connection.disconnected",
}
# Why the account stands still, where its state alone says it.
_CODES = {
    ConnectionState.MEMBER_INACTIVE: ProblemCode.MEMBER_INACTIVE,
    ConnectionState.NEEDS_RECONNECT: ProblemCode.NEEDS_RECONNECT,
    ConnectionState.NEEDS_PERMISSION: ProblemCode.NEEDS_PERMISSION,
}
_RECONNECTS = (ConnectionState.NEEDS_RECONNECT, ConnectionState.NEEDS_PERMISSION)
# Of these the object is the bare entry.
_BARE = ("connection.connected", "connection.reconnected", "connection.disconnected")


class NamedActor(Protocol):
    """Who has done it: a person's login, or an API key under its name in the audit trail."""

    def get_username(self) -> str: ...


def connection_moved(
    connection: Connection, before: str, *, user: NamedActor | None = None, code: str | None = None
) -> None:
    """Records what it means that the account has come from the state `before` into the one it is in; nothing where it
    has not moved, or has only been let in and is still to be set up.

    `code` is the problem that a pause comes from. Runs inside the transaction that moves it, once for each move: the
    caller's conditional update, or its lock, decides who has moved it.
    """
    state = ConnectionState(connection.state)
    if state == before or state == ConnectionState.SETUP:
        return
    name = "connection.connected" if before == ConnectionState.SETUP and state in USABLE else _NAMED[state]
    record_connection_event(name, connection, user=user, code=code or _CODES.get(state))


def connection_granted(connection: Connection, before: str, *, user: NamedActor | None) -> None:
    """Records what a person's consent has come to, for an account that was in the state `before`: one that works, and
    was set up already, is connected again, also if it worked before. Runs inside the transaction that takes the grant.
    """
    if connection.state in USABLE and before != ConnectionState.SETUP:
        record_connection_event("connection.reconnected", connection, user=user)
    else:
        connection_moved(connection, before, user=user)


def record_connection_event(
    name: str,
    connection: Connection,
    *,
    user: NamedActor | None = None,
    code: str | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Records one event about the account as it stands; `more` is added to its entry."""
    state = connection.state
    shown = _entry(connection)
    if name not in _BARE:
        shown["code"] = str(code) if code else None
        shown["reconnect_url"] = reconnect_url(connection) if state in _RECONNECTS else None
    record_event(
        connection.workspace_id,
        name,
        {**shown, **(more or {})},
        record_id=connection.pk,
        source=_source(user),
        integration=connection.integration,
        actor=user.get_username() if user else None,
        request_id=getattr(user, "request_id", None) or None,
    )


def _source(user: NamedActor | None) -> str:
    if user is None:
        return WebhookEvent.Source.SYSTEM
    return WebhookEvent.Source.API if is_by_key(user.get_username()) else WebhookEvent.Source.DESK


def _entry(connection: Connection) -> dict[str, Any]:
    now, key = timezone.now(), (connection.workspace_id, connection.integration)
    job = SyncJob.objects.in_flight().filter(workspace=key[0], integration=key[1]).first()
    found = all_freshness([connection], {key: job} if job else {}, now)
    return connection_entries([connection], found, now)[0]
