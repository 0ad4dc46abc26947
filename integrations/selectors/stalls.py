"""Why an account's data is older than it should be, and what there is to do about it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.models import Connection, ConnectionState, Problem, SyncJob, VendorOutage, WorkspaceIntegration
from integrations.models.jobs import IS_IN_FLIGHT
from integrations.providers import PROVIDERS
from integrations.selectors.dashboard import queue_health
from integrations.selectors.freshness import AT_WORK, AWAITED, Freshness, Jobs, freshness_of, is_awaited
from integrations.selectors.metering import midnight_after

BUSY = dt.timedelta(minutes=5)


class StallCause(TextChoices):
    """What keeps an account from being brought up to date, as `connection.stalled` names it."""

    NEEDS_RECONNECT = "needs_reconnect", _("The access has ended: somebody has to connect the account again.")
    NEEDS_PERMISSION = "needs_permission", _("A permission is missing: somebody has to connect the account again.")
    GIVEN_UP = "paused_after_failures", _("It was paused after failing several times in a row. Resume it, or see why.")
    VENDOR_OUTAGE = (
        "vendor_outage",
        _("{provider} does not answer for many of its customers. It goes on by itself as soon as it does."),
    )
    NO_WORKER = "no_worker", _("Nothing is synced at present: whoever runs this site has to start the worker.")
    QUEUE = "queue", _("The workers have more to do than they get done. Whoever runs this site can start more of them.")
    STUCK_JOB = "stuck_job", _("A sync is at work and comes no further. Cancel it on its page; the next begins anew.")
    READS_USED_UP = (
        "reads_used_up",
        _(
            "The reads that {provider} may bill today are used up. It goes on tomorrow, or when more are allowed on "
            "the account's page."
        ),
    )
    RATE_LIMITED = "rate_limited", _("{provider} asks us to wait. It goes on by itself.")
    VENDOR_UNAVAILABLE = (
        "vendor_unavailable",
        _("{provider} does not answer for this account. It is tried again by itself."),
    )
    CALENDAR_UNAVAILABLE = (
        "calendar_unavailable",
        _(
            "A calendar of the account cannot be read. Choose another on the account's page, or see what is wrong "
            "with it."
        ),
    )
    MISCONFIGURED = (
        "misconfigured",
        _("This site's app is not accepted by {provider}. Whoever runs the site can mend it."),
    )
    INTERNAL_ERROR = (
        "internal_error",
        _("FieldCamp itself has failed. Ask whoever runs this site to look at the account's last sync."),
    )
    PUSH_WAITS = "push_waits", _("{provider} has told of changes that were not taken in. Press Sync now to try it.")
    LATE = "late", _("No sync of it has come to its end. Press Sync now to try it, and look at its last sync.")

    def said(self, integration: str) -> str:
        """Returns what it is and what helps, in the reader's language."""
        return str(self.label).format(provider=PROVIDERS[integration].label)


# These concern everybody at once, and are no account's own.
OF_THE_SITE = (StallCause.NO_WORKER, StallCause.QUEUE)
# What the people of an account are told by a mail of its own.
TOLD_BY_THE_STATE = (StallCause.NEEDS_RECONNECT, StallCause.NEEDS_PERMISSION, StallCause.GIVEN_UP)
_BY_STATE = {
    ConnectionState.NEEDS_RECONNECT: StallCause.NEEDS_RECONNECT,
    ConnectionState.NEEDS_PERMISSION: StallCause.NEEDS_PERMISSION,
    ConnectionState.PAUSED: StallCause.GIVEN_UP,
}
# Worst first.
_BY_PROBLEM = {
    ProblemCode.MISCONFIGURED: StallCause.MISCONFIGURED,
    ProblemCode.RATE_LIMITED: StallCause.RATE_LIMITED,
    ProblemCode.PROVIDER_UNAVAILABLE: StallCause.VENDOR_UNAVAILABLE,
    ProblemCode.CALENDAR_UNAVAILABLE: StallCause.CALENDAR_UNAVAILABLE,
    ProblemCode.INTERNAL_ERROR: StallCause.INTERNAL_ERROR,
}


