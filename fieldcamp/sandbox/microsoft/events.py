"""What one can do to an event: get, create, change, delete, answer, cancel. API and pages both call this."""

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.microsoft import errors, ids, recurrence
from fieldcamp.sandbox.microsoft.calendars import Account, Calendar, Calendars
from fieldcamp.sandbox.microsoft.guests import NOT_ANSWERED, Guests
from fieldcamp.sandbox.microsoft.render import etag_of
from fieldcamp.sandbox.microsoft.resource import TIMING, UNSET_TIME, body_from
from fieldcamp.sandbox.microsoft.store import EventStore, Stored, span
from fieldcamp.sandbox.microsoft.times import FOREVER, from_ms, write_instant
from fieldcamp.sandbox.state import State

ANSWERS = {"accept": "accepted", "tentativelyAccept": "tentativelyAccepted", "decline": "declined"}


class Events:
    """The verbs. Each is one transaction."""

    def __init__(self, state: State, calendars: Calendars) -> None:
        self.state, self.calendars = state, calendars
        self.store = EventStore(state, calendars)
        self.guests = Guests(self.store, calendars)

    def get(self, account: Account, event_id: str, immutable: bool, cal: Calendar | None = None) -> Stored:
        """The event or instance under an id of the kind the client works with; else 404."""
        said = ids.read(event_id)
        if said is None:
            raise errors.GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")
        found = self.store.get(said.core) if said.mailbox == account.mailbox else None
        seen = self.calendars.seen(account.email, found.cal) if found else None
        # An id of the other kind names nothing: https://learn.microsoft.com/graph/outlook-immutable-id
        if found is None or seen is None or found.deleted or said.immutable != immutable or (cal and cal.n != seen.n):
            raise errors.not_found()
        if not seen.can_read:
            raise errors.forbidden()
        if said.original_ms is not None:
            found = self._instance(found, said.revision, said.original_ms)
        return replace(found, mailbox=account.mailbox, read_only=not seen.can_edit)

    def create(
        self,
        cal: Calendar,
        payload: dict[str, Any],
        core: bytes | None = None,
        organizer: dict[str, str] | None = None,
        by_exchange: bool = False,
    ) -> Stored:
        """A new event; the same transactionId again is the same event. `organizer` is somebody else who invites."""
        account = self.calendars.the_account(cal.account)
        with self.state.transaction():
            if not cal.can_edit and not by_exchange:
                raise errors.forbidden()
            transaction_id = payload.get("transactionId")
            if isinstance(transaction_id, str) and transaction_id:
                known = self.store.by_transaction(account.mailbox, transaction_id)
                if known is not None:
                    return known
            core = core or secrets.token_bytes(16)
            body = self.sample(cal, payload)
            body["iCalUId"] = f"040000008200E00074C5B7101A82E00800000000{core.hex().upper()}"
            if organizer is not None:
                body |= {"isOrganizer": False, "organizer": organizer, "responseStatus": NOT_ANSWERED}
            made = self.store.save(cal, body, core)
            self.guests.tell(made)
            return made

    def sample(self, cal: Calendar, payload: dict[str, Any]) -> dict[str, Any]:
        """The body of a new event of the calendar's owner, all but its iCalUId and the moment of its creation."""
        account = self.calendars.the_account(cal.account)
        return body_from(payload, None) | {
            "isOrganizer": True,
            "organizer": {"name": account.name, "address": account.email},
            "responseStatus": {"response": "organizer", "time": UNSET_TIME},
            "isCancelled": False,
            "cancelled": [],
            "revision": 1,
        }

    def update(self, current: Stored, payload: dict[str, Any], if_match: str | None = None) -> Stored:
        """Merges the payload into the event; an instance becomes an exception of its series."""
        with self.state.transaction():
            cal = self._writable(current, if_match)
            body = body_from(payload, current.body)
            if current.kind in ("occurrence", "exception"):
                if payload.get("recurrence") is not None:
                    raise errors.invalid("An instance of a series cannot recur itself.")
                return self._change_instance(cal, current, body)
            if any(body[name] != current.body[name] for name in TIMING):
                # The rule is another: https://learn.microsoft.com/graph/api/event-update
                self.store.drop_exceptions(current.core)
                body |= {"revision": body["revision"] + 1, "cancelled": []}
            changed = self.store.save(cal, body, current.core)
            self.guests.tell(changed, current.body)
            return changed

    def delete(self, current: Stored, if_match: str | None = None) -> None:
        """Gone for its user; the change log keeps it."""
        with self.state.transaction():
            cal = self._writable(current, if_match)
            if current.series is None:
                self.store.drop_exceptions(current.core)
                self.guests.tell(self.store.save(cal, current.body, current.core, deleted=True))
                return
            master = self._master(current)
            self.state.execute(
                "DELETE FROM m_events WHERE series = ? AND original_ms = ?", current.series, current.original_ms
            )
            cancelled = [*master.body["cancelled"], current.original_ms]
            self.guests.tell(self.store.save(cal, master.body | {"cancelled": cancelled}, master.core))

    def restore(self, account: Account, event_id: str) -> Stored:
        """Its user has moved it out of Deleted Items."""
        said = ids.read(event_id)
        found = self.store.get(said.core) if said and said.mailbox == account.mailbox else None
        if found is None or not found.deleted:
            raise BadInput("There is no such event in Deleted Items.")
        return self.store.save(self._calendar(found), found.body, found.core)

    def answer(self, current: Stored, verb: str) -> None:
        """An attendee's answer; one's own event has none."""
        if current.body["isOrganizer"]:
            raise errors.invalid("Your request can't be completed. You can't respond to this meeting: you organize it.")
        if verb == "decline":
            self.delete(current)
            return
        time = write_instant(int(self.state.now() * 1_000_000))
        shown = {"accept": "busy", "tentativelyAccept": "tentative"}[verb]
        self._set(current, {"responseStatus": {"response": ANSWERS[verb], "time": time}, "showAs": shown})

    def cancel(self, current: Stored) -> None:
        """The organizer calls the meeting off: for the organizer that is a deletion."""
        if not current.body["isOrganizer"]:
            raise errors.invalid("Your request can't be completed. You need to be an organizer to cancel a meeting.")
        self.delete(current)

    def occurrence(self, master: Stored, each: recurrence.Occurrence) -> Stored:
        """The instance that a series implies for one of its occurrences."""
        first, last = (from_ms(ms).replace(tzinfo=None) for ms in span(master.body))
        zone_name = master.body["start"]["timeZone"]
        tz = recurrence.zone_of(master.body)
        if master.body["isAllDay"]:
            end = each.start + (last - first)
        else:
            end = from_ms(each.end_ms).astimezone(tz).replace(tzinfo=None)
        times = {
            "start": {"dateTime": each.start.isoformat(), "timeZone": zone_name},
            "end": {"dateTime": end.isoformat(), "timeZone": zone_name},
        }
        return replace(
            master,
            kind="occurrence",
            series=master.core,
            original_ms=each.start_ms,
            start_ms=each.start_ms,
            end_ms=each.end_ms,
            body=master.body | times | {"recurrence": None},
        )

    def _set(self, current: Stored, values: dict[str, Any]) -> None:
        with self.state.transaction():
            cal, body = self._calendar(current), current.body | values
            if current.series is None:
                self.store.save(cal, body, current.core)
            else:
                self._change_instance(cal, current, body)

    def _change_instance(self, cal: Calendar, current: Stored, body: dict[str, Any]) -> Stored:
        master, original = self._master(current), current.original_ms
        if original is None:
            raise LookupError(current.core)
        self._check_between_neighbours(master, original, body)
        known = self.store.exception(master.core, original)
        core = known.core if known else None
        return self.store.save(cal, body | {"recurrence": None}, core, master, original)

    def _check_between_neighbours(self, master: Stored, original_ms: int, body: dict[str, Any]) -> None:
        """An exception stays strictly between the days of the occurrences around it."""
        day = timedelta(days=1)
        tz = recurrence.zone_of(master.body)
        start, end = (from_ms(ms).astimezone(tz).date() for ms in span(body))
        starts = [
            each.start_ms for each in recurrence.occurrences(master.body, -FOREVER, original_ms + 400 * 86_400_000)
        ]
        at = starts.index(original_ms)
        before = from_ms(starts[at - 1]).astimezone(tz).date() if at else None
        after = from_ms(starts[at + 1]).astimezone(tz).date() if at + 1 < len(starts) else None
        last = end - day if body["isAllDay"] else end
        if (before and start <= before) or (after and last >= after):
            text = "Cannot modify the occurrence: it crosses or overlaps the adjacent occurrence."
            raise errors.GraphError(400, "ErrorOccurrenceCrossingBoundary", text)

    def _instance(self, master: Stored, revision: int, original_ms: int) -> Stored:
        known = self.store.exception(master.core, original_ms)
        if master.kind == "master" and revision == master.body["revision"]:
            if known is not None:
                return known
            if original_ms not in master.body["cancelled"]:
                for each in recurrence.occurrences(master.body, original_ms - 1, original_ms + 1):
                    if each.start_ms == original_ms:
                        return self.occurrence(master, each)
        raise errors.not_found()

    def _master(self, instance: Stored) -> Stored:
        found = self.store.get(instance.series or b"")
        if found is None:
            raise errors.not_found()
        return found

    def _writable(self, current: Stored, if_match: str | None) -> Calendar:
        cal = self._calendar(current)
        if current.read_only or not cal.can_edit:
            raise errors.forbidden()
        if if_match is not None and if_match.strip() not in ("*", etag_of(current)):
            raise errors.conflict()
        return cal

    def _calendar(self, stored: Stored) -> Calendar:
        return self.calendars.numbered(stored.cal)
