"""Outlook and Microsoft 365: visits go into a technician's calendar, busy time comes out of it."""

from django.conf import settings

from integrations.providers.base import Provider
from integrations.providers.outlook_calendar.api import OutlookCalendarClient
from integrations.providers.outlook_calendar.changes import CHANGES
from integrations.providers.outlook_calendar.disclosure import DISCLOSURE
from integrations.providers.outlook_calendar.errors import explain
from integrations.providers.outlook_calendar.mapping import kept, make_id
from integrations.providers.outlook_calendar.oauth import MICROSOFT, hosts, identify
from integrations.providers.outlook_calendar.push import PUSH

OUTLOOK_CALENDAR = Provider(
    name="outlook_calendar",
    slug="outlook-calendar",
    label="Outlook",
    remote_id_name="outlook_event_id",
    kinds=("visit", "block"),
    batch_size=OutlookCalendarClient.batch_size,
    authentication=MICROSOFT,
    hosts=hosts,
    open=OutlookCalendarClient,
    explain=explain,
    identify=identify,
    make_id=make_id,
    kept=kept,
    requests_per_minute=settings.MICROSOFT_REQUESTS_PER_MINUTE,
    disclosure=DISCLOSURE,
    status_page="https://status.cloud.microsoft/",
    changes=CHANGES,
    push=PUSH,
)
