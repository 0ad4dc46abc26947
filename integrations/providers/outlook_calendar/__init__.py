"""Outlook and Microsoft 365: visits go into a technician's calendar, busy time comes out of it."""

from django.conf import settings

from integrations.providers.base import Provider
from integrations.providers.outlook_calendar import oauth
from integrations.providers.outlook_calendar.api import OutlookCalendarClient
from integrations.providers.outlook_calendar.batch import BATCH_SIZE
from integrations.providers.outlook_calendar.errors import explain
from integrations.providers.outlook_calendar.mapping import make_id
from integrations.records import Capabilities

OUTLOOK_CALENDAR = Provider(
    name="outlook_calendar",
    slug="outlook-calendar",
    label="Outlook",
    remote_id_name="outlook_event_id",
    kinds=("visit", "block"),
    capabilities=Capabilities(batch_size=BATCH_SIZE, client_ids=False, conditional_writes=True),
    scopes=oauth.SCOPES,
    permissions=oauth.PERMISSIONS,
    hosts=oauth.hosts,
    open=OutlookCalendarClient,
    explain=explain,
    parse_tokens=oauth.parse_tokens,
    refresh=oauth.refresh,
    revoke=None,
    identify=oauth.identify,
    make_id=make_id,
    requests_per_minute=settings.MICROSOFT_REQUESTS_PER_MINUTE,
)
