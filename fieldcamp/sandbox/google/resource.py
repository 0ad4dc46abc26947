"""What an event may say: turns what a client sent into the body that is stored, or refuses it."""

import json
import re
from typing import Any

from fieldcamp.sandbox.google import errors, recurrence
from fieldcamp.sandbox.google.calendars import Calendar
from fieldcamp.sandbox.google.event_types import check_event_type
from fieldcamp.sandbox.google.times import parse_date, parse_datetime, write_utc, zone

TEXTS = {"summary": 4096, "description": 65536, "location": 4096, "colorId": 8, "eventLabelId": 64}
KEPT = {"description": 8192}  # units of UTF-16; the rest is dropped without a word
FLAGS = {"anyoneCanAddSelf": False, "guestsCanInviteOthers": True, "guestsCanModify": False}
FLAGS |= {"guestsCanSeeOtherGuests": True}
CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
}
OBJECTS = (
    *("conferenceData", "gadget", "outOfOfficeProperties", "focusTimeProperties", "workingLocationProperties"),
    "birthdayProperties",
)
WRITABLE = {*TEXTS, *FLAGS, *CHOICES, *OBJECTS, "start", "end", "recurrence", "attendees", "reminders"}
WRITABLE |= {"extendedProperties", "source", "attachments", "sequence"}
# Decided when the event is made: https://developers.google.com/workspace/calendar/api/v3/reference/events
FIXED = ("id", "iCalUID", "created", "creator", "organizer", "eventType", "recurringEventId", "originalStartTime")
SIGNIFICANT = ("start", "end", "recurrence")

