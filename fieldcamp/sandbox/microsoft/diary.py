"""Outlook's calendars as their owner uses them on the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.diary import Draft, Refusal, Shown
from fieldcamp.sandbox.microsoft import errors
from fieldcamp.sandbox.microsoft.calendars import Account, Calendar
from fieldcamp.sandbox.microsoft.events import Events
from fieldcamp.sandbox.microsoft.listing import Listing
from fieldcamp.sandbox.microsoft.recurrence import DAYS
from fieldcamp.sandbox.microsoft.scopes import NAMES
from fieldcamp.sandbox.microsoft.seed import WINDOWS_ZONE
from fieldcamp.sandbox.microsoft.store import Stored, span
from fieldcamp.sandbox.microsoft.times import from_ms, local_ms, zone
from fieldcamp.sandbox.microsoft.token_api import TokenApi


@dataclass(frozen=True)
class OutlookBook:
    """A calendar on the pages."""

    cal: Calendar
    account: Account

    @property
    def id(self) -> str:
        """Its id."""
        return self.cal.id

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.cal.body["name"])

    @property
    def is_main(self) -> bool:
        """Whether it is the mailbox's own."""
        return self.cal.is_default

    @property
    def zone(self) -> ZoneInfo:
        """The mailbox's time zone."""
        return zone(WINDOWS_ZONE)


class OutlookDiary:
    """Implements `fieldcamp.sandbox.diary.Diary`."""

    name, title, scope_names = "microsoft", "Microsoft", NAMES

    def __init__(self, events: Events, tokens: TokenApi) -> None:
        self.events, self.calendars, self.listing, self.tokens = events, events.calendars, Listing(events), tokens

    def accounts(self) -> list[Account]:
        """All sample accounts."""
        return self.calendars.accounts()

    def email_of(self, account: str) -> str | None:
        """The address of a sample account."""
        found = self.calendars.account(account)
        return found.email if found else None

    def books(self, account: str) -> list[OutlookBook]:
        """The mailbox's calendars."""
        owner = self.calendars.the_account(account)
        return [OutlookBook(cal, owner) for cal in self.calendars.visible(account)]

    def book(self, account: str, book_id: str) -> OutlookBook:
        """One of them, or without an id the default."""
        with _refusals():
            return OutlookBook(self.calendars.find(account, book_id or None), self.calendars.the_account(account))

    def between(self, book: OutlookBook, first: date, last: date) -> list[Shown]:
        """The events of these days. Whole days lie between midnights in UTC, so a day more is asked for each way."""
        day = timedelta(days=1)
        start, end = (local_ms(datetime.combine(each, time()), book.zone) for each in (first - day, last + 2 * day))
        found = [_shown(book, each) for each in self.listing.between(book.cal, start, end)]
        return [each for each in found if each.end.date() >= first and each.day <= last]

    def get(self, book: OutlookBook, event_id: str) -> Shown:
        """One event."""
        return _shown(book, self._get(book, event_id))

    def add(self, book: OutlookBook, draft: Draft) -> None:
        """A new event."""
        payload: dict[str, Any] = {"subject": draft.title, **_times(draft.start, draft.end, draft.all_day)}
        payload["showAs"] = "free" if draft.free else "busy"
        if draft.repeat:
            pattern = {"type": draft.repeat, "interval": 1, "daysOfWeek": [DAYS[draft.start.weekday()]]}
            ends = {"type": "noEnd", "startDate": draft.start.date().isoformat()}
            payload["recurrence"] = {"pattern": pattern, "range": ends}
        with _refusals():
            self.events.create(book.cal, payload)

    def rename(self, book: OutlookBook, event_id: str, title: str) -> None:
        """Another title."""
        with _refusals():
            self.events.update(self._get(book, event_id), {"subject": title})

    def move(self, book: OutlookBook, event_id: str, start: datetime, end: datetime, all_day: bool) -> None:
        """Another time."""
        with _refusals():
            self.events.update(self._get(book, event_id), _times(start, end, all_day))

    def delete(self, book: OutlookBook, event_id: str) -> None:
        """Gone."""
        with _refusals():
            self.events.delete(self._get(book, event_id))

    def remove_app(self, grant: int) -> None:
        """The app has no access any more, and its next refresh is told so."""
        self.tokens.forget(grant)

    def _get(self, book: OutlookBook, event_id: str) -> Stored:
        with _refusals():
            return self.events.get(book.account, event_id, immutable=True, cal=book.cal)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except errors.GraphError as error:
        raise Refusal(error.status, error.message) from None


def _shown(book: OutlookBook, stored: Stored) -> Shown:
    all_day = stored.body["isAllDay"]
    ends = [from_ms(ms) for ms in span(stored.body)]
    start, end = (moment.replace(tzinfo=book.zone) if all_day else moment.astimezone(book.zone) for moment in ends)
    return Shown(
        id=stored.id(immutable=True),
        title=stored.body["subject"] or "(no title)",
        start=start,
        end=end,
        all_day=all_day,
        free=stored.body["showAs"] == "free",
        repeats=stored.kind != "single",
    )


def _times(start: datetime, end: datetime, all_day: bool) -> dict[str, Any]:
    ends = (("start", start), ("end", end))
    times = {name: {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": WINDOWS_ZONE} for name, moment in ends}
    return {"isAllDay": all_day, **times}
