"""Google's events and our records, to and fro. Pure functions.

https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from integrations.providers.calendars import is_untouched, shown
from integrations.providers.recurrence import rules_only
from integrations.providers.texts import Room, composed, fitted, taken_apart, units, without_html
from integrations.providers.times import aware, day, zone_name, zone_named
from integrations.records import Fields, Marker, RemoteRecord, instant, is_day, tidy

Event = Mapping[str, Any]

BUSY_TYPES = ("default", "outOfOffice", "focusTime")
# What mapping reads, and so what is asked for: https://developers.google.com/workspace/calendar/api/guides/performance
EVENT_FIELDS = (
    "id,etag,status,summary,description,location,start,end,recurrence,recurringEventId,originalStartTime,transparency,"
    "eventType,iCalUID,sequence,created,updated,attendees(self,responseStatus),extendedProperties/private"
)
# Google documents no lengths; of descriptions it has been seen to keep 8,192. Shorter ones are always safe.
ROOMS = {"title": Room(1_024, " "), "place": Room(1_024, ", "), "text": Room(8_192)}
ID_LENGTH = 52  # of an id of our making
_OWN_ID = re.compile(rf"[0-9a-v]{{{ID_LENGTH}}}(_|$)")
_MARK = {"workspace_id": "fieldcamp_workspace", "record_id": "fieldcamp_visit", "remote_id": "fieldcamp_event"}


def might_be_own_id(event_id: str) -> bool:
    """Returns whether the id has the form of ours, or of an occurrence of such a series. Of others nobody knows who has
    chosen them: that of an imported event is its iCalendar UID in base32hex, and any app may choose one of its own.
    https://developers.google.com/workspace/calendar/api/v3/reference/events/import"""
    return bool(_OWN_ID.match(event_id))


def to_record(event: Event, calendar_zone: str = "") -> RemoteRecord:
    """Returns one event, or a tombstone: those have an id and little else, so they are dealt with first."""
    if event.get("status") == "cancelled":
        return RemoteRecord(
            id=event["id"],
            tag=event.get("etag", ""),
            kind="block",
            fields=_place_in_series(event),
            gone=True,
            marker=_marker(event),
        )
    marker = _marker(event)
    start, end = _moment(event["start"]), _moment(event["end"])
    return RemoteRecord(
        id=event["id"],
        tag=event.get("etag", ""),
        kind="block",
        fields={
            "start": start,
            "end": end,
            "zone": zone_name(event["start"].get("timeZone") or "") or zone_name(calendar_zone),
            "title": tidy(event.get("summary") or ""),
            **_texts(event.get("description") or "", ours=marker is not None),
            "place": tidy(event.get("location") or ""),
            "repeats": bool(event.get("recurrence")),
            "busy": is_busy(event),
            "uid": event.get("iCalUID", ""),
            "recurrence": rules_only(event["recurrence"]) if event.get("recurrence") else None,
            "series_id": None,
            "original_start": None,
            **_place_in_series(event),
        },
        marker=marker,
        shown=shown(event.get("summary"), start, end, event.get("status", "confirmed")),
        created=not event.get("sequence", 0) and is_untouched(event.get("created"), event.get("updated")),
    )


def _place_in_series(event: Event) -> dict[str, Any]:
    if not event.get("recurringEventId"):
        return {}
    original = event.get("originalStartTime")
    return {"series_id": event["recurringEventId"], "original_start": _moment(original) if original else None}


def _moment(time: Mapping[str, str]) -> str:
    """Returns an instant in UTC, or a day as it stands: a day never passes through a time zone."""
    if date := time.get("date"):
        return day(date)
    return instant(aware(time["dateTime"], zone_named(time.get("timeZone", ""))))


def is_busy(event: Event) -> bool:
    """Returns whether the event takes the person's time."""
    declined = any(
        guest.get("self") and guest.get("responseStatus") == "declined" for guest in event.get("attendees") or ()
    )
    return (
        event.get("transparency", "opaque") == "opaque"
        and event.get("eventType", "default") in BUSY_TYPES
        and not declined
    )


def _marker(event: Event) -> Marker | None:
    private = (event.get("extendedProperties") or {}).get("private") or {}
    values = {name: str(private.get(key) or "") for name, key in _MARK.items()}
    return Marker(**values) if all(values.values()) else None


def plain_text(description: str) -> str:
    """Returns the description without the HTML that Google's editor makes of it."""
    return without_html(description)


def _texts(description: str, ours: bool) -> dict[str, str]:
    text = plain_text(description)
    return taken_apart(text) if ours else {"text": text}


def _sent_text(text: str) -> str:
    # Google shows a description as HTML. What would be taken for HTML is escaped, so that it comes back as it was.
    return text if plain_text(text) == text else html.escape(text, quote=False)


def _size(text: str) -> int:
    """Returns how long the text is as it is sent, or a little more."""
    return units(html.escape(text, quote=False)) if set(text) & set("<>&") else units(text)


def kept(_kind: str, fields: Fields) -> Fields:
    """Returns a visit's fields as Google has room for them."""
    return fitted(fields, ROOMS, _size)


def to_body(fields: Fields, *, marker: Marker | None, link: str, patch: bool = False) -> dict[str, Any]:
    """Returns the part of an event that `fields` say. A patch leaves alone what is absent, and clears a time's other
    form."""
    body: dict[str, Any] = {}
    if "title" in fields:
        body["summary"] = fields["title"] or ""
    if "text" in fields:
        whole = composed(fields["text"] or "", link, fields.get("notes") or "", ROOMS["text"].units, _size)
        body["description"] = _sent_text(whole)
    if "place" in fields:
        body["location"] = fields["place"] or ""
    for name in ("start", "end"):
        if fields.get(name):
            body[name] = _time(fields[name], fields.get("zone") or "", patch)
    if patch and fields.get("repeats") is False:
        body["recurrence"] = None
    if marker:
        private = {key: getattr(marker, name) for name, key in _MARK.items()}
        body["extendedProperties"] = {"private": private}
        if link:
            body["source"] = {"title": "FieldCamp", "url": link}
    return body


def _time(moment: str, zone: str, patch: bool) -> dict[str, str | None]:
    time: dict[str, str | None] = {"date": moment} if is_day(moment) else {"dateTime": moment}
    if zone and not is_day(moment):
        time["timeZone"] = zone
    if patch:
        time["dateTime" if is_day(moment) else "date"] = None
    return time
