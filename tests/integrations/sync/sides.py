"""Both sides of a sync in memory: an account at a provider, and FieldCamp's records."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from integrations.errors import CursorExpired
from integrations.records import Fields, Operation, Page, RemoteRecord, Verb, Window, WriteResult
from integrations.sync.state import Local

NOTHING = RemoteRecord("", "", "block", gone=True)


def times(hour: int, title: str = "Leak") -> dict:
    start, end = (f"2026-11-23T{number:02}:00:00Z" for number in (hour, hour + 1))
    return {"start": start, "end": end, "title": title, "text": "", "place": ""}


class MemoryRemote:
    """An account with one calendar. What `answers` holds for a record's key, or for a whole call, comes instead of
    success: an error is the outcome (or is raised), a callable is called first and says which."""

    def __init__(self) -> None:
        self.records: dict[str, RemoteRecord] = {}
        self.pages: list[Page] = []
        self.expired = False
        self.answers: dict[str, list] = {}
        self.calls: list[tuple[str, list]] = []
        self.containers: list[str] = []  # which calendar each of the calls was about
        self.before_write: Callable[[Sequence[Operation]], None] = lambda operations: None
        self._tags = itertools.count(1)

    def put(self, remote_id: str, fields: Fields, **more) -> RemoteRecord:
        """A person, or we, make or edit a record."""
        record = RemoteRecord(remote_id, f"t{next(self._tags)}", more.pop("kind", "visit"), dict(fields), **more)
        self.records[remote_id] = record
        return record

    def listing(self, *records: RemoteRecord, series: Sequence[str] = ()) -> None:
        """The next listing: one page with these records."""
        self.pages = [Page(list(records), f"cursor{next(self._tags)}", last=True, series=series)]

    def changes(self, container_id: str, cursor: str, window: Window):
        self.calls.append(("changes", [cursor]))
        self.containers.append(container_id)
        if self.expired:
            self.expired = False
            raise CursorExpired("The cursor has expired.")
        pages, self.pages = self.pages or [Page([], cursor or "cursor0", last=True)], []
        for number, page in enumerate(pages):
            self.pages = list(pages[number + 1 :])  # who comes again goes on behind what was taken
            yield page

    def get(self, container_id: str, ids: Sequence[str], sent: Mapping[str, Fields] | None = None):
        self.calls.append(("get", list(ids)))
        self.containers.append(container_id)
        return {id: self.records.get(id) or replace(NOTHING, id=id) for id in ids}

    def write(self, container_id: str, operations: Sequence[Operation]) -> list[WriteResult]:
        self.calls.append(("write", list(operations)))
        self.containers.append(container_id)
        self.before_write(operations)
        if whole := self.answers.get("*"):
            answer = whole.pop(0)
            if isinstance(answer, Exception):
                raise answer
        return [self._one(operation) for operation in operations]

    def _one(self, operation: Operation) -> WriteResult:
        waiting = self.answers.get(operation.key)
        answer = waiting.pop(0) if waiting else None
        answer = answer(operation) if callable(answer) else answer
        if isinstance(answer, Exception):
            return WriteResult(operation.key, error=answer)
        return WriteResult(operation.key, self.carry_out(operation))

    def carry_out(self, operation: Operation) -> RemoteRecord:
        before = self.records.get(operation.remote_id)
        if operation.verb is Verb.DELETE:
            self.records.pop(operation.remote_id, None)
            return replace(NOTHING, id=operation.remote_id, tag=f"t{next(self._tags)}")
        fields = {**(before.fields if before else {}), **operation.fields}
        return self.put(operation.remote_id, fields, marker=operation.marker)

    @property
    def written(self) -> list[list[Operation]]:
        return [operations for name, operations in self.calls if name == "write"]


class MemoryRecords:
    """FieldCamp's side: records by id."""

    def __init__(self) -> None:
        self.records: dict[str, Local] = {}
        self.linked: Callable[[str], bool] = lambda record_id: False

    def read(self, kind: str, record_ids: Iterable[str]) -> Mapping[str, Local]:
        return {record_id: self.records[record_id] for record_id in record_ids if record_id in self.records}

    def unlinked(self, after: str, limit: int) -> list[str]:
        shown = sorted(pk for pk, local in self.records.items() if local.fields is not None and local.in_window)
        return [pk for pk in shown if pk > after and not self.linked(pk)][:limit]


def busy(id: str, tag: str = "t1", **more) -> RemoteRecord:
    """A person's own event."""
    fields = {**times(9), "busy": True, "uid": id, **more.pop("fields", {})}
    return RemoteRecord(id, tag, "block", fields, **more)


def pages(*records: Sequence[RemoteRecord]) -> list[Page]:
    """A listing in several pages."""
    last = len(records) - 1
    return [Page(page, f"after{number}", last=number == last) for number, page in enumerate(records)]
