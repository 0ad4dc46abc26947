"""A calendar vendor in this process, without HTTP: a provider at its shortest, and the quick leg of the engine's tests.

All that a sync needs of a vendor is here: records with a tag that moves with each change, tombstones, listings by pages
with a cursor that goes on behind each of them and may expire, ids of our choosing, writes that ask for a tag.
`MemoryClient` is the model for a client of your own. (Trouble is on order in `on_order.py`.)
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from django.conf import settings

from integrations import errors
from integrations.providers import BY_SLUG, PROVIDERS
from integrations.providers.base import DataUse, Disclosure, Http, Provider
from integrations.providers.calendars import lost_calendar, read_cursor, shown, tombstone
from integrations.records import (
    Account,
    Container,
    Fields,
    Lack,
    Operation,
    Page,
    RemoteRecord,
    Tokens,
    Verb,
    Window,
    WriteResult,
    instant,
    is_day,
)
from integrations.transport.credentials import Bearer
from tests.integrations.sync.on_order import Call, Made, OnOrder
from tests.integrations.sync.people import FREQUENCIES, HOME, Event, Person

NAME = "memory_calendar"
BATCH_SIZE = 25
BATCH, LISTING, EVENTS = "/memory/batch", "/memory/changes", "/memory/events"
BLANK = {"zone": "UTC", "title": "", "text": "", "place": "", "busy": True, "recurrence": None, "series_id": None,
         "original_start": None}  # fmt: skip
Events = dict[str, RemoteRecord]  # of one calendar, also those that are gone


class MemoryVendor(OnOrder):
    """All that the vendor keeps."""

    def __init__(self) -> None:
        super().__init__()
        self._calendars: dict[tuple[str, str], Events] = {}
        self.newest = 0  # tag
        self.unreadable: set[str] = set()  # ids
        self.read_only: set[str] = set()  # calendars that may be read only at present
        self.lent: dict[str, set[str]] = {}  # main calendars of others that an account may change

    def events(self, account_id: str, container_id: str) -> Events:
        return self._calendars.setdefault((account_id, container_id), {})

    def put(self, events: Events, record: RemoteRecord) -> RemoteRecord:
        """Keeps the event as it is from now on, under a new tag."""
        title, start, end = (record.fields.get(name, "") for name in ("title", "start", "end"))
        if not record.gone and end <= start:
            raise errors.Rejected("It ends before it begins.")
        printed = {} if record.gone else shown(title, start, end, "confirmed")
        self.newest += 1
        fields = {**record.fields, **({} if record.gone else {"repeats": bool(record.fields.get("recurrence"))})}
        events[record.id] = replace(record, tag=str(self.newest), fields=fields, shown=printed)
        return events[record.id]

    def shown(self, record: RemoteRecord) -> RemoteRecord:
        """The event as a client reads it."""
        if record.id not in self.unreadable or record.gone:
            return record
        return RemoteRecord(record.id, "", "block", fault=ValueError("soon is no time"))

    def reset(self) -> None:
        MemoryVendor.__init__(self)


class MemoryClient:
    """One account's calendars. See `ProviderClient` for what each method promises."""

    page = 200  # events

    def __init__(self, vendor: MemoryVendor, account_id: str):
        self.vendor, self.account_id = vendor, account_id

    def containers(self, about: str = "") -> list[Container]:
        lacks = {id: Lack.CHANGE if id in self.vendor.read_only else None for id in (self.account_id, "family")}
        main = Container(self.account_id, "Calendar", lacks=lacks[self.account_id], primary=True)
        others = [
            Container("family", "Family", lacks=lacks["family"]),
            Container("holidays", "Holidays", lacks=Lack.CHANGE),
        ]
        others += [Container(id, id) for id in sorted(self._lent)]
        return self._answer(Call("GET", "/memory/calendars"), lambda: [main, *others])

    @property
    def _lent(self) -> set[str]:
        return self.vendor.lent.get(self.account_id, set())

    def changes(self, container_id: str, cursor: str, window: Window) -> Iterator[Page]:
        last = False
        while not last:
            call = Call("GET", LISTING, cursor)
            page = self._answer(call, lambda at=cursor: self._page(container_id, at, window))  # type: ignore[misc]
            cursor, last = page.cursor, page.last
            yield page

    def get(
        self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None
    ) -> dict[str, RemoteRecord]:
        events, found = self._events(container_id), {}
        for start in range(0, len(ids), BATCH_SIZE):
            chunk = {id: self.vendor.shown(events.get(id, tombstone(id))) for id in ids[start : start + BATCH_SIZE]}
            found |= self._answer(Call("POST", BATCH), chunk.copy, len(chunk))
        return found

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        if not operations:
            return []
        if len(operations) > BATCH_SIZE:
            raise ValueError(f"It takes {BATCH_SIZE} writes in a batch, not {len(operations)}.")
        self._events(container_id)
        try:
            return self._answer(
                Call("POST", BATCH), lambda: [self._result(container_id, op) for op in operations], len(operations)
            )
        except errors.RateLimited as error:  # of the whole batch: none was done
            return [WriteResult(operation.key, error=error) for operation in operations]

    def _answer(self, call: Call, work: Callable[[], Made], items: int = 1) -> Made:
        return self.vendor.answer(self.account_id, call, work, items)

    def _events(self, container_id: str) -> Events:
        if container_id in self._lent:
            return self.vendor.events(container_id, container_id)
        if container_id not in (self.account_id, "family", "holidays"):
            raise lost_calendar(errors.Gone("There is no such calendar."))  # which is no calendar without events
        return self.vendor.events(self.account_id, container_id)

    def _page(self, container_id: str, cursor: str, window: Window) -> Page:
        """The cursor: the vendor's `age` and the last `tag` that was listed; in a first listing also the tag `until`
        which it goes, and where the window `begins`. What changes while its pages are read the next listing tells."""
        state = self._position(cursor, window)
        tag, until, begins = int(state["tag"]), int(state.get("until", self.vendor.newest)), state.get("begins")
        rows = [row for row in self._events(container_id).values() if tag < int(row.tag) <= until]
        rows.sort(key=lambda row: int(row.tag))
        page, rest = rows[: self.page], rows[self.page :]
        listed = [self.vendor.shown(row) for row in page if begins is None or (not row.gone and _end(row) > begins)]
        if rest:
            return Page(listed, json.dumps({**state, "tag": page[-1].tag}), last=False)
        return Page(listed, json.dumps({"age": state["age"], "tag": str(until)}), last=True)

    def _position(self, cursor: str, window: Window) -> dict[str, str]:
        age = str(self.vendor.age)
        if not cursor:
            return {"age": age, "tag": "0", "until": str(self.vendor.newest), "begins": instant(window.start)}
        state = read_cursor(cursor, ("age", "tag", "until", "begins"), one_of=("tag",), all_of=("age",))
        if state["age"] != age:
            raise errors.CursorExpired("It does not know what was seen by then.")
        return state

    def _result(self, container_id: str, operation: Operation) -> WriteResult:
        try:
            self.vendor.check(Call("POST", f"{EVENTS}/{operation.verb}"), BATCH)
            if container_id in self.vendor.read_only:
                raise errors.ContainerUnavailable("This account may only read the calendar. Ask its owner.")
            return WriteResult(operation.key, self._written(self._events(container_id), operation))
        except errors.ProviderError as error:
            return WriteResult(operation.key, error=error)

    def _written(self, events: Events, operation: Operation) -> RemoteRecord:
        id, there = operation.remote_id, events.get(operation.remote_id)
        if operation.verb is Verb.CREATE:
            if there:  # also where it is gone: an id is used once
                raise errors.Duplicate("There is an event with this id.")
            fields = {**BLANK, "uid": f"{id}@memory.test", **operation.fields}
            return self.vendor.put(events, RemoteRecord(id, "", "block", fields, marker=operation.marker, created=True))
        if there is None or there.gone:
            if operation.verb is Verb.DELETE:
                return tombstone(id)
            raise errors.Gone("It is not there any more.")
        if operation.tag and operation.tag != there.tag:
            raise errors.Stale("It has been changed meanwhile.")
        if operation.verb is Verb.DELETE:
            return self.vendor.put(events, replace(there, fields={}, gone=True))
        alone = {"recurrence": None} if operation.fields.get("repeats") is False else {}
        fields = {**there.fields, **operation.fields, **alone}
        return self.vendor.put(events, replace(there, fields=fields, created=False))


