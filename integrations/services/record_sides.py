"""Both sides of a record as the next sync would compare them: what FieldCamp has now, and what the other side had when
it was last looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from integrations.accounts.streams import side_of
from integrations.calendar.window import window_at
from integrations.kinds import KINDS
from integrations.models import Link


@dataclass(frozen=True)
class FieldOnBothSides:
    """One field by its name in the sync (`integrations.kinds`). `owned`: FieldCamp alone decides it, or the other side
    does, so that what differs is no conflict."""

    name: str
    local: Any
    remote: Any
    owned: bool = False

    @property
    def differs(self) -> bool:
        return bool(self.local != self.remote)


def both_sides(links: Sequence[Link]) -> dict[int, list[FieldOnBothSides]]:
    """Returns the fields by link, for those whose counterpart is there; the links' streams and connections are at
    hand. The number of queries is that of the links."""
    window, found = window_at(timezone.now()), {}
    for link in links:
        if not link.seen or link.seen_gone or link.cut_at or not link.record_id:
            continue
        kind = KINDS[link.kind]
        local = side_of(link.stream, window).read(link.kind, [link.record_id]).get(link.record_id)
        if local is None or not local.fields:
            continue
        names = [name for name in kind.fields if local.fields.get(name) or link.seen.get(name)]
        found[link.pk] = [
            FieldOnBothSides(name, local.fields.get(name), link.seen.get(name), name not in kind.two_way)
            for name in names
        ]
    return found
