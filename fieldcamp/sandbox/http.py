"""The requests and answers that all vendors share: plain data, so a batch's inner call looks like any other."""

import gzip
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.http import parse_options_header

MAX_BODY = 50 * 1024 * 1024
GZIP_FROM = 1400  # smaller answers fit one packet: compressing them gains nothing

Sleep = Callable[[float], None]


class Dropped(ConnectionError):
    """The connection ends here without an answer."""


class BadInput(ValueError):
    """The caller's fault, with a sentence that says what is wrong."""


@dataclass
class Request:
    """One call as it arrived: `path` still percent-encoded, `query` with repeated names kept."""

    method: str
    path: str
    query: MultiDict = field(default_factory=MultiDict)
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    root: str = "http://localhost"
    sleep: Sleep = time.sleep
    at_end: list[Callable[[], None]] = field(default_factory=list)  # called when the answer is on its way

    @classmethod
    def from_environ(cls, environ: dict[str, Any]) -> "Request":
        """Reads a WSGI environment, its body included."""
        raw = environ.get("RAW_URI") or quote(environ.get("PATH_INFO", "/").encode("latin-1"))
        # "//host/path" would otherwise be read as a network address and lose its first segment.
        path = raw.split("?", 1)[0] if raw.startswith("/") else urlsplit(raw).path
        headers = Headers((k[5:].replace("_", "-"), v) for k, v in environ.items() if k.startswith("HTTP_"))
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-")] = environ[name]
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return cls(
            method=environ["REQUEST_METHOD"].upper(),
            path=path or "/",
            query=parse_query(environ.get("QUERY_STRING", "")),
            headers=headers,
            body=_read_body(environ, headers),
            root=f"{environ.get('wsgi.url_scheme', 'http')}://{host}",
            sleep=environ.get("sandbox.sleep", time.sleep),
        )

    @property
    def plain_path(self) -> str:
        """The path with its percent-encoding undone."""
        return unquote(self.path)

    @property
    def bearer(self) -> str:
        """The access token of the Authorization header, or an empty string."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def form(self) -> MultiDict:
        """The fields of a form-encoded body."""
        return parse_query(self.body.decode("utf-8", "replace"))

    def json_object(self) -> dict[str, Any]:
        """The JSON object in the body; an empty body is an empty object."""
        if not self.body.strip():
            return {}
        try:
            data = json.loads(self.body)
            if b"\\u" in self.body:
                json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError):
            raise BadInput("The body is not valid JSON.") from None
        if not isinstance(data, dict):
            raise BadInput("The body must be a JSON object.")
        return data


@dataclass
class Response:
    """One answer. `cut` sends only that many bytes of the promised body and then ends the connection; with `endless` it
    goes on for ever, with so many seconds between the pieces."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=Headers)
    items: int = 1
    writes: int = 0  # how many of them a batch has written
    cut: int | None = None
    endless: float | None = None


def json_response(data: Any, status: int = 200, pretty: bool = False) -> Response:
    """An answer with `data` as JSON."""
    if pretty:
        text = json.dumps(data, ensure_ascii=False, indent=1)
    else:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # "surrogatepass" would write broken UTF-8: a lone surrogate that a client sent as \ud800 goes out as "?".
    body = text.encode("utf-8", "replace")
    return Response(status, body, Headers({"Content-Type": "application/json; charset=UTF-8"}))


def redirect(location: str, status: int = 302) -> Response:
    """An answer that sends the browser elsewhere."""
    return Response(status, b"", Headers({"Location": location, "Content-Type": "text/html; charset=UTF-8"}))


def parse_query(text: str) -> MultiDict:
    """A query string or form body as a multi-dict; an absurd number of fields is the caller's fault."""
    try:
        return MultiDict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise BadInput("Too many fields.") from None


def compressed(request: Request, response: Response) -> Response:
    """The same answer, gzipped when the client accepts that and it is worth it."""
    accepts = "gzip" in request.headers.get("Accept-Encoding", "")
    if (
        accepts
        and response.endless is None
        and len(response.body) >= GZIP_FROM
        and "Content-Encoding" not in response.headers
    ):
        response.body = gzip.compress(response.body, compresslevel=1, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
    return response


def content_type(headers: Headers) -> tuple[str, dict[str, str]]:
    """The media type and its parameters, lower-cased media type."""
    kind, options = parse_options_header(headers.get("Content-Type", ""))
    return kind.lower(), options


def _read_body(environ: dict[str, Any], headers: Headers) -> bytes:
    stream = environ.get("wsgi.input")
    if stream is None:
        return b""
    if environ.get("wsgi.input_terminated"):
        body = stream.read(MAX_BODY + 1)
    else:
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            raise BadInput("Content-Length is not a number.") from None
        body = stream.read(max(0, min(length, MAX_BODY + 1)))
    if len(body) > MAX_BODY:
        raise BadInput("The body is larger than this sandbox reads.")
    if headers.get("Content-Encoding", "").lower() == "gzip":
        body = _gunzip(body)
    return body


def _gunzip(body: bytes) -> bytes:
    try:
        plain = zlib.decompressobj(wbits=31).decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise BadInput("The body is not valid gzip.") from None
    if len(plain) > MAX_BODY:
        raise BadInput("The body is larger than this sandbox reads.")
    return plain
