"""The rows that tell how an integration stands: its accounts, the job that runs and the last one, what is open."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.models import (
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
from integrations.selectors.freshness import Freshness, freshness_of
from integrations.selectors.links import connect_url

MOST_ERRORS = 50
# These pass by themselves; of others a person need do nothing; every other open problem waits for a person.
PASSING = (ProblemCode.RATE_LIMITED, ProblemCode.PROVIDER_UNAVAILABLE)
INFORMING = (ProblemCode.FULL_SYNC_FORCED,)
FOR_NOBODY = (*PASSING, *INFORMING)


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
