"""Events about what people change at the provider: `change.detected`. The object is the row of the change feed."""

from collections.abc import Iterable

from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.webhooks.recording import new_event, record_events
from integrations.models import ChangeRow
from integrations.selectors.feed import change


def changes_detected(rows: Iterable[ChangeRow]) -> None:
    """Records that these rows have been added to the change feed, inside the transaction that adds them."""
    record_events(
        new_event(
            row.workspace_id,
            "change.detected",
            change(row),
            record_id=row.record_id,
            source=WebhookEvent.Source.SYNC,
            integration=row.integration,
        )
        for row in rows
    )
