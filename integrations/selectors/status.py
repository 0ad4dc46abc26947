"""How an integration stands: for the status endpoint and, in words, for the dashboard's cards."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.models import (
    BROKEN,
    Connection,
    ConnectionState,
    Problem,
    SyncJob,
    WorkspaceIntegration,
    not_connected_reason,
)
from integrations.models.jobs import IS_IN_FLIGHT
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.records import instant
from integrations.selectors.endings import endings_of
from integrations.selectors.freshness import NEVER, Freshness, freshness_of
from integrations.selectors.jobs import counts
from integrations.selectors.links import connect_url
from integrations.selectors.metering import MeterReading, meters_of, midnight_after

MOST_ERRORS = 50
# These pass by themselves; every other open problem waits for a person.
PASSING = (ProblemCode.RATE_LIMITED, ProblemCode.PROVIDER_UNAVAILABLE)


@dataclass
class Standing:
    """One integration of one workspace as it stands now."""

    provider: Provider
    row: WorkspaceIntegration | None
    connections: list[Connection] = field(default_factory=list)
    live_job: SyncJob | None = None
    last_job: SyncJob | None = None
    problems: list[Problem] = field(default_factory=list)
    # By connection; those that nothing keeps current are not in it.
    freshness: dict[str, Freshness] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        return not_connected_reason([connection.state for connection in self.connections]) is None

    @property
    def accounts(self) -> list[Connection]:
        """Returns those that are not disconnected."""
        return [connection for connection in self.connections if connection.state != ConnectionState.DISCONNECTED]

    @property
    def next_sync_at(self) -> dt.datetime | None:
        """Returns when the dispatcher will start the next sync; None where nothing runs by schedule."""
        active = any(connection.state == ConnectionState.ACTIVE for connection in self.connections)
        return self.row.next_sync_at if self.row and active else None

    @property
    def health(self) -> str:
        """Returns ok, degraded (passes by itself), needs_attention (a person must act) or disconnected."""
        if not self.connected:
            return "disconnected"
        codes = {problem.code for problem in self.problems}
        if codes - set(PASSING) or any(connection.state in BROKEN for connection in self.connections):
            return "needs_attention"
        if codes or (self.row and self.row.failures) or self.stalled(timezone.now()):
            return "degraded"
        return "ok"

    @property
    def fresh_until(self) -> dt.datetime | None:
        """Returns until when all of it may be believed to be current: the earliest of its accounts."""
        times = [freshness.until for freshness in self.freshness.values()]
        known = [time for time in times if time]
        return min(known) if len(known) == len(times) and known else None

    def stalled(self, now: dt.datetime) -> bool:
        """Returns whether an account is older than it should be, whatever the cause."""
        return any(freshness.stalled(now) for freshness in self.freshness.values())

    @property
    def connect_url(self) -> str:
        return connect_url(self.provider.name)


def standing(workspace: Workspace, integration: str) -> Standing:
    """Returns one integration, in eight queries at most."""
    jobs = SyncJob.objects.filter(IS_IN_FLIGHT, workspace=workspace, integration=integration)
    connections = Connection.objects.filter(workspace=workspace, integration=integration)
    found = Standing(
        provider=PROVIDERS[integration],
        row=WorkspaceIntegration.objects.filter(workspace=workspace, integration=integration).first(),
        connections=list(connections.select_related("member").order_by("created_at", "pk")),
        live_job=jobs.first(),
        last_job=_over(workspace, integration).first(),
        problems=list(open_problems(workspace, integration)[:MOST_ERRORS]),
    )
    _judge_freshness([found])
    return found


def standings(workspace: Workspace) -> list[Standing]:
    """Returns how every integration stands, in seven queries however many there are."""
    found = {name: Standing(provider, None) for name, provider in PROVIDERS.items()}
    for row in WorkspaceIntegration.objects.filter(workspace=workspace, integration__in=found):
        found[row.integration].row = row
    connections = Connection.objects.filter(workspace=workspace, integration__in=found)
    for connection in connections.select_related("member").order_by("created_at", "pk"):
        found[connection.integration].connections.append(connection)
    # In no order: SQLite would go through all jobs of the company to save itself the sorting of a few.
    for job in SyncJob.objects.filter(IS_IN_FLIGHT, workspace=workspace, integration__in=found).order_by():
        found[job.integration].live_job = job
    for job in _last_jobs(workspace, found):
        found[job.integration].last_job = job
    place = Window(RowNumber(), partition_by="integration", order_by=[F("occurred_at").desc(), F("id").desc()])
    problems = open_problems(workspace).filter(integration__in=found).annotate(place=place)
    for problem in problems.filter(place__lte=MOST_ERRORS):
        found[problem.integration].problems.append(problem)
    _judge_freshness(list(found.values()))
    return list(found.values())


def _judge_freshness(found: list[Standing]) -> None:
    """Fills in how fresh the accounts are; two queries at most."""
    rows = [one.row for one in found if one.row]
    jobs = {(one.live_job.workspace_id, one.live_job.integration): one.live_job for one in found if one.live_job}
    connections = [connection for one in found for connection in one.connections]
    fresh = freshness_of(connections, rows, jobs, timezone.now())
    for one in found:
        one.freshness = {each.pk: fresh[each.pk] for each in one.connections if each.pk in fresh}


def _over(workspace: Workspace, integration: str) -> QuerySet[SyncJob]:
    """Returns its jobs that are over, newest first.

    By that time alone, which no two have, as one waits for the other's end: with the id beside it SQLite would walk an
    index that has both, through the jobs of all integrations."""
    jobs = SyncJob.objects.filter(workspace=workspace, integration=integration)
    jobs = jobs.filter(dry_run=False)  # which says nothing of how it stands
    return jobs.ended().order_by("-created_at")


def _last_jobs(workspace: Workspace, integrations: Iterable[str]) -> QuerySet[SyncJob]:
    """Returns the newest job of each that is over, by a look into the index for each: grouping would read all jobs."""
    newest = [Subquery(_over(workspace, integration).values("pk")[:1]) for integration in integrations]
    return SyncJob.objects.filter(pk__in=newest).order_by()


def open_problems(workspace: Workspace, integration: str = "") -> QuerySet[Problem]:
    """Problems that are open now, newest first; not the notices, not what a person chose to ignore."""
    problems = Problem.objects.listed().filter(workspace=workspace)
    if integration:
        problems = problems.filter(integration=integration)
    return problems.order_by("-occurred_at", "-id")


def status(workspace: Workspace, integration: str) -> dict[str, Any]:
    """Returns the status endpoint's answer. Never an error for a disconnected integration."""
    now = standing(workspace, integration)
    synced = now.row.last_synced_at if now.row else None
    at = timezone.now()
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
        "health": now.health,
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
