"""The log of events: keyset pages over numbers that are given out under a lock, so that no event appears behind a
reader. A position is the number of the last event that a reader has seen."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Min, QuerySet

from fieldcamp.webhooks.errors import EventsExpired
from fieldcamp.webhooks.models import EventCounter, WebhookEvent
from fieldcamp.workspace.models import Workspace

# Longer than any transaction lasts: an event of which one is open is numbered after those that happened meanwhile.
_LATE = dt.timedelta(hours=1)


@dataclass(frozen=True)
class EventPage:
    """Some events, where to go on (`resume`), and whether more are there already."""

    events: list[WebhookEvent]
    resume: int
    more: bool


class EventLog:
    """The events of one workspace, of these types: tests are none of them."""

    def __init__(self, workspace: Workspace, types: Collection[str]):
        # Read before any event: what is numbered later has a higher number and is still to come.
        counter = EventCounter.objects.filter(workspace=workspace).first()
        self.last = counter.last if counter else 0
        self.pruned_to = counter.pruned_to if counter else 0
        self.all = WebhookEvent.objects.filter(workspace=workspace, is_test=False, sequence__isnull=False)
        self.types = types

    def after_time(self, since: dt.datetime, now: dt.datetime) -> int:
        """Returns the position before everything that happened at or after `since`. Raises EventsExpired."""
        if since < now - dt.timedelta(days=settings.EVENT_RETENTION_DAYS):
            raise _expired(now)
        later = self.all.filter(created_at__gte=since)
        first = later.order_by("created_at").values_list("created_at", flat=True).first()
        if first is None:
            return self.last
        lowest: int = later.filter(created_at__lt=first + _LATE).aggregate(lowest=Min("sequence"))["lowest"]
        return lowest - 1

    def checked(self, position: int, now: dt.datetime) -> int:
        """Returns the position of a cursor, if nothing behind it has been pruned. Raises EventsExpired."""
        if position < self.pruned_to:
            raise _expired(now)
        return position

    def page(self, after: int, limit: int) -> EventPage:
        """Returns the next `limit` events. A page costs the same wherever in the log it stands."""
        rows: QuerySet[WebhookEvent] = self.all.filter(sequence__gt=after, sequence__lte=self.last, type__in=self.types)
        found = list(rows.order_by("sequence")[: limit + 1])
        if len(found) > limit:
            return EventPage(found[:limit], resume=found[limit - 1].sequence or after, more=True)
        return EventPage(found, resume=max(after, self.last), more=False)


def _expired(now: dt.datetime) -> EventsExpired:
    # An hour inside the retention, so that the reader who uses it does not miss the edge again.
    return EventsExpired(now - dt.timedelta(days=settings.EVENT_RETENTION_DAYS) + dt.timedelta(hours=1))
