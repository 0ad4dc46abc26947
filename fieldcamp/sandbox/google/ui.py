"""The pages on which a person is the calendar's owner: look, add, move, rename, delete, remove an app's access."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlencode

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.calendars import Calendar, Calendars
from fieldcamp.sandbox.google.consent import VENDOR
from fieldcamp.sandbox.google.events import Events
from fieldcamp.sandbox.google.listing import Listing
from fieldcamp.sandbox.google.scopes import NAMES
from fieldcamp.sandbox.google.store import Stored, span
from fieldcamp.sandbox.google.times import from_ms, midnight_ms, parse_date
from fieldcamp.sandbox.http import Request, Response, redirect
from fieldcamp.sandbox.oauth import Grants

ROOT = "/google/ui"
WEEKS = 4
FIRST_HOUR, LAST_HOUR = 6, 21  # of the week grid
REPEATS = {"daily": "RRULE:FREQ=DAILY", "weekly": "RRULE:FREQ=WEEKLY"}


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


class Ui:
    """Answers everything below /google/ui. The account is part of the address: nobody signs in here."""

    def __init__(self, calendars: Calendars, events: Events, grants: Grants, listing: Listing) -> None:
        self.calendars, self.events, self.grants, self.listing = calendars, events, grants, listing

    def handle(self, request: Request) -> Response:
        """Shows a page, or does what its form says and leads back to it."""
        parts = [unquote(part) for part in request.path.removeprefix(ROOT).strip("/").split("/") if part]
        if not parts:
            return pages.page("accounts.html", vendor=VENDOR, accounts=self.calendars.accounts())
        row = self.calendars.account(parts[0])
        if row is None or len(parts) > 2:
            return pages.page("message.html", 404, vendor=VENDOR, message="There is no such page.", back=ROOT)
        try:
            if parts[1:] == ["apps"]:
                return self._apps(request, row["email"])
            if parts[1:] in ([], ["event"]):
                return self._calendar(request, row["email"], single=bool(parts[1:]))
        except errors.ApiError as error:
            back = f"{ROOT}/{quote(row['email'])}"
            return pages.page("message.html", error.code, vendor=VENDOR, message=error.message, back=back)
        return pages.page("message.html", 404, vendor=VENDOR, message="There is no such page.", back=ROOT)

    def _apps(self, request: Request, account: str) -> Response:
        if request.method == "POST":
            for grant in self.grants.of_account(account):
                if str(grant["n"]) == request.form().get("grant"):
                    self.grants.remove(grant["n"])
            return redirect(request.path, 303)
        apps = [
            {"n": grant["n"], "client_id": grant["client_id"], "allows": [NAMES.get(s, s) for s in grant["scopes"]]}
            for grant in self.grants.of_account(account)
        ]
        return pages.page("apps.html", vendor=VENDOR, account=account, apps=apps)

    def _calendar(self, request: Request, account: str, single: bool) -> Response:
        with self.events.state.transaction():
            cal = self.calendars.find(account, request.query.get("calendar", "primary"))
            today = datetime.fromtimestamp(self.events.state.now(), cal.zone).date()
            week = _monday(parse_date(request.query.get("week")) or today)
            here = _address(account, cal, week)
            if request.method == "POST":
                self._change(cal, account, request.form())
                return redirect(here, 303)
            if single:
                shown = self._shown(cal, self.events.get(cal, request.query.get("event", "")))
                return pages.page("event.html", vendor=VENDOR, account=account, event=shown, here=here)
            days = [week + timedelta(days=n) for n in range(7 * WEEKS)]
            bounds = midnight_ms(days[0], cal.zone), midnight_ms(days[-1] + timedelta(days=1), cal.zone)
            shown_events = [self._shown(cal, each) for each in self.listing.between(cal, *bounds)]
        return pages.page(
            "calendar.html",
            vendor=VENDOR,
            account=account,
            calendars=self.calendars.of(account),
            cal=cal,
            here=here,
            earlier=_address(account, cal, week - timedelta(weeks=1)),
            later=_address(account, cal, week + timedelta(weeks=1)),
            this_week=_address(account, cal, _monday(today)),
            week=week,
            today=today,
            days=[(day, [each for each in shown_events if max(each.day, days[0]) == day]) for day in days],
            events_shown=bool(shown_events),
            hours=range(FIRST_HOUR, LAST_HOUR),
        )

    def _change(self, cal: Calendar, account: str, form: MultiDict) -> None:
        """Does one form's work through the same functions as the API."""
        action, chosen = form.get("action"), form.getlist("event")
        if action == "add":
            self.events.insert(cal, _new_event(form, cal), account)
        elif action == "delete":
            for event_id in chosen:
                self.events.delete(cal, event_id)
        elif action == "rename" and chosen:
            self.events.patch(cal, chosen[0], {"summary": form.get("title", "")})
        elif action == "move" and chosen:
            self._move(cal, chosen[0], form)
        else:
            raise errors.bad_request("Nothing to do.")

    def _move(self, cal: Calendar, event_id: str, form: MultiDict) -> None:
        """To another start; its length stays unless an end is given."""
        shown = self._shown(cal, self.events.get(cal, event_id))
        start = _local(form.get("start", ""), cal)
        end = _local(form["end"], cal) if form.get("end") else start + (shown.end - shown.start)
        if shown.all_day:
            last = start.date() + max(end.date() - start.date(), timedelta(days=1))
            payload: dict[str, Any] = {"start": {"date": f"{start.date()}"}, "end": {"date": f"{last}"}}
        else:
            payload = {"start": _timed(start, cal), "end": _timed(end, cal)}
        self.events.patch(cal, event_id, payload)

    def _shown(self, cal: Calendar, stored: Stored) -> Shown:
        return Shown(
            id=stored.id,
            title=stored.body.get("summary", "(no title)"),
            start=from_ms(stored.start_ms).astimezone(cal.zone),
            end=from_ms(span(stored.body, cal)[1]).astimezone(cal.zone),
            all_day="date" in stored.body["start"],
            free=stored.body.get("transparency") == "transparent",
            repeats=stored.recurring or "recurringEventId" in stored.body,
        )


