"""Parameters that several operations share, as the reference prints them."""

from collections.abc import Iterable

from drf_spectacular.utils import OpenApiParameter

from fieldcamp.api.pagination import DEFAULT_LIMIT, MAX_LIMIT


def instant(name: str, description: str, *, required: bool = False) -> OpenApiParameter:
    schema = {"type": "string", "format": "date-time"}
    return OpenApiParameter(name, schema, required=required, description=description)


def truth(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, bool, description=description)


def choice(name: str, values: Iterable[str], description: str = "") -> OpenApiParameter:
    """Returns a parameter that may be repeated."""
    return OpenApiParameter(
        name, str, enum=[*values], many=True, description=f"Repeatable: any of these. {description}".strip()
    )


CURSOR = OpenApiParameter(
    "cursor", str, description="`next_cursor` of the page before. It belongs to one list with its filters."
)
# Of lists in the order of the last change.
LATER_CURSOR = OpenApiParameter(
    "cursor",
    str,
    description="`next_cursor` of the page before, or `resume_cursor` of any page, whenever that was. It belongs to "
    "one list with its filters.",
)
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    description="How many rows a page has at most.",
)
SINCE = instant("since", "Only what has changed at or after this time.")
INCLUDE_DELETED = truth(
    "includeDeleted",
    "`true`: rows of what was deleted in the last year, too, whatever the filters say, each in its place.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"},
    OpenApiParameter.HEADER,
    description="Printable ASCII, such as a UUID, bare or quoted. The same request with it does its work once.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag: 304 while it is still the current one."
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="An ETag: 412 unless it is still the current one."
)
