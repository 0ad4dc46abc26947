"""Times as QuickBooks writes and reads them: ISO 8601 with the company's offset, whole seconds."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)


def stamp(seconds: float, zone: str) -> str:
    """A moment as in MetaData."""
    return _local(int(seconds), zone)


def precise_stamp(seconds: float, zone: str) -> str:
    """A moment as in an answer's own `time`."""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).isoformat(timespec="milliseconds")


def today(seconds: float, zone: str) -> str:
    """The company's date."""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).date().isoformat()


def moment(text: str, zone: str) -> float | None:
    """Seconds since the epoch; without an offset it is the company's time. None when it is no time."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    day, clock, offset = match.groups()
    offset = {"": "", "Z": "+00:00"}.get((offset or "").upper(), offset)
    try:
        parsed = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{offset}")
    except ValueError:
        return None
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC).timestamp()
    except OverflowError:
        return None


@lru_cache(maxsize=4096)
def _local(seconds: int, zone: str) -> str:
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).isoformat(timespec="seconds")
