"""How far a company of the demo has come with the tour."""

from dataclasses import dataclass

from fieldcamp.workspace.models import BlockedTime, Workspace
from integrations.kinds import VISIT
from integrations.models import Connection, Link
from integrations.providers import PROVIDERS


@dataclass(frozen=True)
class TourSteps:
    """Which steps are done, and how many accounts are connected."""

    accounts: int
    connected: bool
    synced: bool
    moved: bool
    blocked: bool


def steps_done(workspace: Workspace) -> TourSteps:
    """Returns what is done: an account at each vendor of calendars, a visit sent, one moved there and taken in, a
    blocked time read; four queries."""
    accounts = list(Connection.objects.connected().filter(workspace=workspace).values_list("integration", flat=True))
    calendars = {name for name, provider in PROVIDERS.items() if not provider.kinds or VISIT.name in provider.kinds}
    visits = Link.objects.filter(stream__connection__workspace=workspace, kind=VISIT.name)
    return TourSteps(
        accounts=len(accounts),
        connected=calendars <= set(accounts),
        synced=visits.filter(pushed_at__isnull=False).exists(),
        moved=visits.filter(pulled_at__isnull=False).exists(),
        blocked=BlockedTime.objects.filter(workspace=workspace).exists(),
    )
