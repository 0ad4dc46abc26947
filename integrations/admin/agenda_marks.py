"""Words on the calendar for what is not as it should be: of visits and of people's calendars."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from integrations.errors import ProblemCode, ProblemReason
from integrations.services.sync_state.reasons import Explanation, RecordState, SyncReason
from integrations.services.sync_state.states import SyncStateRow

# What both sides say differently, and a person decides.
_CONFLICT = (ProblemCode.CONFLICT.lower(), ProblemReason.MOVED.value, ProblemReason.MOVED_FAR.value)


@dataclass(frozen=True)
class Mark:
    """A word with its tone; `why` is the sentence behind it."""

    key: str
    word: str
    tone: str
    why: str = ""


def marks_of(states: Sequence[SyncStateRow], overlaps: bool) -> list[Mark]:
    """Returns what is marked on a visit: that it overlaps, and how it is not in step, the gravest only."""
    found = [Mark("overlaps", gettext("Overlaps"), "warning")] if overlaps else []
    marks = [mark for row in states if (mark := _of(row.explanation))]
    order = ("conflict", "needs", "held", "waits", "pending", "left")
    return [*sorted(marks, key=lambda mark: order.index(mark.key))[:1], *found]


def _of(told: Explanation) -> Mark | None:
    if told.reason in _CONFLICT:
        return Mark("conflict", gettext("Conflict"), "danger", told.sentence)
    if told.reason == SyncReason.REMOVAL_HELD:
        return Mark("held", gettext("Removal waits for an answer"), "warning", told.sentence)
    if told.state is RecordState.PROBLEM:
        return Mark("needs", gettext("Needs somebody"), "danger", told.sentence)
    if told.state is RecordState.HELD:
        return Mark("waits", gettext("Waits"), "warning", told.sentence)
    if told.state is RecordState.PENDING:
        return Mark("pending", gettext("Not in step yet"), "info", told.sentence)
    if told.reason in (SyncReason.IGNORED, SyncReason.LEFT_REMOVED, SyncReason.REMOVED_THERE):
        return Mark("left", gettext("Left out"), "muted", told.sentence)
    return None


def technician_mark(told: Explanation | None) -> Mark | None:
    """Returns what is said beneath a person's name: nothing where their calendar is in step."""
    if told is None or told.state is RecordState.SYNCED:
        return None
    if told.reason == SyncReason.TECHNICIAN_NOT_CONNECTED:
        return Mark("none", gettext("No calendar connected"), "muted", told.sentence)
    if told.reason == SyncReason.SETUP_UNFINISHED:
        return Mark("setup", gettext("Set-up not finished"), "warning", told.sentence)
    if told.state is RecordState.HELD:
        return Mark("paused", gettext("Paused"), "warning", told.sentence)
    if told.state is RecordState.PENDING:
        return Mark("pending", gettext("Not in step yet"), "info", told.sentence)
    if told.reason == SyncReason.LEAVING:
        return Mark("leaving", gettext("Calendar is being left"), "muted", told.sentence)
    return Mark("needs", gettext("Calendar not in step"), "danger", told.sentence)