_ID = re.compile(r"[a-v0-9]{5,1024}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_COLOR = re.compile(r"[1-9]|10|11")


def writable(payload: dict[str, Any]) -> dict[str, Any]:
    """The fields of a payload that a client may set; others are ignored, as Google does."""
    return {name: value for name, value in payload.items() if name in WRITABLE and value is not None}


def merged(old: Any, new: Any) -> Any:
    """PATCH: objects merge, null deletes, anything else (arrays too) replaces."""
    if not isinstance(new, dict):
        return new
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in new.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def checked_id(value: object) -> str:
    """A client-chosen id that follows the rules: base32hex, 5 to 1024 long."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise errors.invalid("Invalid resource id value.")
    return value


def body_from(fields: dict[str, Any], fixed: dict[str, Any], cal: Calendar, previous: dict[str, Any] | None) -> dict:
    """The body to store, made of what was asked for and of what cannot change."""
    body = dict(fixed)
    for name, limit in TEXTS.items():
        if name in fields:
            body[name] = _text(name, fields[name], limit)
    if "colorId" in body and not _COLOR.fullmatch(body["colorId"]):
        raise errors.invalid("Invalid color id.")
    for name, usual in FLAGS.items():
        if name in fields and _flag(name, fields[name]) != usual:
            body[name] = fields[name]
    for name, choices in CHOICES.items():
        if name in fields and fields[name] not in choices:
            raise errors.invalid(f"Invalid value for: {name}")
        if fields.get(name, choices[0]) != choices[0] or name == "status":
            body[name] = fields.get(name, choices[0])
    for name in OBJECTS:
        if name in fields:
            body[name] = _object(name, fields[name])
    _times(fields, body, cal)
    for name, check in (
        ("attendees", _attendees),
        ("extendedProperties", _extended_properties),
        ("source", _source),
        ("attachments", _attachments),
    ):
        if name in fields:
            body[name] = check(fields[name])
    body["reminders"] = _reminders(fields.get("reminders", {"useDefault": True}))
    body["sequence"] = _sequence(fields.get("sequence"), body, previous)
    check_event_type(body, cal)
    return {name: value for name, value in body.items() if value not in ([], {})}


def _text(name: str, value: object, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise errors.invalid(f"Invalid value for: {name}")
    return value.encode("utf-16-le", "surrogatepass")[: 2 * KEPT.get(name, limit)].decode("utf-16-le", "ignore")


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise errors.invalid(f"Invalid value for: {name}")
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or len(json.dumps(value)) > 32768:
        raise errors.invalid(f"Invalid value for: {name}")
    return value


def _times(fields: dict[str, Any], body: dict[str, Any], cal: Calendar) -> None:
    body["start"], start = _moment("start", fields.get("start"), cal, "recurrence" in fields)
    body["end"], end = _moment("end", fields.get("end"), cal, "recurrence" in fields)
    if ("date" in body["start"]) != ("date" in body["end"]):
        raise errors.bad_request("Start and end times must either both be date or both be dateTime.")
    # A timed event may be of no length; a day that ends where it starts is none.
    if end < start or (end == start and "date" in body["start"]):
        raise errors.empty_range()
    if fields.get("recurrence"):
        if "recurringEventId" in body:
            raise errors.invalid("An instance cannot recur.")
        body["recurrence"] = fields["recurrence"]
        try:
            recurrence.check(body, cal.zone)
        except recurrence.BadRecurrence:
            raise errors.invalid("Invalid recurrence rule.") from None


def _moment(name: str, value: object, cal: Calendar, recurring: bool) -> tuple[dict[str, str], Any]:
    """The stored form of a start or end, and something to compare it by."""
    if value is None or value == {}:
        raise errors.required(f"Missing {name} time.")
    wrong = errors.invalid(f"Invalid {name} time.")
    if not isinstance(value, dict) or ("date" in value) == ("dateTime" in value):
        raise wrong
    place = None
    if "timeZone" in value:
        place = zone(value["timeZone"]) if isinstance(value["timeZone"], str) else None
        if place is None:
            raise errors.invalid(f"Invalid time zone definition for {name} time.")
    if "date" in value:
        day = parse_date(value["date"])
        if day is None:
            raise wrong
        return {"date": day.isoformat()}, day
    moment = parse_datetime(value["dateTime"], place)
    if moment is None:
        if place is None and parse_datetime(value["dateTime"], cal.zone):
            raise errors.required(f"Missing time zone definition for {name} time.")
        raise wrong
    if place is None and recurring:
        raise errors.required(f"Missing time zone definition for {name} time.")
    named = value["timeZone"] if place else cal.body["timeZone"]
    return {"dateTime": write_utc(moment), "timeZone": named}, moment


def _attendees(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > 2000:
        raise errors.invalid("Invalid value for: attendees")
    result = []
    for item in value:
        email = item.get("email") if isinstance(item, dict) else None
        if email is None:
            raise errors.required("Missing attendee email.")
        if not isinstance(email, str) or not _EMAIL.fullmatch(email):
            raise errors.invalid("Invalid attendee email.")
        response = item.get("responseStatus", "needsAction")
        if response not in ("needsAction", "declined", "tentative", "accepted"):
            raise errors.invalid("Invalid value for: responseStatus")
        attendee: dict[str, Any] = {"email": email.lower()}
        for name, kind in (("displayName", str), ("optional", bool), ("resource", bool), ("comment", str)):
            if item.get(name) is not None and not isinstance(item[name], kind):
                raise errors.invalid(f"Invalid value for: {name}")
            if item.get(name):
                attendee[name] = item[name]
        attendee["responseStatus"] = response
        result.append(attendee)
    return result


def _extended_properties(value: object) -> dict[str, dict[str, str]]:
    """Keys over 44 characters are dropped, values over 1024 cut, without a word, as Google does."""
    if not isinstance(value, dict):
        raise errors.invalid("Invalid value for: extendedProperties")
    result = {}
    for kind in ("private", "shared"):
        own = value.get(kind, {})
        if not isinstance(own, dict) or not all(isinstance(text, str) for text in own.values()):
            raise errors.invalid(f"Invalid value for: extendedProperties.{kind}")
        kept = {name: text[:1024] for name, text in own.items() if 0 < len(name) <= 44}
        if kept:
            result[kind] = kept
    everything = [part for own in result.values() for item in own.items() for part in item]
    if len(everything) > 600 or sum(map(len, everything)) > 32768:
        raise errors.bad_request("Too many extended properties.")
    return result


def _source(value: object) -> dict[str, str]:
    value = _object("source", value)
    if not all(isinstance(value.get(name, ""), str) for name in ("title", "url")):
        raise errors.invalid("Invalid value for: source")
    if not value.get("url", "").startswith(("http://", "https://")):
        raise errors.invalid("Invalid value for: source.url")
    return {name: value[name] for name in ("url", "title") if name in value}


def _attachments(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > 25:
        raise errors.invalid("Invalid value for: attachments")
    if not all(isinstance(item, dict) and isinstance(item.get("fileUrl"), str) for item in value):
        raise errors.required("Missing attachment file URL.")
    return value


def _reminders(value: object) -> dict[str, Any]:
    value = _object("reminders", value)
    default = _flag("reminders.useDefault", value.get("useDefault", False))
    overrides = value.get("overrides", [])
    if not isinstance(overrides, list) or len(overrides) > 5:
        raise errors.invalid("Invalid value for: reminders.overrides")
    if default and overrides:
        text = "Cannot specify both default reminders and overrides at the same time."
        raise errors.ApiError(400, "cannotUseDefaultRemindersAndSpecifyOverride", text, "calendar")
    kept = []
    for item in overrides:
        minutes = item.get("minutes") if isinstance(item, dict) else None
        if type(minutes) is not int or not 0 <= minutes <= 40320 or item.get("method") not in ("email", "popup"):
            raise errors.invalid("Invalid value for: reminders.overrides")
        kept.append({"method": item["method"], "minutes": minutes})
    return {"useDefault": default} | ({"overrides": kept} if kept else {})


def _sequence(asked: object, body: dict[str, Any], previous: dict[str, Any] | None) -> int:
    current = previous["sequence"] if previous else 0
    if asked is not None and (type(asked) is not int or not 0 <= asked < 2**31):
        raise errors.invalid("Invalid value for: sequence")
    if asked is not None and asked < current:
        raise errors.invalid("Invalid sequence value. The specified sequence number is below the current one.")
    if asked is not None and asked > current:
        return asked
    if previous and any(previous.get(name) != body.get(name) for name in SIGNIFICANT):
        return current + 1
    return current
