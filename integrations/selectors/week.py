"""What one week brought to one company: for the weekly summary."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, Sum

from fieldcamp.workspace.models import Workspace
from integrations.models import BROKEN, Connection, ConnectionState, Problem, SyncJob
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.selectors.company.findings import FindingKind
from integrations.selectors.company.state import company_state
from integrations.selectors.dashboard import needs_you

MOST = 5
# The open problems are listed by themselves; what runs is over when the mail is read.
_NOT_IN_MAILS = (FindingKind.NEEDS_YOU, FindingKind.RUNNING)


@dataclass
class IntegrationWeek:
    """One integration's week. `problems` are the worst of `open` problems that a person can do something about."""

    provider: Provider
    connections: list[Connection] = field(default_factory=list)
    jobs: int = 0
    pulled: int = 0
    pushed: int = 0
    failed: int = 0
    open: int = 0
    # How it stands now, where it is not simply in step: sentences of the first page, but for the open problems.
    now: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def accounts(self) -> str:
        return ", ".join(connection.account_name for connection in self.connections)

    @property
    def more(self) -> int:
        return self.open - len(self.problems)

    def first_in(self, *states: ConnectionState) -> Connection | None:
        """Returns the first account that is in one of these states."""
        return next((connection for connection in self.connections if connection.state in states), None)

    @property
    def broken(self) -> Connection | None:
        return self.first_in(*BROKEN)

    @property
    def unfinished(self) -> Connection | None:
        return self.first_in(ConnectionState.SETUP)

    @property
    def paused(self) -> Connection | None:
        return self.first_in(ConnectionState.PAUSED)


def week_of(workspace: Workspace, start: dt.datetime, end: dt.datetime) -> list[IntegrationWeek]:
    """Returns a part for each integration that had an account by the end of that week, and how it stands now; a
    constant number of queries."""
    parts: dict[str, IntegrationWeek] = {}
    connected = Connection.objects.filter(workspace=workspace, connected_at__lt=end)
    for connection in connected.connected().order_by("created_at", "pk"):
        if connection.integration in PROVIDERS:
            part = parts.setdefault(connection.integration, IntegrationWeek(PROVIDERS[connection.integration]))
            part.connections.append(connection)
    if not parts:
        return []
    jobs = SyncJob.objects.filter(workspace=workspace, created_at__gte=start, created_at__lt=end).order_by()
    jobs = jobs.filter(dry_run=False)
    sums = jobs.values("integration").annotate(
        jobs=Count("pk"), pulled=Sum("pulled"), pushed=Sum("pushed"), failed=Sum("failed")
    )
    for row in sums:
        if row["integration"] in parts:
            part = parts[row["integration"]]
            part.jobs, part.pulled, part.pushed, part.failed = (
                row["jobs"], row["pulled"], row["pushed"], row["failed"]
            )  # fmt: skip
    state = company_state(workspace)
    for name, part in parts.items():
        findings = state.of(name)
        part.open = sum(finding.count for finding in findings if finding.kind is FindingKind.NEEDS_YOU)
        part.now = [finding.sentence for finding in findings if finding.kind not in _NOT_IN_MAILS]
    worst: dict[str, list[Problem]] = defaultdict(list)
    for problem in needs_you(workspace, limit=200):
        worst[problem.integration].append(problem)
    for name, part in parts.items():
        part.problems = worst[name][:MOST]
    return [parts[name] for name in PROVIDERS if name in parts]