@dataclass(frozen=True, slots=True)
class Stall:
    """An account whose data is older than it should be since `since`."""

    connection: Connection
    since: dt.datetime
    cause: StallCause

    @property
    def sentence(self) -> str:
        return self.cause.said(self.connection.integration)


def in_flight(workspace_id: str = "") -> dict[tuple[str, str], SyncJob]:
    """Returns the jobs in flight (of all, or of one workspace) by workspace and integration, of which each has one at
    most."""
    jobs = SyncJob.objects.filter(IS_IN_FLIGHT, **({"workspace": workspace_id} if workspace_id else {}))
    return {(job.workspace_id, job.integration): job for job in jobs.order_by()}


def stalls_of(workspace: Workspace, now: dt.datetime) -> list[Stall]:
    """Returns the accounts of a company that are stalled; six queries at most where none is."""
    connections = list(Connection.objects.filter(workspace=workspace, state__in=AWAITED).select_related("member"))
    jobs = in_flight(workspace.pk)
    return stalls_among(connections, all_freshness(connections, jobs, now), jobs, now)


def all_freshness(connections: Sequence[Connection], jobs: Jobs, now: dt.datetime) -> dict[str, Freshness]:
    """Returns how fresh accounts of any company are; five queries at most, and `jobs` are those of `in_flight`."""
    rows = WorkspaceIntegration.objects.all()
    if len(connections) <= 500:
        rows = rows.filter(workspace__in={connection.workspace_id for connection in connections})
    return freshness_of(connections, list(rows), jobs, now)


def stalls_among(
    connections: Iterable[Connection], found: Mapping[str, Freshness], jobs: Jobs, now: dt.datetime
) -> list[Stall]:
    """Returns those that are stalled, and why; no query where none is, else five."""
    late = [(connection, found[connection.pk]) for connection in connections if _is_late(found, connection, now)]
    if not late:
        return []
    works = queue_health(now).somebody_works
    out = set(VendorOutage.objects.filter(closed_at=None).values_list("integration", flat=True))
    problems = _problems([connection for connection, _freshness in late])
    stalls = []
    for connection, freshness in late:
        job = jobs.get((connection.workspace_id, connection.integration))
        cause = _BY_STATE.get(ConnectionState(connection.state))
        if cause is None and not works:
            cause = StallCause.NO_WORKER
        if cause is None and connection.integration in out:
            cause = StallCause.VENDOR_OUTAGE
        if cause is None and job is not None:
            cause = _of_job(job, now)
        if cause is None:
            cause = _of_problems(connection, problems.get(connection.pk, []), now)
        if cause is None:
            cause = StallCause.PUSH_WAITS if freshness.push_waits else StallCause.LATE
        stalls.append(Stall(connection, freshness.due or now, cause))
    return stalls


def _is_late(found: Mapping[str, Freshness], connection: Connection, now: dt.datetime) -> bool:
    return is_awaited(connection) and connection.pk in found and found[connection.pk].stalled(now)


def _problems(connections: Sequence[Connection]) -> dict[str, list[str]]:
    rows = Problem.objects.open().filter(code__in=list(_BY_PROBLEM)).order_by()
    if len(connections) <= 500:
        rows = rows.filter(connection__in=connections)
    codes: dict[str, list[str]] = {}
    for pk, code in rows.values_list("connection_id", "code").distinct():
        codes.setdefault(pk, []).append(code)
    return codes


def _of_job(job: SyncJob, now: dt.datetime) -> StallCause | None:
    if job.started_at is None:
        return StallCause.QUEUE if now - job.created_at > BUSY else None
    return StallCause.STUCK_JOB if now - (job.progressed_at or job.started_at) > AT_WORK else None


def _of_problems(connection: Connection, codes: Sequence[str], now: dt.datetime) -> StallCause | None:
    waits = connection.retry_at if connection.retry_at and connection.retry_at > now else None
    if waits and waits == midnight_after(now) and PROVIDERS[connection.integration].meters_reads:
        return StallCause.READS_USED_UP
    found = next((cause for code, cause in _BY_PROBLEM.items() if code in codes), None)
    return found or (StallCause.RATE_LIMITED if waits else None)
