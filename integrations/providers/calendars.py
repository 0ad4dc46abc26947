"""What calendar vendors share when their events are read: tombstones, what is shown, what is kept between listings."""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from integrations import errors
from integrations.kinds import OWN_REMOVED
from integrations.providers.base import DataUse
from integrations.providers.reading import Read, read_record
from integrations.records import Container, RemoteRecord, is_day

# Vendors set the time of the last change a little after that of the making, also on an event that nobody has touched.
_UNTOUCHED = dt.timedelta(seconds=2)
# What people are told of each calendar before they connect it.
CALENDAR_USES = (
    DataUse(
        "The list of the account's calendars",
        "to let the person choose where visits go and which calendars block their time",
        reads=True,
    ),
    DataUse(
        "Events of visits: title, text, place and time",
        "to show technicians their visits, and to move a visit when its event is moved",
        reads=True,
        writes=True,
    ),
    DataUse(
        "When other events of the chosen calendars begin and end, and whether they block time",
        "to plan nobody's visit into their private time; titles, texts, places and guests are not kept",
        reads=True,
    ),
)
STATUSES = ("confirmed", "tentative", "cancelled")


def main_first(containers: Iterable[Container]) -> list[Container]:
    """Sorts an account's calendars as they are shown; the owner stays with those of somebody else alone."""
    found = sorted(containers, key=lambda container: (not container.primary, container.name.casefold()))
    own = found[0].owner.casefold() if found and found[0].primary else ""
    return [replace(each, owner="" if each.owner.casefold() == own else each.owner) for each in found]


def read_event(event: Mapping[str, Any], read: Callable[[], Read]) -> Read | RemoteRecord:
    """Returns what `read` makes of one event of an answer that may have many; see `read_record`."""
    return read_record("block", str(event.get("id") or ""), read)


def tombstone(event_id: str, *, doubtful: bool = False) -> RemoteRecord:
    """Builds what stands for an event that is gone, or never was."""
    return RemoteRecord(id=event_id, tag="", kind="block", gone=True, doubtful=doubtful)


def with_own_occurrence(series: RemoteRecord, own: RemoteRecord | None) -> RemoteRecord:
    """Returns the record of a visit's event that somebody has made a series of, as the visit's own occurrence is now
    (None: it is not there any more)."""
    if own is None or own.gone:
        return replace(series, fields={**series.fields, "repeats": OWN_REMOVED})
    return replace(series, fields={**series.fields, "start": own.fields["start"], "end": own.fields["end"]})


def shown(summary: str | None, start: str, end: str, status: str) -> dict[str, Any]:
    """Picks what the change feed may print of an event."""
    known = status if status in STATUSES else STATUSES[0]
    return {"summary": summary or "", "start": start, "end": end, "all_day": is_day(start), "status": known}


def is_untouched(created: str | None, changed: str | None) -> bool:
    """Tells whether the event is as it was made, by the two times that its vendor gives."""
    if not (created and changed):
        return False
    return dt.datetime.fromisoformat(changed) - dt.datetime.fromisoformat(created) <= _UNTOUCHED


def lost_calendar(error: errors.ProviderError) -> errors.ContainerGone:
    """Turns the error around: a calendar that is not there is not one without events, and nothing in it is removed."""
    return errors.ContainerGone(
        "This calendar is not there any more, or the account has lost access to it. Choose another calendar.",
        detail=error.detail,
    )


def read_cursor(
    cursor: str, names: Collection[str], *, one_of: Collection[str], all_of: Collection[str] = ()
) -> dict[str, str]:
    """Reads a cursor of ours: texts under some of these `names`. Raises `CursorExpired` for anything else."""
    try:
        state: Any = json.loads(cursor)
    except ValueError:
        state = None
    keys = set(state) if isinstance(state, dict) else set()
    known = keys & set(one_of) and set(all_of) <= keys <= set(names)
    if not known or not all(isinstance(value, str) for value in state.values()):
        raise errors.CursorExpired("The stored position in this calendar cannot be read.")
    return dict(state)
