"""JSON is the only answer there is; an Accept header that excludes it is told so. One that names only the shape of
errors excludes nothing: answers of success are `application/json` to whoever sends it."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

PROBLEM = "application/problem+json"
_TAKEN = ("application/json", "application/*", "*/*", PROBLEM)


def _ranges(accept: str) -> Iterable[tuple[str, float]]:
    """Returns the media ranges of an Accept header with their weights; what is not one is passed over."""
    for media, weight in _weighted(accept):
        if media == "*":  # Java's HttpURLConnection sends `*; q=.2`
            media = "*/*"
        if "/" in media:
            yield media, weight


def _weighted(header: str) -> Iterable[tuple[str, float]]:
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 1.0
        yield name, weight


def accepts_json(accept: str) -> bool:
    """Returns whether an answer in JSON meets the header; one without any media range excludes nothing."""
    weights = dict(_ranges(accept))
    named = next((weights[media] for media in _TAKEN if media in weights), None)
    return not weights if named is None else named > 0


def wants_problems(accept: str) -> bool:
    """Returns whether errors are wanted as RFC 9457's `application/problem+json`."""
    return any(media == PROBLEM and weight > 0 for media, weight in _ranges(accept))


def accepts_gzip(accept_encoding: str) -> bool:
    """Returns whether the header names gzip and does not exclude it."""
    return any(coding in ("gzip", "x-gzip") and weight > 0 for coding, weight in _weighted(accept_encoding))


class JsonOnly(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        media_type = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        if not accepts_json(request.headers.get("Accept", "")):
            raise NotAcceptable
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
