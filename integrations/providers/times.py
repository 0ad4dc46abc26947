"""Times as vendors write them."""

import datetime as dt
import zoneinfo


def aware(text: str, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """Reads a vendor's time; one that says no offset is meant in this zone."""
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def zone_named(name: str) -> dt.tzinfo:
    """Returns the zone of that IANA name; UTC for one that nobody knows."""
    known = zone_name(name)
    return zoneinfo.ZoneInfo(known) if known else dt.UTC


def zone_name(name: str) -> str:
    """Returns the IANA name, or "" where nobody knows such a zone: then it is somebody's own word."""
    try:
        return zoneinfo.ZoneInfo(name).key if name else ""
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def day(text: str) -> str:
    """Returns the day that a vendor's date or time begins with, as it stands there; raises ValueError for none."""
    return dt.date.fromisoformat(text[:10]).isoformat()
