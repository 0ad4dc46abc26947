"""Adding to the change feed: what people have changed at the provider, in an order that readers can follow."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F
from django.utils import timezone

from integrations.events.changes import changes_detected
from integrations.models import ChangeRow, Link, Stream, WorkspaceIntegration
from integrations.records import RemoteRecord

_CHUNK = 1000


def append_to_feed(stream: Stream, rows: Sequence[tuple[str, Link, RemoteRecord]]) -> None:
    """Adds (action, link, record) to the change feed, inside the caller's transaction. The counter's lock makes the
    order of the numbers, and of their times, the order of the commits."""
    if not rows:
        return
    connection = stream.connection
    counter = WorkspaceIntegration.objects.filter(
        workspace_id=connection.workspace_id, integration=connection.integration
    )
    WorkspaceIntegration.objects.get_or_create(workspace_id=connection.workspace_id, integration=connection.integration)
    counter.update(feed_seq=F("feed_seq") + len(rows))
    last = counter.values_list("feed_seq", flat=True).get()
    now = timezone.now()
    made = [
        ChangeRow(
            workspace_id=connection.workspace_id,
            integration=connection.integration,
            seq=last - len(rows) + 1 + index,
            connection=connection,
            stream=stream,
            action=action,
            kind=link.kind,
            record_id=link.record_id,
            remote_id=link.remote_id,
            shown=None if record.gone else _shown(link, record),
            changed_at=now,
        )
        for index, (action, link, record) in enumerate(rows)
    ]
    ChangeRow.objects.bulk_create(made, batch_size=_CHUNK)
    changes_detected(made)


def _shown(link: Link, record: RemoteRecord) -> dict[str, Any]:
    """Returns what the feed prints of an event; the title of an event that is no visit is private."""
    return {**record.shown, "summary": record.shown.get("summary") if link.record_id else None}
