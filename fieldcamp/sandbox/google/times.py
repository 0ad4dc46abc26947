"""Times as the Calendar API reads and writes them. Instants are milliseconds since the epoch."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from fieldcamp.sandbox.days import parse_day

FOREVER = 9_000_000_000_000_000
# The years that survive a change of zone without leaving what datetime can hold.
MIN_YEAR, MAX_YEAR = 2, 9998

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None."""
    # A path, or a name longer than any zone's, is never looked up on disk.
    if not re.fullmatch(r"[A-Za-z0-9_+\-]{1,40}(/[A-Za-z0-9_+\-]{1,40}){0,2}", name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def parse_datetime(text: object, default_zone: ZoneInfo | None = None) -> datetime | None:
    """An RFC 3339 time; one without an offset is read in `default_zone`. None when it is not one."""
    match = _RFC3339.fullmatch(text) if isinstance(text, str) and len(text) < 64 else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not MIN_YEAR <= year <= MAX_YEAR:
        return None
    offset = match[8]
    if offset is None:
        tz: ZoneInfo | timezone | None = default_zone
    elif offset in "Zz":
        tz = UTC
    else:
        hours, minutes = int(offset[1:3]), int(offset[4:])
        if hours > 23 or minutes > 59:
            return None
        tz = timezone((1 if offset[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
    if tz is None:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=tz)
    except ValueError:
        return None


def parse_date(text: object) -> date | None:
    """A YYYY-MM-DD date, or None."""
    return parse_day(text, MIN_YEAR, MAX_YEAR)


def read_utc(text: str) -> datetime:
    """A time as `write_utc` wrote it."""
    return datetime.fromisoformat(text)


def read_date(text: str) -> date:
    """A date that was checked before it was stored."""
    return date.fromisoformat(text)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The instant in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def midnight_ms(day: date, tz: ZoneInfo) -> int:
    """The start of that day in the zone."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=tz))


def write_datetime(moment: datetime, tz: ZoneInfo) -> str:
    """With the zone's offset, and Z where that is zero, as in Google's answers."""
    return moment.astimezone(tz).isoformat(timespec="seconds").replace("+00:00", "Z")


def write_utc(moment: datetime) -> str:
    """Seconds and Z: the form in which times are stored."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


def write_ms(us: int) -> str:
    """A `created` or `updated` from microseconds: three digits, the rest cut off."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
