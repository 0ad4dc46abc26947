"""events.list and events.instances: full lists, what changed since, pages that show one moment of the calendar."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.google import cursors, errors, params, recurrence, render
from fieldcamp.sandbox.google.calendars import Calendar
from fieldcamp.sandbox.google.events import Events, exceptions_of, overlaps
from fieldcamp.sandbox.google.store import Stored
from fieldcamp.sandbox.google.times import FOREVER, write_ms

EXPANSION_MS = 2 * 366 * 86_400_000  # a series without end is expanded so far into the future
UPDATED_MIN_MS = 30 * 86_400_000  # how far back deletions are kept for updatedMin


class Listing:
    """Answers the two methods that page through events."""

    def __init__(self, events: Events) -> None:
        self.events, self.store, self.state = events, events.store, events.state

    def events_page(self, cal: Calendar, query: MultiDict) -> dict[str, Any]:
        """One page of events.list. https://developers.google.com/workspace/calendar/api/v3/reference/events/list"""
        asked = params.list_params(query)
        lasting, filters = cursors.digest(asked.lasting()), cursors.digest(asked.filters())
        since, as_of, position = None, cal.change, 0
        if asked.page_token is not None:
            page = cursors.unseal(self.state, "page", asked.page_token)
            if page is None or page["cal"] != cal.id or page["filters"] != filters:
                raise errors.invalid("Invalid page token value.", "pageToken")
            since, as_of, position = page["since"], page["as_of"], page["position"]
        elif asked.sync_token is not None:
            since = cursors.unseal_sync(self.state, asked.sync_token, cal.view, lasting)
        if asked.updated_min is not None and asked.updated_min < self.state.now() * 1000 - UPDATED_MIN_MS:
            raise errors.updated_min_too_long_ago()

        tz = asked.tz or cal.zone
        page_of = self._expanded if asked.single else self._plain
        found = list(islice(page_of(cal, asked, since, as_of, position), asked.max_results + 1))
        more = len(found) > asked.max_results
        del found[asked.max_results :]
        result = self._envelope(cal, tz)
        if more:
            self.store.open_snapshot(cal, as_of)
            values = {"cal": cal.id, "filters": filters, "since": since, "as_of": as_of, "position": found[-1][0]}
            result["nextPageToken"] = cursors.seal(self.state, "page", **values)
        elif asked.order is None:  # an ordered list cannot be continued incrementally, see recorded/events.json
            result["nextSyncToken"] = cursors.seal_sync(self.state, cal.view, as_of, lasting)
        bare = since is not None and not asked.show_deleted
        result["items"] = [
            render.tombstone(each, tz)
            if each.cancelled and (bare or "recurringEventId" in each.body)
            else render.event(cal, each, tz, asked.max_attendees)
            for _, each in found
        ]
        return result

    def instances_page(self, cal: Calendar, event_id: str, query: MultiDict) -> dict[str, Any]:
        """One page of events.instances."""
        master = self.events.get(cal, event_id)
        if not master.recurring:
            raise errors.bad_request("The event does not recur.")
        time_min, time_max = params.time_window(query)
        limit = params.number(query, "maxResults", 250, params.MAX_PAGE) or 250
        show_deleted = params.flag(query, "showDeleted") or False
        original = query.get("originalStart")
        tz = params.time_zone(query) or cal.zone
        filters = cursors.digest(event_id, time_min, time_max, show_deleted, original)
        as_of, position = cal.change, 0
        if query.get("pageToken"):
            page = cursors.unseal(self.state, "instances", query["pageToken"])
            if page is None or page["cal"] != cal.id or page["filters"] != filters:
                raise errors.invalid("Invalid page token value.", "pageToken")
            as_of, position = page["as_of"], page["position"]
        every = self._instances(cal, master, as_of, time_min, time_max)
        chosen = [i for i in every if show_deleted or not i.cancelled]
        if original is not None:
            chosen = [i for i in chosen if _is_original(i, original, tz)]
        chosen.sort(key=lambda i: (i.start_ms, i.id))
        result = self._envelope(cal, tz)
        end = position + limit
        if end < len(chosen):
            self.store.open_snapshot(cal, as_of)
            values = {"cal": cal.id, "filters": filters, "as_of": as_of, "position": end}
            result["nextPageToken"] = cursors.seal(self.state, "instances", **values)
        else:
            result["nextSyncToken"] = cursors.seal_sync(self.state, cal.view, as_of, "instances")
        result["items"] = [render.event(cal, i, tz) for i in chosen[position:end]]
        return result

    def between(self, cal: Calendar, after_ms: int, before_ms: int) -> list[Stored]:
        """All single events and instances in the window that are not deleted, in order of time."""
        window = {"timeMin": write_ms(after_ms * 1000), "timeMax": write_ms(before_ms * 1000)}
        asked = params.list_params(MultiDict({"singleEvents": "true", "orderBy": "startTime", **window}))
        return [each for _, each in self._expanded(cal, asked, None, cal.change, 0)]

    def busy(self, cal: Calendar, after_ms: int, before_ms: int) -> list[tuple[int, int]]:
        """When the calendar's owner is busy, cut to the window."""
        found = [each for each in self.between(cal, after_ms, before_ms) if _is_busy(each.body, cal)]
        return [(max(each.start_ms, after_ms), min(each.end_ms, before_ms)) for each in found]

    def _envelope(self, cal: Calendar, tz: ZoneInfo) -> dict[str, Any]:
        return {
            "kind": "calendar#events",
            "etag": render.opaque_etag(cal.id, cal.change),
            "summary": cal.body["summary"],
            "description": cal.body.get("description", ""),
            "updated": write_ms(cal.updated_us),
            "timeZone": tz.key,
            "accessRole": cal.role,
            "defaultReminders": [],
        }

    def _plain(
        self, cal: Calendar, asked: params.ListParams, since: int | None, as_of: int, position: int
    ) -> Iterator[tuple[int, Stored]]:
        """Masters, exceptions and single events with the position after which the next page goes on."""
        by_change = since is not None or asked.order == "updated"
        column = "change" if by_change else "seq"
        chunk = asked.max_results + 1
        position = max(position, since or 0)
        while True:
            where, values = _conditions(asked, since)
            condition = f"{column} > ? AND {where}"
            rows = list(self.store.rows(cal, as_of, condition, (position, *values), column, chunk))
            for each in self._passing(cal, asked, as_of, rows):
                yield (each.change if by_change else each.seq), each
            if len(rows) < chunk:
                return
            position = rows[-1].change if by_change else rows[-1].seq

    def _expanded(
        self, cal: Calendar, asked: params.ListParams, since: int | None, as_of: int, position: int
    ) -> Iterator[tuple[int, Stored]]:
        """Single events and instances; series only through their instances."""
        where, values = _conditions(asked, since)
        rows = self.store.rows(cal, as_of, where, values, "change" if asked.order == "updated" or since else "seq")
        found: list[Stored] = []
        for each in self._passing(cal, asked, as_of, rows):
            if each.recurring:
                implied = self._instances(cal, each, as_of, asked.time_min, asked.time_max)
                found += [instance for instance in implied if not instance.saved]
            else:
                found.append(each)
        if since is None and not asked.show_deleted and asked.updated_min is None:
            found = [each for each in found if not each.cancelled]
        if asked.order == "startTime":
            found.sort(key=lambda each: (each.start_ms, each.id))
        yield from enumerate(found[position:], position + 1)

    def _instances(
        self, cal: Calendar, master: Stored, as_of: int, time_min: int | None, time_max: int | None
    ) -> list[Stored]:
        """All instances in the window, changed ones in their present state (`saved`)."""
        after = time_min if time_min is not None else -FOREVER
        before = time_max if time_max is not None else int(self.state.now() * 1000) + EXPANSION_MS
        changed = exceptions_of(self.store, cal, master, as_of)
        replaced = {each.original_ms for each in changed}
        every = recurrence.occurrences(master.body, cal.zone, after, before)
        implied = [self.events.instance(master, o) for o in every if o.start_ms not in replaced]
        return implied + [each for each in changed if each.end_ms > after and each.start_ms < before]

    def _passing(self, cal: Calendar, asked: params.ListParams, as_of: int, rows: Iterable[Stored]) -> Iterator[Stored]:
        """Those rows that also meet what the database cannot decide."""
        masters: dict[str, bool] = {}
        for each in rows:
            series = each.body.get("recurringEventId")
            if series is not None:
                if series not in masters:
                    master = next(self.store.rows(cal, as_of, "id = ?", (series,), "seq"), None)
                    masters[series] = master is None or not master.cancelled  # None: a guest of this one
                if not masters[series]:
                    continue  # a deleted series is told by the master's tombstone alone
            if each.recurring and not _in_window(each, cal, asked):
                continue
            if asked.q is not None and not _mentions(each.body, asked.q):
                continue
            own = each.body.get("extendedProperties", {})
            if all(own.get("private", {}).get(k) == v for k, v in asked.private) and all(
                own.get("shared", {}).get(k) == v for k, v in asked.shared
            ):
                yield each


