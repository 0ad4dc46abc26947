"""The company's counter of events, whose lock says whose turn it is: of those who hand events out, and of those who
change which endpoints are handed any."""

from fieldcamp.webhooks.models import EventCounter


def locked_counter(workspace_id: str) -> EventCounter:
    """Returns the counter, locked until the caller's transaction ends: until then no event is handed out, and what
    others were handing out is committed. Lock it before any endpoint."""
    EventCounter.objects.bulk_create([EventCounter(workspace_id=workspace_id)], ignore_conflicts=True)
    return EventCounter.objects.select_for_update().get(pk=workspace_id)
