"""Which of an invoice's lines, as FieldCamp has them, is which of the lines that stand in the books.

FieldCamp's lines have no id there: they are told by what they say (`kinds.INVOICE`), and by their order.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

Line = Mapping[str, Any]

EQUAL = -1000.0  # as many lines as possible stay what they are; only then the rest is weighed
GAP = 2.5  # a line that is new, or taken away: both together are worse than any edit


def align(wanted: Sequence[Line], present: Sequence[Line]) -> list[int | None]:
    """Returns for each wanted line the position of the present one that it is, or None for a new one.

    Equal ones go first and in order, then the most alike between equal neighbours, then what has been moved."""
    found: list[int | None] = [None] * len(wanted)
    start = 0
    while start < min(len(wanted), len(present)) and wanted[start] == present[start]:
        found[start] = start
        start += 1
    end = 0
    while end < min(len(wanted), len(present)) - start and wanted[-1 - end] == present[-1 - end]:
        found[len(wanted) - 1 - end] = len(present) - 1 - end
        end += 1
    middle, there = wanted[start : len(wanted) - end], present[start : len(present) - end]
    for ours, theirs in _in_order(middle, there):
        found[start + ours] = start + theirs
    _moved(found, wanted, present)
    return found


def _in_order(wanted: Sequence[Line], present: Sequence[Line]) -> list[tuple[int, int]]:
    """Returns the pairs of the alignment in order that costs least."""
    if not wanted or not present:
        return []
    costs = [[GAP * column for column in range(len(present) + 1)]]
    for row, line in enumerate(wanted, 1):
        above, here = costs[-1], [GAP * row]
        for column, other in enumerate(present, 1):
            paired = above[column - 1] + _cost(line, other)
            here.append(min(paired, above[column] + GAP, here[-1] + GAP))
        costs.append(here)
    pairs, row, column = [], len(wanted), len(present)
    while row and column:
        cost = costs[row][column]
        if cost == costs[row - 1][column - 1] + _cost(wanted[row - 1], present[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif cost == costs[row - 1][column] + GAP:
            row -= 1
        else:
            column -= 1
    return pairs


def _cost(line: Line, other: Line) -> float:
    """Returns how far the one is from the other."""
    if line == other:
        return EQUAL
    if is_words(line) != is_words(other):
        return 4.0
    same_item, same_words = (line[name] == other[name] for name in ("item", "description"))
    if same_item and same_words:
        return 1.0
    same_price = (line["quantity"], line["unit_price"]) == (other["quantity"], other["unit_price"])
    if same_item:
        return 1.5 if same_price else 2.0
    return 3.0 if same_words or same_price else 4.0


def _moved(found: list[int | None], wanted: Sequence[Line], present: Sequence[Line]) -> None:
    """Pairs what stands elsewhere now: equal lines, then such of one item and words, of which there is one only."""
    for key in (_whole, _names):
        free = [there for there in range(len(present)) if there not in found]
        missing = [ours for ours, there in enumerate(found) if there is None]
        if not free or not missing:
            return
        by_key: dict[Hashable, list[int]] = {}
        for there in free:
            by_key.setdefault(key(present[there]), []).append(there)
        asked: dict[Hashable, list[int]] = {}
        for ours in missing:
            asked.setdefault(key(wanted[ours]), []).append(ours)
        for value, places in asked.items():
            candidates = by_key.get(value, [])
            if key is _whole or len(candidates) == len(places) == 1:
                for ours, there in zip(places, candidates, strict=False):
                    found[ours] = there


def is_words(line: Line) -> bool:
    """Returns whether a line only says something."""
    return line["quantity"] == "0" and line["unit_price"] == "0"


def _whole(line: Line) -> Hashable:
    return tuple(sorted(line.items()))


def _names(line: Line) -> Hashable:
    return (is_words(line), line["item"], line["description"])
