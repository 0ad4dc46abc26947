"""Google Calendar: visits go into a technician's calendar, busy time comes out of it."""

from django.conf import settings

from integrations.providers.base import Provider
from integrations.providers.google_calendar import oauth
from integrations.providers.google_calendar.api import GoogleCalendarClient, make_id
from integrations.providers.google_calendar.errors import explain
from integrations.records import Capabilities

GOOGLE_CALENDAR = Provider(
    name="google_calendar",
    slug="google-calendar",
    label="Google Calendar",
    remote_id_name="google_event_id",
    kinds=("visit", "block"),
    capabilities=Capabilities(batch_size=50, client_ids=True, conditional_writes=True),
    scopes=oauth.SCOPES,
    permissions=oauth.PERMISSIONS,
    hosts=oauth.hosts,
    open=GoogleCalendarClient,
    explain=explain,
    parse_tokens=oauth.parse_tokens,
    refresh=oauth.refresh,
    revoke=oauth.revoke,
    identify=oauth.identify,
    make_id=make_id,
    requests_per_minute=settings.GOOGLE_REQUESTS_PER_MINUTE,
)