def _new_event(form: MultiDict, cal: Calendar) -> dict[str, Any]:
    start = _local(form.get("start", ""), cal)
    end = _local(form["end"], cal) if form.get("end") else start + timedelta(hours=1)
    payload: dict[str, Any] = {"summary": form.get("title", "")}
    if form.get("all_day"):
        last = max(end.date(), start.date()) + timedelta(days=1)  # the form names the last day, the API the one after
        payload |= {"start": {"date": start.date().isoformat()}, "end": {"date": last.isoformat()}}
    else:
        payload |= {"start": _timed(start, cal), "end": _timed(end, cal)}
    if form.get("show_as") == "free":
        payload["transparency"] = "transparent"
    if form.get("repeat") in REPEATS:
        payload["recurrence"] = [REPEATS[form["repeat"]]]
    return payload


def _local(text: str, cal: Calendar) -> datetime:
    """A form's date, or date and time, in the calendar's zone."""
    day = parse_date(text[:10])
    try:
        clock = time.fromisoformat(text[11:]) if len(text) > 10 else time()
    except ValueError:
        day = None
    if day is None:
        raise errors.bad_request("Give a date and a time.")
    return datetime.combine(day, clock.replace(tzinfo=None), cal.zone)


def _timed(moment: datetime, cal: Calendar) -> dict[str, str]:
    return {"dateTime": moment.isoformat(timespec="seconds"), "timeZone": cal.zone.key}


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _address(account: str, cal: Calendar, week: date) -> str:
    return f"{ROOT}/{quote(account)}?{urlencode({'calendar': cal.id, 'week': week.isoformat()})}"
