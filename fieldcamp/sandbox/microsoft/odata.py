"""How clients ask: query options, and preferences in the Prefer header.

https://learn.microsoft.com/graph/query-parameters
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fieldcamp.sandbox.http import Request
from fieldcamp.sandbox.microsoft import errors, filters, times
from fieldcamp.sandbox.microsoft.calendars import Calendar
from fieldcamp.sandbox.microsoft.render import Shape
from fieldcamp.sandbox.microsoft.resource import property_key

PAGE, MAX_PAGE, MAX_SKIP = 10, 1000, 10**8
_PREFERENCE = re.compile(r'\s*([\w.\-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]*)))?\s*[,;]?', re.ASCII)
_EXPANDED = re.compile(r"singleValueExtendedProperties\s*\(\s*\$filter\s*=\s*(.+)\)\s*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """One call's options; names in the address are taken in any case, and with or without their `$`."""

    options: dict[str, str]
    preferences: dict[str, str]

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """Reads them from a request."""
        options = {name.lower().removeprefix("$"): value for name, value in request.query.items(multi=True)}
        preferences = {}
        for header in request.headers.getlist("Prefer"):
            for name, quoted, bare in _PREFERENCE.findall(header):
                preferences[name.lower()] = quoted or bare
        return cls(options, preferences)

    @property
    def immutable(self) -> bool:
        """Whether the client works with ids that survive a move."""
        return self.preferences.get("idtype", "").lower() == "immutableid"

    @property
    def applied(self) -> str:
        """The answer's Preference-Applied header."""
        return 'IdType="ImmutableId"' if self.immutable else ""

    def shape(self, cal: Calendar | None = None) -> Shape:
        """How events are to look, in a calendar that may be somebody else's."""
        name = self.preferences.get("outlook.timezone", "UTC")
        as_text = self.preferences.get("outlook.body-content-type", "").lower() == "text"
        seen = (cal.mailbox, cal.sees_private) if cal else (b"", True)
        return Shape(times.zone(name), name, self.immutable, as_text, self._properties(), *seen)

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number among the options."""
        text = self.options.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not low <= int(text) <= high:
            raise errors.bad_request(f"Invalid value '{text[:50]}' for ${name} query option found.")
        return int(text)

    def page_size(self) -> int:
        """How many items a page has: $top, or else odata.maxpagesize."""
        if "top" in self.options:
            return self.number("top", 1, MAX_PAGE, PAGE)
        return self.delta_page_size(PAGE)

    def delta_page_size(self, default: int) -> int:
        """The odata.maxpagesize alone."""
        text = self.preferences.get("odata.maxpagesize", "")
        return min(int(text), MAX_PAGE) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 else default

    def window(self) -> tuple[int, int]:
        """The startDateTime and endDateTime that views need."""
        if "startdatetime" not in self.options or "enddatetime" not in self.options:
            text = "This request requires a time window specified by the query string parameters"
            raise errors.bad_parameter(f"{text} StartDateTime and EndDateTime.")
        start = times.instant_ms(self.options["startdatetime"], "startDateTime")
        end = times.instant_ms(self.options["enddatetime"], "endDateTime")
        if end < start:
            raise errors.bad_parameter("The value of parameter 'endDateTime' lies before that of 'startDateTime'.")
        return start, end

    def selected(self, item: dict[str, Any]) -> dict[str, Any]:
        """The item with what $select leaves of it; the id and annotations stay."""
        if not self.options.get("select"):
            return item
        wanted = {name.strip().split("/")[0] for name in self.options["select"].split(",")}
        unknown = sorted(name for name in wanted if name not in item and name not in LATER)
        if unknown:
            text = f"Could not find a property named '{unknown[0][:100]}' on type 'microsoft.graph.event'."
            raise errors.bad_request(text, "RequestBroker--ParseUri")
        kept = wanted | {"id", "singleValueExtendedProperties"}
        return {name: value for name, value in item.items() if name in kept or "@odata" in name}

    def page(self, request: Request, items: list[Any]) -> tuple[list[Any], str | None]:
        """The items of this page, and the address of the next."""
        skip, size = self.number("skip", 0, MAX_SKIP, 0), self.page_size()
        if len(items) <= skip + size:
            return items[skip:], None
        rest = [(k, v) for k, v in request.query.items(multi=True) if k.lower() not in ("$skip", "skip")]
        return items[skip : skip + size], f"{address(request)}?{urlencode([*rest, ('$skip', skip + size)], safe='$')}"

    def _properties(self) -> tuple[str, ...]:
        """The extended properties to expand; without a filter Graph expands none."""
        match = _EXPANDED.search(self.options.get("expand", ""))
        if match is None:
            return ()
        return tuple(property_key(name) for name in filters.ids_of(match[1]))


LATER = {"originalStart", "cancelledOccurrences", "exceptionOccurrences", "calendar", "attachments", "extensions"}


def address(request: Request) -> str:
    """The call's own address, without its query."""
    return f"{request.root}{request.path}"
