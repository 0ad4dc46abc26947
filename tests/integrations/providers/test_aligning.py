"""Which of our lines is which of those that stand there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.providers.aligning import align


def line(text: str) -> dict[str, Any]:
    """A line from "item words price": "a Work 5"."""
    item, words, price = text.split()
    return {"item": item, "description": words, "quantity": "1", "unit_price": price, "amount": price, "taxable": True}


A, B, C = "a Work 5", "b Pump 7", "c Pipe 9"


@pytest.mark.parametrize(
    ("wanted", "present", "found"),
    [
        ([A, B, C], [A, B, C], [0, 1, 2]),
        ([], [A], []),
        ([A], [], [None]),
        ([A, C], [A, B, C], [0, 2]),
        ([A, B, C], [A, C], [0, None, 1]),
        ([A, B, A], [A, B], [0, 1, None]),
        ([B, A], [A, B], [1, 0]),
        (["a Work 6", A], [A, A], [0, 1]),  # of equal ones the place tells
        ([A, "a Work 6"], [A, A], [0, 1]),
        (["a Work 6", B, "c Pipe 8"], [A, B, C], [0, 1, 2]),
        (["c Pipe 8"], [A, B, C], [2]),  # item and words before the place
        (["a Other 5", B], [A, B], [0, 1]),
        (["c Work 5", B], [A, B], [0, 1]),
        (["x Other 3", B], [A, B], [0, 1]),  # nothing alike but the place
        ([B, C, "a Work 6"], [A, B, C], [1, 2, 0]),  # moved and edited
        ([B, "a Work 6", C, "a Work 8"], [A, "a Work 7", B, C], [2, None, 3, None]),  # which of the two, nobody knows
    ],
)
def test_lines_are_told_apart(wanted, present, found):
    assert align([line(each) for each in wanted], [line(each) for each in present]) == found


LINES = st.lists(st.sampled_from([line(each) for each in (A, B, C, "a Work 6", "b Work 5")]), max_size=6)


@given(LINES, LINES)
def test_no_line_is_two_and_as_many_as_can_stay_what_they_are(wanted, present):
    found = align(wanted, present)
    taken = [there for there in found if there is not None]
    assert len(found) == len(wanted) and len(taken) == len(set(taken))
    equal = sum(there is not None and present[there] == ours for ours, there in zip(wanted, found, strict=True))
    assert equal >= longest_common(wanted, present)


def longest_common(one: list, other: list) -> int:
    """The number of equal lines in order."""
    if not one or not other:
        return 0
    if one[-1] == other[-1]:
        return 1 + longest_common(one[:-1], other[:-1])
    return max(longest_common(one[:-1], other), longest_common(one, other[:-1]))
