"""The pages on which a person is a calendar's owner: look, add, move, rename, delete, remove an app's access.

The same for every vendor that has calendars; what the vendor's own part is stands in `Diary`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote, unquote, urlencode
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.days import parse_day
from fieldcamp.sandbox.http import BadInput, Request, Response, redirect
from fieldcamp.sandbox.oauth import Grants
from fieldcamp.sandbox.state import State

WEEKS = 4
FIRST_YEAR, LAST_YEAR = 1900, 2200  # leaves room for weeks around every day
FIRST_HOUR, LAST_HOUR = 6, 21  # of the week grid


class Book(Protocol):
    """One of an account's calendars."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_main(self) -> bool: ...
    @property
    def zone(self) -> ZoneInfo: ...


@dataclass(frozen=True)
class Shown:
    """An event as the pages show it, times in the calendar's zone."""

    id: str
    title: str
    start: datetime
    end: datetime
    all_day: bool
    free: bool
    repeats: bool

    @property
    def day(self) -> date:
        """The day under which it is listed."""
        return self.start.date()


@dataclass(frozen=True)
class Draft:
    """A new event as its form describes it. Of an all-day one the end is the day after the last."""

    title: str
    start: datetime
    end: datetime
    all_day: bool
    free: bool
    repeat: str  # "daily", "weekly" or ""


class Refusal(Exception):
    """The vendor does not allow it; the sentence is for the person at the page."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


B = TypeVar("B", bound=Book)


class Diary(Protocol[B]):
    """A vendor's calendars as their owners use them. Every method but the first three may raise Refusal."""

    name: str
    title: str
    scope_names: dict[str, str]

    def accounts(self) -> Sequence[Any]: ...
    def email_of(self, account: str) -> str | None: ...
    def books(self, account: str) -> Sequence[B]: ...
    def book(self, account: str, book_id: str) -> B: ...
    def between(self, book: B, first: date, last: date) -> list[Shown]: ...
    def get(self, book: B, event_id: str) -> Shown: ...
    def add(self, book: B, draft: Draft) -> None: ...
    def rename(self, book: B, event_id: str, title: str) -> None: ...
    def move(self, book: B, event_id: str, start: datetime, end: datetime, all_day: bool) -> None: ...
    def delete(self, book: B, event_id: str) -> None: ...
    def remove_app(self, grant: int) -> None: ...


