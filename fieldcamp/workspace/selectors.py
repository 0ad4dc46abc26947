"""Reads of one workspace's visits, clients and team."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from fieldcamp.workspace.models import Client, Member, Visit, Workspace


def visits(
    *,
    workspace: Workspace,
    statuses: Sequence[str] = (),
    technician_id: str = "",
    client_id: str = "",
    since: dt.datetime | None = None,
    scheduled_from: dt.datetime | None = None,
    scheduled_to: dt.datetime | None = None,
) -> QuerySet[Visit]:
    """Visits changed at or after `since` that start in [scheduled_from, scheduled_to)."""
    found = Visit.objects.alive().filter(workspace=workspace)
    if statuses:
        found = found.filter(visit_status__in=statuses)
    if technician_id:
        found = found.filter(technician_id=technician_id)
    if client_id:
        found = found.filter(client_id=client_id)
    if since:
        found = found.filter(updated_at__gte=since)
    if scheduled_from:
        found = found.filter(scheduled_start__gte=scheduled_from)
    if scheduled_to:
        found = found.filter(scheduled_start__lt=scheduled_to)
    return found


def clients(
    *, workspace: Workspace, search: str = "", stage: str = "", since: dt.datetime | None = None
) -> QuerySet[Client]:
    """Clients changed at or after `since`; each word of `search` is in a name or the e-mail address."""
    found = Client.objects.alive().filter(workspace=workspace)
    for word in search.split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(company_name__icontains=word)
            | Q(email__icontains=word)
        )
    if stage:
        found = found.filter(stage=stage)
    if since:
        found = found.filter(updated_at__gte=since)
    return found


def team(*, workspace: Workspace) -> QuerySet[Member]:
    """Everybody, inactive people included."""
    return Member.objects.filter(workspace=workspace)
