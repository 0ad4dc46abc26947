"""The Calendar API's methods and their addresses, as its discovery document has them.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

import re
from urllib.parse import unquote

from fieldcamp.sandbox.google import errors

PREFIX = "/google/api/calendar/v3"
ROUTES = (
    ("acl.list", "GET", "calendars/{calendarId}/acl"),
    ("acl.insert", "POST", "calendars/{calendarId}/acl"),
    ("acl.watch", "POST", "calendars/{calendarId}/acl/watch"),
    ("acl.get", "GET", "calendars/{calendarId}/acl/{ruleId}"),
    ("acl.patch", "PATCH", "calendars/{calendarId}/acl/{ruleId}"),
    ("acl.update", "PUT", "calendars/{calendarId}/acl/{ruleId}"),
    ("acl.delete", "DELETE", "calendars/{calendarId}/acl/{ruleId}"),
    ("calendarList.list", "GET", "users/me/calendarList"),
    ("calendarList.insert", "POST", "users/me/calendarList"),
    ("calendarList.watch", "POST", "users/me/calendarList/watch"),
    ("calendarList.get", "GET", "users/me/calendarList/{calendarId}"),
    ("calendarList.patch", "PATCH", "users/me/calendarList/{calendarId}"),
    ("calendarList.update", "PUT", "users/me/calendarList/{calendarId}"),
    ("calendarList.delete", "DELETE", "users/me/calendarList/{calendarId}"),
    ("calendars.insert", "POST", "calendars"),
    ("calendars.get", "GET", "calendars/{calendarId}"),
    ("calendars.patch", "PATCH", "calendars/{calendarId}"),
    ("calendars.update", "PUT", "calendars/{calendarId}"),
    ("calendars.delete", "DELETE", "calendars/{calendarId}"),
    ("calendars.clear", "POST", "calendars/{calendarId}/clear"),
    ("calendars.transferOwnership", "POST", "calendars/{calendarId}/transferOwnership"),
    ("events.list", "GET", "calendars/{calendarId}/events"),
    ("events.insert", "POST", "calendars/{calendarId}/events"),
    ("events.import", "POST", "calendars/{calendarId}/events/import"),
    ("events.quickAdd", "POST", "calendars/{calendarId}/events/quickAdd"),
    ("events.watch", "POST", "calendars/{calendarId}/events/watch"),
    ("events.get", "GET", "calendars/{calendarId}/events/{eventId}"),
    ("events.patch", "PATCH", "calendars/{calendarId}/events/{eventId}"),
    ("events.update", "PUT", "calendars/{calendarId}/events/{eventId}"),
    ("events.delete", "DELETE", "calendars/{calendarId}/events/{eventId}"),
    ("events.instances", "GET", "calendars/{calendarId}/events/{eventId}/instances"),
    ("events.move", "POST", "calendars/{calendarId}/events/{eventId}/move"),
    ("channels.stop", "POST", "channels/stop"),
    ("colors.get", "GET", "colors"),
    ("freebusy.query", "POST", "freeBusy"),
    ("settings.list", "GET", "users/me/settings"),
    ("settings.watch", "POST", "users/me/settings/watch"),
    ("settings.get", "GET", "users/me/settings/{setting}"),
)
_COMPILED = [(name, verb, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))) for name, verb, path in ROUTES]


def route(verb: str, raw_path: str) -> tuple[str, dict[str, str]]:
    """Which method an address is, and what stands in its path; 404 for none."""
    path = raw_path.removeprefix(f"{PREFIX}/")
    for name, route_verb, pattern in _COMPILED:
        match = pattern.fullmatch(path) if verb == route_verb else None
        if match:
            return name, {key: unquote(value) for key, value in match.groupdict().items()}
    raise errors.not_found()
