"""Where an address is on the map, as answers tell it: `Lat` and `Long`, or INVALID for what cannot be found.

The vendor looks addresses up some time after they were written. Here the state tells the region and the rest of the
address the spot in it, so that one address is always at one place.
"""

import hashlib
import re
from typing import Any

Body = dict[str, Any]

PROPERTIES = ("BillAddr", "ShipAddr", "PrimaryAddr")
KNOWN = "Lat"
INVALID = "INVALID"
# "Middlefield, CA  94303" and "Vancouver, BC V6B 1G4": the last line of an address without a town of its own.
_TOWN = re.compile(r",\s*([A-Z]{2})\s+[A-Z0-9]{3,5}[A-Z0-9 -]*$")
# About where each state and province is.
REGIONS = {
    "AL": (32.8, -86.8), "AZ": (33.4, -111.9), "AR": (34.8, -92.4), "CA": (37.2, -121.2), "CO": (39.5, -104.9),
    "CT": (41.6, -72.7), "DC": (38.9, -77.0), "FL": (28.3, -81.7), "GA": (33.2, -83.9), "IL": (41.1, -88.6),
    "IN": (40.0, -86.2), "IA": (41.9, -93.4), "KY": (37.8, -85.3), "LA": (30.5, -91.5), "MA": (42.3, -71.8),
    "MD": (39.2, -76.8), "ME": (44.5, -69.6), "MI": (42.9, -84.4), "MN": (45.2, -93.9), "MO": (38.6, -92.2),
    "NC": (35.6, -79.4), "NH": (43.2, -71.5), "NJ": (40.6, -74.4), "NV": (38.4, -117.0), "NY": (42.7, -74.2),
    "OH": (40.2, -82.7), "OK": (35.5, -97.1), "OR": (44.6, -122.5), "PA": (40.6, -77.2), "RI": (41.7, -71.5),
    "SC": (34.0, -81.0), "TN": (35.8, -86.4), "TX": (31.0, -97.6), "UT": (40.1, -111.7), "VA": (37.7, -78.2),
    "VT": (44.0, -72.7), "WA": (47.4, -121.9), "WI": (43.9, -89.0),
    "AB": (52.3, -113.8), "BC": (49.3, -122.7), "MB": (49.9, -97.2), "NB": (46.1, -66.2), "NS": (44.9, -63.3),
    "ON": (43.8, -79.5), "QC": (46.0, -72.6), "SK": (51.2, -105.6),
}  # fmt: skip


def located(address: Body) -> Body:
    """The address with its place. One that has a place already keeps it."""
    if KNOWN in address:
        return address
    latitude, longitude = _place(address)
    return address | {"Lat": latitude, "Long": longitude}


def _place(address: Body) -> tuple[str, str]:
    centre = REGIONS.get(_state(address))
    words = " ".join(str(value) for name, value in sorted(address.items()) if name != "Id")
    if centre is None or not re.search(r"\d", words):  # a town alone, or a name, is no place
        return INVALID, INVALID
    spot = hashlib.sha256(words.casefold().encode()).digest()
    north, east = (int.from_bytes(part) / 2**32 - 0.5 for part in (spot[:4], spot[4:8]))
    return f"{centre[0] + north:.7f}", f"{centre[1] + east:.7f}"


def _state(address: Body) -> str:
    if "CountrySubDivisionCode" in address:
        return str(address["CountrySubDivisionCode"])
    lines = [str(address[name]) for name in ("Line5", "Line4", "Line3", "Line2", "Line1") if name in address]
    match = _TOWN.search(lines[0]) if lines else None
    return match[1] if match else ""
