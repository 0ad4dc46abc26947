"""Graph's events and our records, to and fro. Pure functions.

https://learn.microsoft.com/en-us/graph/api/resources/event
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from integrations.providers.calendars import is_untouched, shown, with_own_occurrence
from integrations.providers.outlook_calendar.uid import same_everywhere
from integrations.providers.texts import Room, composed, fitted, taken_apart, without_page
from integrations.providers.times import aware, day, zone_name, zone_named
from integrations.records import Fields, Marker, RemoteRecord, digest, instant, is_day, tidy

Event = Mapping[str, Any]

BUSY = ("busy", "oof", "tentative")
# No other app writes properties under this name: https://learn.microsoft.com/en-us/graph/api/resources/extended-properties-overview
_PROPERTY = "String {8e1b5c0a-6f0d-4a53-9d0e-2f7c1d3b9a64} Name "
MARK, MADE_WITH = f"{_PROPERTY}FieldCampRecord", f"{_PROPERTY}FieldCampEvent"
# Subject and place are kept in 255 characters and one line: [MS-OXCICAL] 2.1.3.1.1.20 (SUMMARY, LOCATION),
# https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxcical. A body has no documented length;
# this is as much as Outlook's own texts have.
ROOMS = {"title": Room(255, " "), "place": Room(255, ", "), "text": Room(32_767)}
_ID_PREFIX = "fieldcamp:"  # a colon is in no id that Graph makes


def make_id(seed: str) -> str:
    """Returns the `transactionId` of a create, always the same for the same seed. (The event's id is Graph's to
    choose.)"""
    return f"{_ID_PREFIX}{hashlib.sha256(seed.encode()).hexdigest()[:40]}"


def is_ours(transaction_id: Any) -> bool:
    """Returns whether a create of ours was made with it."""
    return isinstance(transaction_id, str) and transaction_id.startswith(_ID_PREFIX)


def to_record(event: Event, master: Event | None = None) -> RemoteRecord:
    """Returns one event as Graph has it now, an occurrence with its series' master."""
    made_with = event.get("transactionId") if is_ours(event.get("transactionId")) else ""
    marker = _marker(event)
    all_day = bool(event.get("isAllDay"))
    start, end = (_moment(event[name], all_day) for name in ("start", "end"))
    place = tidy((event.get("location") or {}).get("displayName") or "")
    fields = {
        "start": start,
        "end": end,
        "zone": zone_of(event.get("originalStartTimeZone")),
        "title": tidy(event.get("subject") or ""),
        **_texts(event.get("body") or {}, ours=bool(made_with or marker)),
        "place": place,
        "repeats": event.get("type") == "seriesMaster",
        "busy": is_busy(event),
        "uid": _uid(event, master),
        "recurrence": None,
        "series_id": event.get("seriesMasterId"),
        "original_start": _original_start(event, master),
    }
    tag = event.get("@odata.etag") or ""
    if event.get("type") == "occurrence":
        # All occurrences move with their series' etag, though nothing of them may have changed.
        tag = digest({name: value for name, value in fields.items() if name not in ("text", "notes")})
    return RemoteRecord(
        id=event["id"],
        tag=tag,
        kind="block",
        fields=fields,
        marker=marker,
        shown=shown(event.get("subject"), start, end, _status(event)),
        created=is_untouched(event.get("createdDateTime"), event.get("lastModifiedDateTime")),
        made_with=str(made_with),
    )


def is_series(event: Event) -> bool:
    """Returns whether it is a visit's event that somebody has made a series of."""
    return event.get("type") == "seriesMaster" and is_ours(event.get("transactionId"))


def with_own_occurrence_of(series: RemoteRecord, master: Event, rows: Iterable[Event]) -> RemoteRecord | None:
    """Returns the series' record as the visit's own occurrence is, the first; None where it is not among the rows."""
    found = [to_record({**master, **row}, master) for row in rows]
    own = [each for each in found if each.fields["original_start"] == series.fields["start"]]
    return with_own_occurrence(series, own[0]) if own else None


