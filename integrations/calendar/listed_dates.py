"""The dates that the lists of a series have (`RDATE`, `EXDATE`): those that are none, and those that nobody asks for. A
list is a stranger's text, and a day of the year 9999 or the 31st of February may stand in it.

https://datatracker.ietf.org/doc/html/rfc5545#section-3.3.5
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from integrations.providers.recurrence import LISTED_DAY
from integrations.records import Window

_DATE = re.compile(r"\s*(\d{8})(?:T(\d{6})Z?)?(/.*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
# Of the window: a date may be said in any zone, and lasts for as long as the event does.
_AROUND = dt.timedelta(days=800)
_LONGEST = 40  # years, that an event lasts


def near_dates(rules: Iterable[str], window: Window, most: int) -> tuple[list[str], bool]:
    """Returns the rules without dates that there are not (30 February) and those that are too far from the window to
    say anything of it, and whether there were none of the first kind. What does not look like a date stays: whoever
    parses it has to say that it cannot be read. So does a list of more than `most`, which nobody follows."""
    found, possible = [], True
    for line in rules:
        name, colon, value = line.partition(":")
        if not name.upper().startswith(("RDATE", "EXDATE")) or value.count(",") >= most:
            found.append(line)
            continue
        kept = []
        for date in value.split(","):
            near = _is_near(date, window)
            if near:
                kept.append(date)
            possible &= near is not None
        if kept:
            found.append(f"{name}{colon}{','.join(kept)}")
    return found, possible


def _is_near(text: str, window: Window) -> bool | None:
    """Returns whether a date may say something of the window; None where there is no such day or time."""
    if not (match := _DATE.fullmatch(text)):
        return True
    day, time, rest = match.groups()
    try:
        date = _day(day)
        if time:
            dt.time(int(time[:2]), int(time[2:4]), int(time[4:]))
    except ValueError:
        return None
    if date > (window.end + _AROUND).date():
        return False
    return bool(rest) or date.year >= window.start.year - _LONGEST  # a period lasts until whenever it says


def listed_days(rules: Iterable[str], window: Window) -> list[dt.date]:
    """Returns the first and the last day that lists of further dates have, as far as they are near the window; nothing
    where they have none."""
    texts = {day for line in rules if line.upper().startswith("RDATE") for day in LISTED_DAY.findall(line)}
    days = sorted(_possible(texts))
    least, most = ((edge + step).date() for edge, step in ((window.start, -_AROUND), (window.end, _AROUND)))
    return [min(max(day, least), most) for day in (days[0], days[-1])] if days else []


def _possible(texts: Iterable[str]) -> Iterator[dt.date]:
    for text in texts:
        try:
            yield _day(text)
        except ValueError:
            continue


def _day(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
