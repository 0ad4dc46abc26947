"""People at their own calendars, seen and edited through the vendors' APIs at the sandbox."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from integrations.demo.caller import Caller
from integrations.providers.outlook_calendar.mapping import MARK

GOOGLE_MARK = "fieldcamp_visit"


def instant(text: str) -> dt.datetime:
    """Returns a time as an instant; one that says no zone is in UTC."""
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def written(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Shown:
    """An event of the main calendar as its owner sees it; `visit_id` is what our marker says."""

    id: str
    title: str
    start: dt.datetime
    end: dt.datetime
    place: str
    visit_id: str


class CalendarUser:
    """What a person sees and does in their own calendar."""

    vendor: ClassVar[str]
    domain: ClassVar[str]

    def __init__(self, sandbox_url: str, name: str):
        self.account = f"{name}@{self.domain}"
        body = {"vendor": self.vendor, "account": self.account}
        token = Caller(f"{sandbox_url}/_control")("POST", "/token", body)["access_token"]
        self.calendar = Caller(f"{sandbox_url}{self.path}", token)

    path: ClassVar[str]

    def events(self) -> list[Shown]:
        raise NotImplementedError

    def edit(self, event: Shown, *, title: str = "", later: dt.timedelta | None = None) -> None:
        """Renames the event or moves it."""
        body: dict[str, Any] = {self.title: title} if title else {}
        if later:
            body |= {"start": self.time(event.start + later), "end": self.time(event.end + later)}
        self.calendar("PATCH", f"/events/{event.id}", body)

    def add(self, title: str, start: dt.datetime) -> str:
        """Makes a private appointment of an hour; its id."""
        end = start + dt.timedelta(hours=1)
        body = {self.title: title, "start": self.time(start), "end": self.time(end)}
        return str(self.calendar("POST", "/events", body)["id"])

    title: ClassVar[str]

    def time(self, moment: dt.datetime) -> dict[str, str]:
        raise NotImplementedError


class GoogleUser(CalendarUser):
    vendor, domain, title = "google", "google.test", "summary"
    path = "/google/api/calendar/v3/calendars/primary"

    def events(self) -> list[Shown]:
        found: list[Shown] = []
        page = ""
        while True:
            answer = self.calendar("GET", f"/events?maxResults=2500{page}")
            found += [_of_google(event) for event in answer["items"] if "dateTime" in event["start"]]
            if "nextPageToken" not in answer:
                return found
            page = f"&pageToken={quote(answer['nextPageToken'])}"

    def time(self, moment: dt.datetime) -> dict[str, str]:
        return {"dateTime": written(moment)}


def _of_google(event: dict[str, Any]) -> Shown:
    mark = event.get("extendedProperties", {}).get("private", {}).get(GOOGLE_MARK, "")
    start, end = (instant(event[name]["dateTime"]) for name in ("start", "end"))
    return Shown(event["id"], event.get("summary", ""), start, end, event.get("location", ""), mark)


class OutlookUser(CalendarUser):
    vendor, domain, title = "microsoft", "outlook.test", "subject"
    path = "/microsoft/graph/v1.0/me"

    def __init__(self, sandbox_url: str, name: str):
        super().__init__(sandbox_url, name)
        # The ids that FieldCamp's feed prints are of this kind.
        self.calendar.session.headers["Prefer"] = 'IdType="ImmutableId"'

    def events(self) -> list[Shown]:
        found: list[Shown] = []
        expand = quote(f"singleValueExtendedProperties($filter=id eq '{MARK}')")
        size = 500
        while True:
            page = self.calendar("GET", f"/calendar/events?$top={size}&$skip={len(found)}&$expand={expand}")["value"]
            found += map(_of_outlook, page)
            if len(page) < size:
                return found

    def time(self, moment: dt.datetime) -> dict[str, str]:
        return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}


def _of_outlook(event: dict[str, Any]) -> Shown:
    marks = event.get("singleValueExtendedProperties") or [{"value": "||"}]
    start, end = (instant(event[name]["dateTime"]) for name in ("start", "end"))
    place = event["location"]["displayName"]
    return Shown(event["id"], event["subject"], start, end, place, marks[0]["value"].split("|")[1])


USERS: dict[str, type[CalendarUser]] = {"google_calendar": GoogleUser, "outlook_calendar": OutlookUser}
