"""When an integration is to be synced next, by schedule."""

import datetime as dt
import random
from collections.abc import Callable

from django.conf import settings
from django.db.models import QuerySet

from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, WorkspaceIntegration

JITTER = 0.1
LONGEST_BACKOFF = dt.timedelta(hours=6)


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


def next_sync(
    row: WorkspaceIntegration, now: dt.datetime, spread: Callable[[], float] = random.random
) -> dt.datetime | None:
    """Returns when the dispatcher is to start the next sync; None where nothing may run by schedule.

    An account that must wait has a time of its own; the earliest counts. Failures double the interval, up to six hours.
    """
    waits = list(scheduled_connections(row.workspace_id, row.integration).values_list("retry_at", flat=True))
    if not waits or not row.interval_minutes:
        return None
    interval = dt.timedelta(minutes=row.interval_minutes)
    pause = min(interval * 2 ** min(row.failures, 16), max(interval, LONGEST_BACKOFF))
    regular = now + pause * (1 - JITTER + 2 * JITTER * spread())
    return min(wait if wait and wait > now else regular for wait in waits)
