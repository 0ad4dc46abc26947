"""Looking at one record at once, whatever else waits."""

from typing import Any

from django.db import transaction

from fieldcamp.workspace.audit import audit
from integrations.accounts.acting import Actor, job_fields
from integrations.kinds import VISIT
from integrations.ledger.dirty import write_rows
from integrations.models import Connection, Link, Stream, SyncJob
from integrations.selectors.subjects import kinds_of
from integrations.services.jobs import SyncInProgress, require_usable, trigger_sync


def sync_record(*, record: Any, connection: Connection, user: Actor) -> SyncJob | None:
    """Starts a sync of just this record with one account. One that has no counterpart there yet is marked as changed,
    and the account's changes are synced. None while another job is running, whose successor does it. Raises
    NotConnected."""
    [kind] = kinds_of(record)
    require_usable(connection)
    streams = Stream.objects.filter(connection=connection, kind="" if kind == VISIT.name else kind, is_active=True)
    with transaction.atomic():
        links = (
            Link.objects.select_for_update()
            .live()
            .filter(stream__connection=connection, kind=kind, record_id=record.pk, intent__isnull=True)
        )
        ids = list(links.order_by("pk").values_list("pk", flat=True))
        Link.objects.filter(pk__in=ids).update(parked=False, unsettled=True)
        if not ids:
            targets = streams.filter(is_target=True) if kind == VISIT.name else streams
            write_rows([(stream_id, record.pk, 0) for stream_id in targets.values_list("pk", flat=True)], kind)
        audit(
            "record.sync_asked",
            workspace_id=connection.workspace_id,
            object_id=record.pk,
            object_name=str(record),
            after={"account": connection.account_name},
            actor=user.get_username(),
        )
    try:
        return trigger_sync(
            workspace=connection.workspace,
            integration=connection.integration,
            connection=connection,
            only=ids or None,
            **job_fields(user),
        )
    except SyncInProgress:
        return None
