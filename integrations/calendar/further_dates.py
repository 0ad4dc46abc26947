"""Further dates of a series (`RDATE`) that say themselves how long they last.

https://datatracker.ietf.org/doc/html/rfc5545#section-3.8.5.2
"""

import datetime as dt
import zoneinfo
from typing import Any


def further_dates(lists: Any, home: zoneinfo.ZoneInfo) -> tuple[dict[dt.datetime, dt.datetime], bool]:
    """Returns when those of a series with times end that do not last as long as the others, by when they begin, both in
    UTC; and whether all could be read. `lists` is what icalendar has parsed: one list of dates, or several.

    A period has its own end. A day alone says no time, where the series has one: the whole day is taken.
    """
    found: dict[dt.datetime, dt.datetime] = {}
    understood = True
    for each in lists if isinstance(lists, list) else [lists] if lists else []:
        for date in each.dts:
            if isinstance(date.dt, tuple):
                begins, rest = (_aware(part, home) for part in date.dt)
                ends = begins + rest if isinstance(rest, dt.timedelta) else rest
                found[begins] = max(begins, ends, found.get(begins, begins))
            elif not isinstance(date.dt, dt.datetime):
                begins, ends = (_aware(date.dt + dt.timedelta(days=days), home) for days in (0, 1))
                found[begins], understood = ends, False
    return found, understood


def _aware(value: Any, home: zoneinfo.ZoneInfo) -> Any:
    """Returns the moment in UTC: one without a zone is meant in the series' own. A length stays one."""
    if isinstance(value, dt.timedelta):
        return value
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    return (value if value.tzinfo else value.replace(tzinfo=home)).astimezone(dt.UTC)
