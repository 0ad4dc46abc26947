"""Which accounts a job is about."""

from django.utils import timezone

from integrations.models import Connection, Link, SyncJob


def connections_of(job: SyncJob) -> list[Connection]:
    """Returns the accounts that a job is about: all that are usable, or the one that was asked for."""
    if job.triggered_by == SyncJob.Trigger.SCHEDULE:
        connections = Connection.objects.scheduled().exclude(retry_at__gt=timezone.now())  # its turn comes when it may
    else:
        connections = Connection.objects.usable()
    connections = connections.filter(workspace_id=job.workspace_id, integration=job.integration)
    if job.connection_id:
        connections = connections.filter(pk=job.connection_id)
    if job.only is not None:
        connections = connections.filter(pk__in=Link.objects.filter(pk__in=job.only).values("stream__connection"))
    return list(connections)
