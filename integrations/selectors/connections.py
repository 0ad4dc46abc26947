"""Connected accounts as the API lists them: how each stands, what it lacks, and where a person goes on."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count

from integrations.models import BROKEN, Connection, ConnectionState, OAuthGrant, Problem
from integrations.providers import PROVIDERS
from integrations.records import instant
from integrations.selectors.links import connection_url, leaving_url, reconnect_url, setup_url
from integrations.selectors.stalls import all_freshness, in_flight
from integrations.selectors.status import connection_entries

READ_WITH = ("member", "workspace")  # what is read along with them
_CONNECTED_ANEW = (*BROKEN, ConnectionState.DISCONNECTED)


def connection_rows(connections: Sequence[Connection], now: dt.datetime) -> list[dict[str, Any]]:
    """Returns accounts of one workspace, in eleven queries at most however many they are."""
    if not connections:
        return []
    found = all_freshness(connections, in_flight(connections[0].workspace_id), now)
    entries = connection_entries(connections, found, now)
    pks = [connection.pk for connection in connections]
    open_ones = Problem.objects.listed().filter(connection__in=pks).order_by().values_list("connection_id")
    problems = dict(open_ones.annotate(number=Count("pk")))
    granted = dict(OAuthGrant.objects.filter(connection__in=pks).values_list("connection_id", "scopes"))
    return [
        _row(connection, entry, problems.get(connection.pk, 0), granted.get(connection.pk) or [])
        for connection, entry in zip(connections, entries, strict=True)
    ]


def connection_row(connection: Connection, now: dt.datetime) -> dict[str, Any]:
    return connection_rows([connection], now)[0]


def connect_url_of(connection: Connection) -> str | None:
    """Returns where a person connects this very account again, or finishes its set-up; None where neither is needed."""
    if connection.state in _CONNECTED_ANEW:
        return reconnect_url(connection)
    return setup_url(connection.pk) if connection.state == ConnectionState.SETUP else None


def way_on_url(connection: Connection) -> str:
    """Returns the page of the desk where a person goes on with an account that cannot sync."""
    if connection.state_now == ConnectionState.MEMBER_INACTIVE:
        return leaving_url(connection.pk)
    return connect_url_of(connection) or connection_url(connection.pk)


def _row(connection: Connection, entry: dict[str, Any], problems: int, granted: Sequence[str]) -> dict[str, Any]:
    return {
        "id": connection.pk,
        "integration": connection.integration,
        "account": connection.account_name,
        "member_id": connection.member_id,
        "state": connection.state_now,
        "state_reason": connection.state_reason or None,
        "connect_url": connect_url_of(connection),
        "scopes_missing": _missing(connection, granted),
        "access_ends_at": entry["access_ends_at"],
        "last_synced_at": entry["last_synced_at"],
        "fresh_until": entry["fresh_until"],
        "stalled": entry["stalled"],
        "retry_at": instant(connection.retry_at) if connection.retry_at else None,
        "problems": problems,
        "removing_events": connection.leaving is not None,
        "metered_reads": entry["metered_reads"],
        "connected_at": instant(connection.connected_at) if connection.connected_at else None,
        "disconnected_at": instant(connection.disconnected_at) if connection.disconnected_at else None,
    }


def _missing(connection: Connection, granted: Sequence[str]) -> list[str]:
    """Returns the permissions that the sync needs and the grant does not have. One that names none has what was asked
    for (RFC 6749, section 5.1), unless the account stands still for lack of one."""
    if connection.state == ConnectionState.DISCONNECTED:
        return []
    if not granted and connection.state != ConnectionState.NEEDS_PERMISSION:
        return []
    return [scope for scope in PROVIDERS[connection.integration].permissions if scope not in granted]
