"""The change feed: keyset pages over numbers given out under a lock, so that no row appears behind a reader."""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer

from fieldcamp.workspace.models import Workspace
from integrations.models import ChangeRow, Connection, ConnectionState, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.records import instant


class InvalidCursor(Exception):
    """Not a cursor that this feed has issued."""


class CursorExpired(Exception):
    """What the reader asks for has been pruned. `resync_from` is the earliest time that can still be asked for."""

    def __init__(self, resync_from: dt.datetime):
        self.resync_from = resync_from
        super().__init__(f"The change feed keeps {settings.FEED_RETENTION_DAYS} days; what you ask for is older.")


@dataclass(frozen=True)
class FeedPage:
    rows: list[ChangeRow]
    next_cursor: str | None
    resume_cursor: str


class Feed:
    """The change feed of one integration of one workspace."""

    def __init__(self, workspace: Workspace, integration: str):
        self.workspace, self.integration = workspace, integration
        self.signer = Signer(salt=f"feed:{workspace.pk}:{integration}")
        # Read before any row: what is written later has a higher number and is still to come.
        self.row = WorkspaceIntegration.objects.filter(workspace=workspace, integration=integration).first()

    @property
    def rows(self):
        return ChangeRow.objects.filter(workspace=self.workspace, integration=self.integration)

    def after_watermark(self) -> int:
        """The position that the last successful incremental sync ended at."""
        return max(self.row.watermark, self.row.feed_pruned_to) if self.row else 0

    def after_time(self, since: dt.datetime, now: dt.datetime) -> int:
        """The position behind everything recorded up to `since`. Raises CursorExpired."""
        if since < now - dt.timedelta(days=settings.FEED_RETENTION_DAYS):
            raise CursorExpired(_resync_from(now))
        first = self.rows.filter(changed_at__gt=since).order_by("changed_at", "seq").values_list("seq", flat=True)
        start = first.first()
        if start is not None:
            return start - 1
        return self.row.feed_seq if self.row else 0

    def after_cursor(self, cursor: str, now: dt.datetime) -> int:
        """The position that a cursor stands for. Raises InvalidCursor, CursorExpired."""
        try:
            text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
            position = int(self.signer.unsign(text))
        except (BadSignature, ValueError, binascii.Error):
            raise InvalidCursor from None
        if self.row and position < self.row.feed_pruned_to:
            raise CursorExpired(_resync_from(now))
        return position

    def cursor(self, position: int) -> str:
        return base64.urlsafe_b64encode(self.signer.sign(str(position)).encode()).decode().rstrip("=")

    def page(self, after: int, limit: int) -> FeedPage:
        """The next `limit` rows. A page costs the same wherever in the feed it stands."""
        rows = list(self.rows.filter(seq__gt=after).order_by("seq")[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        resume = self.cursor(rows[-1].seq if rows else after)
        return FeedPage(rows, resume if more else None, resume)

    def as_of(self, now: dt.datetime) -> dt.datetime:
        """How fresh what is stored is: when the usable account that was looked at longest ago was looked at."""
        usable = Connection.objects.filter(
            workspace=self.workspace,
            integration=self.integration,
            state__in=[ConnectionState.ACTIVE, ConnectionState.PAUSED],
        )
        looks = [
            max(filter(None, times), default=now)
            for times in usable.values_list("observed_at", "last_synced_at", "connected_at")
        ]
        return min(looks, default=now)


def _resync_from(now: dt.datetime) -> dt.datetime:
    # An hour inside the retention, so that the reader who uses it does not miss the edge again.
    return now - dt.timedelta(days=settings.FEED_RETENTION_DAYS) + dt.timedelta(hours=1)


def change(row: ChangeRow) -> dict[str, Any]:
    """One row as the feed prints it: an event of a calendar, a record of the books."""
    provider = PROVIDERS[row.integration]
    head = {"id": f"chg_{row.seq:012d}", "action": row.action}
    ids = {provider.remote_id_name: row.remote_id, "changed_at": instant(row.changed_at)}
    if "visit" not in provider.kinds:
        return {**head, "entity": row.kind, "record_id": row.record_id or None, **ids}
    visit_id = row.record_id or None
    event = None
    if row.shown is not None and row.action != "deleted":
        event = {name: row.shown.get(name) for name in ("summary", "start", "end", "all_day", "status")}
        # The title of an event that is no visit is private.
        event["summary"] = event["summary"] if visit_id else None
    return {**head, "visit_id": visit_id, **ids, "event": event}
