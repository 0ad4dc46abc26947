"""How often an integration is synced by itself."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Workspace
from integrations.models import Connection, WorkspaceIntegration
from integrations.providers import PROVIDERS
from integrations.queue.planning import integration_of, next_sync

SHORTEST, LONGEST = 5, 1440  # minutes
CHOOSE_INTERVAL = format_lazy(
    _("Choose {minutes} minutes to {hours} hours, or off."), minutes=SHORTEST, hours=LONGEST // 60
)


def set_interval(
    *, workspace: Workspace, integration: str, minutes: int, user: AbstractBaseUser
) -> WorkspaceIntegration:
    """Sets the minutes between two scheduled syncs and plans the next one; 0 is by hand only. Raises InvalidFields."""
    if minutes and not SHORTEST <= minutes <= LONGEST:
        raise InvalidFields.of("minutes", str(CHOOSE_INTERVAL))
    row = integration_of(workspace, integration)
    with transaction.atomic():
        row = WorkspaceIntegration.objects.select_for_update().get(pk=row.pk)
        before, row.interval_minutes = row.interval_minutes, minutes
        if minutes != before:
            row.next_sync_at = next_sync(row, timezone.now())
            row.save(update_fields=["interval_minutes", "next_sync_at"])
            # What was synced an hour ago is not late because more is asked for from now on.
            accounts = Connection.objects.connected().filter(workspace=workspace, integration=integration)
            accounts.update(fresh_from=timezone.now())
            audit(
                "integration.schedule_changed",
                workspace_id=workspace.pk,
                object_id=integration,
                object_name=PROVIDERS[integration].label,
                before={"interval_minutes": before},
                after={"interval_minutes": minutes},
                actor=user.get_username(),
            )
    return row
