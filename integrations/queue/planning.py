"""When an integration is to be synced next, by schedule."""

import datetime as dt
import random
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, PushMark, WorkspaceIntegration
from integrations.providers import PROVIDERS

JITTER = 0.1
LONGEST_BACKOFF = dt.timedelta(hours=6)
# So many pushes missed in a day, and the vendor is taken not to tell of changes, until it does.
MOST_MISSED = 3


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


def interval_of(row: WorkspaceIntegration) -> dt.timedelta:
    """Returns how far two scheduled syncs lie apart: as the company has chosen, and longer where nobody has, each read
    is billed, and the vendor tells of changes by itself."""
    return intervals_of([row])[row.workspace_id, row.integration]


def intervals_of(rows: Iterable[WorkspaceIntegration]) -> dict[tuple[str, str], dt.timedelta]:
    """Returns the same for many, by workspace and integration; one query at most."""
    found, longer = {}, {}
    for row in rows:
        key = (row.workspace_id, row.integration)
        found[key] = chosen = dt.timedelta(minutes=row.interval_minutes)
        source = PROVIDERS[row.integration].push if row.integration in PROVIDERS else None
        nobody_chose = row.interval_minutes == settings.SYNC_INTERVAL_MINUTES
        if source is not None and source.scheduled_every is not None and nobody_chose and source.usable():
            longer[key] = max(chosen, source.scheduled_every)
    if longer:
        names = {"integration__in": {integration for _workspace, integration in longer}}
        if len(longer) <= 500:
            names["workspace__in"] = {workspace for workspace, _integration in longer}
        untold = Connection.objects.scheduled().filter(**names).exclude(pk__in=_told_of_changes())
        silent = set(untold.order_by().values_list("workspace_id", "integration").distinct())
        found |= {key: interval for key, interval in longer.items() if key not in silent}
    return found


def interval_minutes_of(row: WorkspaceIntegration) -> int:
    """Returns the same in whole minutes; 0 where nothing is synced by schedule."""
    return int(interval_of(row).total_seconds() // 60) if row.interval_minutes else 0


def told_of_changes(row: WorkspaceIntegration) -> QuerySet[PushMark, Any]:
    """Returns the ids of the integration's connections whose vendor has told of changes, and as far as is known of all
    of them."""
    return _told_of_changes(
        stream__connection__workspace=row.workspace_id, stream__connection__integration=row.integration
    )


def _told_of_changes(**whose: str) -> QuerySet[PushMark, Any]:
    marks = PushMark.objects.filter(**whose)
    connections = marks.values_list("stream__connection", flat=True)
    quiet = marks.filter(missed__gte=MOST_MISSED).values("stream__connection")
    return connections.filter(pushed_at__isnull=False).exclude(stream__connection__in=quiet)


def next_sync(
    row: WorkspaceIntegration, now: dt.datetime, spread: Callable[[], float] = random.random
) -> dt.datetime | None:
    """Returns when the dispatcher is to start the next sync; None where nothing may run by schedule.

    An account that must wait has a time of its own; the earliest counts. Failures double the interval, up to six hours.
    """
    waits = list(scheduled_connections(row.workspace_id, row.integration).values_list("retry_at", flat=True))
    if not waits or not row.interval_minutes:
        return None
    interval = interval_of(row)
    pause = min(interval * 2 ** min(row.failures, 16), max(interval, LONGEST_BACKOFF))
    regular = now + pause * (1 - JITTER + 2 * JITTER * spread())
    return min(wait if wait and wait > now else regular for wait in waits)
