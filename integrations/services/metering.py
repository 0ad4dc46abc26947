"""How many calls a day an account may be billed for by its provider."""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from integrations.accounts.acting import Actor
from integrations.models import Connection, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.queue.planning import next_sync
from integrations.selectors.metering import allowance_of, midnight_after

LEAST, MOST = 50, 1_000_000  # a run that finds much to do needs some dozens


def set_reads_per_day(
    *, connection: Connection, limit: int | None, user: Actor, unchanged: Callable[[], None] | None = None
) -> Connection:
    """Sets how many calls a day (UTC) the account may be billed for; 0: any number, None: what the installation has.

    An account that waits for the next day because of the limit goes on at once if the new one lets it. `unchanged` is
    called under the connection's lock, before anything is written. Raises `InvalidFields`, and what `unchanged` raises.
    """
    if limit and not LEAST <= limit <= MOST:
        sentence = gettext("Write a whole number from {least} to {most}, or 0 for no limit.")
        raise InvalidFields.of("limit", sentence.format(least=LEAST, most=f"{MOST:,}"))
    now = timezone.now()
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if unchanged:
            unchanged()
        before, connection.metered_reads_per_day = connection.metered_reads_per_day, limit
        if limit == before:
            return connection
        connection.save(update_fields=["metered_reads_per_day"])
        provider = PROVIDERS[connection.integration]
        if connection.retry_at == midnight_after(now) and not allowance_of(connection.pk, provider, now).spent:
            connection.retry_at = None
            connection.save(update_fields=["retry_at"])
            rows = WorkspaceIntegration.objects.filter(
                workspace=connection.workspace_id, integration=connection.integration
            )
            for row in rows.select_for_update():
                row.next_sync_at = next_sync(row, now)
                row.save(update_fields=["next_sync_at"])
        audit(
            "connection.metered_reads_changed",
            workspace_id=connection.workspace_id,
            object_id=connection.pk,
            object_name=f"{connection.integration}: {connection.account_name}",
            before={"metered_reads_per_day": before},
            after={"metered_reads_per_day": limit},
            actor=user.get_username(),
        )
    return connection
