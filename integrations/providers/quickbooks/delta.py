"""What has changed in the books since some moment: one call for all entities, shared by whoever asks next.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from integrations import errors
from integrations.providers.quickbooks.calls import Calls
from integrations.providers.quickbooks.reading import changed_at
from integrations.providers.times import aware
from integrations.records import instant
from integrations.transport.client import utc_now
from integrations.transport.exchanges import CallMade, listing, tell

ENTITIES = ("Customer", "Item", "Invoice", "Payment")
MOST = 1000  # objects in one answer; there is no next page
LOOK_BACK = dt.timedelta(days=29)  # Intuit forgets after 30
OVERLAP = dt.timedelta(seconds=30)  # a change may become visible a little after the time that it bears
SETTLED = dt.timedelta(minutes=10)  # what is older than this, by Intuit's clock, has become visible


@dataclass(frozen=True, slots=True)
class Delta:
    """An answer: all that changed after `since`, and where the next one starts. `cut`: there was more than fits."""

    since: dt.datetime
    asked_at: dt.datetime  # by Intuit's clock
    next: dt.datetime
    rows: dict[str, list[dict[str, Any]]]
    made: Sequence[CallMade] = ()  # the calls by which it was asked for

    @property
    def cut(self) -> bool:
        return sum(len(rows) for rows in self.rows.values()) >= MOST


class Deltas:
    """Remembers the last answer: whoever asks from the same moment, or a later one, is answered by it, once."""

    def __init__(self, calls: Calls):
        self._calls = calls
        self._last: Delta | None = None
        self._told: set[str] = set()

    def since(self, entity: str, moment: dt.datetime) -> Delta:
        if moment < utc_now() - LOOK_BACK:
            raise errors.CursorExpired("QuickBooks tells changes of the last 30 days only.")
        if self._last is None or moment < self._last.since or entity in self._told:
            self._last, self._told = self.ask(ENTITIES, moment), set()
        else:
            tell(self._last.made)
        self._told.add(entity)
        # More than fits into one answer for all may fit into one for each.
        return self.ask((entity,), moment) if self._last.cut else self._last

    def told(self, entity: str) -> list[dict[str, Any]]:
        """Returns what the last answer said of an entity, without asking."""
        return self._last.rows[entity] if self._last else []

    def ask(self, entities: Sequence[str], since: dt.datetime) -> Delta:
        """Asks what has changed since a moment, and a little before."""
        try:
            with listing() as made:
                answer = self._calls.get("cdc", entities=",".join(entities), changedSince=instant(since - OVERLAP))
        except errors.Rejected as error:  # nothing else of the question can be wrong
            raise errors.CursorExpired("QuickBooks does not tell changes since then.", detail=error.detail) from None
        found: dict[str, list[dict[str, Any]]] = {entity: [] for entity in entities}
        for group in _groups(answer):
            for entity in entities:
                rows = _list(group.get(entity, []))
                found[entity] += [row for row in rows if isinstance(row, dict) and row.get("Id")]
        times = [time for rows in found.values() for row in rows if (time := changed_at(row))]
        now = server_time(answer)
        return Delta(since, now, max([since, now - SETTLED, *(time for time in times if time <= now)]), found, made)


def _groups(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the group of this entity: they are told apart by their keys, and those without news are empty."""
    listed = answer.get("CDCResponse")
    groups = [part.get("QueryResponse") if isinstance(part, dict) else None for part in _list(listed)]
    return [group for part in groups for group in _list(part) if isinstance(group, dict)]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise errors.Unavailable("QuickBooks' list of changes was not what it should be.")
    return value


def server_time(answer: dict[str, Any]) -> dt.datetime:
    """Returns when Intuit made the answer, by the clock that its records' times are of."""
    try:
        return aware(str(answer.get("time")))
    except ValueError:
        raise errors.Unavailable("QuickBooks' answer broke off.") from None


def is_deleted(row: dict[str, Any]) -> bool:
    """Returns whether it is said to be deleted, which has been seen said of one that was merely edited."""
    return row.get("status") == "Deleted"