def _end(record: RemoteRecord) -> str:
    return "9" if record.fields.get("recurrence") else record.fields["end"]


class Invitation:
    """An `Authentication` without OAuth: its token is good for a year."""

    scopes = ("calendar",)
    permissions = {"calendar": "See and change your calendar"}
    revoke = None
    authorize = Bearer

    def parse_tokens(self, answer: Mapping[str, Any], now: dt.datetime) -> Tokens:
        return Tokens(answer["access_token"], now + dt.timedelta(days=365), scopes=frozenset(self.scopes))

    def refresh(self, http: Http, refresh_token: str) -> Tokens:
        raise errors.NeedsReconnect("An invitation is not renewed. Ask for another.")


def provider_at(vendor: MemoryVendor) -> Provider:
    """Builds this vendor's line of `PROVIDERS`."""
    return Provider(
        name=NAME,
        slug=NAME.replace("_", "-"),
        label="Memory",
        remote_id_name="memory_event_id",
        kinds=("visit", "block"),
        batch_size=BATCH_SIZE,
        authentication=Invitation(),
        hosts=lambda account_id: (),
        open=lambda http, account_id: MemoryClient(vendor, account_id),
        explain=lambda response, now: errors.Unavailable("It speaks no HTTP."),
        identify=lambda http, callback: Account(callback["account"], callback["account"]),
        make_id=lambda seed: hashlib.sha256(seed.encode()).hexdigest()[:32],
        requests_per_minute=1_000,
        disclosure=Disclosure("Nobody", (DataUse("Events", "to remember them", reads=True),), "nowhere"),
    )


