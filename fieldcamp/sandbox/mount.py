"""Mounts the sandbox on a `requests` session: the same program without a socket."""

import io
from collections.abc import Iterator
from http.client import HTTPMessage
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse

from fieldcamp.sandbox.app import Sandbox
from fieldcamp.sandbox.http import Dropped

URL = "http://sandbox.test"


class SandboxAdapter(BaseAdapter):
    """Answers requests from the program. Waiting is only counted: past the timeout it is a ReadTimeout, at once."""

    def __init__(self, app: Sandbox) -> None:
        super().__init__()
        self.app = app
        self.waited = 0.0

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Sends a prepared request into the program."""
        waits: list[float] = []
        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answered[:] = [status, headers]

        try:
            pieces = self.app(_environ(request, waits.append), start_response)
            body = pieces if isinstance(pieces, Iterator) else io.BytesIO(b"".join(pieces))
        except Dropped:
            raise requests.exceptions.ConnectionError("Connection aborted: no answer.", request=request) from None
        limit = timeout[1] if isinstance(timeout, tuple) else getattr(timeout, "read_timeout", timeout)
        self.waited += sum(waits)
        if limit is not None and sum(waits) > limit:
            raise requests.exceptions.ReadTimeout(f"Read timed out. (read timeout={limit})", request=request)
        return _response(request, answered[0], answered[1], body if isinstance(body, io.BytesIO) else _Pieces(body))

    def close(self) -> None:
        """Nothing is held open."""


def mount(session: requests.Session, app: Sandbox, url: str = URL) -> SandboxAdapter:
    """All of the session's requests below `url` go to the program; the adapter tells how long they would have taken."""
    adapter = SandboxAdapter(app)
    session.mount(url, adapter)
    return adapter


def _environ(request: requests.PreparedRequest, sleep: Any) -> dict[str, Any]:
    parts = urlsplit(request.url or "")
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = body.read() if hasattr(body, "read") else b"".join(body)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    environ = {
        "REQUEST_METHOD": request.method or "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "RAW_URI": parts.path or "/",
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "sandbox.sleep": sleep,
    }
    for name, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        environ["HTTP_" + name.upper().replace("-", "_")] = text
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _response(
    request: requests.PreparedRequest, status: str, headers: list[tuple[str, str]], body: io.IOBase
) -> requests.Response:
    code, _, reason = status.partition(" ")
    # urllib3 compares what arrives with Content-Length, so a truncated body fails here as it would on the wire.
    raw = HTTPResponse(
        body=body,
        headers=HTTPHeaderDict(headers),
        status=int(code),
        reason=reason,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
        original_response=cast(Any, _Original(headers)),
    )
    response = requests.Response()
    response.status_code, response.reason, response.raw = int(code), reason, raw
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.url, response.request = request.url or "", request
    extract_cookies_to_jar(response.cookies, request, raw)
    return response


class _Pieces(io.RawIOBase):
    """A body that comes in pieces, each when it is asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def read1(self, size: int = -1) -> bytes:
        return self.read(size if size > 0 else 65_536) or b""


class _Original:
    """The little of http.client's response that `requests` reads cookies from."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.msg = HTTPMessage()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """There is nothing to close."""