def _moment(time: Mapping[str, str], all_day: bool) -> str:
    """Returns an instant in UTC; a day as it stands, whatever zone it is said in: a day never passes through a time
    zone."""
    text = time["dateTime"]
    if all_day:
        return day(text)
    return instant(aware(text, zone_named(zone_of(time.get("timeZone")))))


def _original_start(event: Event, master: Event | None) -> str | None:
    """Returns the place in its series, a day for a series of days, as other calendars name it too."""
    if not event.get("seriesMasterId"):
        return None
    whole_days = bool((master or event).get("isAllDay"))
    text = event.get("originalStart")
    if not text:  # an occurrence is where its series puts it
        return _moment(event["start"], whole_days)
    moment = aware(text)
    if not whole_days:
        return instant(moment)
    at_home = moment.astimezone(zone_named(zone_of((master or event).get("originalStartTimeZone"))))
    return (moment if moment.time() == dt.time() else at_home).date().isoformat()


def zone_of(name: str | None) -> str:
    """Returns the IANA name of a zone; "" for one that nobody knows, such as Outlook's `tzone://Microsoft/Custom`."""
    return zone_name(WINDOWS_TO_OLSON.get(name or "", name or ""))


def _uid(event: Event, master: Event | None) -> str:
    found = event.get("uid") or (master or {}).get("uid") or event.get("iCalUId") or (master or {}).get("iCalUId")
    return same_everywhere(found or "")


def is_busy(event: Event) -> bool:
    """Returns whether the event takes the person's time."""
    declined = (event.get("responseStatus") or {}).get("response") == "declined"
    return event.get("showAs") in BUSY and not declined and not event.get("isCancelled")


def _status(event: Event) -> str:
    if event.get("isCancelled"):
        return "cancelled"
    return "tentative" if event.get("showAs") == "tentative" else "confirmed"


def _marker(event: Event) -> Marker | None:
    """Returns our property, which is there only where it was asked for."""
    for item in event.get("singleValueExtendedProperties") or ():
        values = str(item.get("value")).split("|")
        if str(item.get("id")).casefold() == MARK.casefold() and len(values) == 3 and all(values):
            return Marker(*values)
    return None


def plain_text(body: Mapping[str, str]) -> str:
    """Returns the body as text, without the page that Exchange makes of it."""
    content = body.get("content") or ""
    return without_page(content) if body.get("contentType") == "html" else tidy(content)


def _texts(body: Mapping[str, str], ours: bool) -> dict[str, str]:
    text = plain_text(body)
    return taken_apart(text) if ours else {"text": text}


def kept(_kind: str, fields: Fields) -> Fields:
    """Returns a visit's fields as Outlook has room for them."""
    return fitted(fields, ROOMS)


def to_body(fields: Fields, *, marker: Marker | None, link: str, create: str = "") -> dict[str, Any]:
    """Returns the part of an event that `fields` say; with `create`, the transaction id, a whole new event.

    No attendees, so nobody is mailed. Times go together, in UTC: an event that a person has made all-day gets its
    time back.
    """
    body: dict[str, Any] = {}
    if "title" in fields:
        body["subject"] = fields["title"] or ""
    if "text" in fields:
        whole = composed(fields["text"] or "", link, fields.get("notes") or "", ROOMS["text"].units)
        body["body"] = {"contentType": "text", "content": whole}
    if "place" in fields:
        body["location"] = {"displayName": fields["place"] or ""}
    for name in ("start", "end"):
        if fields.get(name):
            body[name] = _time(fields[name])
            body["isAllDay"] = is_day(fields[name])
    if not create and fields.get("repeats") is False:
        body["recurrence"] = None
    if create and marker:
        values = {MARK: f"{marker.workspace_id}|{marker.record_id}|{marker.remote_id}", MADE_WITH: marker.remote_id}
        body["singleValueExtendedProperties"] = [{"id": name, "value": value} for name, value in values.items()]
    if create:
        body |= {"transactionId": create, "showAs": "busy", "responseRequested": False}
    return body


def _time(moment: str) -> dict[str, str]:
    text = f"{moment}T00:00:00" if is_day(moment) else moment.removesuffix("Z")
    return {"dateTime": text, "timeZone": "UTC"}
