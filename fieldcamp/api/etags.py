"""ETag, If-None-Match and If-Match of single resources."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from fieldcamp.api.errors import ApiError

COMPRESSED = "-gzip"  # what the tag of a compressed answer has more


def etag_of(data: Any) -> str:
    """Returns the tag of a resource: it changes with anything that the resource shows."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:24]}"'


def _tags(request: Request, header: str) -> list[str]:
    return [bare(tag) for tag in parse_etags(request.headers.get(header, ""))]


def bare(tag: str) -> str:
    """Returns the tag of the resource, whether its answer was compressed or not."""
    ending = f'{COMPRESSED}"'
    return tag.removesuffix(ending) + '"' if tag.endswith(ending) else tag


def is_unchanged(request: Request, etag: str) -> bool:
    """Returns whether If-None-Match names this tag, so that 304 is the answer."""
    tags = _tags(request, "If-None-Match")
    return "*" in tags or etag in [tag.removeprefix("W/") for tag in tags]


def tagged(request: Request, data: Any) -> Response:
    """Returns the answer to a read of `data` with its tag: 304 for whoever has it already."""
    etag = etag_of(data)
    if is_unchanged(request, etag):
        return Response(status=304, headers={"ETag": etag})
    return Response(data, headers={"ETag": etag})


def check_if_match(request: Request, etag: str) -> None:
    """Raises 412 when If-Match is there and names other tags than this one. Weak tags never match (RFC 9110)."""
    if "If-Match" in request.headers:
        check_tags(_tags(request, "If-Match"), etag)


def check_tags(tags: Sequence[str], etag: str) -> None:
    """Raises 412 unless this is one of the tags, or any will do."""
    if "*" not in tags and etag not in [bare(tag) for tag in tags]:
        raise ApiError("PRECONDITION_FAILED", headers={"ETag": etag})
