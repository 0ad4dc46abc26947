"""What the dashboard shows beside its cards: what needs a person, and the queue's health."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, When

from fieldcamp.ids import first_id
from fieldcamp.workspace.models import Workspace
from integrations.errors import ProblemCode
from integrations.models import Heartbeat, JobStatus, Problem, SyncJob
from integrations.models.jobs import IS_IN_FLIGHT
from integrations.selectors.standings import FOR_NOBODY, INFORMING, PASSING, open_problems

# The row of `Heartbeat` that any worker writes when a pulse has come through the queue.
WORKER = "worker"
# Worst first: what stops a whole account before what concerns one record.
SEVERITY = (
    ProblemCode.MISCONFIGURED,
    ProblemCode.NEEDS_RECONNECT,
    ProblemCode.NEEDS_PERMISSION,
    ProblemCode.MEMBER_INACTIVE,
    ProblemCode.CALENDAR_UNAVAILABLE,
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
    problems = open_problems(workspace).exclude(code__in=FOR_NOBODY).select_related("connection", "link")
    # Ranked by the database: among thousands of refused records the one dead account must not be cut off.
    return list(problems.order_by(rank, "-occurred_at", "-id")[:limit])


def good_to_know(workspace: Workspace, limit: int = 20) -> list[Problem]:
    """Returns what a person should know and nobody must do anything about, newest first."""
    aside = Problem.objects.open().filter(workspace=workspace, ignored_at=None)
    informs = aside.filter(Q(notice=True) | Q(code__in=INFORMING)).select_related("connection", "link")
    return list(informs.order_by("-occurred_at", "-id")[:limit])


def open_questions(workspace: Workspace) -> int:
    """Returns how many open problems there are that a person can do something about."""
    return open_problems(workspace).exclude(code__in=FOR_NOBODY).order_by().count()


def new_questions(workspace: Workspace, since: dt.datetime, limit: int) -> tuple[list[Problem], int]:
    """Returns the newest open problems that a person can do something about and that are newer than this, and how many
    there are: two queries."""
    rows = open_problems(workspace).exclude(code__in=FOR_NOBODY).filter(pk__gte=first_id("prb", since))
    return list(rows.order_by("-occurred_at", "-id")[:limit]), rows.order_by().count()


def last_settled(workspace: Workspace) -> dt.datetime | None:
    """Returns when the newest of the company's problems was settled, of those that are not open any more."""
    problems = Problem.objects.filter(workspace=workspace, resolved_at__isnull=False, notice=False)
    return problems.order_by("-occurred_at", "-id").values_list("resolved_at", flat=True).first()


def queue_health(now: dt.datetime) -> QueueHealth:
    """Returns how the queue stands, for all workspaces together: two queries."""
    waiting = SyncJob.objects.filter(IS_IN_FLIGHT, status=JobStatus.QUEUED, started_at=None).order_by("created_at")
    oldest = waiting.values_list("created_at", flat=True).first()
    beat = Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()
    return QueueHealth(oldest_queued=now - oldest if oldest else None, heartbeat=now - beat if beat else None)
