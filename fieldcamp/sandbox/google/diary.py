"""Google Calendar as its owner uses it on the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.diary import Draft, Refusal, Shown
from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.calendars import Calendar, Calendars
from fieldcamp.sandbox.google.events import Events
from fieldcamp.sandbox.google.listing import Listing
from fieldcamp.sandbox.google.scopes import NAMES
from fieldcamp.sandbox.google.store import Stored, span
from fieldcamp.sandbox.google.times import from_ms, midnight_ms
from fieldcamp.sandbox.oauth import Grants

REPEATS = {"daily": "RRULE:FREQ=DAILY", "weekly": "RRULE:FREQ=WEEKLY"}


@dataclass(frozen=True)
class GoogleBook:
    """A calendar on the pages."""

    cal: Calendar

    @property
    def id(self) -> str:
        """Its id."""
        return self.cal.id

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.cal.body["summary"])

    @property
    def is_main(self) -> bool:
        """Whether it is the account's own."""
        return self.cal.is_primary

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return self.cal.zone


class GoogleDiary:
    """Implements `fieldcamp.sandbox.diary.Diary`."""

    name, title, scope_names = "google", "Google", NAMES

    def __init__(self, calendars: Calendars, events: Events, listing: Listing, grants: Grants) -> None:
        self.calendars, self.events, self.listing, self.grants = calendars, events, listing, grants

    def accounts(self) -> list[dict[str, Any]]:
        """All sample accounts."""
        return self.calendars.accounts()

    def email_of(self, account: str) -> str | None:
        """The address of a sample account."""
        row = self.calendars.account(account)
        return str(row["email"]) if row else None

    def books(self, account: str) -> list[GoogleBook]:
        """The account's calendars."""
        return [GoogleBook(cal) for cal in self.calendars.of(account)]

    def book(self, account: str, book_id: str) -> GoogleBook:
        """One of them, or without an id the main one."""
        with _refusals():
            return GoogleBook(self.calendars.find(account, book_id or "primary"))

    def between(self, book: GoogleBook, first: date, last: date) -> list[Shown]:
        """The events of these days."""
        bounds = midnight_ms(first, book.zone), midnight_ms(last + timedelta(days=1), book.zone)
        return [_shown(book.cal, each) for each in self.listing.between(book.cal, *bounds)]

    def get(self, book: GoogleBook, event_id: str) -> Shown:
        """One event."""
        with _refusals():
            return _shown(book.cal, self.events.get(book.cal, event_id))

    def add(self, book: GoogleBook, draft: Draft) -> None:
        """A new event."""
        payload: dict[str, Any] = {"summary": draft.title, **_times(draft.start, draft.end, draft.all_day)}
        if draft.free:
            payload["transparency"] = "transparent"
        if draft.repeat:
            payload["recurrence"] = [REPEATS[draft.repeat]]
        with _refusals():
            self.events.insert(book.cal, payload, book.cal.account)

    def rename(self, book: GoogleBook, event_id: str, title: str) -> None:
        """Another title."""
        with _refusals():
            self.events.patch(book.cal, event_id, {"summary": title})

    def move(self, book: GoogleBook, event_id: str, start: datetime, end: datetime, all_day: bool) -> None:
        """Another time."""
        with _refusals():
            self.events.patch(book.cal, event_id, _times(start, end, all_day))

    def delete(self, book: GoogleBook, event_id: str) -> None:
        """Gone."""
        with _refusals():
            self.events.delete(book.cal, event_id)

    def remove_app(self, grant: int) -> None:
        """The app has no access any more."""
        self.grants.remove(grant)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except errors.ApiError as error:
        raise Refusal(error.code, error.message) from None


def _shown(cal: Calendar, stored: Stored) -> Shown:
    return Shown(
        id=stored.id,
        title=stored.body.get("summary", "(no title)"),
        start=from_ms(stored.start_ms).astimezone(cal.zone),
        end=from_ms(span(stored.body, cal)[1]).astimezone(cal.zone),
        all_day="date" in stored.body["start"],
        free=stored.body.get("transparency") == "transparent",
        repeats=stored.recurring or "recurringEventId" in stored.body,
    )


def _times(start: datetime, end: datetime, all_day: bool) -> dict[str, Any]:
    if all_day:
        return {"start": {"date": start.date().isoformat()}, "end": {"date": end.date().isoformat()}}
    return {name: _timed(moment) for name, moment in (("start", start), ("end", end))}


def _timed(moment: datetime) -> dict[str, str]:
    return {"dateTime": moment.isoformat(timespec="seconds"), "timeZone": str(moment.tzinfo)}
