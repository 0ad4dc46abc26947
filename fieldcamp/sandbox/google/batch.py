"""Batches: several calls in one multipart/mixed body, answered part by part.

https://developers.google.com/workspace/calendar/api/guides/batch
"""

import re
import secrets
from collections.abc import Callable
from email.parser import BytesHeaderParser
from email.policy import HTTP
from http import HTTPStatus
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from fieldcamp.sandbox.google import errors
from fieldcamp.sandbox.http import Request, Response, content_type, parse_query

MAX_CALLS = 50
API = "/google/api"

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(rb"([A-Z]{1,10}) (\S+)(?: HTTP/\d(?:\.\d)?)?\s*")


def answer(request: Request, call: Callable[[Request], Response]) -> Response:
    """Makes each inner call through `call`, in order; the whole is 200 even when every part fails."""
    kind, options = content_type(request.headers)
    boundary = options.get("boundary", "")
    if kind != "multipart/mixed" or not 0 < len(boundary) <= 200:
        raise errors.bad_request("Failed to parse batch request, error: the body is not multipart/mixed.")
    parts = _split(request.body, boundary.encode())
    if not parts:
        raise errors.bad_request("Failed to parse batch request, error: 0 items.")
    if len(parts) > MAX_CALLS:
        raise errors.bad_request(f"The batch request exceeds the maximum number of calls: {MAX_CALLS}.")
    mark = f"batch_{secrets.token_urlsafe(24)}"
    chunks = []
    for part in parts:
        head, _, content = _cut(part)
        content_id = _headers(head).get("Content-ID", "")
        inner = _inner(content, request)
        response = call(inner) if inner is not None else errors.bad_request().response()
        chunks.append(_part(mark, content_id, response))
    body = b"".join(chunks) + f"--{mark}--\r\n".encode()
    headers = Headers({"Content-Type": f"multipart/mixed; boundary={mark}"})
    return Response(200, body, headers, items=len(parts))


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    """The parts between boundary lines; line ends may be LF alone, as Google's Python client writes them."""
    pieces = re.split(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)", body)
    # pieces: preamble, "--" or None, part, "--" or None, part, ...; a part follows each boundary that is not the last.
    return [part for closing, part in zip(pieces[1::2], pieces[2::2], strict=True) if closing is None and part.strip()]


def _cut(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, blank line, rest. A message that begins with a blank line has no head."""
    if message.startswith((b"\r\n", b"\n")):
        return b"", b"", message.lstrip(b"\r\n")
    match = _BLANK_LINE.search(message)
    if match is None:
        return message, b"", b""
    return message[: match.start()], match[0], message[match.end() :]


def _headers(head: bytes) -> Headers:
    parsed = BytesHeaderParser(policy=HTTP.clone(max_line_length=None)).parsebytes(head + b"\r\n\r\n")
    return Headers([(name, str(value).replace("\r", "").replace("\n", "")) for name, value in parsed.raw_items()])


def _inner(content: bytes, outer: Request) -> Request | None:
    """The inner call, or None when it cannot be read. The outer headers count unless the part has its own."""
    head, _, body = _cut(content.lstrip(b"\r\n"))
    line, _, header_lines = head.partition(b"\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        return None
    try:
        target = urlsplit(match[2].decode("ascii"))
    except ValueError:
        return None
    headers = Headers([(k, v) for k, v in outer.headers if not k.lower().startswith(("content-", "accept-encoding"))])
    for name, value in _headers(header_lines):
        headers[name] = value
    # The part ends with the line break that belongs to the boundary, or with more; the length says what is body.
    length = headers.get("Content-Length", "")
    if length.isascii() and length.isdecimal() and len(length) < 10:
        body = body[: int(length)] if len(body) - int(length) in (1, 2) else body
    path = target.path if target.path.startswith(f"{API}/") else API + target.path
    query = parse_query(target.query)
    return Request(match[1].decode(), path, query, headers, body, outer.root, outer.sleep)


def _part(mark: str, content_id: str, response: Response) -> bytes:
    body = response.body if response.cut is None else response.body[: response.cut]
    known = response.status in set(HTTPStatus)
    lines = [f"--{mark}", "Content-Type: application/http"]
    if content_id:
        lines.append(f"Content-ID: {_answering(content_id)}")
    lines += ["", f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase if known else 'Unknown'}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body + b"\r\n"


def _answering(content_id: str) -> str:
    """<item1> becomes <response-item1>."""
    inside = content_id.strip()
    return f"<response-{inside[1:]}" if inside.startswith("<") else f"response-{inside}"
