"""What the first sync of a connection would do, before anything is written."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.accounts.clients import open_remote
from integrations.calendar.visits import VisitsOfStream
from integrations.calendar.window import window_at
from integrations.errors import Unavailable
from integrations.models import Connection, Direction
from integrations.paging import getting_on
from integrations.records import RemoteRecord, Window, instant, is_day
from integrations.transport.patience import left

MOST_LISTED = 500  # visits by name
MAX_PAGES = 4  # of up to 2,500 events each: a preview has to appear while somebody waits


@dataclass(frozen=True)
class FirstSync:
    """`visits` are the first of those that are made, with their clients. `complete` is false where the calendar is so
    large that the listing was broken off. Nothing is ever removed."""

    to_create: int
    busy: int
    complete: bool = True
    to_remove: int = 0
    visits: Sequence[Visit] = ()


def preview_first_sync(connection: Connection, now: dt.datetime | None = None) -> FirstSync:
    """Counts visits and busy times in the window. Reads the provider, writes nothing. Raises ProviderError."""
    now = now or timezone.now()
    window = window_at(now)
    busy, complete = _count_busy(connection, window)
    number, visits = _visits(connection, window)
    return FirstSync(to_create=number, busy=busy, complete=complete, visits=visits)


def _visits(connection: Connection, window: Window) -> tuple[int, list[Visit]]:
    """Returns how many are made, and the first of them."""
    target = connection.streams.filter(is_target=True, is_active=True).exclude(direction=Direction.PULL).first()
    if target is None:
        return 0, []
    visits = VisitsOfStream(target, window)
    return visits.count_unlinked(), visits.first_unlinked(MOST_LISTED)


def _count_busy(connection: Connection, window: Window) -> tuple[int, bool]:
    client = open_remote(connection)
    count, pages = 0, 0
    for stream in connection.streams.filter(is_active=True, reads_busy=True).exclude(direction=Direction.PUSH):
        try:
            for page in getting_on(client.changes(stream.container_id, "", window)):
                count += sum(_blocks(record, window) for record in page.records)
                pages += 1
                if pages >= MAX_PAGES and not page.last:
                    return count, False
        except Unavailable:
            if not pages or left() > 0:
                raise
            return count, False  # nobody waits longer
    return count, True


def _blocks(record: RemoteRecord, window: Window) -> bool:
    """Returns whether it is one busy time at least (a series counts once)."""
    if record.gone or record.ours or record.doubtful or not record.fields.get("busy"):
        return False
    start, last = record.fields["start"], instant(window.end)
    return bool(record.fields.get("recurrence")) or start < (last[:10] if is_day(start) else last)
