"""Rules of a series as they may be kept: the parts that the standard knows, and nothing that somebody has written.

https://datatracker.ietf.org/doc/html/rfc5545#section-3.3.10
"""

import re
from collections.abc import Iterable

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from integrations.providers.times import zone_name

UNREAD = "UNREAD"  # stands for what was left out, and is read by nobody either
MOST_DATES = 2_000  # of a series' lists; more are not followed, and need not be kept
_NUMBERS = re.compile(r"[+-]?\d{1,5}(,[+-]?\d{1,5})*")
_DAYS = re.compile(r"[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU)(,[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU))*", re.IGNORECASE)
_FREQUENCY = re.compile(r"(SECOND|MINUTE|HOUR|DAI|WEEK|MONTH|YEAR)LY", re.IGNORECASE)
_TIME = re.compile(r"\d{8}(T\d{6}Z?)?", re.IGNORECASE)
LISTED_DAY = re.compile(r"\b\d{8}(?=T|Z|\b)", re.IGNORECASE | re.ASCII)  # of a date in `RDATE` or `EXDATE`
_TIMES = re.compile(r"[\dTZPWDHMS,/+-]+", re.IGNORECASE)
_PARTS = {
    "FREQ": _FREQUENCY, "UNTIL": _TIME, "BYDAY": _DAYS, "WKST": _DAYS,
    **dict.fromkeys(
        ("COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH",
         "BYSETPOS"),
        _NUMBERS,
    ),
}  # fmt: skip


def rules_only(lines: Iterable[object]) -> list[str]:
    """Returns the lines (RRULE, EXRULE, RDATE, EXDATE) without what is no rule: what an app has added under a name of
    its own, parameters, zones that nobody knows. Where that may matter, something that cannot be read stays in its
    place."""
    found = [line for each in lines if (line := _line(str(each)))]
    for name in ("RDATE", "EXDATE"):
        lists = [line for line in found if line.startswith(name)]
        if sum(line.count(",") + 1 for line in lists) > MOST_DATES:
            found = [line for line in found if not line.startswith(name)]
            found.append(_bounds(lists) if name == "RDATE" else f"{name}:{UNREAD}")
    return found


def _bounds(lists: list[str]) -> str:
    """Returns instead of too many dates the first and the last day, and no more than that it cannot be read."""
    days = {day for line in lists for day in LISTED_DAY.findall(line)}
    lasting = any("/P" in line.upper() for line in lists)  # who knows until when
    return f"RDATE;VALUE=DATE:{','.join([UNREAD] if lasting or not days else [min(days), max(days), UNREAD])}"


def _line(line: str) -> str:
    head, colon, value = line.partition(":")
    name, *params = head.split(";")
    name = name.strip().upper()
    if name in ("RRULE", "EXRULE"):
        return f"{name}:{';'.join(_part(part) for part in value.split(';'))}"
    if name in ("RDATE", "EXDATE"):
        kept = [found for param in params if (found := _param(param))]
        return f"{';'.join([name, *kept])}:{value if _TIMES.fullmatch(value) else UNREAD}"
    return "" if colon else UNREAD


def _part(part: str) -> str:
    key, equals, value = part.partition("=")
    key = key.strip().upper()
    if key not in _PARTS:
        return f"X-{UNREAD}=1" if equals or key else ""
    return f"{key}={value if _PARTS[key].fullmatch(value.strip()) else UNREAD}"


def _param(param: str) -> str:
    key, _, value = param.partition("=")
    if key.upper() == "TZID":
        known = zone_name(value) or value in WINDOWS_TO_OLSON
        return f"TZID={value if known else UNREAD}"
    return f"VALUE={value.upper()}" if value.upper() in ("DATE", "DATE-TIME", "PERIOD") else ""
