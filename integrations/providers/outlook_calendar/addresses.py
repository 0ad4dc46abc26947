"""Where things are in Graph, and how its query options are written."""

from urllib.parse import quote, urlencode

from django.conf import settings


def root(path: str) -> str:
    """Returns a path of v1.0, without its leading slash, as a whole address."""
    return f"{settings.MICROSOFT_GRAPH_URL}/v1.0/{path}"


def query(params: dict[str, str]) -> str:
    return urlencode(params, quote_via=quote, safe="$")


def calendar(container_id: str) -> str:
    """Returns the path relative to the version, as a batch's part wants it."""
    return f"/me/calendars/{quote(container_id, safe='')}"


def event(container_id: str, event_id: str) -> str:
    return f"{calendar(container_id)}/events/{quote(event_id, safe='')}"
