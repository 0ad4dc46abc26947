"""How a visit's time and status hang together: pure rules.

A scheduled visit has a time, an unscheduled one has none; what is completed or cancelled is not moved any more.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import VisitStatus

DEFAULT_DURATION = dt.timedelta(minutes=60)


@dataclass(frozen=True)
class Slot:
    """A visit's time and status. Start and end are both there or both None."""

    start: dt.datetime | None = None
    end: dt.datetime | None = None
    status: str = VisitStatus.UNSCHEDULED


def settle(old: Slot, changes: Mapping[str, Any]) -> Slot:
    """Returns the slot after `changes` (scheduled_start, scheduled_end, visit_status, each optional).

    A start without an end lasts 60 minutes; a moved start takes the end along. Raises InvalidFields.
    """
    standing = {"scheduled_start": old.start, "scheduled_end": old.end, "visit_status": old.status}
    if all(changes.get(name, value) == value for name, value in standing.items()):
        return old  # also what a calendar has brought, and people could not set
    start = changes.get("scheduled_start", old.start)
    end = _end(old, start, changes)
    status = changes.get("visit_status")
    if status == VisitStatus.UNSCHEDULED and start:
        if changes.get("scheduled_start") or changes.get("scheduled_end"):
            raise InvalidFields.of(
                "visit_status", "An unscheduled visit has no time: leave out the time or the status."
            )
        start = end = None
    if status == VisitStatus.SCHEDULED and not start:
        raise InvalidFields.of("visit_status", "A scheduled visit needs a start.")
    return Slot(start, end, status or _status(old, start))


def _end(old: Slot, start: dt.datetime | None, changes: Mapping[str, Any]) -> dt.datetime | None:
    end = changes.get("scheduled_end", old.end)
    if start is None:
        if changes.get("scheduled_end"):
            raise InvalidFields.of("scheduled_end", "An end needs a start.")
        return None
    if "scheduled_end" not in changes and old.start and old.end:
        end = start + (old.end - old.start)
    if end is None:
        end = start + DEFAULT_DURATION
    if end <= start:
        raise InvalidFields.of("scheduled_end", "Must be after the start.")
    return end


def _status(old: Slot, start: dt.datetime | None) -> str:
    if start and old.status == VisitStatus.UNSCHEDULED:
        return VisitStatus.SCHEDULED
    if old.start and not start:
        return VisitStatus.UNSCHEDULED
    return old.status
