"""Times as vendors write them."""

import datetime as dt
import zoneinfo


def aware(text: str, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """Reads a vendor's time; one that says no offset is meant in this zone."""
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def zone_named(name: str) -> dt.tzinfo:
    """Returns the zone of that IANA name; UTC for one that nobody knows."""
    try:
        return zoneinfo.ZoneInfo(name) if name else dt.UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC
