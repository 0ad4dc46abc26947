"""Answers of the API in gzip, for those who take it. Nothing of the desk: where a page has a secret of the session
beside what somebody else has chosen, its length would tell of it (BREACH). Keys travel in headers, which no other site
can send.

The tag of a compressed answer is another one, as RFC 9110 §8.8.3.3 wants it, and it stays a strong one: a weak tag
would never match in If-Match. `etags` takes both for the same.
"""

import gzip
from typing import Any

from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

from fieldcamp.api.etags import COMPRESSED
from fieldcamp.api.negotiation import accepts_gzip

SMALLEST = 500  # bytes: below, there is next to nothing to win
_MOST_RANDOM = 100  # bytes that vary the length, as Django does it


def compress(request: HttpRequest, response: Any) -> None:
    """Compresses the answer where that makes it shorter; its headers say so."""
    if response.status_code == 304:
        _repeat_tag(request, response)
        return
    if response.streaming or response.has_header("Content-Encoding") or len(response.content) < SMALLEST:
        return
    patch_vary_headers(response, ("Accept-Encoding",))
    if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
        return
    content = compress_string(response.content, max_random_bytes=_MOST_RANDOM)
    if len(content) < len(response.content):
        response.content = content
        mark_compressed(response)


def mark_compressed(response: Any) -> None:
    """Has the headers say that the content is in gzip."""
    response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(len(response.content))
    if response.has_header("ETag") and response["ETag"].startswith('"'):
        response["ETag"] = f'{response["ETag"][:-1]}{COMPRESSED}"'


def compressed(content: bytes) -> bytes:
    """Returns what is the same for everybody, compressed as well as it can be: it is done once."""
    return gzip.compress(content, mtime=0)


def _repeat_tag(request: HttpRequest, response: Any) -> None:
    """Puts the tag that the caller has kept on a 304."""
    tag = response.get("ETag", "")
    kept = f'{tag[:-1]}{COMPRESSED}"'
    if tag.startswith('"') and kept in request.headers.get("If-None-Match", ""):
        response["ETag"] = kept
