"""Google Calendar: visits go into a technician's calendar, busy time comes out of it."""

from django.conf import settings

from integrations.providers.base import Provider
from integrations.providers.google_calendar.api import GoogleCalendarClient, make_id
from integrations.providers.google_calendar.changes import CHANGES
from integrations.providers.google_calendar.disclosure import DISCLOSURE
from integrations.providers.google_calendar.errors import explain
from integrations.providers.google_calendar.mapping import kept, might_be_own_id
from integrations.providers.google_calendar.oauth import GOOGLE, hosts, identify
from integrations.providers.google_calendar.pages import event_page
from integrations.providers.google_calendar.push import PUSH
from integrations.providers.google_calendar.security_events import EVENTS

GOOGLE_CALENDAR = Provider(
    name="google_calendar",
    slug="google-calendar",
    label="Google Calendar",
    remote_id_name="google_event_id",
    kinds=("visit", "block"),
    batch_size=GoogleCalendarClient.batch_size,
    authentication=GOOGLE,
    hosts=hosts,
    open=GoogleCalendarClient,
    explain=explain,
    identify=identify,
    make_id=make_id,
    requests_per_minute=settings.GOOGLE_REQUESTS_PER_MINUTE,
    disclosure=DISCLOSURE,
    status_page="https://www.google.com/appsstatus/dashboard/",
    changes=CHANGES,
    push=PUSH,
    kept=kept,
    might_be_own_id=might_be_own_id,
    event_page=event_page,
    security_events=EVENTS,
)
