"""What of the API is on its way out: one table that makes the headers, the schema's marks and the changelog's lines."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.http import http_date


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One operation that is deprecated: `path` as the reference has it, without `/api/v1`, since when, when it ends,
    and what to use instead. `anchor` is its line in the API changelog."""

    method: str
    path: str
    since: dt.datetime
    sunset: dt.datetime
    successor: str
    anchor: str

    @property
    def headers(self) -> Mapping[str, str]:
        """Returns `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and where it is told of."""
        return {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": http_date(self.sunset.timestamp()),
            "Link": f'<{settings.PUBLIC_URL}/api/docs/changelog#{self.anchor}>; rel="deprecation"; type="text/html"',
        }


# None so far. An operation stands here at least twelve months before its `sunset`.
DEPRECATIONS: tuple[Deprecation, ...] = ()


def deprecation_of(method: str, route: str) -> Deprecation | None:
    """Returns what is said of an operation; `route` is Django's (`api/v1/visits/<str:record_id>`)."""
    if not DEPRECATIONS:
        return None
    path = _shape(route.removeprefix("api/v1"))
    return next((each for each in DEPRECATIONS if each.method == method and _shape(each.path) == path), None)


def _shape(path: str) -> str:
    """Returns the address with its parameters left open, whoever has written them."""
    return "/".join("{}" if part.startswith(("<", "{")) else part for part in path.split("/"))
