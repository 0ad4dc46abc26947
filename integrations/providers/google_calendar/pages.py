"""Where a person looks at an event in Google Calendar itself."""

from base64 import urlsafe_b64encode
from urllib.parse import quote, urlencode

from django.conf import settings

EVENT = "https://www.google.com/calendar/event?eid={}"
# What `htmlLink` has for a calendar's id: https://developers.google.com/workspace/calendar/api/v3/reference/events
_SHORT = {"@gmail.com": "@m", "@group.calendar.google.com": "@g"}


def event_page(container_id: str, remote_id: str, account_name: str) -> str:
    """Returns the address that the API gives as an event's `htmlLink`: the ids of the event and of its calendar, in
    base64."""
    sandbox = settings.SANDBOX_URL
    if sandbox and settings.GOOGLE_API_URL.startswith(sandbox):
        asked = urlencode({"calendar": container_id, "event": remote_id})
        return f"{sandbox}/google/ui/{quote(account_name, safe='@')}/event?{asked}"
    calendar = container_id
    for ending, short in _SHORT.items():
        calendar = calendar.removesuffix(ending) + short if calendar.endswith(ending) else calendar
    return EVENT.format(urlsafe_b64encode(f"{remote_id} {calendar}".encode()).rstrip(b"=").decode())
