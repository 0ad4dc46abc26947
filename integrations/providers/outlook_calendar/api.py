"""Outlook calendars over Microsoft Graph v1.0: calendars, single events, writes. Listings are in `listing.py`.

https://learn.microsoft.com/en-us/graph/api/resources/calendar · /graph/api/user-post-events · /graph/json-batching
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrations import errors
from integrations.providers.base import Http
from integrations.providers.outlook_calendar import addresses, batch
from integrations.providers.outlook_calendar.errors import explain_body
from integrations.providers.outlook_calendar.listing import OutlookListing
from integrations.providers.outlook_calendar.mapping import (
    MADE_WITH,
    MARK,
    is_ours,
    to_body,
    to_record,
    tombstone,
)
from integrations.records import Container, Fields, Operation, Page, RemoteRecord, Verb, Window, WriteResult
from integrations.transport.answers import json_object
from integrations.transport.client import utc_now

# On every request: ids that outlive a move between folders, times in UTC, bodies as text.
# https://learn.microsoft.com/en-us/graph/outlook-immutable-id
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"'
EXPAND = {"$expand": f"singleValueExtendedProperties($filter=id eq '{MARK}')"}


class OutlookCalendarClient:
    """One mailbox's calendars. See `ProviderClient` for what each method promises."""

    def __init__(self, http: Http, account_id: str = ""):
        self.http = http

    def containers(self) -> list[Container]:
        found: list[Container] = []
        url, params = addresses.root("me/calendars"), {"$top": "100"}
        while url:
            try:
                body = self.fetch(url, params)
            except errors.Rejected as error:  # its own list of calendars is what nobody else can take away
                raise errors.NeedsPermission(
                    "FieldCamp may not see the calendars of this account. Reconnect and accept all permissions.",
                    detail=error.detail,
                ) from None
            found += [
                Container(
                    id=entry["id"],
                    name=entry.get("name") or entry["id"],
                    writable=bool(entry.get("canEdit")),
                    primary=bool(entry.get("isDefaultCalendar")),
                )
                for entry in body.get("value", ())
            ]
            url, params = body.get("@odata.nextLink", ""), {}
        return sorted(found, key=lambda entry: (not entry.primary, entry.name.casefold()))

    def make_container(self, name: str) -> Container:
        raise errors.NeedsPermission("FieldCamp does not make calendars in this account.")

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        return OutlookListing(container_id, self.fetch, self.read).pages(cursor, window)

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        found: dict[str, RemoteRecord] = {}
        for id, event in self.read(container_id, ids).items():
            if event is None or event.get("type") == "seriesMaster" and not is_ours(event.get("transactionId")):
                found[id] = tombstone(id)  # what became a series is seen as its occurrences
            else:
                record = to_record(event)
                found[id] = replace(record, made_with=id) if is_ours(id) else record
        return found

    def read(self, container_id: str, ids: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """The events as Graph has them, None for what is not there; ids may be those that creates were sent with."""
        found: dict[str, dict[str, Any] | None] = {}
        for start in range(0, len(ids), batch.BATCH_SIZE):
            chunk = ids[start : start + batch.BATCH_SIZE]
            calls = [_look(container_id, id) for id in chunk]
            for id, answer in zip(chunk, self._batch(calls, retry_safe=True), strict=True):
                error = _error_of(answer)
                if isinstance(error, errors.Gone):
                    found[id] = None
                elif error or answer is None or not isinstance(answer.body, dict):
                    raise error or errors.Unavailable("Microsoft's answer to this one was lost.")
                elif is_ours(id):
                    found[id] = _original(answer.body.get("value") or [], id)
                else:
                    found[id] = answer.body
        return found

    def fetch(self, url: str, params: dict[str, str] | None = None, prefer: str = "") -> dict[str, Any]:
        """A GET's JSON; `url` may be a link that Graph gave us, and `prefer` adds to what we ask for always."""
        query = f"{url}?{addresses.query(params)}" if params else url
        headers = {"Prefer": f"{PREFER}, {prefer}" if prefer else PREFER}
        return json_object(self.http.request("GET", query, headers=headers))

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        if not operations:
            return []
        if len(operations) > batch.BATCH_SIZE:
            raise ValueError(f"Graph takes {batch.BATCH_SIZE} calls in a batch, not {len(operations)}.")
        answers = self._batch([_call(container_id, operation) for operation in operations], retry_safe=False)
        outcomes = [_outcome(operation, answer) for operation, answer in zip(operations, answers, strict=True)]
        if any(isinstance(outcome.error, errors.RateLimited) for outcome in outcomes):
            self.http.slow_down()
        for outcome in outcomes:
            if isinstance(outcome.error, (errors.NeedsPermission, errors.NeedsReconnect, errors.Misconfigured)):
                raise outcome.error
        return self._settle_refused_deletes(container_id, operations, outcomes)

    def _settle_refused_deletes(
        self, container_id: str, operations: Sequence[Operation], outcomes: list[WriteResult]
    ) -> list[WriteResult]:
        """Graph has been seen to answer 403 when a cancelled event is deleted: look before calling it a failure."""
        refused = {
            operation.key: operation.remote_id
            for operation, outcome in zip(operations, outcomes, strict=True)
            if operation.verb is Verb.DELETE and isinstance(outcome.error, errors.Rejected)
        }
        now = self.get(container_id, list(refused.values())) if refused else {}
        return [
            WriteResult(outcome.key, now[refused[outcome.key]])
            if outcome.key in refused and now[refused[outcome.key]].gone
            else outcome
            for outcome in outcomes
        ]

    def _batch(self, calls: Sequence[batch.Call], retry_safe: bool) -> list[batch.Answer | None]:
        def answers(response) -> list[batch.Answer | None]:
            return batch.decode(json_object(response), len(calls))

        def all_refused(response) -> bool:
            return response.status_code == 200 and all(part and part.status == 401 for part in answers(response))

        response = self.http.request(
            "POST",
            addresses.root("$batch"),
            json=batch.encode(calls),
            headers={"Prefer": PREFER},
            cost=len(calls),
            retry_safe=retry_safe,
            rejects_token=all_refused,
        )
        parts = answers(response)
        if all_refused(response):
            raise explain_body(401, None, utc_now())
        # A token that ends in the middle of a batch: those parts were not carried out, the next call renews it.
        return [None if part and part.status == 401 else part for part in parts]


def _look(container_id: str, id: str) -> batch.Call:
    """One event by its id, or by the id that its create was sent with, which our marker holds."""
    headers = {"Prefer": PREFER}
    if not is_ours(id):
        return batch.Call("GET", f"{addresses.event(container_id, id)}?{addresses.query(EXPAND)}", headers=headers)
    where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MADE_WITH}' and ep/value eq '{id}')"
    query = addresses.query({"$filter": where, "$top": "10", **EXPAND})
    return batch.Call("GET", f"{addresses.calendar(container_id)}/events?{query}", headers=headers)


