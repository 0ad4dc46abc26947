"""How Google writes an event: which keys, in which order, times in which zone."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.google.calendars import Calendar, base32hex
from fieldcamp.sandbox.google.store import Stored
from fieldcamp.sandbox.google.times import read_utc, write_datetime, write_ms

# The order of keys in recorded answers.
_BEFORE_PEOPLE = ("summary", "description", "location", "colorId", "eventLabelId")
_AFTER_TIMES = ("transparency", "visibility", "iCalUID", "sequence")
_LAST = (
    *("extendedProperties", "hangoutLink", "conferenceData", "gadget", "anyoneCanAddSelf", "guestsCanInviteOthers"),
    *("guestsCanModify", "guestsCanSeeOtherGuests", "reminders", "source", "workingLocationProperties"),
    *("outOfOfficeProperties", "focusTimeProperties", "attachments", "birthdayProperties", "eventType"),
)


def etag_of(updated_us: int) -> str:
    """A quoted decimal: twice the time of the last write in microseconds, as in recorded answers."""
    return f'"{updated_us * 2}"'


def opaque_etag(*parts: object) -> str:
    """The etag of an envelope."""
    return f'"{base32hex(json.dumps(parts), 16)}"'


def event(cal: Calendar, stored: Stored, tz: ZoneInfo, max_attendees: int | None = None) -> dict[str, Any]:
    """The full resource, or of one whose details this account may not see only when it is."""
    body = stored.body
    if cal.hides(body.get("visibility", "default")):
        kept = ("status", "created", "creator", "organizer", "start", "end", "recurrence", "recurringEventId",
                "originalStartTime", "transparency", "iCalUID", "sequence", "eventType")  # fmt: skip
        body = {name: body[name] for name in kept if name in body} | {"visibility": "private"}
    result: dict[str, Any] = {
        "kind": "calendar#event",
        "etag": etag_of(stored.updated_us),
        "id": stored.id,
        "status": body["status"],
        "htmlLink": html_link(cal, stored.id),
        "created": body["created"],
        "updated": write_ms(stored.updated_us),
    }
    _copy(body, result, _BEFORE_PEOPLE)
    for name in ("creator", "organizer"):
        result[name] = _person(body[name], cal)
    for name in ("start", "end"):
        result[name] = moment(body[name], tz)
    _copy(body, result, ("recurrence", "recurringEventId"))
    if "originalStartTime" in body:
        result["originalStartTime"] = moment(body["originalStartTime"], tz)
    _copy(body, result, _AFTER_TIMES)
    if "attendees" in body:
        shown = [_attendee(item, body, cal) for item in body["attendees"]]
        if max_attendees is not None and len(shown) > max_attendees:
            shown = [item for item in shown if item.get("self")]
            result["attendeesOmitted"] = True
        result["attendees"] = shown
    _copy(body, result, _LAST)
    return result


def tombstone(stored: Stored, tz: ZoneInfo) -> dict[str, Any]:
    """All that is left of a deleted event in incremental lists: parse this before touching start or end."""
    result: dict[str, Any] = {
        "kind": "calendar#event",
        "etag": etag_of(stored.updated_us),
        "id": stored.id,
        "status": "cancelled",
    }
    if "recurringEventId" in stored.body:
        result["recurringEventId"] = stored.body["recurringEventId"]
        result["originalStartTime"] = moment(stored.body["originalStartTime"], tz)
    return result


def moment(value: dict[str, str], tz: ZoneInfo) -> dict[str, str]:
    """A start or end: the instant in the zone of the answer, the event's own zone beside it."""
    if "date" in value:
        return {"date": value["date"]}
    return {"dateTime": write_datetime(read_utc(value["dateTime"]), tz), "timeZone": value["timeZone"]}


def html_link(cal: Calendar, event_id: str) -> str:
    """The address of the event on Google's own pages."""
    text = f"{event_id} {cal.id.replace('@group.calendar.google.com', '@g')}"
    return "https://www.google.com/calendar/event?eid=" + urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _copy(body: dict[str, Any], result: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if name in body:
            result[name] = body[name]


def _person(person: dict[str, str], cal: Calendar) -> dict[str, Any]:
    return {**person, "self": True} if person["email"] == cal.id else dict(person)


def _attendee(item: dict[str, Any], body: dict[str, Any], cal: Calendar) -> dict[str, Any]:
    result: dict[str, Any] = {name: item[name] for name in ("email", "displayName") if name in item}
    if item["email"] == body["organizer"]["email"]:
        result["organizer"] = True
    if item["email"] == cal.id:
        result["self"] = True
    return result | item
