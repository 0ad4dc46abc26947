"""A person at their Google calendar."""

import datetime as dt
from typing import Any

from fieldcamp.sandbox.mount import URL
from tests.integrations.sync.people import FREQUENCIES, ZONE, Event, Person


class Google(Person):
    integration, vendor, batch_size = "google_calendar", "google", 50
    api, batch, batch_path, listing = "/google/api/", "/batch", "/batch", "/events"
    creates = r"/calendar/v3/calendars/[^/]+/events"
    keeps_series = True

    @property
    def main(self) -> str:
        return self.account

    def call(self, method: str, path: str, **kwargs: Any) -> dict:
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{URL}/google/api/calendar/v3/calendars/{self.account}/events{path}"
        response = self.vendors.browser.request(method, address, headers=headers, **kwargs)
        assert response.ok, response.text
        return response.json() if response.content else {}

    def events(self) -> list[Event]:
        found: list[Event] = []
        page: dict = {}
        while True:
            answer = self.call("GET", "", params={"maxResults": 2500, **page})
            found += [_event(item) for item in answer["items"] if item["status"] != "cancelled"]
            if "nextPageToken" not in answer:
                return found
            page = {"pageToken": answer["nextPageToken"]}

    def add(self, title, begin, hours=1, *, text="", busy=True, days=0, repeat=None, **raw) -> Event:
        body: dict[str, Any] = {"summary": title, "description": text, **_times(begin, hours)}
        if days:
            last = begin.date() + dt.timedelta(days=days)
            body |= {"start": {"date": begin.date().isoformat()}, "end": {"date": last.isoformat()}}
        if not busy:
            body["transparency"] = "transparent"
        return _event(self.call("POST", "", json=body | _rule(repeat) | raw))

    def accept(self, uid, title, begin, repeat=None):
        body = {"iCalUID": uid, "summary": title, **_times(begin, 1), **_rule(repeat)}
        return _event(self.call("POST", "/import", json=body))

    def stand_by(self, begin):
        self.add("No", begin, attendees=[{"email": self.account, "self": True, "responseStatus": "declined"}])

    def instances(self, series):
        return [_event(item) for item in self.call("GET", f"/{series.id}/instances")["items"]]

    def edit(self, event_id: str, **fields: Any) -> None:
        self.call("PATCH", f"/{event_id}", json=fields)

    def make_series(self, event, weeks):
        self.edit(event.id, **_rule(("weekly", weeks)))
        return self.instances(event)

    def make_days(self, event, days):
        first = event.start.date()
        ends = {"start": first, "end": first + dt.timedelta(days=days)}
        self.edit(event.id, **{name: {"date": day.isoformat(), "dateTime": None} for name, day in ends.items()})

    def text(self, event):
        return self.call("GET", f"/{event.id}").get("description", "")

    def type(self, event, above="", below=""):
        self.edit(event.id, description=f"{above}{self.text(event)}{below}".replace("\n", "<br>"))

    def rename(self, event_id, title):
        self.edit(event_id, summary=title)

    def set_busy(self, event_id, busy):
        self.edit(event_id, transparency="opaque" if busy else "transparent")

    def move(self, event_id, start, hours=1):
        self.edit(event_id, **_times(start, hours))

    def delete(self, event_id):
        self.call("DELETE", f"/{event_id}")

    def own_calendar(self, name: str) -> str:
        """Makes a further calendar; its id."""
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{URL}/google/api/calendar/v3/calendars"
        return self.vendors.browser.post(address, json={"summary": name}, headers=headers).json()["id"]

    def small_pages(self, monkeypatch):
        real = self.vendors.adapter.send

        def send(request, **kwargs):
            request.url = request.url.replace("maxResults=2500", "maxResults=2")
            return real(request, **kwargs)

        monkeypatch.setattr(self.vendors.adapter, "send", send)

    def copy(self, event, begin):
        return self.add(event.title, begin, extendedProperties=event.raw["extendedProperties"])


def _times(begin: dt.datetime, hours: float) -> dict[str, Any]:
    ends = {"start": begin, "end": begin + dt.timedelta(hours=hours)}
    return {name: {"dateTime": moment.isoformat(), "timeZone": ZONE} for name, moment in ends.items()}


def _rule(repeat: tuple[str, int] | None) -> dict[str, list[str]]:
    return {"recurrence": [f"RRULE:FREQ={FREQUENCIES[repeat[0]]};COUNT={repeat[1]}"]} if repeat else {}


def _event(raw: dict) -> Event:
    start = raw["start"].get("dateTime") or f"{raw['start']['date']}T00:00:00+00:00"
    visit_id = raw.get("extendedProperties", {}).get("private", {}).get("fieldcamp_visit", "")
    return Event(raw["id"], raw["etag"], raw.get("summary", ""), dt.datetime.fromisoformat(start), visit_id, raw)
