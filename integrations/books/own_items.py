"""What the books sell on an invoice's lines for which FieldCamp has no item: theirs to say, and not to be replaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.providers.aligning import align
from integrations.records import digest

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StandingLines:
    """The lines that were seen of an invoice there. `ours` are those of their items that FieldCamp has, `stand_in` is
    the item that stands for lines without one."""

    lines: Sequence[Line] = ()
    ours: frozenset[str] = frozenset()
    stand_in: str = ""

    def items(self, lines: Sequence[Line]) -> dict[int, str]:
        """Returns the ids of items that stand on lines there, by the position of our line without one. Shipping stands
        so, too, and a line that somebody has left without an item ("")."""
        found = align([self._plain(line) for line in lines], [self._plain(line) for line in self.lines])
        return {
            number: self.lines[there]["item"]
            for number, there in enumerate(found)
            if there is not None and not lines[number]["item"] and self.lines[there]["item"] not in self.ours
        }

    def in_their_order(self, lines: Sequence[Line]) -> list[dict[str, Any]]:
        """Returns the lines as they are ordered there, where all that differs is the place of lines of the books' own
        items. Shipping stands below everything else there, wherever it stands here."""
        theirs = {line["item"] for line in self.lines} - self.ours - {"", self.stand_in}
        one, other = ([line for line in found if line["item"] not in theirs] for found in (lines, self.lines))
        same = theirs and one == other and sorted(map(digest, lines)) == sorted(map(digest, self.lines))
        return [dict(line) for line in (self.lines if same else lines)]

    def _plain(self, line: Line) -> Line:
        return line if line["item"] in self.ours else {**line, "item": ""}
