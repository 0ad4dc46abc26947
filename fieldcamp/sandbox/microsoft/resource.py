"""What an event may say: a client's body checked, merged with what is kept, and completed as Exchange completes it.

https://learn.microsoft.com/graph/api/resources/event
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.microsoft import errors, recurrence
from fieldcamp.sandbox.microsoft.times import wall_clock, zone

MAX_ATTENDEES = 500
UNSET_TIME = "0001-01-01T00:00:00Z"
NO_LOCATION = {
    "displayName": "",
    "locationType": "default",
    "uniqueIdType": "unknown",
    "address": {},
    "coordinates": {},
}
_PROPERTY = re.compile(r"\w+ (\{[0-9a-f\-]{36}\} (Name .+|Id 0x[0-9a-f]{1,8})|0x[0-9a-f]{8})", re.ASCII | re.I)

CHOICES = {
    "showAs": ("busy", "free", "tentative", "oof", "workingElsewhere", "unknown"),
    "sensitivity": ("normal", "personal", "private", "confidential"),
    "importance": ("normal", "low", "high"),
    "onlineMeetingProvider": ("unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"),
}
FLAGS = {
    "isReminderOn": True,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "isOnlineMeeting": False,
}
READ_ONLY = {
    *("id", "createdDateTime", "lastModifiedDateTime", "changeKey", "iCalUId", "uid", "bodyPreview", "webLink", "type"),
    *("seriesMasterId", "organizer", "isOrganizer", "responseStatus", "isCancelled", "isDraft", "hasAttachments"),
    *("onlineMeeting", "onlineMeetingUrl", "originalStart", "originalStartTimeZone", "originalEndTimeZone"),
    *("occurrenceId", "cancelledOccurrences", "exceptionOccurrences", "attachments", "instances", "calendar"),
}
WRITABLE = {
    *("subject", "body", "start", "end", "isAllDay", "location", "locations", "attendees", "recurrence", "categories"),
    *("reminderMinutesBeforeStart", "transactionId", "singleValueExtendedProperties", *CHOICES, *FLAGS),
}
TIMING = ("start", "end", "isAllDay", "recurrence")


def body_from(payload: dict[str, Any], kept: dict[str, Any] | None) -> dict[str, Any]:
    """The event's new body: what the payload leaves out stays as it is kept, or gets Exchange's default."""
    for name in payload:
        if name not in WRITABLE and name not in READ_ONLY and "@odata" not in name:
            text = f"The property '{name[:100]}' does not exist on type 'microsoft.graph.event'."
            raise errors.unreadable(f"{text} Make sure to only use property names that are defined by the type.")
    defaults = _defaults()
    body = dict(kept or defaults)
    for name, check in _CHECKS.items():
        if name in payload:
            body[name] = defaults[name] if payload[name] is None else check(name, payload[name])
    if "location" in payload or "locations" in payload:
        body |= _places(payload)
    for item in _list("singleValueExtendedProperties", payload.get("singleValueExtendedProperties")):
        key, value = _property(item)
        body["properties"] = body["properties"] | {key: value}
    if kept is None and "transactionId" in payload:
        body["transactionId"] = _text("transactionId", payload["transactionId"])
    if kept is None or any(name in payload for name in TIMING):
        body |= _timing(payload, kept)
    return body


def _defaults() -> dict[str, Any]:
    return {
        "subject": "",
        "body": {"contentType": "text", "content": ""},
        "location": NO_LOCATION,
        "locations": [],
        "attendees": [],
        "categories": [],
        "reminderMinutesBeforeStart": 15,
        "isAllDay": False,
        "recurrence": None,
        "transactionId": None,
        "properties": {},
        **{name: choices[0] for name, choices in CHOICES.items()},
        **FLAGS,
    }


def _timing(payload: dict[str, Any], kept: dict[str, Any] | None) -> dict[str, Any]:
    """Start, end, all-day and recurrence, which only make sense together."""
    all_day = payload.get("isAllDay", kept["isAllDay"] if kept else False) or False
    if not isinstance(all_day, bool):
        raise errors.unreadable("The property 'isAllDay' must be true or false.")
    start, start_zone, start_tz = _end_of("start", payload, kept)
    end, end_zone, end_tz = _end_of("end", payload, kept)
    if all_day:
        for name, moment in (("Start", start), ("End", end)):
            if moment.time() != datetime.min.time():
                text = f"The Event.{name} property for an all-day event needs to be set to midnight."
                raise errors.invalid(text)
        if start_tz.key != end_tz.key:
            raise errors.invalid("The Event.Start and Event.End of an all-day event need the same time zone.")
        if end - start < timedelta(days=1):
            raise errors.invalid("The duration of an all-day event must be at least 24 hours.")
    else:
        end = end.replace(tzinfo=end_tz).astimezone(start_tz).replace(tzinfo=None)
    if end.replace(tzinfo=start_tz) < start.replace(tzinfo=start_tz):
        raise errors.GraphError(
            400, "ErrorCalendarEndDateIsEarlierThanStartDate", "The end date is earlier than the start date."
        )
    result: dict[str, Any] = {
        "isAllDay": all_day,
        "start": {"dateTime": start.isoformat(), "timeZone": start_zone},
        "end": {"dateTime": end.isoformat(), "timeZone": start_zone},
        "endZone": end_zone,
    }
    rule = payload.get("recurrence", kept["recurrence"] if kept else None)
    if rule is not None and "recurrence" not in payload:
        # A moved series begins on its new day.
        rule = rule | {"range": rule["range"] | {"startDate": start.date().isoformat()}}
    result["recurrence"] = recurrence.completed(rule, start.date(), start_zone) if rule is not None else None
    return result


def _end_of(name: str, payload: dict[str, Any], kept: dict[str, Any] | None) -> tuple[datetime, str, ZoneInfo]:
    value = payload.get(name, kept[name] if kept else None)
    if value is None:
        raise errors.invalid(f"The Event.{name.capitalize()} property is required.")
    if not isinstance(value, dict):
        raise errors.unreadable(f"The property '{name}' must have a dateTime and a timeZone.")
    return (
        wall_clock(value.get("dateTime"), f"{name}/dateTime"),
        value.get("timeZone") or "",
        zone(value.get("timeZone")),
    )


def _places(payload: dict[str, Any]) -> dict[str, Any]:
    """Location and locations; setting one of them sets the other."""
    if payload.get("locations"):
        several = [_place(item) for item in _list("locations", payload["locations"])]
        first = several[0] | {"displayName": "; ".join(item["displayName"] for item in several)}
        return {"location": first if len(several) > 1 else several[0], "locations": several}
    place = _place(payload.get("location") or {})
    return {"location": place, "locations": [place] if place != NO_LOCATION else []}


def _place(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise errors.unreadable("The property 'location' must be an object.")
    name = _one_line("displayName", value.get("displayName") or "")
    rest = {key: item for key, item in value.items() if key in ("address", "coordinates", "locationUri") and item}
    if not name and not rest:
        return NO_LOCATION
    kind = value.get("locationType") or "default"
    return {"displayName": name, "locationType": kind, "uniqueId": name, "uniqueIdType": "private"} | rest


def _text(name: str, value: Any) -> Any:
    if not isinstance(value, str | None) or len(value or "") > 100_000:
        raise errors.unreadable(f"The property '{name}' must be a string.")
    return value if value is not None or name == "transactionId" else ""


def _one_line(name: str, value: Any) -> str:
    """Subject and place: no line ends, 255 characters of UTF-16, none of them halved.

    [MS-OXCICAL] 2.1.3.1.1.20, SUMMARY and LOCATION
    """
    text = (_text(name, value) or "").replace("\r", "").replace("\n", "")
    return str(text).encode("utf-16-le", "surrogatepass")[:510].decode("utf-16-le", "ignore")


def _flag(name: str, value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")  # O365, a client many people use, writes it so, and Graph takes it
    if not isinstance(value, bool):
        raise errors.unreadable(f"The property '{name}' must be true or false.")
    return value


def _choice(name: str, value: Any) -> str:
    if value not in CHOICES[name]:
        raise errors.unreadable(f"The value of '{name}' is none of its type.")
    return str(value)


def _minutes(name: str, value: Any) -> int:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise errors.unreadable(f"The property '{name}' must be a number.")
    return value


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | None):
        raise errors.unreadable(f"The property '{name}' must be a list.")
    return value or []


def _categories(name: str, value: Any) -> list[str]:
    return [_text(name, item) for item in _list(name, value)]


def _content(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict | None):
        raise errors.unreadable("The property 'body' must have a contentType and a content.")
    kind = str((value or {}).get("contentType") or "text").lower()
    if kind not in ("text", "html"):
        raise errors.unreadable("The value of 'contentType' is none of its type.")
    return {"contentType": kind, "content": _text("content", (value or {}).get("content") or "")}


def _attendees(name: str, value: Any) -> list[dict[str, Any]]:
    people = _list(name, value)
    if len(people) > MAX_ATTENDEES:
        raise errors.invalid("There are too many attendees.")
    return [_attendee(person) for person in people]


def _attendee(person: Any) -> dict[str, Any]:
    mail = person.get("emailAddress") if isinstance(person, dict) else None
    if not isinstance(mail, dict) or not isinstance(mail.get("address"), str):
        raise errors.unreadable("An attendee needs an emailAddress.")
    kind = person.get("type") or "required"
    if kind not in ("required", "optional", "resource"):
        raise errors.unreadable("The value of 'type' is none of its type.")
    address = mail["address"][:320]
    return {
        "type": kind,
        "status": {"response": "none", "time": UNSET_TIME},
        "emailAddress": {"name": _text("name", mail.get("name") or address), "address": address},
    }


def _property(item: Any) -> tuple[str, dict[str, str]]:
    """A single-value extended property under its id in one spelling; the GUID's case does not matter, the name's does.

    https://learn.microsoft.com/graph/api/resources/extended-properties-overview
    """
    if not isinstance(item, dict) or not isinstance(item.get("value"), str):
        raise errors.unreadable("An extended property needs an id and a value.")
    return property_key(item.get("id")), {"id": item["id"], "value": item["value"]}


def property_key(name: Any) -> str:
    """An extended property's id in the spelling in which it is compared; 400 for one that is none."""
    if not isinstance(name, str) or not _PROPERTY.fullmatch(name):
        raise errors.GraphError(400, "ErrorInvalidProperty", "The extended property's id is malformed.")
    parts = name.split(" ", 3)
    return " ".join([*(part.lower() for part in parts[:3]), *parts[3:]])


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "subject": _one_line,
    "body": _content,
    "attendees": _attendees,
    "categories": _categories,
    "reminderMinutesBeforeStart": _minutes,
    **dict.fromkeys(CHOICES, _choice),
    **dict.fromkeys(FLAGS, _flag),
}
