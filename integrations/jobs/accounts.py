"""Which accounts a job is about, and which calendars, or kinds of the books' records, of each; what ends access."""

from django.utils import timezone

from integrations.accounts.leaving import streams_to_leave
from integrations.accounts.people import follow_members
from integrations.accounts.state import judge
from integrations.errors import MemberInactive, NeedsPermission, NeedsReconnect, ProblemCode, ProviderError
from integrations.ledger.containers import is_worth_another_look
from integrations.models import Connection, JobPart, Link, Stream, SyncJob
from integrations.providers import PROVIDERS

# Their problems are opened with the account's state.
TOLD_BY_THE_STATE = (NeedsReconnect.code, NeedsPermission.code, MemberInactive.code)


def connections_of(job: SyncJob) -> list[Connection]:
    """Returns the accounts that a job is about: all that are usable or being left, or the one that was asked for; of
    one that is narrowed, those of its parts that are still well."""
    if job.narrowed:
        return list(Connection.objects.active().filter(job_parts__job=job, leaving__isnull=True))
    if job.triggered_by == SyncJob.Trigger.SCHEDULE:
        connections = Connection.objects.scheduled() | Connection.objects.leaving()
        connections = connections.exclude(retry_at__gt=timezone.now())  # its turn comes when it may
    else:
        connections = Connection.objects.usable() | Connection.objects.leaving()
    connections = connections.filter(workspace_id=job.workspace_id, integration=job.integration)
    if job.connection_id:
        connections = connections.filter(pk=job.connection_id)
    if not job.leaves:
        connections = connections.filter(leaving__isnull=True)
    if job.only is not None:
        connections = connections.filter(pk__in=Link.objects.filter(pk__in=job.only).values("stream__connection"))
    return list(connections)


def streams_of(part: JobPart) -> list[Stream]:
    """Returns the account's streams as far as the job covers them: the target first, books as they depend on each
    other; where it is being left, all that hold something of ours."""
    if part.connection.leaving is not None:
        return list(streams_to_leave(part.connection))
    kinds = PROVIDERS[part.job.integration].covers(part.job.scope)
    streams = part.connection.streams.filter(kind__in=("", *kinds)).order_by("-is_target", "pk")
    full = part.job.mode == SyncJob.Mode.FULL
    due = [stream for stream in streams if stream.is_active or is_worth_another_look(stream, full)]
    return sorted(due, key=lambda stream: kinds.index(stream.kind) if stream.kind else 0)


def end_access(connection: Connection, error: ProviderError) -> tuple[ProblemCode, str]:
    """Brings the account's state in line with what has ended its run, and returns the code and the sentence of that.
    Runs inside the caller's transaction."""
    if isinstance(error, MemberInactive):
        follow_members(connection.member_id or "")
    return judge(connection, error, timezone.now())
