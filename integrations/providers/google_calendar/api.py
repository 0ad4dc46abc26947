"""Google Calendar v3 over HTTP: calendars, listings, batches.

https://developers.google.com/workspace/calendar/api/v3/reference · /guides/sync · /guides/batch
"""

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from django.conf import settings

from integrations import errors
from integrations.paging import Turns
from integrations.providers.base import Http
from integrations.providers.batches import Answer, BatchingCalendar, Call
from integrations.providers.calendars import main_first, read_cursor, read_event, tombstone, with_own_occurrence
from integrations.providers.google_calendar import batch
from integrations.providers.google_calendar.errors import explain_body
from integrations.providers.google_calendar.mapping import BUSY_TYPES, EVENT_FIELDS, ID_LENGTH, to_body, to_record
from integrations.records import (
    Container,
    Fields,
    Lack,
    Operation,
    Page,
    RemoteRecord,
    Verb,
    Window,
    WriteResult,
    instant,
)
from integrations.transport.answers import ask, rows_in

# What a role lacks; of a calendar of which only free and busy may be seen there are no events to list.
# https://developers.google.com/workspace/calendar/api/concepts/sharing
LACKS = {
    "owner": None,
    "writer": None,
    "writerWithoutPrivateAccess": None,
    "reader": Lack.CHANGE,
    "freeBusyReader": Lack.READ,
}
LIST_FIELDS = f"nextPageToken,nextSyncToken,timeZone,items({EVENT_FIELDS})"
CALENDAR_FIELDS = "nextPageToken,items(id,summary,summaryOverride,primary,accessRole,timeZone,deleted,dataOwner)"


def make_id(seed: str) -> str:
    """Returns an event id in Google's form (a-v, 0-9), always the same for the same seed."""
    return base64.b32hexencode(hashlib.sha256(seed.encode()).digest()).decode().rstrip("=").lower()


class GoogleCalendarClient(BatchingCalendar):
    """One Google account's calendars. See `ProviderClient` for what each method promises."""

    vendor, batch_size = "Google", 50

    def __init__(self, http: Http, account_id: str = ""):
        super().__init__(http, account_id)
        self._zones: dict[str, str] = {}

    def containers(self, about: str = "") -> list[Container]:
        found: list[Container] = []
        page, turns = "", Turns()
        while True:
            params = {"maxResults": "250", "fields": CALENDAR_FIELDS, **({"pageToken": page} if page else {})}
            body = ask(self.http, "GET", _url("users/me/calendarList"), params=params, check=rows_in("items", id="id"))
            found += [
                Container(
                    id=entry["id"],
                    name=entry.get("summaryOverride") or entry.get("summary") or entry["id"],
                    lacks=LACKS.get(str(entry.get("accessRole")), Lack.READ),
                    primary=bool(entry.get("primary")),
                    timezone=entry.get("timeZone", ""),
                    owner=_owner(entry),
                )
                for entry in body["items"]
                if not entry.get("deleted") and entry.get("accessRole") != "none"
            ]
            page = str(body.get("nextPageToken") or "")
            if not page:
                return main_first(found)
            turns.take([entry["id"] for entry in body["items"]], page)

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        state = _read_cursor(cursor, window)
        continued, anew = "page" in state, False
        while True:
            try:
                body = self._list(container_id, state)
            except errors.Rejected:
                if not continued:
                    raise
                # Page tokens do not live for ever. The listing that this one belonged to is begun again, once.
                state, continued = {name: value for name, value in state.items() if name != "page"}, False
                anew = True
                continue
            continued = False
            self._zones[container_id] = zone = body.get("timeZone", "")
            events = [event for event in body["items"] if isinstance(event, dict)]
            records = [read_event(event, partial(to_record, event, zone)) for event in events]
            records = self._with_own_occurrences(container_id, records)
            if isinstance(token := body.get("nextPageToken"), str) and token:
                state = {**state, "page": token}
                restart = {name: value for name, value in state.items() if name != "page"}
                yield Page(records, json.dumps(state), last=False, restart=json.dumps(restart), anew=anew)
                anew = False
            else:
                yield Page(records, json.dumps({"sync": body["nextSyncToken"]}), last=True)
                return

    def _with_own_occurrences(self, container_id: str, records: list[RemoteRecord]) -> list[RemoteRecord]:
        """Returns the records, those of visits' events that somebody has made a series of with what became of the
        visit's own occurrence: that is an event of its own here, and changes by itself."""
        listed = {record.id: record for record in records}
        series = {record.id for record in records if _is_own_series(record)}
        series |= {id for record in records if len(id := record.fields.get("series_id") or "") == ID_LENGTH}
        found = self.get(container_id, sorted(series)) if series else {}
        listed |= {id: record for id, record in found.items() if id in listed or _is_own_series(record)}
        return list(listed.values())

    def _list(self, container_id: str, state: dict[str, str]) -> dict[str, Any]:
        params: list[tuple[str, str]] = [("maxResults", "2500"), ("singleEvents", "false"), ("fields", LIST_FIELDS)]
        params += [("eventTypes", kind) for kind in BUSY_TYPES]
        # timeMin and syncToken exclude each other: https://developers.google.com/workspace/calendar/api/guides/sync
        names = {"since": "timeMin", "sync": "syncToken", "page": "pageToken"}
        params += [(names[name], value) for name, value in state.items()]
        url = _events_url(container_id)
        return self.listed(container_id, lambda: ask(self.http, "GET", url, params=params, check=_leads_on))

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        def call(id: str) -> Call:
            return Call("GET", _event_path(container_id, id, fields=EVENT_FIELDS))

        found: dict[str, RemoteRecord] = {}
        for id, answer in self.look(ids, call):
            if answer and answer.status < 400 and answer.body["id"] != id:
                raise errors.Unavailable("Google answered about another event than the one that was asked for.")
            event = partial(self._record, container_id, answer.body) if answer else None
            found[id] = read_event({"id": id}, event) if event else tombstone(id)
        own = {_own_occurrence(record): id for id, record in found.items() if _is_own_series(record)}
        for occurrence, answer in self.look(list(own), call) if own else ():
            if answer and self.is_event(answer.body):
                record = read_event({"id": occurrence}, partial(self._record, container_id, answer.body))
                if record.fault is None:
                    found[own[occurrence]] = with_own_occurrence(found[own[occurrence]], record)
        return found

    # --- batches ----------------------------------------------------------------------------------------------------

    def post_of(self, calls: Sequence[Call]) -> tuple[str, dict[str, Any]]:
        body, content_type = batch.encode(calls)
        url = f"{settings.GOOGLE_API_URL}/batch/calendar/v3"
        return url, {"data": body, "headers": {"Content-Type": content_type}}

    def parts_of(self, response: requests.Response, count: int) -> list[Answer | None]:
        return batch.decode(response.headers.get("Content-Type", ""), response.content, count)

    def refusal(self, status: int, body: Any, now: dt.datetime, wait: float) -> errors.ProviderError:
        return explain_body(status, body, now)

    def is_event(self, body: Any) -> bool:
        return isinstance(body, dict) and bool(body.get("id"))

    def call_of(self, container_id: str, operation: Operation) -> Call:
        # Without `sendUpdates=none` a sync mails the guests of every event that it touches.
        query = {"sendUpdates": "none", "fields": EVENT_FIELDS}
        condition = {"If-Match": operation.tag} if operation.tag else {}
        fields, marker, link = operation.fields, operation.marker, operation.link
        if operation.verb is Verb.CREATE:
            body = {"id": operation.remote_id, **to_body(fields, marker=marker, link=link)}
            return Call("POST", _event_path(container_id, **query), body)
        if operation.verb is Verb.UPDATE:
            path = _event_path(container_id, operation.remote_id, **query)
            return Call("PATCH", path, to_body(fields, marker=marker, link=link, patch=True), condition)
        return Call("DELETE", _event_path(container_id, operation.remote_id, sendUpdates="none"), None, condition)

    def written(self, container_id: str, operation: Operation, answer: Answer) -> WriteResult:
        return WriteResult(operation.key, self._record(container_id, answer.body))

    def _record(self, container_id: str, event: dict[str, Any]) -> RemoteRecord:
        zone = self._zones.get(container_id, "")
        if not zone and "date" in event.get("start", {}):
            zone = self._zone_of(container_id)
        return to_record(event, zone)

    def _zone_of(self, container_id: str) -> str:
        """Returns the calendar's time zone, which an all-day event does not tell; usually known from a listing."""
        url = _url(f"users/me/calendarList/{quote(container_id, safe='')}")
        self._zones[container_id] = str(ask(self.http, "GET", url, params={"fields": "timeZone"}).get("timeZone", ""))
        return self._zones[container_id]


