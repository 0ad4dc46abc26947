"""Meetings in the mailboxes of those who are invited: copies that share the iCalUId and follow the organizer's.

Whole events and series only: what the organizer changes in one instance of a series stays in the organizer's mailbox.
"""

from typing import Any

from fieldcamp.sandbox.microsoft import ids, traits
from fieldcamp.sandbox.microsoft.calendars import Account, Calendars
from fieldcamp.sandbox.microsoft.resource import TIMING, UNSET_TIME
from fieldcamp.sandbox.microsoft.store import EventStore, Stored

NOT_ANSWERED = {"response": "notResponded", "time": UNSET_TIME}


class Guests:
    """Sends what Exchange would mail around."""

    def __init__(self, store: EventStore, calendars: Calendars) -> None:
        self.store, self.calendars = store, calendars

    def tell(self, meeting: Stored, before: dict[str, Any] | None = None) -> None:
        """The guests' copies become what the organizer's event is; `before` is what it was."""
        if not meeting.body["isOrganizer"]:
            return
        invited = {} if meeting.deleted else self._mailboxes(meeting.body)
        for email, account in self._mailboxes(before or meeting.body).items():
            if email not in invited:
                self._call_off(account, meeting)
        for account in invited.values():
            self._invite(account, meeting)

    def invite_alone(self, occurrence: Stored, account: Account, ical_uid: str) -> Stored:
        """The guest of one instance has an orphan instance: a single event, whose uid says of which series and day.

        https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal/
        """
        own: dict[str, Any] = {
            "isOrganizer": False,
            "transactionId": None,
            "properties": {},
            "recurrence": None,
            "cancelled": [],
        }
        own |= {"responseStatus": NOT_ANSWERED, "showAs": "tentative", "iCalUId": ical_uid}
        return self.store.save(self.calendars.default(account.email), occurrence.body | own)

    def _mailboxes(self, body: dict[str, Any]) -> dict[str, Account]:
        """The sample accounts among the attendees."""
        found = (self.calendars.account(person["emailAddress"]["address"]) for person in body["attendees"])
        organizer = body["organizer"]["address"]
        return {
            account.email: account
            for account in found
            if account and account.email != organizer and account.trait != traits.NO_MAILBOX
        }

    def _invite(self, account: Account, meeting: Stored) -> None:
        core = _copy_of(meeting, account)
        known = self.store.get(core)
        if known is not None and known.deleted:
            return  # declined
        own: dict[str, Any] = {"isOrganizer": False, "transactionId": None, "properties": {}}
        if known is not None and all(known.body[name] == meeting.body[name] for name in TIMING):
            own |= {name: known.body[name] for name in ("responseStatus", "showAs")}
        else:
            own |= {"responseStatus": NOT_ANSWERED, "showAs": "tentative"}
            self.store.drop_exceptions(core)
        self.store.save(self.calendars.default(account.email), meeting.body | own, core)

    def _call_off(self, account: Account, meeting: Stored) -> None:
        """The copy stays, marked, until its owner removes it."""
        known = self.store.get(_copy_of(meeting, account))
        if known is None or known.deleted or known.body["isCancelled"]:
            return
        marked = {"isCancelled": True, "showAs": "free", "subject": f"Canceled: {known.body['subject']}"}
        self.store.save(self.calendars.default(account.email), known.body | marked, known.core)


def _copy_of(meeting: Stored, account: Account) -> bytes:
    return ids.digest(f"copy {account.email} {meeting.core.hex()}")
