"""Graph's times: wall clocks with the name of a zone, Windows or IANA, and instants in UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

from fieldcamp.sandbox.days import parse_day
from fieldcamp.sandbox.microsoft import errors

MIN_YEAR, MAX_YEAR = 1900, 2200
FOREVER = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,7}))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.I)
_ALIASES = {"tzone://microsoft/utc": "Etc/UTC", "utc": "Etc/UTC", "gmt": "Etc/GMT"}


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of a Windows or IANA name, or None."""
    key = _ALIASES.get(name.lower()) or win_tz.get(name) or (name if name in tz_win else None)
    return ZoneInfo(key) if key else None


def zone(name: object) -> ZoneInfo:
    """The zone of that name; 400 for a name that is none."""
    found = find_zone(name) if isinstance(name, str) else None
    if found is None:
        raise errors.unknown_zone("" if name is None else name)
    return found


def wall_clock(text: object, what: str) -> datetime:
    """The digits of a `dateTime`. An offset behind them is not looked at, as at Microsoft."""
    moment = _read(text)
    if moment is None:
        raise errors.unreadable(f"Cannot convert the literal of '{what}' to the expected type 'Edm.DateTimeOffset'.")
    return moment[0]


def instant_ms(text: str, what: str) -> int:
    """A moment of the address; without an offset it is UTC."""
    moment = _read(text)
    if moment is None:
        raise errors.bad_parameter(f"The value '{text[:100]}' of parameter '{what}' is not a valid date and time.")
    naive, offset = moment
    if offset.upper() in ("", "Z"):
        return to_ms(naive.replace(tzinfo=UTC))
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return to_ms(naive.replace(tzinfo=UTC)) - (1 if offset[0] == "+" else -1) * minutes * 60_000


def _read(text: object) -> tuple[datetime, str] | None:
    match = _TIME.fullmatch(text) if isinstance(text, str) and len(text) < 64 else None
    if match is None:
        return None
    try:
        day, clock = date.fromisoformat(match[1]), time.fromisoformat(match[2] or "00:00")
    except ValueError:
        return None
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        return None
    micro = int((match[3] or "0").ljust(6, "0")[:6])
    return datetime.combine(day, clock).replace(microsecond=micro), match[4] or ""


def day_of(text: object) -> date | None:
    """A YYYY-MM-DD date, or None."""
    return parse_day(text, MIN_YEAR, MAX_YEAR)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The instant in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def local_ms(naive: datetime, tz: ZoneInfo) -> int:
    """The instant at which the zone's clocks show that."""
    return to_ms(naive.replace(tzinfo=tz))


def write_local(ms: int, tz: ZoneInfo, name: str) -> dict[str, Any]:
    """A dateTimeTimeZone with seven digits, in the zone under the name the client knows it by."""
    return {"dateTime": f"{from_ms(ms).astimezone(tz):%Y-%m-%dT%H:%M:%S.%f}0", "timeZone": name}


def write_instant(us: int) -> str:
    """A read-only moment: UTC, Z, and as many digits as there are."""
    text = f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".")
    return f"{text}Z"
