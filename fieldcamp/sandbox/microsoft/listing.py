"""What lies in a window: single events, and series expanded into their instances."""

from collections.abc import Iterator

from fieldcamp.sandbox.microsoft import recurrence
from fieldcamp.sandbox.microsoft.calendars import Calendar
from fieldcamp.sandbox.microsoft.events import Events
from fieldcamp.sandbox.microsoft.store import Stored

OVERLAPS = "end_ms > ? AND start_ms < ?"


class Listing:
    """Reads only."""

    def __init__(self, events: Events) -> None:
        self.events, self.store = events, events.store

    def between(self, cal: Calendar, after_ms: int, before_ms: int) -> list[Stored]:
        """All events and instances that overlap the window, by their start."""
        found: list[Stored] = []
        where = f"NOT deleted AND kind <> 'exception' AND {OVERLAPS}"
        for each in self.store.rows(cal, where, after_ms, before_ms):
            found += self.instances(each, after_ms, before_ms) if each.kind == "master" else [each]
        return sorted(found, key=lambda each: (each.start_ms, each.change))

    def instances(self, master: Stored, after_ms: int, before_ms: int) -> Iterator[Stored]:
        """The series' occurrences and exceptions that overlap the window."""
        exceptions = {each.original_ms: each for each in self.store.exceptions(master.core)}
        gone = set(master.body["cancelled"]) | set(exceptions)
        for each in exceptions.values():
            if each.end_ms > after_ms and each.start_ms < before_ms:
                yield each
        for each_time in recurrence.occurrences(master.body, after_ms, before_ms):
            if each_time.start_ms not in gone:
                yield self.events.occurrence(master, each_time)

    def items(self, cal: Calendar, limit: int = -1) -> list[Stored]:
        """Single events and series, as /events lists them: the oldest first."""
        order = "json_extract(body, '$.created_us')"
        return list(self.store.rows(cal, "NOT deleted AND kind <> 'exception'", order=order, limit=limit))
