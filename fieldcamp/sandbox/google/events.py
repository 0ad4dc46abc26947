"""What one can do to an event: get, insert, patch, update, delete, import, move. API and pages both call this."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fieldcamp.sandbox.google import errors, recurrence
from fieldcamp.sandbox.google.calendars import Calendar, Calendars, base32hex, new_id
from fieldcamp.sandbox.google.event_types import checked_new_type
from fieldcamp.sandbox.google.render import etag_of
from fieldcamp.sandbox.google.resource import FIXED, WRITABLE, body_from, checked_id, merged, writable
from fieldcamp.sandbox.google.store import EventStore, Stored, moment_ms
from fieldcamp.sandbox.google.times import parse_date, parse_datetime, read_date, write_utc
from fieldcamp.sandbox.state import State

_INSTANCE = re.compile(r"(?P<series>.+)_(?P<start>\d{8}(T\d{6}Z)?)", re.ASCII)
LONGEST_ID = 1024
# What guests of somebody else's event cannot change.
SHARED = ("summary", "description", "location", "start", "end", "recurrence")


class Events:
    """The verbs. Each is one transaction."""

    def __init__(self, state: State, calendars: Calendars) -> None:
        self.state, self.calendars = state, calendars
        self.store = EventStore(state, calendars)

    def get(self, cal: Calendar, event_id: str) -> Stored:
        """The event or instance, also when it is cancelled; 404 when it never was."""
        found = self.store.get(cal, event_id)
        match = _INSTANCE.fullmatch(event_id)
        if match is None or (found is not None and "recurringEventId" not in found.body):
            if found is None:
                raise errors.not_found()
            return found
        master = self.store.get(cal, match["series"])
        if found is None:
            if master is None or not master.recurring:
                raise errors.not_found()
            found = self._implied(cal, master, match["start"])
        if master is not None and master.cancelled and not found.cancelled:
            found = replace(found, body=found.body | {"status": "cancelled"})
        return found

    def instance(self, master: Stored, occurrence: recurrence.Occurrence) -> Stored:
        """The instance that a series implies for one of its occurrences."""
        body = {name: value for name, value in master.body.items() if name != "recurrence"}
        body["id"] = f"{master.id}_{occurrence.suffix}"
        if isinstance(occurrence.start, datetime):
            length = timedelta(milliseconds=occurrence.end_ms - occurrence.start_ms)
            end = occurrence.start.astimezone(UTC) + length
            named = {"timeZone": master.body["start"]["timeZone"]}
            body["start"] = {"dateTime": write_utc(occurrence.start), **named}
            body["end"] = {"dateTime": write_utc(end), "timeZone": master.body["end"]["timeZone"]}
        else:
            length = read_date(master.body["end"]["date"]) - read_date(master.body["start"]["date"])
            body["start"] = {"date": occurrence.start.isoformat()}
            body["end"] = {"date": (occurrence.start + length).isoformat()}
        body |= {"recurringEventId": master.id, "originalStartTime": body["start"]}
        return replace(
            master,
            id=body["id"],
            body=body,
            start_ms=occurrence.start_ms,
            end_ms=occurrence.end_ms,
            original_ms=occurrence.start_ms,
            saved=False,
        )

    def insert(self, cal: Calendar, payload: dict[str, Any], creator: str) -> Stored:
        """A new event; 409 when its id was ever used in this calendar, or its iCalUID is."""
        cal.must_be("writer")
        with self.state.transaction():
            given_id, uid = payload.get("id"), payload.get("iCalUID")
            if given_id is not None and uid is not None:
                raise errors.invalid("Only one of id and iCalUID can be given.")
            event_id = checked_id(given_id) if given_id is not None else new_id()
            taken = self.store.get(cal, event_id)
            if taken is not None or (uid is not None and self.store.by_uid(cal, _checked_uid(uid))):
                raise errors.duplicate()
            if payload.get("status") == "cancelled":
                raise errors.invalid("Invalid value for: status")
            fixed = self._fixed(cal, event_id, uid, payload, creator)
            return self.store.save(cal, body_from(writable(payload), fixed, cal, None))

    def patch(self, cal: Calendar, event_id: str, payload: dict[str, Any], if_match: str | None = None) -> Stored:
        """Merges the payload into the event."""
        with self.state.transaction():
            current = self._current(cal, event_id, if_match)
            asked = {name: value for name, value in payload.items() if name in WRITABLE}
            return self._write(cal, current, merged(writable(current.body), asked), payload)

    def update(self, cal: Calendar, event_id: str, payload: dict[str, Any], if_match: str | None = None) -> Stored:
        """Replaces the event: what the payload leaves out is gone."""
        with self.state.transaction():
            current = self._current(cal, event_id, if_match)
            return self._write(cal, current, writable(payload), payload)

    def delete(self, cal: Calendar, event_id: str, if_match: str | None = None) -> Stored:
        """Leaves a tombstone; 410 when there is one already."""
        cal.must_be("writer")
        with self.state.transaction():
            current = self.get(cal, event_id)
            if current.cancelled:
                raise errors.already_deleted()
            _check_etag(current, if_match)
            return self.store.save(cal, current.body | {"status": "cancelled"})

    def import_(self, cal: Calendar, payload: dict[str, Any], creator: str) -> Stored:
        """A private copy of an event that exists elsewhere; the same iCalUID again overwrites it."""
        cal.must_be("writer")
        with self.state.transaction():
            uid = payload.get("iCalUID")
            if uid is None:
                raise errors.required("Missing iCal UID.")
            if payload.get("eventType", "default") != "default":
                raise errors.invalid("Only events of type default can be imported.")
            known = self.store.by_uid(cal, _checked_uid(uid))
            event_id = known.id if known else _imported_id(uid)
            fixed = self._fixed(cal, event_id, uid, payload, creator)
            organizer = payload.get("organizer")
            if isinstance(organizer, dict) and isinstance(organizer.get("email"), str):
                fixed["organizer"] = {"email": organizer["email"][:320]}
            if known is not None:
                fixed["created"] = known.body["created"]
            return self.store.save(cal, body_from(writable(payload), fixed, cal, None))

    def move(self, cal: Calendar, event_id: str, target: Calendar) -> Stored:
        """The event leaves a bare tombstone here and goes on, with its exceptions, under the same id there."""
        cal.must_be("writer")
        target.must_be("writer")
        with self.state.transaction():
            current = self.get(cal, event_id)
            if current.cancelled:
                raise errors.already_deleted()
            if current.body["eventType"] != "default" or "recurringEventId" in current.body:
                raise errors.invalid("Only events of type default can be moved, and only as a whole.")
            there = self.store.get(target, event_id)
            if there is not None and not there.cancelled:
                raise errors.duplicate()
            whole = self.store.rows(cal, cal.change, "(id = ? OR series = ?)", (event_id, event_id), "seq")
            for each in list(whole):
                self.store.save(target, each.body | {"organizer": self._organizer(target)})
                self.store.save(cal, each.body | {"status": "cancelled"})
            return self.get(target, event_id)

    def clear(self, cal: Calendar) -> None:
        """Deletes every event of the calendar."""
        with self.state.transaction():
            for each in list(self.store.rows(cal, cal.change, "status <> 'cancelled'", (), "seq")):
                self.store.save(cal, each.body | {"status": "cancelled"})

    def quick_add(self, cal: Calendar, text: str, creator: str) -> Stored:
        """An event named by the text at the next full hour; Google reads times out of the text, this does not."""
        start = datetime.fromtimestamp(self.state.now() // 3600 * 3600 + 3600, cal.zone)
        ends = ("start", start), ("end", start + timedelta(hours=1))
        payload: dict[str, Any] = {name: {"dateTime": moment.isoformat()} for name, moment in ends}
        return self.insert(cal, {"summary": text} | payload, creator)

    def _write(self, cal: Calendar, current: Stored, fields: dict[str, Any], payload: dict[str, Any]) -> Stored:
        kind = payload.get("eventType")
        if kind is not None and kind != current.body["eventType"]:
            raise errors.invalid("The event type cannot be changed.")
        if current.cancelled and payload.get("status") not in ("confirmed", "tentative"):
            raise errors.forbidden()
        fixed = {name: current.body[name] for name in FIXED if name in current.body}
        body = body_from(fields, fixed, cal, current.body)
        organizer_elsewhere = fixed["organizer"]["email"] != cal.id
        if organizer_elsewhere and any(body.get(name) != current.body.get(name) for name in SHARED):
            text = "Shared properties can only be changed by the organizer of the event."
            raise errors.ApiError(403, "forbiddenForNonOrganizer", text, "calendar")
        return self.store.save(cal, body)

    def _current(self, cal: Calendar, event_id: str, if_match: str | None) -> Stored:
        cal.must_be("writer")
        current = self.get(cal, event_id)
        _check_etag(current, if_match)
        return current

    def _implied(self, cal: Calendar, master: Stored, suffix: str) -> Stored:
        text = f"{suffix[:4]}-{suffix[4:6]}-{suffix[6:8]}"
        if "T" in suffix:
            moment = parse_datetime(f"{text}T{suffix[9:11]}:{suffix[11:13]}:{suffix[13:15]}Z")
            valid, value = moment is not None, {"dateTime": write_utc(moment)} if moment else {}
        else:
            valid, value = parse_date(text) is not None, {"date": text}
        if valid:
            start_ms = moment_ms(value, cal)
            for occurrence in recurrence.occurrences(master.body, cal.zone, start_ms - 1, start_ms + 1):
                if occurrence.suffix == suffix:
                    return self.instance(master, occurrence)
        raise errors.not_found()

    def _fixed(
        self, cal: Calendar, event_id: str, uid: str | None, payload: dict[str, Any], creator: str
    ) -> dict[str, Any]:
        created = datetime.fromtimestamp(int(self.state.now()), UTC)
        return {
            "id": event_id,
            "iCalUID": uid or f"{event_id}@google.com",
            "created": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "creator": {"email": creator},
            "organizer": self._organizer(cal),
            "eventType": checked_new_type(payload.get("eventType", "default")),
        }

    def _organizer(self, cal: Calendar) -> dict[str, str]:
        return {"email": cal.id} if cal.is_primary else {"email": cal.id, "displayName": cal.body["summary"]}


def exceptions_of(store: EventStore, cal: Calendar, master: Stored, as_of: int) -> list[Stored]:
    """The instances of a series that were changed or cancelled one by one."""
    return list(store.rows(cal, as_of, "series = ?", (master.id,), "seq"))


def overlaps(master: Stored, cal: Calendar, after_ms: int, before_ms: int) -> bool:
    """Whether any occurrence of the series lies in the window."""
    return next(recurrence.occurrences(master.body, cal.zone, after_ms, before_ms), None) is not None


def _imported_id(uid: str) -> str:
    """The id of an imported event: its iCalUID in base32hex, as far as an id has room for that.

    https://github.com/phw198/OutlookGoogleCalendarSync/issues/609
    """
    whole = base64.b32hexencode(uid.encode()).decode().rstrip("=").lower()
    return "_" + (whole if len(whole) < LONGEST_ID else base32hex(uid, 40))


def _check_etag(current: Stored, if_match: str | None) -> None:
    if if_match is not None and if_match.strip() not in ("*", etag_of(current.updated_us)):
        raise errors.precondition_failed()


def _checked_uid(uid: object) -> str:
    if not isinstance(uid, str) or not 1 <= len(uid) <= 1024:
        raise errors.invalid("Invalid iCal UID.")
    return uid
