"""How often an integration is synced by itself, and whether saved records wait for that."""

from collections.abc import Callable
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Workspace
from integrations.accounts.acting import Actor
from integrations.models import Connection, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.queue.planning import integration_of, is_left_to_vendor, next_sync, scheduled_every

SHORTEST, LONGEST = 5, 1440  # minutes
CHOOSE_INTERVAL = format_lazy(
    _("Choose {minutes} minutes to {hours} hours, or off."), minutes=SHORTEST, hours=LONGEST // 60
)


class Interval(Enum):
    """What is said in the place of minutes."""

    AS_IT_IS = "unchanged"


def set_interval(
    *,
    workspace: Workspace,
    integration: str,
    minutes: int | None | Interval,
    user: Actor,
    on_save: bool | None = None,
    unchanged: Callable[[WorkspaceIntegration], None] | None = None,
) -> WorkspaceIntegration:
    """Sets the minutes between two scheduled syncs and plans the next one; 0 is by hand only, None leaves it to whether
    the vendor tells of changes, where that makes a difference. `on_save`: whether saved records are synced at once, or
    by schedule only; None leaves that as it is. `unchanged` is called under the row's lock, before anything is written.
    Raises InvalidFields, and what `unchanged` raises."""
    if minutes is None and scheduled_every(integration) is None:
        raise InvalidFields.of("minutes", str(CHOOSE_INTERVAL))
    if isinstance(minutes, int) and minutes and not SHORTEST <= minutes <= LONGEST:
        raise InvalidFields.of("minutes", str(CHOOSE_INTERVAL))
    row = integration_of(workspace, integration)
    with transaction.atomic():
        row = WorkspaceIntegration.objects.select_for_update().get(pk=row.pk)
        if unchanged:
            unchanged(row)
        before = _chosen(row)
        if not isinstance(minutes, Interval):
            row.interval_minutes = settings.SYNC_INTERVAL_MINUTES if minutes is None else minutes
            row.interval_chosen = minutes is not None
        row.sync_on_save = row.sync_on_save if on_save is None else on_save
        after = _chosen(row)
        if after != before:
            if after["interval_minutes"] != before["interval_minutes"]:
                row.next_sync_at = next_sync(row, timezone.now())
                # What was synced an hour ago is not late because more is asked for from now on.
                accounts = Connection.objects.connected().filter(workspace=workspace, integration=integration)
                accounts.update(fresh_from=timezone.now())
            row.save(update_fields=["interval_minutes", "interval_chosen", "sync_on_save", "next_sync_at"])
            audit(
                "integration.schedule_changed",
                workspace_id=workspace.pk,
                object_id=integration,
                object_name=PROVIDERS[integration].label,
                before={name: value for name, value in before.items() if value != after[name]},
                after={name: value for name, value in after.items() if value != before[name]},
                actor=user.get_username(),
            )
    return row


def _chosen(row: WorkspaceIntegration) -> dict[str, int | bool | None]:
    return {
        "interval_minutes": None if is_left_to_vendor(row) else row.interval_minutes,
        "sync_on_save": row.sync_on_save,
    }
