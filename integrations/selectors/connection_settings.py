"""What is chosen for an account, and for an integration, as the API shows it."""

from typing import Any

from django.conf import settings

from integrations.kinds import CUSTOMER, INVOICE
from integrations.models import BooksSettings, ConflictPolicy, Connection, Direction, JobDirection, Stream
from integrations.models import WorkspaceIntegration as Row
from integrations.providers import PROVIDERS
from integrations.queue.planning import is_left_to_vendor

# Directions and sides as the rest of the API calls them.
DIRECTIONS = {
    Direction.TWO_WAY.value: JobDirection.BIDIRECTIONAL.value,
    Direction.PUSH.value: JobDirection.PUSH.value,
    Direction.PULL.value: JobDirection.PULL.value,
}
POLICIES = {
    ConflictPolicy.LOCAL.value: "fieldcamp",
    ConflictPolicy.REMOTE.value: "provider",
    ConflictPolicy.ASK.value: "ask",
}
POLICY_NAMES = tuple(POLICIES.values())
REFERENCES = ("income_account", "default_item", "class", "location", "terms")  # of the books, by id and name


def settings_of(connection: Connection) -> dict[str, Any]:
    """Returns what is chosen for the account, read anew; three queries at most."""
    row = Connection.objects.only("member_id", "metered_reads_per_day").get(pk=connection.pk)
    calendar = PROVIDERS[connection.integration].is_calendar
    streams = list(connection.streams.filter(is_active=True).order_by("container_name", "container_id"))
    return {
        "connection_id": connection.pk,
        "integration": connection.integration,
        "calendar": _calendar(row, streams) if calendar else None,
        "books": None if calendar else _books(connection, streams),
        "metered_reads_per_day": row.metered_reads_per_day,
    }


def _calendar(connection: Connection, streams: list[Stream]) -> dict[str, Any]:
    target = next((stream for stream in streams if stream.is_target), None)
    return {
        "member_id": connection.member_id,
        "target_calendar": _container(target) if target else None,
        "busy_calendars": [_container(stream) for stream in streams if stream.reads_busy],
        "direction": DIRECTIONS[target.direction if target else Direction.TWO_WAY.value],
        "conflict_policy": POLICIES[target.policy if target else ConflictPolicy.LOCAL.value],
    }


def _container(stream: Stream) -> dict[str, str]:
    return {"id": stream.container_id, "name": stream.container_name}


def _books(connection: Connection, streams: list[Stream]) -> dict[str, Any]:
    stored = BooksSettings.objects.filter(connection=connection).first()
    found = stored or BooksSettings()
    by_kind = {stream.kind: stream for stream in streams}
    documents, lists = by_kind.get(INVOICE.name), by_kind.get(CUSTOMER.name)
    return {
        **{name: _reference(found, name) for name in REFERENCES},
        "import_customers": found.import_customers,
        "import_items": found.import_items,
        "invoices_from": found.invoices_from.isoformat() if found.invoices_from else None,
        "direction": DIRECTIONS[documents.direction if documents else Direction.TWO_WAY.value],
        "conflict_policy_lists": POLICIES[lists.policy if lists else ConflictPolicy.LOCAL.value],
        "conflict_policy_documents": POLICIES[documents.policy if documents else ConflictPolicy.ASK.value],
    }


def _reference(found: BooksSettings, name: str) -> dict[str, str] | None:
    pk = getattr(found, f"{name}_id")
    return {"id": pk, "name": getattr(found, f"{name}_name")} if pk else None


def integration_settings(integration: str, row: Row | None) -> dict[str, Any]:
    """Returns what is chosen for an integration; what is usual where nobody has chosen anything (None)."""
    row = row or Row(integration=integration, interval_minutes=settings.SYNC_INTERVAL_MINUTES)
    return {
        "integration": integration,
        "interval_minutes": None if is_left_to_vendor(row) else row.interval_minutes,
        "sync_on_save": row.sync_on_save,
    }
