"""When an integration is to be synced next, by schedule."""

import datetime as dt
import random
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, PushMark, WorkspaceIntegration
from integrations.providers import PROVIDERS

JITTER = 0.1
LONGEST_BACKOFF = dt.timedelta(hours=6)
# So many pushes missed in a day, and the vendor is taken not to tell of changes, until it does.
MOST_MISSED = 3
# A vendor that has told of nothing at all for so long may have stopped telling.
TOLD_LATELY = dt.timedelta(days=7)


def integration_of(workspace: Workspace | str, integration: str) -> WorkspaceIntegration:
    """Returns the row of one integration of one workspace, made when it is first asked for."""
    workspace_id = workspace if isinstance(workspace, str) else workspace.pk
    row, _made = WorkspaceIntegration.objects.get_or_create(
        workspace_id=workspace_id,
        integration=integration,
        defaults={"interval_minutes": settings.SYNC_INTERVAL_MINUTES},
    )
    return row


def scheduled_connections(workspace_id: str, integration: str) -> QuerySet[Connection]:
    """Returns the connections that the schedule may use: never one that a person has paused."""
    return Connection.objects.scheduled().filter(workspace_id=workspace_id, integration=integration).order_by("pk")


def interval_of(row: WorkspaceIntegration, now: dt.datetime | None = None) -> dt.timedelta:
    """Returns how far two scheduled syncs lie apart: as the company has chosen, and longer where nobody has, each read
    is billed, and the vendor is known to tell of changes by itself."""
    return intervals_of([row], now)[row.workspace_id, row.integration]


def intervals_of(
    rows: Iterable[WorkspaceIntegration], now: dt.datetime | None = None, *, planned: bool = False
) -> dict[tuple[str, str], dt.timedelta]:
    """Returns the same for many, by workspace and integration; one query, and one for each vendor. `planned`: as long
    as a sync may still be planned so, which what has lapsed meanwhile does not bring forward."""
    found, longer = {}, {}
    for row in rows:
        key = (row.workspace_id, row.integration)
        found[key] = usual = dt.timedelta(minutes=row.interval_minutes)
        if every := _lengthened(row):
            longer[key] = max(usual, every)
    since = (now or timezone.now()) - TOLD_LATELY
    if planned and longer:
        since -= max(longer.values()) * (1 + JITTER)
    telling = {name for name in {integration for _workspace, integration in longer} if _tells(name, since)}
    longer = {key: interval for key, interval in longer.items() if key[1] in telling}
    if longer:
        names = {"integration__in": telling}
        if len(longer) <= 500:
            names["workspace__in"] = {workspace for workspace, _integration in longer}
        untold = Connection.objects.scheduled().filter(~_is_told_of(), **names)
        silent = set(untold.order_by().values_list("workspace_id", "integration").distinct())
        found |= {key: interval for key, interval in longer.items() if key not in silent}
    return found


def interval_minutes_of(row: WorkspaceIntegration) -> int:
    """Returns the same in whole minutes; 0 where nothing is synced by schedule."""
    return int(interval_of(row).total_seconds() // 60) if row.interval_minutes else 0


def is_left_to_vendor(row: WorkspaceIntegration) -> bool:
    """Returns whether nobody has chosen the interval of what is read less often while its vendor tells of changes."""
    return scheduled_every(row.integration) is not None and not row.interval_chosen


def scheduled_every(integration: str) -> dt.timedelta | None:
    """Returns the interval of what its vendor tells of; None where that is no longer than any other."""
    source = PROVIDERS[integration].push if integration in PROVIDERS else None
    return source.scheduled_every if source is not None else None


def end_lengthening(workspace_id: str, integration: str, now: dt.datetime) -> None:
    """Has the next sync come now where it was planned in the belief that all changes are told of: one was not."""
    row = WorkspaceIntegration.objects.filter(workspace=workspace_id, integration=integration).first()
    if row is None or not row.interval_minutes or not is_left_to_vendor(row):
        return
    usual = dt.timedelta(minutes=row.interval_minutes) * (1 + JITTER)
    late = WorkspaceIntegration.objects.filter(pk=row.pk, interval_chosen=False, failures=0)
    if late.filter(next_sync_at__gt=now + usual).update(next_sync_at=now):
        # What was synced an hour ago is not late because it is read more often from now on.
        accounts = Connection.objects.connected().filter(workspace=workspace_id, integration=integration)
        accounts.filter(fresh_from__lt=now).update(fresh_from=now)


def _lengthened(row: WorkspaceIntegration) -> dt.timedelta | None:
    """Returns the interval of the row while its vendor tells of changes; None where that makes no difference."""
    if not row.interval_minutes or not is_left_to_vendor(row):
        return None
    source = PROVIDERS[row.integration].push
    return source.scheduled_every if source is not None and source.usable() else None


def _tells(integration: str, since: dt.datetime) -> bool:
    """Returns whether the vendor has told of any company's changes since then. An app has one address for all, so that
    says of a company where nothing happens, too, that it would be told of."""
    marks = PushMark.objects.filter(stream__connection__integration=integration)
    return marks.filter(pushed_at__gt=since).exists()


def _is_told_of() -> Exists | Q:
    """Returns the condition that the vendor has told of a connection's changes, and since each miss of a stream of
    that stream again: whatever is not told of is looked for at the usual pace until it is."""
    marks = PushMark.objects.filter(stream__connection=OuterRef("pk"), stream__is_active=True)
    unanswered = Q(pushed_at=None) | Q(pushed_at__lte=F("missed_at"))
    return Exists(marks.filter(pushed_at__isnull=False)) & ~Exists(marks.filter(unanswered, missed_at__isnull=False))


def next_sync(
    row: WorkspaceIntegration, now: dt.datetime, spread: Callable[[], float] = random.random
) -> dt.datetime | None:
    """Returns when the dispatcher is to start the next sync; None where nothing may run by schedule.

    An account that must wait has a time of its own; the earliest counts. Failures double the interval, up to six hours.
    """
    waits = list(scheduled_connections(row.workspace_id, row.integration).values_list("retry_at", flat=True))
    if not waits or not row.interval_minutes:
        return None
    interval = interval_of(row, now)
    pause = min(interval * 2 ** min(row.failures, 16), max(interval, LONGEST_BACKOFF))
    regular = now + pause * (1 - JITTER + 2 * JITTER * spread())
    return min(wait if wait and wait > now else regular for wait in waits)
