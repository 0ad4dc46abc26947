"""Moving a visit: to another time, of another length, to another technician. Nobody moves what they have not seen."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from fieldcamp.workspace.busy import BusyTime, mark_of, overlaps_of
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Visit, Workspace
from fieldcamp.workspace.services import update_visit


class VisitChanged(InvalidTransition):
    """Somebody, or a sync, has changed the visit since it was looked at."""


class Overlapping(InvalidTransition):
    """The technician is not free then. `mark` says that these very overlaps were seen, if it is sent along."""

    def __init__(self, overlaps: list[BusyTime]):
        super().__init__(gettext("The technician is not free at this time. Nothing has been saved yet."))
        self.overlaps, self.mark = overlaps, mark_of(overlaps)


@dataclass(frozen=True)
class Placement:
    """Where a visit stands: when, and whose it is."""

    start: dt.datetime | None
    end: dt.datetime | None
    technician_id: str | None

    @classmethod
    def of(cls, visit: Visit) -> "Placement":
        return cls(visit.scheduled_start, visit.scheduled_end, visit.technician_id)

    @property
    def fields(self) -> dict[str, Any]:
        return {"scheduled_start": self.start, "scheduled_end": self.end, "technician_id": self.technician_id}


@dataclass(frozen=True)
class Move:
    """A visit that was moved, and where it stood before."""

    visit: Visit
    before: Placement

    @property
    def moved(self) -> bool:
        return Placement.of(self.visit) != self.before


def move_visit(
    *, workspace: Workspace, visit_id: str, version: int, changes: Mapping[str, Any], seen: str = "", ask: bool = True
) -> Move:
    """Moves the visit as it was at `version`: `changes` has any of `scheduled_start`, `scheduled_end` and
    `technician_id`; a start without an end takes the end along. Raises VisitChanged, Overlapping unless `seen` is its
    mark (or not `ask`), and what `update_visit` raises; nothing is changed then."""
    before: list[Placement] = []

    def check(visit: Visit) -> None:
        if visit.version != version:
            raise VisitChanged(
                gettext("This visit was changed while you had it open. It is shown as it is now; move it again.")
            )
        before.append(Placement.of(visit))

    follows_time = {"visit_status": None} if {"scheduled_start", "scheduled_end"} & {*changes} else {}
    with transaction.atomic():
        visit = update_visit(workspace=workspace, visit_id=visit_id, changes={**changes, **follows_time}, check=check)
        move = Move(visit, before[0])
        if ask and move.moved:
            overlaps = overlaps_of(visit)
            if overlaps and seen != mark_of(overlaps):
                raise Overlapping(overlaps)
    return move