def _original(events: list[dict[str, Any]], transaction_id: str) -> dict[str, Any] | None:
    """Of our event and the copies that people made of it, ours."""
    made = [event for event in events if event.get("transactionId") == transaction_id]
    return next(iter(made or sorted(events, key=lambda event: event.get("createdDateTime") or "")), None)


def _call(container_id: str, operation: Operation) -> batch.Call:
    headers = {"Prefer": PREFER}
    if operation.verb is Verb.CREATE:
        body = to_body(operation.fields, marker=operation.marker, link=operation.link, create=operation.remote_id)
        return batch.Call("POST", f"{addresses.calendar(container_id)}/events", body, headers)
    path = addresses.event(container_id, operation.remote_id)
    if operation.tag:
        headers["If-Match"] = operation.tag
    if operation.verb is Verb.UPDATE:
        return batch.Call("PATCH", path, to_body(operation.fields, marker=None, link=operation.link), headers)
    return batch.Call("DELETE", path, None, headers)


def _outcome(operation: Operation, answer: batch.Answer | None) -> WriteResult:
    error = _error_of(answer, is_event=operation.verb is not Verb.DELETE)
    if operation.verb is Verb.DELETE and (error is None or isinstance(error, errors.Gone)):
        return WriteResult(operation.key, tombstone(operation.remote_id))
    if error or answer is None:
        return WriteResult(operation.key, error=error)
    record = to_record(answer.body)
    if operation.verb is not Verb.CREATE:
        return WriteResult(operation.key, record)
    # A transaction id that Graph knows makes nothing: it answers with what it made of it earlier.
    if any(record.fields[name] != operation.fields.get(name) for name in ("start", "end", "title")):
        return WriteResult(operation.key, error=errors.Duplicate("Outlook has this event already, in an older form."))
    # The answer to a create does not hold our properties, which cannot be asked for here.
    return WriteResult(operation.key, replace(record, made_with=operation.remote_id, marker=operation.marker))


def _error_of(answer: batch.Answer | None, is_event: bool = True) -> errors.ProviderError | None:
    if answer and answer.status >= 400:
        now = utc_now()
        return explain_body(answer.status, answer.body, now, answer.wait(now))
    if answer is None or (is_event and not isinstance(answer.body, dict)):
        return errors.Unavailable("Microsoft's answer to this one was lost.")
    return None
