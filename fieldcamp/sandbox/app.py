"""The WSGI program: every vendor behind its prefix, control beside them."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import Headers

from fieldcamp.sandbox import pages
from fieldcamp.sandbox.control import Control
from fieldcamp.sandbox.faults import Faults
from fieldcamp.sandbox.google import Google
from fieldcamp.sandbox.http import BadInput, Dropped, Request, Response, Sleep, compressed, json_response
from fieldcamp.sandbox.intuit import Intuit
from fieldcamp.sandbox.microsoft import Microsoft
from fieldcamp.sandbox.push.pushes import Pushes
from fieldcamp.sandbox.state import Clock, State
from fieldcamp.sandbox.traffic import LONGEST, USUAL, Latency, RequestLog
from fieldcamp.sandbox.vendor import Vendor

log = logging.getLogger("fieldcamp.sandbox")

VENDORS = (Google, Microsoft, Intuit)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Sandbox:
    """The program and everything it remembers. Thread-safe."""

    def __init__(self, state_path: str | None, seed: str, clock: Clock | None, as_slow_as_usual: bool) -> None:
        self.state = State(state_path, clock)
        self.faults = Faults()
        self.log = RequestLog()
        self.latency = Latency(USUAL if as_slow_as_usual else {})
        self.push = Pushes(self.state)
        self.consent_hosts: dict[str, list[str]] = {}  # by the vendor's name
        self.vendors: dict[str, Vendor] = {kind.name: kind(self.state, self.faults, self.push) for kind in VENDORS}
        self.control = Control(self)
        if self.state.get("seed") is None:
            self.reset(seed)

    def reset(self, seed: str) -> None:
        """Fresh state: every token dead, no faults, the usual waiting, quotas on."""
        with self.state.transaction():
            self.state.clear()
            for vendor in self.vendors.values():
                vendor.seed(seed)
            self.state.put("seed", seed)
        self.faults.clear()
        self.log.clear()
        self.latency.clear()
        self.consent_hosts.clear()
        for vendor in self.vendors.values():
            vendor.forget()
            vendor.throttled = True

    def close(self) -> None:
        """Closes the state file. Messages that wait are sent by the next sandbox that opens it."""
        self.push.courier.stop()
        self.state.close()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = Request.from_environ(environ)
        except BadInput as error:
            response = json_response({"error": str(error)}, 400)
        else:
            response = self._safe_answer(self._below_its_prefix(request))
            response = compressed(request, response)
        body = response.body
        no_body = response.status in (204, 304)
        if not no_body and response.endless is None:
            response.headers["Content-Length"] = str(len(body))
        phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else "Unknown"
        start_response(f"{response.status} {phrase}", list(response.headers))
        if no_body or environ["REQUEST_METHOD"] == "HEAD":
            return [b""]
        if response.endless is not None:
            return _for_ever(body, response.endless, request.sleep)
        return [body if response.cut is None else body[: len(body) // 2]]

    def _below_its_prefix(self, request: Request) -> Request:
        """Takes a call to a host of a vendor's own, `graph.microsoft.localhost`, for one below `/microsoft/graph`: some
        of the vendors' clients drop a path from the root address that they are given."""
        parts = (urlsplit(request.root).hostname or "").split(".")
        if len(parts) != 3 or parts[1] not in self.vendors or parts[2] != "localhost":
            return request
        prefix = f"/{parts[1]}/{parts[0]}"
        known = request.path == prefix or request.path.startswith((f"{prefix}/", "/_control/", "/static/"))
        return request if known else replace(request, path=f"{prefix}{request.path}")

    def _safe_answer(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Dropped:
            raise
        except BadInput as error:
            return json_response({"error": str(error)}, 400)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            return json_response({"error": "The sandbox itself failed; its log says more."}, 500)

    def _answer(self, request: Request) -> Response:
        head = request.path.split("/", 2)[1]
        if request.method not in ("GET", "HEAD") and _from_another_site(request):
            return json_response({"error": "Refused: the request comes from another site."}, 403)
        if head == "":
            return pages.index(self.vendors.values())
        if head == "static":
            return pages.static(request.path)
        if head == "favicon.ico":
            return Response(204)
        if head == "_control":
            return self.control.handle(request)
        vendor = self.vendors.get(head)
        if vendor is None:
            return json_response({"error": "There is no such vendor."}, 404)
        if request.path.split("/")[2:3] == ["ui"]:
            return vendor.page(request)
        try:
            return self._vendor_answer(vendor, request)
        finally:
            for end in request.at_end:
                end()

    def _vendor_answer(self, vendor: Vendor, request: Request) -> Response:
        """The vendor's answer with the faults and the waiting that are on order; written to the log either way."""
        response = None
        try:
            elsewhere = self._consent_elsewhere(vendor, request)
            response = elsewhere or self.faults.around(vendor, request, vendor.handle)
        finally:
            self.log.add(
                at=self.state.now(),
                vendor=vendor.name,
                method=request.method,
                path=request.plain_path,
                query="&".join(f"{name}={value}" for name, value in request.query.items(multi=True)),
                status=response.status if response else 0,
                bytes_in=len(request.body),
                bytes_out=len(response.body) if response else 0,
                items=response.items if response else 1,
            )
        wait, longest = self.latency.seconds(vendor.name, response.items, response.writes), LONGEST.get(vendor.name)
        if longest and wait > longest:
            wait, response = longest, vendor.error_response(504)
        if wait:
            request.sleep(wait)
        return response

    def _consent_elsewhere(self, vendor: Vendor, request: Request) -> Response | None:
        """Leads the browser from one of the vendor's hosts to the next before the page of consent is shown."""
        hosts = self.consent_hosts.get(vendor.name, [])
        position = hosts.index(request.root) + 1 if request.root in hosts else 0
        if request.method != "GET" or not vendor.consent_path.fullmatch(request.path) or position == len(hosts):
            return None
        query = urlencode([*request.query.items(multi=True)])
        return Response(302, headers=Headers({"Location": f"{hosts[position]}{request.path}?{query}"}))


def create_app(
    state_path: str | None = None, seed: str = "demo", clock: Clock | None = None, as_slow_as_usual: bool = False
) -> Sandbox:
    """The sandbox as a WSGI program. Without a path it forgets everything at the end; `clock` gives epoch seconds.

    With `as_slow_as_usual` answers take what they take at the vendors until `/_control/latency` says otherwise.
    """
    return Sandbox(state_path, seed, clock, as_slow_as_usual)


def _for_ever(body: bytes, seconds: float, sleep: Sleep) -> Iterator[bytes]:
    """The body, and behind it blanks: whoever waits for the end of an answer before reading it waits for ever."""
    yield body
    while True:
        if seconds:
            sleep(seconds)
        yield b" " if seconds else b" " * 65_536


def _from_another_site(request: Request) -> bool:
    """Whether a browser sent this on behalf of a foreign page, which must not be able to change anything here."""
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != urlsplit(request.root).netloc