def _in_window(master: Stored, cal: Calendar, asked: params.ListParams) -> bool:
    """Whether any occurrence is; with one bound only, the columns have decided that already."""
    if asked.time_min is None or asked.time_max is None:
        return True
    return overlaps(master, cal, asked.time_min, asked.time_max)


def _conditions(asked: params.ListParams, since: int | None) -> tuple[str, tuple[Any, ...]]:
    """The part of the filters that the database decides."""
    where: list[str] = ["1"]
    values: list[Any] = []
    if since is not None:
        where.append("change > ?")
        values.append(since)
    elif not asked.show_deleted:
        # Cancelled exceptions belong to a full list even then: they are how a series tells of its gaps.
        alive = "status <> 'cancelled' OR series IS NOT NULL"
        where.append(f"({alive} OR updated_us >= ?)" if asked.updated_min is not None else f"({alive})")
        values += [asked.updated_min * 1000] if asked.updated_min is not None else []
    for condition, value in (
        ("updated_us >= ?", None if asked.updated_min is None else asked.updated_min * 1000),
        ("end_ms > ?", asked.time_min),
        ("start_ms < ?", asked.time_max),
        ("ical_uid = ?", asked.uid),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    if asked.types:
        where.append(f"event_type IN ({', '.join('?' * len(asked.types))})")
        values += asked.types
    for name, value in (*asked.private, *asked.shared):
        where.append("instr(body, ?)")
        values.append(f"{json.dumps(name)}:{json.dumps(value)}")
    return " AND ".join(where), tuple(values)


def _mentions(body: dict[str, Any], q: str) -> bool:
    people = [body["organizer"], *body.get("attendees", [])]
    texts = [body.get(name, "") for name in ("summary", "description", "location")]
    texts += [person.get(name, "") for person in people for name in ("displayName", "email")]
    place = body.get("workingLocationProperties", {})
    texts += [str(value) for part in place.values() if isinstance(part, dict) for value in part.values()]
    text = "\n".join(texts).lower()
    return all(term in text for term in q.lower().split())


def _is_original(instance: Stored, text: str, tz: ZoneInfo) -> bool:
    """Whether the instance is the one that `originalStart`, a day or a time, names."""
    shown = render.moment(instance.body["originalStartTime"], tz)
    moment = params.parse_datetime(text)
    if moment is None:
        return shown.get("date") == text
    return instance.original_ms == params.to_ms(moment)


def _is_busy(body: dict[str, Any], cal: Calendar) -> bool:
    """Whether an event blocks its owner's time: not when it is free, declined or cancelled."""
    declined = any(a["email"] == cal.id and a["responseStatus"] == "declined" for a in body.get("attendees", []))
    return body["status"] != "cancelled" and body.get("transparency") != "transparent" and not declined
