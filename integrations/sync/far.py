"""Moves in a calendar that are so far that a person is asked about them: most of them are slips of a finger. Pure."""

import datetime as dt
from dataclasses import dataclass

from integrations.records import Fields, is_day, parse_instant

QUESTION = "{what} in the calendar. The visit stays as it is until somebody decides: take it, or put the event back."


@dataclass(frozen=True, slots=True)
class FarMoves:
    """A move by more than so many `days`, one that makes a visit longer than so many `hours`, and one that ends before
    `now` (an instant as `records` has it) are far."""

    now: str
    days: int
    hours: int

    def question(self, before: Fields, after: Fields) -> str:
        """Returns what is asked about a visit that would be at `after` ("start", "end"); "" for an ordinary move."""
        times = [fields.get(name) or "" for fields in (before, after) for name in ("start", "end")]
        if not all(times) or any(is_day(time) for time in times):
            return ""
        start, end, new_start, new_end = map(parse_instant, times)
        days = abs(new_start - start) // dt.timedelta(days=1)
        hours = (new_end - new_start) / dt.timedelta(hours=1)
        if abs(new_start - start) > dt.timedelta(days=self.days):
            return QUESTION.format(what=f"Moved by {days} days")
        if new_end <= parse_instant(self.now) < end:
            return QUESTION.format(what="Moved into the past")
        if hours > self.hours and new_end - new_start > end - start:
            return QUESTION.format(what=f"Made {hours:.4g} hours long")
        return ""
