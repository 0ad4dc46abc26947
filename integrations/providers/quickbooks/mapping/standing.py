"""The lines that stand on an invoice, each with the row that it is read from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from integrations.providers.aligning import Line
from integrations.providers.quickbooks.mapping.lines import flat, is_group, is_line, to_line
from integrations.providers.quickbooks.mapping.parts import Body


@dataclass(frozen=True, slots=True)
class StandingLine:
    """A line that stands there: its row, the position of its row (or of the bundle that it is part of) in the array,
    and how it reads."""

    row: Body
    place: int
    inside: bool
    line: Line


def standing_lines(rows: Sequence[Body], taxed: Callable[[str], bool]) -> list[StandingLine]:
    """Returns the lines that stand there, those of bundles in their place."""
    return [
        StandingLine(part, place, is_group(row), to_line(part, taxed))
        for place, row in enumerate(rows)
        for part in flat([row])
        if is_line(part)
    ]
