"""How time and status hang together, as pure rules."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import VisitStatus
from fieldcamp.workspace.scheduling import Slot, settle

NINE = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
NEW = Slot()


def at(hour: int) -> dt.datetime:
    return NINE.replace(hour=hour)


@pytest.mark.parametrize(
    ("old", "changes", "new"),
    [
        (NEW, {}, NEW),
        (NEW, {"scheduled_start": at(9)}, Slot(at(9), at(10), "scheduled")),
        (NEW, {"scheduled_start": at(9), "scheduled_end": at(12)}, Slot(at(9), at(12), "scheduled")),
        (NEW, {"scheduled_start": at(9), "scheduled_end": None}, Slot(at(9), at(10), "scheduled")),
        (NEW, {"scheduled_start": at(9), "visit_status": "completed"}, Slot(at(9), at(10), "completed")),
        (NEW, {"visit_status": "arrived"}, Slot(None, None, "arrived")),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_start": at(14)}, Slot(at(14), at(16), "scheduled")),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_end": at(10)}, Slot(at(9), at(10), "scheduled")),
        (Slot(at(9), at(11), "paused"), {"scheduled_start": at(8)}, Slot(at(8), at(10), "paused")),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_start": None}, NEW),
        (Slot(at(9), at(11), "in_transit"), {"scheduled_start": None, "scheduled_end": None}, NEW),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_start": None, "visit_status": "paused"}, Slot(status="paused")),
        (Slot(at(9), at(11), "scheduled"), {"visit_status": "unscheduled"}, NEW),
        (Slot(at(9), at(11), "scheduled"), {"visit_status": "arrived"}, Slot(at(9), at(11), "arrived")),
        (Slot(status="arrived"), {"scheduled_start": at(9)}, Slot(at(9), at(10), "arrived")),
    ],
)
def test_examples(old, changes, new):
    assert settle(old, changes) == new


@pytest.mark.parametrize(
    ("old", "changes", "field"),
    [
        (NEW, {"scheduled_end": at(9)}, "scheduled_end"),
        (NEW, {"scheduled_start": at(9), "scheduled_end": at(9)}, "scheduled_end"),
        (NEW, {"scheduled_start": at(9), "scheduled_end": at(8)}, "scheduled_end"),
        (NEW, {"visit_status": "scheduled"}, "visit_status"),
        (NEW, {"scheduled_start": at(9), "visit_status": "unscheduled"}, "visit_status"),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_start": None, "visit_status": "scheduled"}, "visit_status"),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_start": None, "scheduled_end": at(9)}, "scheduled_end"),
        (Slot(at(9), at(11), "scheduled"), {"scheduled_end": at(9)}, "scheduled_end"),
    ],
)
def test_contradictions(old, changes, field):
    with pytest.raises(InvalidFields) as caught:
        settle(old, changes)
    assert list(caught.value.details) == [field]


times = st.none() | st.integers(0, 23).map(at)
bodies = st.fixed_dictionaries(
    {}, optional={"scheduled_start": times, "scheduled_end": times, "visit_status": st.sampled_from(VisitStatus.values)}
)


@given(st.lists(bodies, max_size=6))
def test_whatever_is_asked_the_slot_stays_sound(history):
    slot = NEW
    for changes in history:
        try:
            slot = settle(slot, changes)
        except InvalidFields:
            continue
        assert (slot.start is None) == (slot.end is None)
        assert slot.start is None or slot.end > slot.start
        assert slot.status != "scheduled" or slot.start
        assert slot.status != "unscheduled" or not slot.start
        assert settle(slot, {}) == slot
