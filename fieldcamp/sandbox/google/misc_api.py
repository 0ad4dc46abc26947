"""freebusy.query, colors.get and the settings."""

from typing import Any

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.google.calendar_api import COLORS
from fieldcamp.sandbox.google.calendars import Calendars
from fieldcamp.sandbox.google.listing import Listing
from fieldcamp.sandbox.google.times import from_ms, parse_datetime, to_ms, write_datetime, zone

MAX_CALENDARS = 50
EVENT_COLORS = (
    *("#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1", "#5484ed", "#51b749"),
    "#dc2127",
)
SETTINGS = {
    "autoAddHangouts": "true",
    "dateFieldOrder": "MDY",
    "defaultEventLength": "60",
    "format24HourTime": "false",
    "hideInvitations": "false",
    "locale": "en",
    "showDeclinedEvents": "true",
    "timezone": "America/New_York",
    "weekStart": "0",
}


def free_busy(calendars: Calendars, listing: Listing, account: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The busy intervals of several calendars; one that cannot be seen is an error inside the answer."""
    times = []
    for name in ("timeMin", "timeMax"):
        moment = parse_datetime(payload.get(name))
        if moment is None:
            raise errors.required(f"Missing {name}.") if name not in payload else errors.bad_request()
        times.append(to_ms(moment))
    if times[0] >= times[1]:
        raise errors.empty_range("timeMax")
    if times[1] - times[0] > 92 * 86_400_000:
        raise errors.ApiError(400, "timeRangeTooLong", "The requested time range is too long.", "calendar")
    place = zone(str(payload.get("timeZone", "UTC")))
    items = payload.get("items", [])
    if place is None or not isinstance(items, list) or len(items) > MAX_CALENDARS:
        raise errors.bad_request()
    result: dict[str, Any] = {}
    for item in items:
        wanted = item.get("id") if isinstance(item, dict) else None
        if not isinstance(wanted, str):
            raise errors.required("Missing calendar id.")
        try:
            cal = calendars.find(account, wanted)
        except errors.ApiError:
            result[wanted] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
            continue
        busy = _merged(listing.busy(cal, times[0], times[1]))
        spans = [
            {"start": write_datetime(from_ms(a), place), "end": write_datetime(from_ms(b), place)} for a, b in busy
        ]
        result[wanted] = {"busy": spans}
    bounds = {n: write_datetime(from_ms(t), place) for n, t in zip(("timeMin", "timeMax"), times, strict=True)}
    return {"kind": "calendar#freeBusy", **bounds, "calendars": result}


def colors() -> dict[str, Any]:
    """The palettes."""

    def palette(names: dict[str, str]) -> dict[str, Any]:
        return {n: {"background": color, "foreground": "#1d1d1d"} for n, color in names.items()}

    events = {str(n): color for n, color in enumerate(EVENT_COLORS, 1)}
    updated = "2012-02-14T00:00:00.000Z"
    return {"kind": "calendar#colors", "updated": updated, "calendar": palette(COLORS), "event": palette(events)}


def setting(name: str) -> dict[str, Any]:
    """One setting of the user; 404 when there is none of that name."""
    if name not in SETTINGS:
        raise errors.not_found()
    return {"kind": "calendar#setting", "etag": '"0"', "id": name, "value": SETTINGS[name]}


def settings(sync_token: str) -> dict[str, Any]:
    """All settings."""
    items = [setting(name) for name in SETTINGS]
    return {"kind": "calendar#settings", "etag": '"p0"', "nextSyncToken": sync_token, "items": items}


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and adjoining intervals as one."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result
