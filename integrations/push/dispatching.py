"""Starts what is due before the schedule's time: one job for each integration, over exactly the accounts concerned.

Any number of supervisors may do this at once: of those that find the same, one makes the job, and makes it of what is
due then.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping

import structlog
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from fieldcamp.workspace.models import Workspace
from integrations.models import JobPart, PushMark, ReceivedPush, SyncJob
from integrations.providers import PROVIDERS
from integrations.push.due import DueAccounts, IntegrationKey, due_accounts, due_accounts_of
from integrations.queue.enqueue import SyncInProgress, create_job

# Between two jobs that pushes have made of one account: little at first, so that what somebody edits one after the
# other arrives so; more where they do not end (a bulk edit tells of itself for minutes), and where looking is billed.
BETWEEN_FEW, BETWEEN_MANY = dt.timedelta(seconds=4), dt.timedelta(seconds=30)
FEW, LATELY = 6, dt.timedelta(minutes=3)
# Who has started it, where records were saved.
SAVED = "saved records"
# How old a push may be to be put down to the job that it makes.
_CAUSES = dt.timedelta(days=1)

log = structlog.get_logger(__name__)


class _NothingDue(Exception):
    """Another supervisor has been here meanwhile."""


def dispatch_prompt(now: dt.datetime, *, everything: bool = True) -> int:
    """Starts the jobs of what is due; how many. Without `everything` it looks at what was saved lately only."""
    started = 0
    for key in sorted(due_accounts(now, everything=everything)):
        with contextlib.suppress(SyncInProgress, _NothingDue):
            _start(key, now)
            started += 1
    return started


def _start(key: IntegrationKey, now: dt.datetime) -> None:
    workspace_id, integration = key
    with transaction.atomic():
        job = create_job(
            workspace=Workspace(pk=workspace_id),
            integration=integration,
            triggered_by=SyncJob.Trigger.SCHEDULE,
            actor=SAVED,
            narrowed=True,
        )
        due = due_accounts_of(key, now)  # now that nobody else can make one
        if not due.all:
            raise _NothingDue
        JobPart.objects.bulk_create(
            [JobPart(job=job, connection_id=connection_id) for connection_id in sorted(due.all)], batch_size=500
        )
        if due.pushed:
            SyncJob.objects.filter(pk=job.pk).update(triggered_by=SyncJob.Trigger.PUSH, actor="push")
            put_down_to(job, due.pushed, now)
        _rest(job, due, _take(PushMark.objects.filter(stream__connection__in=due.all), now), now)
    log.info("prompt_job", job_id=job.pk, pushed=len(due.pushed), saved=len(due.saved))


def take_pushed(job: SyncJob, now: dt.datetime) -> None:
    """Notes what a job knows of that begins now, of whatever accounts it is about. One that was made of what is due has
    known since then. Runs in the transaction of its beginning."""
    if job.narrowed or job.dry_run or job.only is not None or PROVIDERS[job.integration].push is None:
        return
    marks = PushMark.objects.filter(
        stream__connection__workspace=job.workspace_id, stream__connection__integration=job.integration
    )
    _take(marks.filter(stream__connection=job.connection_id) if job.connection_id else marks, now)


def _take(marks: QuerySet[PushMark], now: dt.datetime) -> dict[str, dt.datetime | None]:
    """Notes that a run knows of all that was pushed by now, also of what would be due a little later; returns when it
    is due, by stream."""
    due = marks.filter(due_at__isnull=False).order_by("pk")
    locked = dict(due.select_for_update(of=("self",)).values_list("pk", "due_at"))
    if locked:
        PushMark.objects.filter(pk__in=locked).update(taken_at=now)
    return locked


def _rest(job: SyncJob, due: DueAccounts, taken: Mapping[str, dt.datetime | None], now: dt.datetime) -> None:
    """Keeps pushes from starting another job of these accounts right after this one."""
    begun = [pk for pk, due_at in taken.items() if due_at is not None and due_at <= now]
    begun_of_pushed = PushMark.objects.filter(pk__in=begun, stream__connection__in=due.pushed)
    busy = _often_pushed(job, due.pushed, now)
    for of, pause in ((Q(stream__connection__in=busy), BETWEEN_MANY), (~Q(stream__connection__in=busy), BETWEEN_FEW)):
        begun_of_pushed.filter(of).update(rests_until=now + pause)


def _often_pushed(job: SyncJob, connection_ids: set[str], now: dt.datetime) -> set[str]:
    """Returns the accounts that rest longer after this job: pushes have made several of them lately, or each is
    billed."""
    if PROVIDERS[job.integration].meters_reads:
        return connection_ids
    lately = JobPart.objects.filter(
        connection__in=connection_ids, job__triggered_by=SyncJob.Trigger.PUSH, job__created_at__gt=now - LATELY
    )
    counted = lately.order_by().values("connection").annotate(jobs=Count("pk")).filter(jobs__gte=FEW)
    return set(counted.values_list("connection", flat=True))


def put_down_to(job: SyncJob, connection_ids: set[str], until: dt.datetime) -> None:
    """Notes for the desk that this job is what came of these accounts' pushes."""
    received = ReceivedPush.objects.filter(connection__in=connection_ids, job=None)
    received.filter(received_at__lte=until, received_at__gt=until - _CAUSES).update(job=job)
