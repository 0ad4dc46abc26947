"""The change feed: keyset pages over numbers given out under a lock, so that no row appears behind a reader.

A position is the number of the last row that a reader has seen.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from fieldcamp.workspace.models import Workspace
from integrations.models import ChangeAction, ChangeRow, Connection, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.records import instant


class FeedExpired(Exception):
    """What the reader asks for has been pruned. `resync_from` is the earliest time that can still be asked for."""

    def __init__(self, resync_from: dt.datetime):
        self.resync_from = resync_from
        super().__init__(
            f"The change feed keeps {settings.FEED_RETENTION_DAYS} days, and what you ask for is older. Read your "
            "records anew, then continue with since = details.resync_from."
        )


@dataclass(frozen=True)
class FeedPage:
    """Some rows, where to go on (`resume`), and whether more are there already."""

    rows: list[ChangeRow]
    resume: int
    more: bool


class Feed:
    """The change feed of one integration of one workspace."""

    def __init__(self, workspace: Workspace, integration: str):
        self.workspace, self.integration = workspace, integration
        # Read before any row: what is written later has a higher number and is still to come.
        self.row = WorkspaceIntegration.objects.filter(workspace=workspace, integration=integration).first()

    @property
    def rows(self) -> QuerySet[ChangeRow]:
        return ChangeRow.objects.filter(workspace=self.workspace, integration=self.integration)

    def after_watermark(self) -> int:
        """Returns the position that the last successful sync ended at."""
        return max(self.row.watermark, self.row.feed_pruned_to) if self.row else 0

    def after_time(self, since: dt.datetime, now: dt.datetime) -> int:
        """Returns the position behind everything recorded up to `since`. Raises FeedExpired."""
        if since < now - dt.timedelta(days=settings.FEED_RETENTION_DAYS):
            raise FeedExpired(_resync_from(now))
        later = self.rows.filter(changed_at__gt=since).order_by("changed_at", "seq")
        start = later.values_list("seq", flat=True).first()
        if start is not None:
            return start - 1
        return self.row.feed_seq if self.row else 0

    def checked(self, position: int, now: dt.datetime) -> int:
        """Returns the position of a cursor, if nothing behind it has been pruned. Raises FeedExpired."""
        if self.row and position < self.row.feed_pruned_to:
            raise FeedExpired(_resync_from(now))
        return position

    def page(self, after: int, limit: int) -> FeedPage:
        """Returns the next `limit` rows. A page costs the same wherever in the feed it stands."""
        rows = list(self.rows.filter(seq__gt=after).order_by("seq")[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        return FeedPage(rows, resume=rows[-1].seq if rows else after, more=more)

    def as_of(self, now: dt.datetime) -> dt.datetime:
        """Returns how fresh what is stored is: when the usable account that was looked at longest ago was looked at."""
        usable = Connection.objects.usable().filter(workspace=self.workspace, integration=self.integration)
        looks = [
            max(filter(None, times), default=now)
            for times in usable.values_list("observed_at", "last_synced_at", "connected_at")
        ]
        return min(looks, default=now)


def _resync_from(now: dt.datetime) -> dt.datetime:
    # An hour inside the retention, so that the reader who uses it does not miss the edge again.
    return now - dt.timedelta(days=settings.FEED_RETENTION_DAYS) + dt.timedelta(hours=1)


def change(row: ChangeRow) -> dict[str, Any]:
    """Returns one row as the feed prints it: an event of a calendar, a record of the books."""
    provider = PROVIDERS[row.integration]
    head = {"id": f"chg_{row.seq:012d}", "action": row.action}
    ids = {provider.remote_id_name: row.remote_id, "changed_at": instant(row.changed_at)}
    if "visit" not in provider.kinds:
        return {**head, "entity": row.kind, "record_id": row.record_id or None, **ids}
    visit_id = row.record_id or None
    event = None
    if row.shown is not None and row.action != ChangeAction.DELETED:
        event = {name: row.shown.get(name) for name in ("summary", "start", "end", "all_day", "status")}
        # The title of an event that is no visit is private.
        event["summary"] = event["summary"] if visit_id else None
    return {**head, "visit_id": visit_id, **ids, "event": event}
