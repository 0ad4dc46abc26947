"""Events as Graph shows them, in the zone and with the body the client prefers."""

import html
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.microsoft.calendars import change_key
from fieldcamp.sandbox.microsoft.store import Stored, span
from fieldcamp.sandbox.microsoft.times import from_ms, write_instant, write_local

KINDS = {"single": "singleInstance", "master": "seriesMaster", "exception": "exception", "occurrence": "occurrence"}
_HEAD = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
_FROM_TEXT = (
    '<meta name="Generator" content="Microsoft Exchange Server">\r\n<!-- converted from text -->\r\n'
    "<style><!-- .EmailQuote { margin-left: 1pt; padding-left: 4pt; border-left: #800000 2px solid; } --></style>"
    '</head>\r\n<body>\r\n<font size="2"><span style="font-size:11pt;"><div class="PlainText">'
)
_DROPPED = re.compile(r"<(head|style|script)\b.*?</\1\s*>|<!--.*?-->", re.I | re.S)
_BREAK = re.compile(r"<br\s*/?>|</(p|div|li|tr)\s*>", re.I)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Shape:
    """How a client wants to read events. https://learn.microsoft.com/graph/api/event-get#request-headers"""

    zone: ZoneInfo = ZoneInfo("Etc/UTC")
    zone_name: str = "UTC"
    immutable: bool = False
    text: bool = False
    properties: tuple[str, ...] = ()
    mailbox: bytes = b""  # whose ids, when it is not the owner's who asks
    private: bool = True  # whether private events are shown as what they are


def etag_of(stored: Stored) -> str:
    """The version that If-Match names."""
    return f'W/"{_key(stored)}"'


def event(stored: Stored, shape: Shape) -> dict[str, Any]:
    """The whole event; of one that is not for whoever asks, only when it is.
    https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar
    """
    stored = _for(stored, shape)
    body, event_id, master_id = stored.body, stored.id(shape.immutable), stored.series_id(shape.immutable)
    link = f"https://outlook.live.com/owa/?itemid={quote(event_id, safe='')}&exvsurl=1&path=/calendar/item"
    result = {
        "@odata.etag": etag_of(stored),
        "id": event_id,
        "createdDateTime": write_instant(body["created_us"]),
        "lastModifiedDateTime": write_instant(stored.written_us),
        "changeKey": _key(stored),
        "categories": body["categories"],
        "transactionId": body["transactionId"],
        "originalStartTimeZone": body["start"]["timeZone"],
        "originalEndTimeZone": body["endZone"],
        "iCalUId": _ical_uid(stored),
        "uid": body["iCalUId"],
        "reminderMinutesBeforeStart": body["reminderMinutesBeforeStart"],
        "isReminderOn": body["isReminderOn"],
        "hasAttachments": False,
        "subject": body["subject"],
        "bodyPreview": _plain(body["body"])[:255],
        "importance": body["importance"],
        "sensitivity": body["sensitivity"],
        "isAllDay": body["isAllDay"],
        "isCancelled": body["isCancelled"],
        "isOrganizer": body["isOrganizer"],
        "responseRequested": body["responseRequested"],
        "seriesMasterId": master_id,
        "showAs": body["showAs"],
        "type": KINDS[stored.kind],
        "webLink": link,
        "onlineMeetingUrl": None,
        # A calendar whose allowedOnlineMeetingProviders are "unknown" alone silently makes no online meetings.
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": body["allowNewTimeProposals"],
        "occurrenceId": None,
        "isDraft": False,
        "hideAttendees": body["hideAttendees"],
        "responseStatus": body["responseStatus"],
        "body": _body(body["body"], shape.text),
        **_times(stored, shape),
        "location": body["location"],
        "locations": body["locations"],
        "recurrence": body["recurrence"],
        "attendees": body["attendees"],
        "organizer": {"emailAddress": body["organizer"]},
        "onlineMeeting": None,
    }
    if stored.original_ms is not None:
        result["originalStart"] = f"{from_ms(stored.original_ms):%Y-%m-%dT%H:%M:%SZ}"
        result["occurrenceId"] = f"OID.{master_id}.{from_ms(stored.original_ms):%Y-%m-%d}"
    found = [body["properties"][key] for key in shape.properties if key in body["properties"]]
    if found:
        result["singleValueExtendedProperties"] = found
    return result


