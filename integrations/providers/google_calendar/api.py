"""Google Calendar v3 over HTTP: calendars, listings, batches.

https://developers.google.com/workspace/calendar/api/v3/reference · /guides/sync · /guides/batch
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings

from integrations import errors
from integrations.providers.base import Http
from integrations.providers.google_calendar import batch
from integrations.providers.google_calendar.errors import explain_body
from integrations.providers.google_calendar.mapping import BUSY_TYPES, EVENT_FIELDS, to_body, to_record
from integrations.records import Container, Fields, Operation, Page, RemoteRecord, Verb, Window, WriteResult, instant
from integrations.transport.answers import json_object
from integrations.transport.client import utc_now

BATCH_SIZE = 50
WRITER_ROLES = ("owner", "writer", "writerWithoutPrivateAccess")
LIST_FIELDS = f"nextPageToken,nextSyncToken,timeZone,items({EVENT_FIELDS})"
CALENDAR_FIELDS = "nextPageToken,items(id,summary,summaryOverride,primary,accessRole,timeZone,deleted)"


def make_id(seed: str) -> str:
    """An event id in Google's form (a-v, 0-9), always the same for the same seed."""
    return base64.b32hexencode(hashlib.sha256(seed.encode()).digest()).decode().rstrip("=").lower()


class GoogleCalendarClient:
    """One Google account's calendars. See `ProviderClient` for what each method promises."""

    def __init__(self, http: Http, account_id: str = ""):
        self.http = http
        self._zones: dict[str, str] = {}

    def containers(self) -> list[Container]:
        found: list[Container] = []
        page = ""
        while True:
            params = {"maxResults": "250", "fields": CALENDAR_FIELDS, **({"pageToken": page} if page else {})}
            body = json_object(self.http.request("GET", _url("users/me/calendarList"), params=params))
            found += [
                Container(
                    id=entry["id"],
                    name=entry.get("summaryOverride") or entry.get("summary") or entry["id"],
                    writable=entry.get("accessRole") in WRITER_ROLES,
                    primary=bool(entry.get("primary")),
                    timezone=entry.get("timeZone", ""),
                )
                for entry in body.get("items", ())
                # A calendar of which only free and busy may be seen has no events to list.
                if not entry.get("deleted") and entry.get("accessRole") in (*WRITER_ROLES, "reader")
            ]
            page = body.get("nextPageToken", "")
            if not page:
                return sorted(found, key=lambda entry: (not entry.primary, entry.name.casefold()))

    def make_container(self, name: str) -> Container:
        raise errors.NeedsPermission("FieldCamp has not been allowed to make calendars in this account.")

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        state = _read_cursor(cursor, window)
        continued = "page" in state
        while True:
            try:
                body = self._list(container_id, state)
            except errors.Rejected:
                if not continued:
                    raise
                # Page tokens do not live for ever. The listing that this one belonged to is begun again, once.
                state, continued = {name: value for name, value in state.items() if name != "page"}, False
                continue
            continued = False
            self._zones[container_id] = zone = body.get("timeZone", "")
            records = [to_record(event, zone) for event in body.get("items", ())]
            if token := body.get("nextPageToken"):
                state = {**state, "page": token}
                yield Page(records, json.dumps(state), last=False)
            elif token := body.get("nextSyncToken"):
                yield Page(records, json.dumps({"sync": token}), last=True)
                return
            else:
                raise errors.Unavailable("Google's list of events ended without saying where the next one starts.")

    def _list(self, container_id: str, state: dict[str, str]) -> dict[str, Any]:
        params: list[tuple[str, str]] = [("maxResults", "2500"), ("singleEvents", "false"), ("fields", LIST_FIELDS)]
        params += [("eventTypes", kind) for kind in BUSY_TYPES]
        # timeMin and syncToken exclude each other: https://developers.google.com/workspace/calendar/api/guides/sync
        names = {"since": "timeMin", "sync": "syncToken", "page": "pageToken"}
        params += [(names[name], value) for name, value in state.items()]
        try:
            return json_object(self.http.request("GET", _events_url(container_id), params=params))
        except errors.Gone as error:
            raise errors.Rejected(
                "This calendar is not there any more, or the account has lost access to it. Choose another calendar.",
                detail=error.detail,
            ) from None

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        found: dict[str, RemoteRecord] = {}
        for start in range(0, len(ids), BATCH_SIZE):
            chunk = ids[start : start + BATCH_SIZE]
            calls = [batch.Call("GET", _event_path(container_id, id, fields=EVENT_FIELDS)) for id in chunk]
            for id, answer in zip(chunk, self._batch(calls, retry_safe=True), strict=True):
                error = _error_of(answer)
                if isinstance(error, errors.Gone):
                    found[id] = _tombstone(id)
                elif error or answer is None:
                    raise error or errors.Unavailable("Google's answer to this one was lost.")
                else:
                    found[id] = self._record(container_id, answer)
        return found

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        if not operations:
            return []
        if len(operations) > BATCH_SIZE:
            raise ValueError(f"Google takes {BATCH_SIZE} calls in a batch, not {len(operations)}.")
        answers = self._batch([_call(container_id, operation) for operation in operations], retry_safe=False)
        outcomes = [
            self._outcome(container_id, operation, answer)
            for operation, answer in zip(operations, answers, strict=True)
        ]
        if any(isinstance(outcome.error, errors.RateLimited) for outcome in outcomes):
            self.http.slow_down()
        for outcome in outcomes:
            if isinstance(outcome.error, (errors.NeedsPermission, errors.NeedsReconnect, errors.Misconfigured)):
                raise outcome.error
        return self._settle_refused_deletes(container_id, operations, outcomes)

    def _outcome(self, container_id: str, operation: Operation, answer: batch.Answer | None) -> WriteResult:
        error = _error_of(answer, is_event=operation.verb is not Verb.DELETE)
        if operation.verb is Verb.DELETE and (error is None or isinstance(error, errors.Gone)):
            return WriteResult(operation.key, _tombstone(operation.remote_id))
        if error or answer is None:
            return WriteResult(operation.key, error=error)
        return WriteResult(operation.key, self._record(container_id, answer))

    def _settle_refused_deletes(
        self, container_id: str, operations: Sequence[Operation], outcomes: list[WriteResult]
    ) -> list[WriteResult]:
        """Google has been seen to answer 403 when a cancelled event is deleted: look before calling it a failure."""
        refused = {
            operation.key: operation.remote_id
            for operation, outcome in zip(operations, outcomes, strict=True)
            if operation.verb is Verb.DELETE and isinstance(outcome.error, errors.Rejected)
        }
        if not refused:
            return outcomes
        now = self.get(container_id, list(refused.values()))
        return [
            WriteResult(outcome.key, now[refused[outcome.key]])
            if outcome.key in refused and now[refused[outcome.key]].gone
            else outcome
            for outcome in outcomes
        ]

    def _batch(self, calls: Sequence[batch.Call], retry_safe: bool) -> list[batch.Answer | None]:
        body, content_type = batch.encode(calls)

        @lru_cache(maxsize=1)
        def answers(response) -> list[batch.Answer | None]:
            return batch.decode(response.headers.get("Content-Type", ""), response.content, len(calls))

        def all_refused(response) -> bool:
            return response.status_code == 200 and all(part and part.status == 401 for part in answers(response))

        response = self.http.request(
            "POST",
            f"{settings.GOOGLE_API_URL}/batch/calendar/v3",
            data=body,
            headers={"Content-Type": content_type},
            cost=len(calls),
            retry_safe=retry_safe,
            rejects_token=all_refused,
        )
        parts = answers(response)
        if all_refused(response):
            raise explain_body(401, None, utc_now())
        # A token that ends in the middle of a batch: those parts were not carried out, the next call renews it.
        return [None if part and part.status == 401 else part for part in parts]

    def _record(self, container_id: str, answer: batch.Answer) -> RemoteRecord:
        event = answer.body
        zone = self._zones.get(container_id, "")
        if not zone and "date" in event.get("start", {}):
            zone = self._zone_of(container_id)
        return to_record(event, zone)

    def _zone_of(self, container_id: str) -> str:
        """The calendar's time zone, which an all-day event does not tell; usually known from a listing."""
        url = _url(f"users/me/calendarList/{quote(container_id, safe='')}")
        self._zones[container_id] = json_object(self.http.request("GET", url, params={"fields": "timeZone"})).get(
            "timeZone", ""
        )
        return self._zones[container_id]