def _owner(entry: dict[str, Any]) -> str:
    """Returns whose the calendar is; a person's main calendar is called by their address."""
    id = str(entry["id"])
    return str(entry.get("dataOwner") or ("" if id.endswith("calendar.google.com") else id))


def _is_own_series(record: RemoteRecord) -> bool:
    """Returns whether it is a visit's event that somebody has made a series of."""
    return record.ours and bool(record.fields.get("repeats"))


def _own_occurrence(series: RemoteRecord) -> str:
    """Returns the id of the first occurrence, which is the visit's: when a series begins is in it, in UTC."""
    return f"{series.id}_{re.sub('[-:]', '', series.fields['start'])}"


def _leads_on(body: dict[str, Any]) -> None:
    """Raises `Unavailable` for a page without rows, or that does not say where the next one starts."""
    rows_in("items")(body)
    tokens = body.get("nextPageToken"), body.get("nextSyncToken")
    if not any(isinstance(token, str) and token for token in tokens):
        raise errors.Unavailable("Google's list of events ended without saying where the next one starts.")


def _url(path: str) -> str:
    return f"{settings.GOOGLE_API_URL}/calendar/v3/{path}"


def _events_url(container_id: str) -> str:
    return _url(f"calendars/{quote(container_id, safe='')}/events")


def _event_path(container_id: str, event_id: str = "", **query: str) -> str:
    """Returns what stands in a batch's part: the path alone."""
    path = urlsplit(_events_url(container_id)).path
    return f"{path}/{quote(event_id, safe='')}?{urlencode(query)}" if event_id else f"{path}?{urlencode(query)}"


def _read_cursor(cursor: str, window: Window) -> dict[str, str]:
    """Reads a cursor: `sync` or `since` says which listing, `page` where in it."""
    if not cursor:
        return {"since": instant(window.start)}
    return read_cursor(cursor, ("sync", "since", "page"), one_of=("sync", "since"))
