"""The body of a request as the server hands it over: whole, or not at all. Half of one could mean something else."""

import io
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import LimitedStream

from fieldcamp.api.errors import ApiError


class BrokenBody(OSError):
    """The body is not what its headers announce."""


class WholeStream(LimitedStream):
    """A body of a known length; who has read less, because the connection broke off, is told by BrokenBody."""

    _pos: int  # how much has been read; of LimitedStream

    def read(self, size: int | None = -1, /) -> bytes:
        left = self.limit - self._pos
        wanted = left if size is None or size < 0 else min(size, left)
        data: bytes = super().read(wanted)
        if len(data) < wanted:
            raise BrokenBody("The body is shorter than its Content-Length says.")
        return data


def is_chunked(meta: Mapping[str, Any]) -> bool:
    return "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower()


def read_chunked(meta: Mapping[str, Any], most: int) -> bytes:
    """Returns a body without a length, or the first `most` bytes of it. Raises BrokenBody.

    A server that marks the end of such a body says so with `wsgi.input_terminated` (gunicorn does).
    """
    if not meta.get("wsgi.input_terminated"):
        raise BrokenBody("Send the body with a Content-Length instead of in chunks.")
    try:
        body: bytes = meta["wsgi.input"].read(most)
    except Exception as exc:  # each server has its own errors for chunks that are none
        raise BrokenBody("The body's chunks cannot be read: it is broken, or has not arrived whole.") from exc
    return body


def take_body(request: Any) -> None:
    """Has Django read the body of a request whole: in chunks as well, which it would take for an empty one."""
    meta = request.META
    try:
        if is_chunked(meta):
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            body = read_chunked(meta, limit + 1)
            if len(body) > limit:
                raise ApiError("PAYLOAD_TOO_LARGE")
            meta["CONTENT_LENGTH"] = str(len(body))
            request._stream = io.BytesIO(body)
        elif (length := _length(meta)) and "wsgi.input" in meta:
            request._stream = WholeStream(meta["wsgi.input"], length)
    except BrokenBody as exc:
        raise ApiError("VALIDATION_ERROR", str(exc), details={"body": [str(exc)]}) from exc


def _length(meta: Mapping[str, Any]) -> int:
    text = meta.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() else 0