@pytest.fixture
def memory_vendor() -> Iterator[MemoryVendor]:
    """The vendor; its provider stands among the others as long as the test lasts."""
    import_module(settings.ROOT_URLCONF)  # addresses are made once, and are those of the product's own providers
    vendor = MemoryVendor()
    provider = provider_at(vendor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROVIDERS, provider.name, provider)
        patch.setitem(BY_SLUG, provider.slug, provider)
        yield vendor


@pytest.fixture
def memory(memory_vendor: MemoryVendor) -> MemoryVendor:
    """For tests that go through the vendor in memory alone: no other can do it, or none changes anything of it."""
    return memory_vendor


class Memory(Person):
    """A person at a calendar that is kept in memory."""

    integration, vendor, batch_size, world = NAME, OnOrder.name, BATCH_SIZE, "memory_vendor"
    api, batch, batch_path, listing = "/memory/", BATCH, BATCH, LISTING
    creates = f"{EVENTS}/create"
    keeps_series = True

    @classmethod
    def address(cls, name):
        return f"{name}@memory.test"

    @classmethod
    def granted(cls, vendors, name):
        provider, address = PROVIDERS[cls.integration], cls.address(name)
        tokens = provider.parse_tokens(vendors.token(address), dt.datetime.now(dt.UTC))
        return provider.identify(None, {"account": address}), tokens

    @property
    def main(self):
        return self.account

    @property
    def _mine(self) -> Events:
        return self.vendors.events(self.account, self.main)

    def events(self):
        return [_event(record) for record in self._mine.values() if not record.gone]

    def add(self, title, begin, hours=1, *, text="", busy=True, days=0, repeat=None, uid="", marker=None):
        id = f"of a person {len(self._mine)}"
        times = _times(begin, hours)
        if days:
            last = begin.date() + dt.timedelta(days=days)
            times = {"start": begin.date().isoformat(), "end": last.isoformat()}
        rule = [f"RRULE:FREQ={FREQUENCIES[repeat[0]]};COUNT={repeat[1]}"] if repeat else None
        own = {"uid": uid or f"{id}@memory.test", "zone": HOME.key, "recurrence": rule}
        fields = {**BLANK, **own, **times, "title": title, "text": text, "busy": busy}
        return self._put(RemoteRecord(id, "", "block", fields, marker=marker, created=True))

    def accept(self, uid, title, begin, repeat=None):
        return self.add(title, begin, repeat=repeat, uid=uid)

    def stand_by(self, begin):
        self.add("Somewhere else", begin, busy=False)

    def instances(self, series):
        [rule] = self._mine[series.id].fields["recurrence"]
        begins = rrulestr(rule, dtstart=series.start.astimezone(HOME))
        return [Event(f"{series.id}_{instant(begin)}", "", series.title, begin) for begin in begins]

    def rename(self, event_id, title):
        self._edit(event_id, title=title)

    def set_busy(self, event_id, busy):
        self._edit(event_id, busy=busy)

    def move(self, event_id, start, hours=1):
        self._edit(event_id, **_times(start, hours))

    def delete(self, event_id):
        place = self._place_in_series(event_id)
        of_series = [record for record in self._mine.values() if record.fields.get("series_id") == event_id]
        for record in [self._mine.get(event_id) or RemoteRecord(event_id, "", "block"), *of_series]:
            self._put(replace(record, fields=place, gone=True))

    @contextmanager
    def unreadable(self, event_id):
        self.vendors.unreadable.add(event_id)
        yield
        self.vendors.unreadable.discard(event_id)

    def lend(self, name):
        self.vendors.lent.setdefault(self.address(name), set()).add(self.main)
        return self.main

    def take_back(self, name):
        self.vendors.lent[self.address(name)].discard(self.main)

    def restore(self, event: Event) -> None:
        """Out of the trash."""
        fields = {**BLANK, **_times(event.start, 1), "title": event.title, "uid": event.id}
        self._put(replace(self._mine[event.id], fields=fields, gone=False))

    def small_pages(self, monkeypatch):
        monkeypatch.setattr(MemoryClient, "page", 2)

    def copy(self, event, begin):
        return self.add(event.title, begin, marker=self._mine[event.id].marker)

    def _edit(self, event_id, **fields):
        place = self._place_in_series(event_id)
        there = self._mine.get(event_id) or self._mine[place["series_id"]]
        alone = {"recurrence": None} if place else {}
        self._put(replace(there, id=event_id, fields={**there.fields, **alone, **place, **fields}, created=False))

    @staticmethod
    def _place_in_series(event_id) -> dict[str, str]:
        series_id, _, original_start = event_id.partition("_")
        return {"series_id": series_id, "original_start": original_start} if original_start else {}

    def _put(self, record) -> Event:
        return _event(self.vendors.put(self._mine, record))


def _times(begin: dt.datetime, hours: float) -> dict[str, str]:
    return {"start": instant(begin), "end": instant(begin + dt.timedelta(hours=hours))}


def _event(record: RemoteRecord) -> Event | None:
    if record.gone:
        return None
    start = record.fields["start"]
    begin = dt.datetime.fromisoformat(f"{start}T00:00:00Z" if is_day(start) else start)
    return Event(record.id, record.tag, record.fields["title"], begin, record.marker.record_id if record.marker else "")
