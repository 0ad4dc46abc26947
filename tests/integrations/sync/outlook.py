"""A person at their Outlook calendar."""

import datetime as dt
from functools import cached_property
from typing import Any
from urllib.parse import quote

from fieldcamp.sandbox.mount import URL
from integrations.providers.outlook_calendar import listing
from integrations.providers.outlook_calendar.mapping import MARK
from tests.integrations.sync.people import HOME, ZONE, Event, Person

EXPAND = quote(f"singleValueExtendedProperties($filter=id eq '{MARK}')")


class Outlook(Person):
    integration, vendor, batch_size = "outlook_calendar", "microsoft", 20
    api, batch, batch_path, listing = "/microsoft/graph/", "/$batch", r"/\$batch", "calendarView/delta"
    creates = r"/me/calendars/[^/]+/events$"
    keeps_series = False

    writes, reads = "write", "read"

    @cached_property
    def main(self) -> str:
        return next(entry["id"] for entry in self.call("GET", "calendars")["value"] if entry["isDefaultCalendar"])

    def call(self, method: str, path: str, **kwargs: Any) -> dict:
        headers = {"Authorization": f"Bearer {self.token}", "Prefer": 'IdType="ImmutableId"'}
        address = path if path.startswith("http") else f"{URL}/microsoft/graph/v1.0/me/{path}"
        response = self.vendors.browser.request(method, address, headers=headers, **kwargs)
        assert response.ok, response.text
        return response.json() if response.content else {}

    def events(self) -> list[Event]:
        found: list[Event] = []
        url = f"calendars/{self.main}/events?$top=999&$expand={EXPAND}"
        while url:
            answer = self.call("GET", url)
            found += map(_event, answer["value"])
            url = answer.get("@odata.nextLink", "")
        return found

    def add(self, title, begin, hours=1, *, text="", busy=True, days=0, repeat=None, **raw) -> Event:
        body: dict[str, Any] = {"subject": title, "body": {"contentType": "text", "content": text}}
        body |= _times(begin, hours)
        if days:
            last = begin.date() + dt.timedelta(days=days)
            ends = {"start": begin.date(), "end": last}
            body |= {name: {"dateTime": f"{day}T00:00:00", "timeZone": ZONE} for name, day in ends.items()}
            body["isAllDay"] = True
        if not busy:
            body["showAs"] = "free"
        if repeat:
            first = begin.astimezone(HOME)
            pattern = {"type": repeat[0], "interval": 1, "daysOfWeek": [first.strftime("%A").lower()]}
            span = {"type": "numbered", "startDate": f"{first:%Y-%m-%d}", "numberOfOccurrences": repeat[1]}
            body["recurrence"] = {"pattern": pattern, "range": span}
        return _event(self.call("POST", f"calendars/{self.main}/events", json=body | raw))

    def stand_by(self, begin):
        self.add("At the depot", begin, showAs="workingElsewhere")

    def instances(self, series):
        start, end = series.start - dt.timedelta(days=1), series.start + dt.timedelta(days=400)
        window = {"startDateTime": start.isoformat(), "endDateTime": end.isoformat(), "$top": "999"}
        return [_event(item) for item in self.call("GET", f"events/{series.id}/instances", params=window)["value"]]

    def lend(self, name):
        calendars = self.call("GET", "calendars")["value"]
        self.main = next(one["id"] for one in calendars if one["canEdit"] and not one["isDefaultCalendar"])
        return super().lend(name)

    def make_series(self, event, weeks):
        first = event.start.astimezone(HOME)
        pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [first.strftime("%A").lower()]}
        span = {"type": "numbered", "startDate": f"{first:%Y-%m-%d}", "numberOfOccurrences": weeks}
        # As Outlook does it: a series is meant in its owner's zone.
        self.edit(event.id, **_times(event.start, 1), recurrence={"pattern": pattern, "range": span})
        return self.instances(event)

    def make_days(self, event, days):
        ends = {"start": event.start.date(), "end": event.start.date() + dt.timedelta(days=days)}
        whole = {name: {"dateTime": f"{day}T00:00:00", "timeZone": ZONE} for name, day in ends.items()}
        self.edit(event.id, isAllDay=True, **whole)

    def edit(self, event_id, **fields):
        self.call("PATCH", f"events/{event_id}", json=fields)

    def text(self, event):
        return self.call("GET", f"events/{event.id}")["body"]["content"]

    def type(self, event, above="", below=""):
        page = self.text(event)
        start, end = page.index("PlainText") + len('PlainText">'), page.rindex("</div>")
        above, below = (part.replace("\n", "<br>") for part in (above, below))
        self.edit(
            event.id,
            body={"contentType": "html", "content": page[:start] + above + page[start:end] + below + page[end:]},
        )

    def rename(self, event_id, title):
        self.call("PATCH", f"events/{event_id}", json={"subject": title})

    def set_busy(self, event_id, busy):
        self.call("PATCH", f"events/{event_id}", json={"showAs": "busy" if busy else "free"})

    def move(self, event_id, start, hours=1):
        self.call("PATCH", f"events/{event_id}", json={**_times(start, hours), "isAllDay": False})

    def delete(self, event_id):
        self.call("DELETE", f"events/{event_id}")

    def small_pages(self, monkeypatch):
        monkeypatch.setattr(listing, "PAGE", "odata.maxpagesize=2")

    def copy(self, event, begin):
        return self.add(event.title, begin, singleValueExtendedProperties=event.raw["singleValueExtendedProperties"])


def _times(begin: dt.datetime, hours: float) -> dict[str, Any]:
    ends = {"start": begin, "end": begin + dt.timedelta(hours=hours)}
    return {
        name: {"dateTime": f"{moment.astimezone(HOME):%Y-%m-%dT%H:%M:%S.%f}", "timeZone": ZONE}
        for name, moment in ends.items()
    }


def _event(raw: dict) -> Event:
    start = dt.datetime.fromisoformat(raw["start"]["dateTime"]).replace(tzinfo=dt.UTC)
    marks = raw.get("singleValueExtendedProperties") or [{"value": "||"}]
    return Event(raw["id"], raw["@odata.etag"], raw["subject"], start, marks[0]["value"].split("|")[1], raw)
