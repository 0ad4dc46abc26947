"""The methods on calendars and on the list of calendars."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.google import cursors, errors, params
from fieldcamp.sandbox.google.calendars import Calendar, Calendars, base32hex, new_id
from fieldcamp.sandbox.google.render import etag_of, opaque_etag
from fieldcamp.sandbox.google.rules import ROLES
from fieldcamp.sandbox.google.times import zone

TEXTS = {"summary": 1024, "description": 8192, "location": 1024}
MEET = {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}
# Calendar colours, from colors.get; the list's entries name one of them.
_PALETTE = (
    "#ac725e #d06b64 #f83a22 #fa573c #ff7537 #ffad46 #42d692 #16a765 #7bd148 #b3dc6c #fbe983 #fad165"
    " #92e1c0 #9fe1e7 #9fc6e7 #4986e7 #9a9cff #b99aff #c2c2c2 #cabdbf #cca6ac #f691b2 #cd74e6 #a47ae2"
)
COLORS = {str(n): color for n, color in enumerate(_PALETTE.split(), 1)}


@dataclass(frozen=True)
class Entry:
    """A calendar's entry in an account's list."""

    row: sqlite3.Row

    def render(self, account: str) -> dict[str, Any]:
        """As calendarList has it; a removed one only says that it is removed."""
        row, own, body = self.row, json.loads(self.row["body"]), json.loads(self.row["calendar_body"])
        result: dict[str, Any] = {
            "kind": "calendar#calendarListEntry",
            "etag": etag_of(row["updated_us"] // 2),
            "id": row["id"],
        }
        if row["deleted"]:
            return result | {"deleted": True}
        result |= {name: body[name] for name in ("summary", "description", "location") if name in body}
        result["timeZone"] = body["timeZone"]
        if row["id"] != row["owner"]:
            result["dataOwner"] = row["owner"]
        if "summaryOverride" in own:
            result["summaryOverride"] = own["summaryOverride"]
        color = own.get("colorId", "1")
        result |= {"colorId": color, "backgroundColor": COLORS[color], "foregroundColor": "#000000"}
        result |= {name: True for name in ("hidden", "selected") if own.get(name)}
        result |= {"accessRole": row["role"], "defaultReminders": own.get("defaultReminders", [])}
        if "notificationSettings" in own:
            result["notificationSettings"] = own["notificationSettings"]
        if row["id"] == account:
            result["primary"] = True
        return result | {"conferenceProperties": MEET}


class CalendarApi:
    """calendars.* and calendarList.*."""

    def __init__(self, calendars: Calendars) -> None:
        self.calendars, self.state = calendars, calendars.state

    def get(self, cal: Calendar) -> dict[str, Any]:
        """The calendar's own properties."""
        result: dict[str, Any] = {
            "kind": "calendar#calendar",
            "etag": opaque_etag(cal.id, cal.body),
            "id": cal.id,
        }
        result |= {name: cal.body[name] for name in ("summary", "description", "location") if name in cal.body}
        result["timeZone"] = cal.body["timeZone"]
        if not cal.is_primary:
            result["dataOwner"] = cal.owner
        return result | {"conferenceProperties": MEET}

    def insert(self, account: str, client_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        """A new secondary calendar."""
        body = _calendar_body(payload, {"timeZone": "UTC"})
        digits = base32hex(new_id(), 52)
        return self.get(self.calendars.create(account, f"c_{digits}@group.calendar.google.com", body, client_id))

    def write(self, cal: Calendar, payload: dict[str, Any], whole: bool) -> dict[str, Any]:
        """PATCH, or with `whole` PUT."""
        cal.must_be("owner")
        base = {"timeZone": cal.body["timeZone"]} if whole else cal.body
        return self.get(self.calendars.save(cal, _calendar_body(payload, base)))

    def delete(self, cal: Calendar) -> None:
        """Deletes a secondary calendar, which only its data owner may; the primary one can only be cleared.
        https://developers.google.com/workspace/calendar/release-notes
        """
        if cal.account != cal.owner:
            raise errors.forbidden()
        if cal.is_primary:
            raise errors.invalid("The primary calendar cannot be deleted; clear it instead.")
        self.calendars.remove(cal)

    def entry(self, account: str, calendar_id: str) -> Entry:
        """The entry of one calendar; 404 when the list does not have it."""
        rows = self._rows(account, "c.id = ?", account if calendar_id == "primary" else calendar_id.lower())
        if not rows or rows[0]["deleted"]:
            raise errors.not_found()
        return Entry(rows[0])

    def entries(self, account: str, query: MultiDict) -> dict[str, Any]:
        """One page of calendarList.list."""
        limit = params.number(query, "maxResults", 100, 250) or 100
        show_deleted, show_hidden = params.flag(query, "showDeleted"), params.flag(query, "showHidden")
        role = query.get("minAccessRole")
        if role is not None and role not in ROLES:
            raise errors.bad_parameter("minAccessRole", role)
        since, as_of, position = None, self.calendars.list_change(account), 0
        filters = cursors.digest(show_deleted, show_hidden, role)
        if query.get("pageToken"):
            page = cursors.unseal(self.state, "calendars", query["pageToken"])
            if page is None or page["account"] != account or page["filters"] != filters:
                raise errors.invalid("Invalid page token value.", "pageToken")
            since, as_of, position = page["since"], page["as_of"], page["position"]
        elif query.get("syncToken"):
            if role is not None or "showOwnOrganizationOnly" in query or False in (show_deleted, show_hidden):
                raise errors.invalid("These parameters cannot be combined with syncToken.", "syncToken")
            since = cursors.unseal_sync(self.state, query["syncToken"], f"list:{account}", "")
        rows = [
            row
            for row in self._rows(account, "e.change > ? AND e.change <= ?", max(position, since or 0), as_of)
            if since is not None or show_deleted or not row["deleted"]
            if since is not None or show_hidden or not json.loads(row["body"]).get("hidden")
            if role is None or ROLES.index(row["role"]) >= ROLES.index(role)
        ]
        result: dict[str, Any] = {"kind": "calendar#calendarList", "etag": opaque_etag(account, as_of)}
        if len(rows) > limit:
            values = {"account": account, "filters": filters, "since": since, "as_of": as_of}
            position = rows[limit - 1]["change"]
            result["nextPageToken"] = cursors.seal(self.state, "calendars", position=position, **values)
        else:
            result["nextSyncToken"] = cursors.seal_sync(self.state, f"list:{account}", as_of, "")
        result["items"] = [Entry(row).render(account) for row in rows[:limit]]
        return result

    def write_entry(self, account: str, calendar_id: str, payload: dict[str, Any], whole: bool) -> dict[str, Any]:
        """PATCH of the entry's own properties, or with `whole` PUT."""
        row = self.entry(account, calendar_id).row
        own = {} if whole else json.loads(row["body"])
        for name, kind in (("colorId", str), ("summaryOverride", str), ("hidden", bool), ("selected", bool)):
            if name not in payload:
                continue
            if payload[name] is None:
                own.pop(name, None)
            elif not isinstance(payload[name], kind) or (name == "colorId" and payload[name] not in COLORS):
                raise errors.invalid(f"Invalid value for: {name}")
            else:
                own[name] = payload[name]
        self.calendars.put_entry(account, row["n"], row["role"], own)
        return self.entry(account, calendar_id).render(account)

    def insert_entry(self, account: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Puts a calendar that one may see on the list, or back on it."""
        cal = self.calendars.find(account, str(payload.get("id", "")))
        self.calendars.put_entry(account, cal.n, cal.role, {"colorId": str(cal.n % 24 + 1), "selected": True})
        return self.write_entry(account, cal.id, payload, whole=False)

    def remove_entry(self, account: str, calendar_id: str) -> None:
        """Takes the calendar off the account's list."""
        row = self.entry(account, calendar_id).row
        if row["id"] == account:
            raise errors.invalid("The primary calendar cannot be removed from the list.")
        self.calendars.put_entry(account, row["n"], row["role"], json.loads(row["body"]), deleted=True)

    def _rows(self, account: str, condition: str, *values: Any) -> list[sqlite3.Row]:
        self.calendars.end_what_is_due()
        return self.state.all(
            "SELECT e.*, c.n, c.id, c.owner, c.body AS calendar_body FROM g_entries e"  # noqa: S608  our own conditions
            f" JOIN g_calendars c ON c.n = e.cal WHERE e.account = ? AND {condition} ORDER BY e.change",
            account,
            *values,
        )


def _calendar_body(payload: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    body = dict(base)
    for name, limit in TEXTS.items():
        if name not in payload:
            continue
        if payload[name] is None:
            body.pop(name, None)
        elif not isinstance(payload[name], str) or len(payload[name]) > limit:
            raise errors.invalid(f"Invalid value for: {name}")
        else:
            body[name] = payload[name]
    place = payload.get("timeZone", body["timeZone"])
    if not isinstance(place, str) or zone(place) is None:
        raise errors.invalid("Invalid time zone.")
    if not body.get("summary"):
        raise errors.required("Missing summary.")
    return body | {"timeZone": place}
