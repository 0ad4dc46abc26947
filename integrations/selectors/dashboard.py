"""What the dashboard shows beside its cards: what needs a person, the queue's health, jobs per day."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, When

from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.models import Heartbeat, JobStatus, Problem, SyncJob
from integrations.models.jobs import IS_IN_FLIGHT
from integrations.selectors.status import PASSING, open_problems

# The row of `Heartbeat` that any worker writes when a pulse has come through the queue.
WORKER = "worker"
# Worst first: what stops a whole account before what concerns one record.
SEVERITY = (
    ProblemCode.MISCONFIGURED,
    ProblemCode.NEEDS_RECONNECT,
    ProblemCode.NEEDS_PERMISSION,
    ProblemCode.CONFIRMATION_NEEDED,
    ProblemCode.INTERNAL_ERROR,
    ProblemCode.CONFLICT,
    ProblemCode.RECORD_REJECTED,
    ProblemCode.AMOUNT_VARIANCE,
    ProblemCode.FULL_SYNC_FORCED,
    *PASSING,
)


# So long nothing has come through the queue before it is said that nobody works.
NOBODY_WORKS = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class QueueHealth:
    """`oldest_queued` is the age of the job that waits longest to be run, `heartbeat` that of the last pulse."""

    oldest_queued: dt.timedelta | None
    heartbeat: dt.timedelta | None

    @property
    def working(self) -> bool:
        return self.heartbeat is not None and self.heartbeat < dt.timedelta(seconds=60)

    @property
    def somebody_works(self) -> bool:
        """Returns whether there has been a pulse so lately that one is only late, if at all."""
        return self.heartbeat is not None and self.heartbeat < NOBODY_WORKS


def needs_you(workspace: Workspace, limit: int = 50) -> list[Problem]:
    """Returns every open problem that a person can do something about, worst first, then newest."""
    rank = Case(
        *(When(code=code, then=number) for number, code in enumerate(SEVERITY)),
        default=len(SEVERITY),
        output_field=IntegerField(),
    )
    problems = open_problems(workspace).exclude(code__in=PASSING).select_related("connection", "link")
    # Ranked by the database: among thousands of refused records the one dead account must not be cut off.
    return list(problems.order_by(rank, "-occurred_at", "-id")[:limit])


def queue_health(now: dt.datetime) -> QueueHealth:
    """Returns how the queue stands, for all workspaces together: two queries."""
    waiting = SyncJob.objects.filter(IS_IN_FLIGHT, status=JobStatus.QUEUED, started_at=None).order_by("created_at")
    oldest = waiting.values_list("created_at", flat=True).first()
    beat = Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()
    return QueueHealth(oldest_queued=now - oldest if oldest else None, heartbeat=now - beat if beat else None)


def jobs_per_day(workspace: Workspace, now: dt.datetime, days: int = 14) -> list[tuple[dt.date, dict[str, int]]]:
    """Returns for each of the last days, oldest first, how many jobs ended how. In the workspace's own days."""
    zone = zoneinfo.ZoneInfo(workspace.timezone)
    today = now.astimezone(zone).date()
    first = dt.datetime.combine(today - dt.timedelta(days=days - 1), dt.time(), zone)
    dates = [first.date() + dt.timedelta(days=n) for n in range(days)]
    # By comparing with midnights: TruncDate is a Python function for each row on SQLite. All statuses are named so
    # that the index on them holds everything that is asked for.
    midnights = [(number, dt.datetime.combine(day, dt.time(), zone)) for number, day in enumerate(dates)]
    number_of_day = Case(
        *(When(created_at__gte=midnight, then=number) for number, midnight in reversed(midnights)),
        output_field=IntegerField(),
    )
    rows = (
        SyncJob.objects.filter(workspace=workspace, created_at__gte=first, status__in=JobStatus.values)
        .order_by()
        .annotate(day=number_of_day)
        .values_list("day", "status")
        .annotate(number=Count("pk"))
    )
    by_day: list[dict[str, int]] = [{} for _ in dates]
    for day, status, number in rows:
        by_day[day][status] = number
    return list(zip(dates, by_day, strict=True))