def occurrence_id(master: Stored, original_ms: int, immutable: bool) -> str:
    """The name of an instance among its series' cancelledOccurrences."""
    return f"OID.{master.id(immutable)}.{from_ms(original_ms):%Y-%m-%d}"


def sparse(stored: Stored, shape: Shape) -> dict[str, Any]:
    """An occurrence as delta sends it: the rest is in its series' master."""
    stored = _for(stored, shape)
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": etag_of(stored),
        "id": stored.id(shape.immutable),
        "seriesMasterId": stored.series_id(shape.immutable),
        "type": "occurrence",
        **_times(stored, shape),
    }


def removed(stored: Stored, shape: Shape) -> dict[str, Any]:
    """What delta sends for an event that is deleted or not in the window."""
    stored = _for(stored, shape)
    return {
        "@odata.type": "#microsoft.graph.event",
        "id": stored.id(shape.immutable),
        "@removed": {"reason": "deleted"},
    }


def _for(stored: Stored, shape: Shape) -> Stored:
    """The event as whoever asks has it: its ids are those of the mailbox that it is looked at in."""
    if shape.mailbox:
        stored = replace(stored, mailbox=shape.mailbox)
    if shape.private or stored.body["sensitivity"] not in ("private", "confidential", "personal"):
        return stored
    nothing = {"subject": "Private Appointment", "body": {"contentType": "text", "content": ""}, "attendees": []}
    nowhere = {"displayName": "", "locationType": "default"}
    blank = nothing | {"location": nowhere, "locations": [], "categories": [], "properties": {}}
    return replace(stored, body=stored.body | blank)


def _key(stored: Stored) -> str:
    return change_key(stored.mailbox, stored.cal, stored.change)


def _ical_uid(stored: Stored) -> str:
    """Per instance, as documented; of the whole series it is the `uid`."""
    uid: str = stored.body["iCalUId"]
    if stored.original_ms is None:
        return uid
    day = from_ms(stored.original_ms)
    return f"{uid[:32]}{day.year:04X}{day.month:02X}{day.day:02X}{uid[40:]}"


def _times(stored: Stored, shape: Shape) -> dict[str, Any]:
    if stored.body["isAllDay"]:
        # Whole days are on their own dates in every zone.
        times = {name: f"{stored.body[name]['dateTime'][:10]}T00:00:00.0000000" for name in ("start", "end")}
        return {name: {"dateTime": text, "timeZone": shape.zone_name} for name, text in times.items()}
    # Not the row's columns: a series' `end_ms` is the end of its last occurrence.
    ends = zip(("start", "end"), span(stored.body), strict=True)
    return {name: write_local(ms, shape.zone, shape.zone_name) for name, ms in ends}


def _body(body: dict[str, str], as_text: bool) -> dict[str, str]:
    if as_text:
        return {"contentType": "text", "content": _plain(body)}
    content = body["content"]
    if body["contentType"] == "html":
        inner = content if "<html" in content.lower() else f"{_HEAD}</head><body>\r\n{content}\r\n</body></html>\r\n"
        return {"contentType": "html", "content": inner}
    lines = html.escape(content, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n") or "&nbsp;"
    end = "</div></span></font>\r\n</body>\r\n</html>\r\n"
    return {"contentType": "html", "content": f"{_HEAD}{_FROM_TEXT}{lines}{end}"}


def _plain(body: dict[str, str]) -> str:
    if body["contentType"] == "text":
        return body["content"]
    text = _TAG.sub("", _BREAK.sub("\r\n", _DROPPED.sub("", body["content"])))
    return html.unescape(text).strip()
