"""Outlook calendars over Microsoft Graph v1.0: calendars, single events, writes. Listings are in `listing.py`.

https://learn.microsoft.com/en-us/graph/api/resources/calendar · /graph/api/user-post-events · /graph/json-batching
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import requests

from integrations import errors
from integrations.paging import Turns
from integrations.providers.batches import Answer, BatchingCalendar, Call
from integrations.providers.calendars import main_first, read_event, tombstone
from integrations.providers.outlook_calendar import addresses, batch
from integrations.providers.outlook_calendar.errors import explain_body
from integrations.providers.outlook_calendar.listing import OutlookListing, leads_on
from integrations.providers.outlook_calendar.mapping import (
    MADE_WITH,
    MARK,
    is_ours,
    is_series,
    to_body,
    to_record,
    with_own_occurrence_of,
)
from integrations.providers.times import aware
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
from integrations.transport.answers import ask, json_object, rows_in

AROUND = dt.timedelta(days=40)  # of the first occurrence of a series: where it may have been moved to
# On every request: ids that outlive a move between folders, times in UTC, bodies as text.
# https://learn.microsoft.com/en-us/graph/outlook-immutable-id
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"'
# What is a refusal where the account's own calendars have just been listed: none of these can be said of itself.
NOT_TO_BE_READ = (
    errors.ContainerUnavailable, errors.Gone, errors.MailboxUnavailable, errors.NeedsPermission, errors.Rejected,
)  # fmt: skip
EXPAND = {"$expand": f"singleValueExtendedProperties($filter=id eq '{MARK}')"}


class OutlookCalendarClient(BatchingCalendar):
    """One mailbox's calendars. See `ProviderClient` for what each method promises."""

    vendor, batch_size = "Microsoft", 20

    def containers(self, about: str = "") -> list[Container]:
        found: list[Container] = []
        url, params, turns = addresses.root("me/calendars"), {"$top": "100"}, Turns()
        while url:
            try:
                body = self.fetch(url, params, check=rows_in("value", id="id"))
            except (errors.Rejected, errors.ContainerUnavailable) as error:
                # Its own list of calendars is what nobody else can take away.
                raise errors.NeedsPermission(
                    "FieldCamp may not see the calendars of this account. Reconnect and accept all permissions.",
                    detail=error.detail,
                ) from None
            found += [
                Container(
                    id=entry["id"],
                    name=entry.get("name") or entry["id"],
                    lacks=None if entry.get("canEdit") else Lack.CHANGE,
                    primary=bool(entry.get("isDefaultCalendar")),
                    owner=(entry.get("owner") or {}).get("address") or "",
                )
                for entry in body["value"]
            ]
            url, params = str(body.get("@odata.nextLink") or ""), {}
            if url:
                turns.take([entry["id"] for entry in body["value"]], url)
        return self._tried(main_first(found), about)

    def _tried(self, found: list[Container], about: str) -> list[Container]:
        """Looks whether the events of other people's calendars may be read: what `canEdit` says of them is the role
        that they were shared with, but somebody's main calendar wants a permission for shared ones besides, and their
        mailbox may be gone. What is no refusal (it is busy, its answer was lost) says nothing of the calendar. Raises
        what concerns the account itself.
        https://learn.microsoft.com/en-us/graph/outlook-get-shared-events-calendars"""
        lent = [container.id for container in found if container.owner and about in ("", container.id)]
        hidden: set[str] = set()
        for start in range(0, len(lent), self.batch_size):
            chunk = lent[start : start + self.batch_size]
            answers = self._send([_first_event(id) for id in chunk], chunk, retry_safe=True)
            for id, answer in zip(chunk, answers, strict=True):
                error = self._error_in(answer)
                if isinstance(error, errors.NeedsReconnect | errors.Misconfigured):
                    raise error
                if answer and answer.status < 500 and isinstance(error, NOT_TO_BE_READ):
                    hidden.add(id)
        return [replace(each, lacks=Lack.READ) if each.id in hidden else each for each in found]

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        def fetch(url: str, params: dict[str, str], prefer: str) -> dict[str, Any]:
            return self.listed(container_id, lambda: self.fetch(url, params, prefer, check=leads_on))

        return OutlookListing(container_id, fetch, self.read).pages(cursor, window)

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        found: dict[str, RemoteRecord] = {}
        for id, event in self.read(container_id, ids).items():
            if event is None or event.get("type") == "seriesMaster" and not is_ours(event.get("transactionId")):
                found[id] = tombstone(id)  # what became a series is seen as its occurrences
            else:
                read = partial(self._series, container_id, event) if is_series(event) else partial(to_record, event)
                record = read_event(event, read)
                found[id] = replace(record, made_with=id) if is_ours(id) else record
        return found

    def _series(self, container_id: str, master: dict[str, Any]) -> RemoteRecord:
        """Returns a visit's event that somebody has made a series of, when the visit's own occurrence is."""
        record = to_record(master)
        begins = aware(master["start"]["dateTime"])
        times = {"startDateTime": begins - AROUND, "endDateTime": begins + AROUND}
        params = {name: instant(moment) for name, moment in times.items()} | {"$top": "100"}
        path = f"{addresses.event(container_id, master['id'])[1:]}/instances"
        rows = self.fetch(addresses.root(path), params, check=rows_in("value"))["value"]
        return with_own_occurrence_of(record, master, rows) or record

    def read(self, container_id: str, ids: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """Returns the events as Graph has them, None for what is not there; ids may be those that creates were sent
        with."""
        found: dict[str, dict[str, Any] | None] = {}
        for id, answer in self.look(ids, lambda id: _look(container_id, id)):
            if answer and answer.status < 400 and is_ours(id):
                found[id] = _original(answer.body.get("value") or [], id)
            else:
                found[id] = answer.body if answer else None
                if answer and answer.status < 400 and answer.body.get("id") != id:
                    raise errors.Unavailable("Microsoft answered about another event than the one that was asked for.")
        return found

    def fetch(
        self,
        url: str,
        params: dict[str, str] | None = None,
        prefer: str = "",
        check: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        """Returns a GET's JSON; `url` may be a link that Graph gave us, and `prefer` adds to what we ask for always."""
        query = f"{url}?{addresses.query(params)}" if params else url
        headers = {"Prefer": f"{PREFER}, {prefer}" if prefer else PREFER}
        return ask(self.http, "GET", query, headers=headers, check=check)

    # --- batches ----------------------------------------------------------------------------------------------------

    def post_of(self, calls: Sequence[Call]) -> tuple[str, dict[str, Any]]:
        return addresses.root("$batch"), {"json": batch.encode(calls), "headers": {"Prefer": PREFER}}

    def parts_of(self, response: requests.Response, count: int) -> list[Answer | None]:
        return batch.decode(json_object(response), count)

    def refusal(self, status: int, body: Any, now: dt.datetime, wait: float) -> errors.ProviderError:
        return explain_body(status, body, now, wait)

    def call_of(self, container_id: str, operation: Operation) -> Call:
        headers = {"Prefer": PREFER}
        if operation.verb is Verb.CREATE:
            body = to_body(operation.fields, marker=operation.marker, link=operation.link, create=operation.remote_id)
            return Call("POST", f"{addresses.calendar(container_id)}/events", body, headers)
        path = addresses.event(container_id, operation.remote_id)
        if operation.tag:
            headers["If-Match"] = operation.tag
        if operation.verb is Verb.UPDATE:
            return Call("PATCH", path, to_body(operation.fields, marker=None, link=operation.link), headers)
        return Call("DELETE", path, None, headers)

    def written(self, container_id: str, operation: Operation, answer: Answer) -> WriteResult:
        record = to_record(answer.body)
        if operation.verb is not Verb.CREATE:
            return WriteResult(operation.key, record)
        # A transaction id that Graph knows makes nothing: it answers with what it made of it earlier.
        if any(record.fields[name] != operation.fields.get(name) for name in ("start", "end", "title")):
            error = errors.Duplicate("Outlook has this event already, in an older form.")
            return WriteResult(operation.key, error=error)
        # The answer to a create does not hold our properties, which cannot be asked for here.
        return WriteResult(operation.key, replace(record, made_with=operation.remote_id, marker=operation.marker))


def _first_event(container_id: str) -> Call:
    query = addresses.query({"$top": "1", "$select": "id"})
    return Call("GET", f"{addresses.calendar(container_id)}/events?{query}", headers={"Prefer": PREFER})


def _look(container_id: str, id: str) -> Call:
    """Returns one event by its id, or by the id that its create was sent with, which our marker holds."""
    headers = {"Prefer": PREFER}
    if not is_ours(id):
        return Call("GET", f"{addresses.event(container_id, id)}?{addresses.query(EXPAND)}", headers=headers)
    where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MADE_WITH}' and ep/value eq '{id}')"
    query = addresses.query({"$filter": where, "$top": "10", **EXPAND})
    return Call("GET", f"{addresses.calendar(container_id)}/events?{query}", headers=headers)


def _original(events: list[dict[str, Any]], transaction_id: str) -> dict[str, Any] | None:
    """Returns ours of our event and the copies that people made of it."""
    made = [event for event in events if event.get("transactionId") == transaction_id]
    return next(iter(made or sorted(events, key=lambda event: event.get("createdDateTime") or "")), None)
