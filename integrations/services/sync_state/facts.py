"""What is known of a company's accounts as a whole, read once for all records that are asked about."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from django.db.models import Q
from django.utils.functional import SimpleLazyObject

from integrations.accounts.streams import owes_full, policy_of
from integrations.kinds import SubjectKind
from integrations.models import Connection, Problem, Stream, SyncJob, VendorOutage, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.selectors.dashboard import QueueHealth, queue_health
from integrations.selectors.freshness import jobs_of
from integrations.selectors.stalls import in_flight
from integrations.sync.policy import SyncPolicy


@dataclass(frozen=True)
class AccountFacts:
    """One account. `problems` are those that are open and wait for somebody, or for the provider, about the account as
    a whole, one of its streams, or a held removal; `job` is the one in flight that brings it up to date. `queue` is
    looked at only where it matters."""

    connection: Connection
    now: dt.datetime
    queue: QueueHealth
    streams: Sequence[Stream] = ()
    schedule: WorkspaceIntegration | None = None
    job: SyncJob | None = None
    outage: VendorOutage | None = None
    problems: Sequence[Problem] = field(default_factory=list)
    _policies: dict[str, SyncPolicy] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of_kind(self, kind: str) -> "AccountFacts":
        """Returns the same with the streams of this kind alone ("" for calendars)."""
        return replace(self, streams=[stream for stream in self.streams if stream.kind == kind])

    def policy(self, stream: Stream) -> SyncPolicy:
        """Returns what the next run of one of its streams may do, worked out once for all records."""
        known = self._policies.get(stream.pk)
        if known is None:
            known = policy_of(stream, full=owes_full(stream), others=self.streams)
            self._policies[stream.pk] = known
        return known

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


class Accounts:
    """The accounts of one company, each read once however many kinds of records are asked about."""

    def __init__(self, workspace_id: str, now: dt.datetime):
        self.workspace_id, self.now = workspace_id, now
        self._facts: dict[str, AccountFacts] = {}

    def of(self, connections: Collection[Connection], kind: str) -> dict[str, AccountFacts]:
        """Returns what is known of these accounts, by their ids, with the streams of that kind ("" for calendars).
        Connections have their member with them."""
        if new := [connection for connection in connections if connection.pk not in self._facts]:
            self._facts |= _read(self.workspace_id, new, self.now)
        return {connection.pk: self._facts[connection.pk].of_kind(kind) for connection in connections}


def _read(workspace_id: str, connections: Collection[Connection], now: dt.datetime) -> Mapping[str, AccountFacts]:
    """Reads what is known of these accounts; seven queries at most, however many there are."""
    ids = [connection.pk for connection in connections]
    streams: dict[str, list[Stream]] = defaultdict(list)
    by_id = {connection.pk: connection for connection in connections}
    for stream in Stream.objects.filter(connection__in=ids).order_by("-is_target", "-is_active", "pk"):
        stream.connection = by_id[stream.connection_id]
        streams[stream.connection_id].append(stream)
    schedules = {row.integration: row for row in WorkspaceIntegration.objects.filter(workspace=workspace_id)}
    jobs = jobs_of(connections, in_flight(workspace_id))
    outages = {outage.integration: outage for outage in VendorOutage.objects.filter(closed_at=None)}
    problems: dict[str, list[Problem]] = defaultdict(list)
    about = Q(record_id="") | Q(record_kind__in=[SubjectKind.STREAM, SubjectKind.HOLD])
    for problem in Problem.objects.listed().filter(about, connection__in=ids).order_by("-occurred_at", "-id"):
        problems[problem.connection_id or ""].append(problem)
    queue = cast(QueueHealth, SimpleLazyObject(lambda: queue_health(now)))
    return {
        connection.pk: AccountFacts(
            connection,
            now,
            queue,
            streams[connection.pk],
            schedules.get(connection.integration),
            jobs.get(connection.pk),
            outages.get(connection.integration),
            problems[connection.pk],
        )
        for connection in connections
    }