class DiaryPages(Generic[B]):
    """Answers everything below /<vendor>/ui. The account is part of the address: nobody signs in here."""

    def __init__(self, diary: Diary[B], state: State, grants: Grants) -> None:
        self.diary, self.state, self.grants = diary, state, grants
        self.root = f"/{diary.name}/ui"
        self.vendor = {"name": diary.name, "title": diary.title}

    def handle(self, request: Request) -> Response:
        """Shows a page, or does what its form says and leads back to it."""
        parts = [unquote(part) for part in request.path.removeprefix(self.root).strip("/").split("/") if part]
        if not parts:
            return pages.page("accounts.html", vendor=self.vendor, accounts=self.diary.accounts())
        email = self.diary.email_of(parts[0])
        try:
            if email is not None and parts[1:] == ["apps"]:
                return self._apps(request, email)
            if email is not None and parts[1:] in ([], ["event"]):
                return self._calendar(request, email, single=bool(parts[1:]))
        except (Refusal, BadInput) as error:
            status = error.status if isinstance(error, Refusal) else 400
            return self._message(status, str(error), f"{self.root}/{quote(email or '')}")
        return self._message(404, "There is no such page.", self.root)

    def _message(self, status: int, message: str, back: str) -> Response:
        return pages.page("message.html", status, vendor=self.vendor, message=message, back=back)

    def _apps(self, request: Request, account: str) -> Response:
        if request.method == "POST":
            for grant in self.grants.of_account(account):
                if str(grant["n"]) == request.form().get("grant"):
                    self.diary.remove_app(grant["n"])
            return redirect(request.path, 303)
        names = self.diary.scope_names
        apps = [
            {"n": grant["n"], "client_id": grant["client_id"], "allows": [names.get(s, s) for s in grant["scopes"]]}
            for grant in self.grants.of_account(account)
        ]
        return pages.page("apps.html", vendor=self.vendor, account=account, apps=apps)

    def _calendar(self, request: Request, account: str, single: bool) -> Response:
        with self.state.transaction():
            book = self.diary.book(account, request.query.get("calendar", ""))
            today = datetime.fromtimestamp(self.state.now(), book.zone).date()
            week = _monday(parse_day(request.query.get("week"), FIRST_YEAR, LAST_YEAR) or today)
            here = self._address(account, book, week)
            if request.method == "POST":
                self._change(book, request.form())
                return redirect(here, 303)
            if single:
                shown = self.diary.get(book, request.query.get("event", ""))
                return pages.page("event.html", vendor=self.vendor, account=account, event=shown, here=here)
            days = [week + timedelta(days=n) for n in range(7 * WEEKS)]
            events = self.diary.between(book, days[0], days[-1])
            books = self.diary.books(account)
        return pages.page(
            "calendar.html",
            vendor=self.vendor,
            account=account,
            calendars=books,
            cal=book,
            here=here,
            earlier=self._address(account, book, week - timedelta(weeks=1)),
            later=self._address(account, book, week + timedelta(weeks=1)),
            this_week=self._address(account, book, _monday(today)),
            week=week,
            today=today,
            days=[(day, [each for each in events if max(each.day, days[0]) == day]) for day in days],
            events_shown=bool(events),
            hours=range(FIRST_HOUR, LAST_HOUR),
        )

    def _change(self, book: B, form: MultiDict) -> None:
        """Does one form's work through the same functions as the API."""
        action, chosen = form.get("action"), form.getlist("event")
        if action == "add":
            self.diary.add(book, _draft(form, book.zone))
        elif action == "delete":
            for event_id in chosen:
                self.diary.delete(book, event_id)
        elif action == "rename" and chosen:
            self.diary.rename(book, chosen[0], form.get("title", ""))
        elif action == "move" and chosen:
            self._move(book, chosen[0], form)
        else:
            raise BadInput("Nothing to do.")

    def _move(self, book: B, event_id: str, form: MultiDict) -> None:
        """To another start; its length stays unless an end is given."""
        shown = self.diary.get(book, event_id)
        start = _local(form.get("start", ""), book.zone)
        end = _local(form["end"], book.zone) if form.get("end") else start + (shown.end - shown.start)
        if shown.all_day:
            start = datetime.combine(start.date(), time(), book.zone)
            end = datetime.combine(max(end.date(), start.date() + timedelta(days=1)), time(), book.zone)
        self.diary.move(book, event_id, start, end, shown.all_day)

    def _address(self, account: str, book: B, week: date) -> str:
        return f"{self.root}/{quote(account)}?{urlencode({'calendar': book.id, 'week': week.isoformat()})}"


def _draft(form: MultiDict, zone: ZoneInfo) -> Draft:
    start = _local(form.get("start", ""), zone)
    end = _local(form["end"], zone) if form.get("end") else start + timedelta(hours=1)
    all_day = bool(form.get("all_day"))
    if all_day:
        last = max(end.date(), start.date()) + timedelta(days=1)  # the form names the last day, vendors the one after
        start, end = (datetime.combine(day, time(), zone) for day in (start.date(), last))
    repeat = form.get("repeat", "") if form.get("repeat") in ("daily", "weekly") else ""
    return Draft(form.get("title", ""), start, end, all_day, form.get("show_as") == "free", repeat)


def _local(text: str, zone: ZoneInfo) -> datetime:
    """A form's date, or date and time, in the calendar's zone."""
    day = parse_day(text[:10], FIRST_YEAR, LAST_YEAR)
    try:
        clock = time.fromisoformat(text[11:]) if len(text) > 10 else time()
    except ValueError:
        day = None
    if day is None:
        raise BadInput("Give a date and a time.")
    return datetime.combine(day, clock.replace(tzinfo=None), zone)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