def _url(path: str) -> str:
    return f"{settings.GOOGLE_API_URL}/calendar/v3/{path}"


def _events_url(container_id: str) -> str:
    return _url(f"calendars/{quote(container_id, safe='')}/events")


def _event_path(container_id: str, event_id: str = "", **query: str) -> str:
    """What stands in a batch's part: the path alone."""
    path = urlsplit(_events_url(container_id)).path
    return f"{path}/{quote(event_id, safe='')}?{urlencode(query)}" if event_id else f"{path}?{urlencode(query)}"


def _call(container_id: str, operation: Operation) -> batch.Call:
    # Without `sendUpdates=none` a sync mails the guests of every event that it touches.
    query = {"sendUpdates": "none", "fields": EVENT_FIELDS}
    condition = {"If-Match": operation.tag} if operation.tag else {}
    if operation.verb is Verb.CREATE:
        body = {"id": operation.remote_id, **to_body(operation.fields, marker=operation.marker, link=operation.link)}
        return batch.Call("POST", _event_path(container_id, **query), body)
    path = _event_path(container_id, operation.remote_id, **query)
    if operation.verb is Verb.UPDATE:
        body = to_body(operation.fields, marker=operation.marker, link=operation.link, patch=True)
        return batch.Call("PATCH", path, body, condition)
    return batch.Call("DELETE", _event_path(container_id, operation.remote_id, sendUpdates="none"), None, condition)


def _error_of(answer: batch.Answer | None, is_event: bool = True) -> errors.ProviderError | None:
    if answer and answer.status >= 400:
        return explain_body(answer.status, answer.body, utc_now())
    if answer is None or (is_event and not (isinstance(answer.body, dict) and answer.body.get("id"))):
        return errors.Unavailable("Google's answer to this one was lost.")
    return None


def _tombstone(event_id: str) -> RemoteRecord:
    return RemoteRecord(id=event_id, tag="", kind="block", gone=True)


def _read_cursor(cursor: str, window: Window) -> dict[str, str]:
    """`sync` or `since` says which listing, `page` where in it."""
    if not cursor:
        return {"since": instant(window.start)}
    try:
        state = json.loads(cursor)
    except ValueError:
        state = None
    known = isinstance(state, dict) and {"sync", "since"} & state.keys() and state.keys() <= {"sync", "since", "page"}
    if not known or not all(isinstance(value, str) for value in state.values()):
        raise errors.CursorExpired("The stored position in this calendar cannot be read.")
    return state
