"""Reading what came back. A status of 200 alone is no answer: proxies, sign-in pages of networks and the providers' own
front ends give it as well."""

import datetime as dt
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import requests
from urllib3.util import Timeout

from integrations.errors import Unavailable

LONGEST_BODY = 32 * 1024 * 1024  # bytes, unpacked: far more than a page of any provider's has
_CHUNK = 65_536
NO_ANSWER = "The provider's answer was not what it should be."


class Asks(Protocol):
    """What sends a call; `transport.client.HttpClient` is that."""

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response: ...


def time_out(left: float, connect: float, read: float) -> Any:
    """Returns the time-outs of a send, in seconds, as requests takes them: together no more than what is `left`."""
    if left == float("inf"):
        return connect, read
    return Timeout(total=left, connect=min(left, connect), read=min(left, read))


def take_body(response: requests.Response, left: Callable[[], float]) -> None:
    """Reads the body into the response, by what arrives: neither a body that drips nor one that goes on for ever, nor
    one that unpacks to more than anybody sends, may hold us. `left` says how many seconds it may still take (a read
    that waits is ended by `transport.deadlines`). Raises what requests would.
    """
    if vars(response)["_content_consumed"]:
        return  # an adapter that answers in this process has it already
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > LONGEST_BODY:
            raise requests.exceptions.ContentDecodingError("The body is too long.")
        if left() <= 0:
            raise requests.ReadTimeout("The body took too long.")
    # What `stream=False` would have done; a connection whose body was not read to its end would be closed.
    vars(response).update(_content=bytes(body), _content_consumed=True)


def whole_if_json(response: requests.Response) -> None:
    """Raises `Unavailable` where an answer calls itself JSON and is none."""
    if "json" in response.headers.get("Content-Type", "") and response.content:
        _parsed(response)


def json_object(response: requests.Response) -> dict[str, Any]:
    """Returns the answer's JSON object. Anything else comes from a proxy in between: Unavailable."""
    body = _parsed(response)
    if not isinstance(body, dict):
        raise Unavailable(NO_ANSWER, detail=str(response.status_code))
    return body


def _parsed(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):  # RecursionError: some thousand brackets
        raise Unavailable(NO_ANSWER, detail=str(response.status_code)) from None


def ask(
    http: Asks, method: str, url: str, *, check: Callable[[dict[str, Any]], object] | None = None, **kwargs: Any
) -> dict[str, Any]:
    """Returns the JSON object that a call is answered with. What is none, or what `check` raises `Unavailable` for,
    counts as an answer that was lost: a call that may be sent twice is."""
    found: dict[str, Any] = {}

    def whole(response: requests.Response) -> None:
        body = json_object(response)
        if check:
            check(body)
        found.clear()
        found.update(body)

    http.request(method, url, whole=whole, **kwargs)
    return found


def rows_in(name: str, *, id: str = "") -> Callable[[dict[str, Any]], None]:
    """Builds a check: the name holds a list; with an `id`, one of objects that each have a text under that. (Of a long
    list one odd row is that row's fault, and not the list's.)"""

    def check(body: dict[str, Any]) -> None:
        rows = body.get(name)
        if not isinstance(rows, list):
            raise Unavailable(NO_ANSWER, detail=f"{name} is no list.")
        if id and not all(isinstance(row, dict) and isinstance(row.get(id), str) for row in rows):
            raise Unavailable(NO_ANSWER, detail=f"{name} holds what is no record.")

    return check


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds, whole or not, or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):  # what is no day, or none that there is a number for
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 0.0), 86_400.0) if seconds == seconds else None
