"""Where the product that is asked runs, and how what a network would carry gets there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter


@dataclass(frozen=True, slots=True)
class Place:
    """A running product with the vendors simulated beside it.

    `url` is what people reach it under (https), `plain_url` the same host without TLS. `mount` lets a session reach
    both and the simulator, `finish` returns when a job is over, `log` is everything that its processes have logged.
    """

    url: str
    plain_url: str
    sandbox_url: str
    mount: Callable[[requests.Session], None]
    finish: Callable[[str], None]
    log: Callable[[], str]


class TlsProxy(HTTPAdapter):
    """Stands in for the proxy that ends TLS in front of the product: passes requests to https on in clear, and says so
    in `X-Forwarded-Proto`. What people see of an answer is the address that they asked for."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends the request to the same host and port, without TLS."""
        inner = request.copy()
        inner.url = urlsplit(request.url or "")._replace(scheme="http").geturl()
        inner.headers["X-Forwarded-Proto"] = "https"
        response = super().send(inner, *args, **kwargs)
        response.url, response.request = request.url or "", request
        return response
