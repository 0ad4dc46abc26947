"""The page that is answered again and again, each time with a fresh link to the next.

Seen of Graph's delta of a calendar view: https://github.com/microsoftgraph/msgraph-sdk-dotnet/issues/3082
"""

import json
import secrets
import threading
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import Request, Response, json_response


@dataclass(frozen=True)
class Paging:
    """How a vendor's lists go on: `rows` names them, `following` what leads to the next page (a whole address with
    `link`, else a token), `parameter` what brings the token back, `last` what the last page has instead."""

    rows: str
    following: str
    parameter: str
    last: str
    link: bool = False


class Repeats:
    """The tokens that lead to a page once more: each is known by what it was made for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, MultiDict] = {}

    def resolved(self, paging: Paging | None, request: Request) -> Request:
        """The call as it would be without such a token."""
        if paging is None or not self._asked:
            return request
        for name, value in request.query.items(multi=True):
            if name.lower() == paging.parameter.lower() and value in self._asked:
                return replace(request, query=self._asked[value])
        return request

    def again(self, paging: Paging, request: Request, response: Response) -> Response:
        """The same page, which says that there is another: the same. What is no list is left as it is."""
        body = json.loads(response.body) if response.status == 200 and response.body.startswith(b"{") else {}
        if not isinstance(body.get(paging.rows), list):
            return response
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._asked[token] = request.query
        body.pop(paging.last, None)
        address = f"{request.root}{request.path}?{urlencode({paging.parameter: token}, safe='$')}"
        body[paging.following] = address if paging.link else token
        return json_response(body)
