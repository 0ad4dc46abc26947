"""How an integration stands, as the status endpoint and the events about accounts say it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, Problem
from integrations.providers import PROVIDERS
from integrations.records import instant
from integrations.selectors.company.facts import facts_of
from integrations.selectors.company.judging import findings_of
from integrations.selectors.company.state import health_of
from integrations.selectors.endings import endings_of
from integrations.selectors.freshness import NEVER, Freshness
from integrations.selectors.jobs import counts
from integrations.selectors.metering import MeterReading, meters_of, midnight_after
from integrations.selectors.standings import standing


def status(workspace: Workspace, integration: str) -> dict[str, Any]:
    """Returns the status endpoint's answer. Never an error for a disconnected integration."""
    at = timezone.now()
    now = standing(workspace, integration)
    synced = now.row.last_synced_at if now.row else None
    findings = findings_of(facts_of(workspace, [now], at))
    return {
        "integration": integration,
        "connected": now.connected,
        "last_synced_at": instant(synced) if synced else None,
        "next_scheduled_sync_at": instant(now.next_sync_at) if now.next_sync_at else None,
        "fresh_until": instant(now.fresh_until) if now.fresh_until else None,
        "stalled": now.stalled(at),
        "active_job_id": now.live_job.pk if now.live_job else None,
        "errors": errors(now.problems),
        "direction": (now.row.last_direction if now.row else "") or None,
        "health": health_of(now, findings),
        "last_job": (
            {"job_id": now.last_job.pk, "status": now.last_job.status, "counts": counts(now.last_job)}
            if now.last_job
            else None
        ),
        "connections": connection_entries(now.connections, now.freshness, at),
    }


def connection_entries(
    connections: Sequence[Connection], freshness: Mapping[str, Freshness], now: dt.datetime
) -> list[dict[str, Any]]:
    """Returns the accounts as the status and the events about them show them; two queries at most."""
    ends = endings_of(connections, now)
    metered = [connection for connection in connections if PROVIDERS[connection.integration].meters_reads]
    meters = meters_of(metered, now) if metered else {}
    return [
        _connection(
            connection, meters.get(connection.pk), ends.get(connection.pk), freshness.get(connection.pk, NEVER), now
        )
        for connection in connections
    ]


def errors(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as the entries of `errors[]`; `record` is there where it is about one."""
    return [
        {
            "id": problem.pk,
            "code": problem.code,
            "message": problem.message,
            "occurred_at": instant(problem.occurred_at),
            "connection_id": problem.connection_id,
            **({"record": {"kind": problem.record_kind, "id": problem.record_id}} if about_record(problem) else {}),
        }
        for problem in problems
    ]


def about_record(problem: Problem) -> bool:
    """Returns whether it is about one record: not about a whole account, a calendar or a held removal."""
    return bool(problem.record_id) and problem.record_kind not in ("stream", "hold")


def _connection(
    connection: Connection,
    meter: MeterReading | None,
    ends: dt.datetime | None,
    freshness: Freshness,
    now: dt.datetime,
) -> dict[str, Any]:
    return {
        "id": connection.pk,
        "account": connection.account_name,
        "member": connection.member_id,
        "state": connection.state,
        "last_synced_at": instant(connection.last_synced_at) if connection.last_synced_at else None,
        "fresh_until": instant(freshness.until) if freshness.until else None,
        "stalled": freshness.stalled(now),
        "access_ends_at": instant(ends) if ends else None,
        "metered_reads": _metered(meter, now) if meter else None,
    }


def _metered(meter: MeterReading, now: dt.datetime) -> dict[str, Any]:
    """Returns what the provider bills of an account's calls; days are those of UTC."""
    allowance = meter.allowance
    return {
        "today": meter.today.metered,
        "yesterday": meter.yesterday.metered,
        "last_30_days": meter.last.metered,
        "month_forecast": meter.month,
        "limit_per_day": allowance.limit or None,
        "waits_until": instant(midnight_after(now)) if allowance.spent else None,
    }
