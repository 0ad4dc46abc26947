"""The event types other than default and what is special about each.

https://developers.google.com/workspace/calendar/api/guides/calendar-status
"""

from typing import Any

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.calendars import Calendar

TYPES = ("birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation")
STATUS_TYPES = ("outOfOffice", "focusTime", "workingLocation", "birthday")  # primary calendars only
PROPERTIES = {
    "outOfOffice": "outOfOfficeProperties",
    "focusTime": "focusTimeProperties",
    "workingLocation": "workingLocationProperties",
    "birthday": "birthdayProperties",
}
DECLINE_MODES = ("declineNone", "declineAllConflictingInvitations", "declineOnlyNewConflictingInvitations")
PLACES = ("homeOffice", "officeLocation", "customLocation")


def checked_new_type(value: object) -> str:
    """The type of an event to be made; mails make fromGmail events, clients cannot."""
    if value not in TYPES or value == "fromGmail":
        raise errors.invalid("Invalid event type.")
    return str(value)


def check_event_type(body: dict[str, Any], cal: Calendar) -> None:
    """Refuses what the type does not allow and fills in what it implies."""
    kind = body["eventType"]
    for other, name in PROPERTIES.items():
        if other != kind and name in body:
            raise errors.invalid(f"{name} are only for events of type {other}.")
    if kind in STATUS_TYPES and not cal.is_primary:
        raise errors.invalid("Events of this type can only be created on primary calendars.")
    if kind in ("outOfOffice", "focusTime"):
        if "date" in body["start"]:
            raise errors.invalid("Events of this type cannot be all-day events.")
        if body.get("transparency") == "transparent":
            raise errors.invalid("Events of this type must be opaque.")
        properties = body.setdefault(PROPERTIES[kind], {})
        if properties.setdefault("autoDeclineMode", "declineNone") not in DECLINE_MODES:
            raise errors.invalid("Invalid value for: autoDeclineMode")
    elif kind == "workingLocation":
        if body.get("workingLocationProperties", {}).get("type") not in PLACES:
            raise errors.required("Missing working location properties.")
        body["transparency"], body["visibility"] = "transparent", "public"
    elif kind == "birthday":
        lines = body.get("recurrence", [])
        if "date" not in body["start"] or len(lines) != 1 or "FREQ=YEARLY" not in lines[0]:
            raise errors.invalid("Birthdays are all-day events that recur yearly.")
        if body.setdefault("birthdayProperties", {"type": "birthday"}).get("type", "birthday") != "birthday":
            raise errors.invalid("Only birthdays can be created.")
        body["transparency"], body["visibility"] = "transparent", "private"
