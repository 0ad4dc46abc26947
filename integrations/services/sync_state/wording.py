"""Times and numbers as the sentences say them. English, as all of the API."""

import datetime as dt


def moment(at: dt.datetime) -> str:
    """Returns a time, in UTC: `14:05 UTC on 29 November 2026`."""
    at = at.astimezone(dt.UTC)
    return f"{at:%H:%M} UTC on {day(at.date())}"


def day(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"


def ago(at: dt.datetime, now: dt.datetime) -> str:
    """Returns how long ago that was, in its largest unit: `3 minutes ago`."""
    seconds = max(int((now - at).total_seconds()), 0)
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{count(seconds // size, unit)} ago"
    return "less than a minute ago"


def count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def days_between(first: dt.datetime, then: dt.datetime) -> int:
    """Returns how many days of UTC lie between: the sync's window is of whole ones."""
    return (then.astimezone(dt.UTC).date() - first.astimezone(dt.UTC).date()).days
