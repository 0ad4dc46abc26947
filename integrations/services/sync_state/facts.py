"""What is known of a company's accounts as a whole, read once for all records that are asked about."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Q

from integrations.kinds import SubjectKind
from integrations.models import Connection, Problem, Stream, SyncJob, VendorOutage, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.selectors.dashboard import queue_health
from integrations.selectors.freshness import jobs_of
from integrations.selectors.stalls import NOBODY_WORKS, in_flight


class WorkerHealth:
    """Whether anybody works at all; asked for only where it matters, and once."""

    def __init__(self, now: dt.datetime):
        self.now = now

    @cached_property
    def works(self) -> bool:
        heartbeat = queue_health(self.now).heartbeat
        return heartbeat is not None and heartbeat < NOBODY_WORKS


@dataclass(frozen=True)
class AccountFacts:
    """One account. `problems` are those that are open and wait for somebody, or for the provider, about the account as
    a whole, one of its streams, or a held removal; `job` is the one in flight that brings it up to date."""

    connection: Connection
    now: dt.datetime
    worker: WorkerHealth
    streams: Sequence[Stream] = ()
    schedule: WorkspaceIntegration | None = None
    job: SyncJob | None = None
    outage: VendorOutage | None = None
    problems: Sequence[Problem] = field(default_factory=list)

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.connection.integration]

    @property
    def own_problems(self) -> list[Problem]:
        """Returns those about the account as a whole."""
        return [problem for problem in self.problems if not problem.record_id]

    def problems_of(self, kind: SubjectKind, record_id: str) -> list[Problem]:
        """Returns those about this stream or this held removal."""
        return [problem for problem in self.problems if (problem.record_kind, problem.record_id) == (kind, record_id)]


def account_facts(
    workspace_id: str, connections: Collection[Connection], kind: str, now: dt.datetime
) -> Mapping[str, AccountFacts]:
    """Returns what is known of these accounts of one company, by their ids; `kind` is that of the streams that matter
    ("" for calendars). Seven queries however many there are. Connections have their member with them."""
    if not connections:
        return {}
    ids = [connection.pk for connection in connections]
    streams: dict[str, list[Stream]] = defaultdict(list)
    by_id = {connection.pk: connection for connection in connections}
    for stream in Stream.objects.filter(connection__in=ids, kind=kind).order_by("-is_target", "-is_active", "pk"):
        stream.connection = by_id[stream.connection_id]
        streams[stream.connection_id].append(stream)
    schedules = {row.integration: row for row in WorkspaceIntegration.objects.filter(workspace=workspace_id)}
    jobs = jobs_of(connections, in_flight(workspace_id))
    outages = {outage.integration: outage for outage in VendorOutage.objects.filter(closed_at=None)}
    problems: dict[str, list[Problem]] = defaultdict(list)
    about = Q(record_id="") | Q(record_kind__in=[SubjectKind.STREAM, SubjectKind.HOLD])
    for problem in Problem.objects.listed().filter(about, connection__in=ids).order_by("-occurred_at", "-id"):
        problems[problem.connection_id or ""].append(problem)
    worker = WorkerHealth(now)
    return {
        connection.pk: AccountFacts(
            connection,
            now,
            worker,
            streams[connection.pk],
            schedules.get(connection.integration),
            jobs.get(connection.pk),
            outages.get(connection.integration),
            problems[connection.pk],
        )
        for connection in connections
    }
