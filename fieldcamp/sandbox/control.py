"""`/_control/*`: what tests and demos do to the sandbox itself."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox import id_token
from fieldcamp.sandbox.control_push import PushControl
from fieldcamp.sandbox.http import BadInput, Request, Response, json_response
from fieldcamp.sandbox.traffic import Pace
from fieldcamp.sandbox.vendor import AppCertificates, Bookkeeping, Invitations, SecurityEvents, Sharing, Trash, Vendor

if TYPE_CHECKING:
    from fieldcamp.sandbox.app import Sandbox

SEEDS = ("demo", "messy", "empty")
MAX_BULK = 1_000_000
_ROOT = re.compile(r"https?://[\w.:-]+")


class Control:
    """One method per call of the table in the sandbox's documentation."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.sandbox = sandbox
        self._calls: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("POST", "reset"): self.reset,
            ("GET", "requests"): self.requests,
            ("DELETE", "requests"): self.clear_requests,
            ("POST", "faults"): self.add_fault,
            ("DELETE", "faults"): self.clear_faults,
            ("POST", "latency"): self.latency,
            ("POST", "throttle"): self.throttle,
            ("POST", "clock"): self.clock,
            ("POST", "token"): self.token,
            ("POST", "revoke"): self.revoke,
            ("POST", "switches"): self.switches,
            ("POST", "consent_hosts"): self.consent_hosts,
            ("POST", "bulk"): self.bulk,
            ("POST", "restore"): self.restore,
            ("POST", "share"): self.share,
            ("POST", "leave"): self.leave,
            ("POST", "invite"): self.invite,
            ("POST", "security_event"): self.security_event,
            ("POST", "service_account"): self.service_account,
            ("POST", "rotate_keys"): self.rotate_keys,
            ("POST", "certificate"): self.certificate,
            ("POST", "record"): self.record,
            ("POST", "merge"): self.merge,
            ("GET", "state"): self.state,
            **PushControl(sandbox).calls,
        }

    def handle(self, request: Request) -> Response:
        """Answers a control call with JSON; a mistake in it is a 400 with a sentence."""
        name = request.path.removeprefix("/_control/").rstrip("/")
        call = self._calls.get((request.method, name))
        if call is None:
            known = any(name == other for _, other in self._calls)
            status, text = (405, "This call does not take that method.") if known else (404, "There is no such call.")
            return json_response({"error": text}, status)
        try:
            return json_response(call(request))
        except BadInput as error:
            return json_response({"error": str(error)}, 400)

    def reset(self, request: Request) -> dict[str, Any]:
        body = _body(request, "seed")
        seed = body.get("seed", "demo")
        if seed not in SEEDS:
            raise BadInput(f"seed must be one of {', '.join(SEEDS)}.")
        self.sandbox.reset(seed)
        return {"seed": seed}

    def requests(self, request: Request) -> list[dict[str, Any]]:
        since = request.query.get("since", "0")
        if not since.isdecimal() or len(since) > 12:
            raise BadInput("since must be the number (n) of a request.")
        vendor = self._vendor_name(request.query.get("vendor"))
        return self.sandbox.log.entries(vendor, int(since))

    def clear_requests(self, request: Request) -> dict[str, Any]:
        self.sandbox.log.clear()
        return {}

    def add_fault(self, request: Request) -> dict[str, Any]:
        body = request.json_object()
        self._vendor_name(body.get("vendor"))
        return self.sandbox.faults.add(body, self.sandbox.state.now())

    def clear_faults(self, request: Request) -> dict[str, Any]:
        """All of them, or the one that `n` names."""
        n = request.query.get("n")
        if n is not None and not (n.isdecimal() and len(n) <= 12):
            raise BadInput("n must be the number of a fault.")
        self.sandbox.faults.clear(None if n is None else int(n))
        return {}

    def latency(self, request: Request) -> dict[str, Any]:
        names = ("per_request_ms", "per_item_ms", "per_write_ms")
        body = _body(request, "vendor", *names)
        vendor = self._vendor_name(body.get("vendor"))
        values = {name: _number(body, name, 0, 600_000) for name in names}
        self.sandbox.latency.set(vendor, Pace(**values))
        return {"vendor": vendor, **values}

    def throttle(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "enabled")
        name = self._vendor_name(body.get("vendor"))
        enabled = body.get("enabled")
        if not isinstance(enabled, bool):
            raise BadInput("enabled must be true or false.")
        for vendor in self.sandbox.vendors.values():
            if name in (None, vendor.name):
                vendor.throttled = enabled
        return {"vendor": name, "enabled": enabled}

    def clock(self, request: Request) -> dict[str, Any]:
        body = _body(request, "advance_seconds")
        if "advance_seconds" not in body:
            raise BadInput("advance_seconds is missing.")
        limit = 50 * 366 * 86400  # further would leave the years that dates can name
        self.sandbox.state.advance(_number(body, "advance_seconds", -limit, limit))
        self.sandbox.push.courier.wake()
        return {"now": self.sandbox.state.now()}

    def token(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "scopes", "client_id")
        scopes = body.get("scopes")
        if isinstance(scopes, str):
            scopes = scopes.split()
        if scopes is not None and not (isinstance(scopes, list) and all(isinstance(s, str) for s in scopes)):
            raise BadInput("scopes must be a list of strings.")
        client_id = _string(body, "client_id") if body.get("client_id") is not None else None
        return self._vendor(body).token(_string(body, "account"), scopes, client_id)

    def revoke(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account")
        return {"revoked": self._vendor(body).revoke(_string(body, "account"))}

    def switches(self, request: Request) -> dict[str, Any]:
        body = request.json_object()
        values = {name: value for name, value in body.items() if name not in ("vendor", "account")}
        account = _string(body, "account") if body.get("account") is not None else None
        return self._vendor(body).switch(account, values)

    def consent_hosts(self, request: Request) -> dict[str, Any]:
        """Sets through which further hosts of the vendor a browser is led before its page of consent."""
        body = _body(request, "vendor", "hosts")
        vendor, hosts = self._vendor(body), body.get("hosts")
        if not isinstance(hosts, list) or not all(isinstance(host, str) and _ROOT.fullmatch(host) for host in hosts):
            raise BadInput("hosts must be a list of addresses such as http://login.localhost:8001.")
        self.sandbox.consent_hosts[vendor.name] = hosts
        return {"vendor": vendor.name, "hosts": hosts}

    def bulk(self, request: Request) -> dict[str, Any]:
        body = request.json_object()
        """Many records at once, of which one message tells for each hundred, or for as many as `rows_per_push` says;
        with 0 there is none."""
        own = ("vendor", "account", "rows_per_push")
        counts = {name: value for name, value in body.items() if name not in own}
        if not counts:
            raise BadInput("Say how many of what, e.g. events.")
        for name, value in counts.items():
            if type(value) is not int or not 0 <= value <= MAX_BULK:
                raise BadInput(f"{name} must be a whole number up to {MAX_BULK}.")
        rows = int(_number({"rows_per_push": 100} | body, "rows_per_push", 0, MAX_BULK))
        with self.sandbox.push.counting(rows):
            return self._vendor(body).bulk(_string(body, "account"), counts)

    def restore(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "event")
        vendor: object = self._vendor(body)
        if not isinstance(vendor, Trash):
            raise BadInput("This vendor keeps no calendars.")
        return vendor.restore(_string(body, "account"), _string(body, "event"))

    def share(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "calendar", "with", "role")
        calendar = _string(body, "calendar") if body.get("calendar") else ""
        role = _string(body, "role") if body.get("role") is not None else None
        return self._sharing(body).share(_string(body, "account"), calendar, _string(body, "with"), role)

    def leave(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "calendars_end_after_seconds")
        seconds = _number(body, "calendars_end_after_seconds", 0, 366 * 86400)
        self._sharing(body).leave(_string(body, "account"), seconds)
        return {"calendars_end_after_seconds": seconds}

    def invite(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "event", "with")
        vendor: object = self._vendor(body)
        if not isinstance(vendor, Invitations):
            raise BadInput("This vendor invites nobody to a single occurrence.")
        return vendor.invite(_string(body, "account"), _string(body, "event"), _string(body, "with"))

    def security_event(self, request: Request) -> dict[str, Any]:
        more = ("client_id", "reason", "state", "token", "token_identifier_alg")
        body = _body(request, "vendor", "account", "event", *more)
        given = {name: _string(body, name) for name in more if body.get(name) is not None}
        return self._telling(body).security_event(_string(body, "account"), _string(body, "event"), given)

    def service_account(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "configures")
        configures = body.get("configures", True)
        if not isinstance(configures, bool):
            raise BadInput("configures must be true or false.")
        return self._telling(body).service_account(configures)

    def rotate_keys(self, request: Request) -> dict[str, Any]:
        """All vendors sign with another key from now on."""
        _body(request)
        return {"kid": id_token.rotate(self.sandbox.state)}

    def certificate(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "client_id", "certificate", "registered")
        vendor: object = self._vendor(body)
        registered = body.get("registered", True)
        if not isinstance(vendor, AppCertificates):
            raise BadInput("This vendor knows apps by their secrets alone.")
        if not isinstance(registered, bool):
            raise BadInput("registered must be true or false.")
        return vendor.certificate(_string(body, "client_id"), _string(body, "certificate"), registered)

    def record(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "entity", "id", "body")
        if "body" not in body or not isinstance(body["body"], dict | None):
            raise BadInput("body must be an object, or null.")
        return self._books(body).record(
            _string(body, "account"), _string(body, "entity"), _string(body, "id"), body["body"]
        )

    def merge(self, request: Request) -> dict[str, Any]:
        body = _body(request, "vendor", "account", "entity", "from", "into")
        kept, lost = _string(body, "into"), _string(body, "from")
        return self._books(body).merge(_string(body, "account"), _string(body, "entity"), kept, lost)

    def state(self, request: Request) -> dict[str, Any]:
        vendor = self._vendor({"vendor": request.query.get("vendor")})
        return vendor.dump(request.query.get("account"))

    def _sharing(self, body: dict[str, Any]) -> Sharing:
        vendor: object = self._vendor(body)
        if not isinstance(vendor, Sharing):
            raise BadInput("This vendor keeps no calendars.")
        return vendor

    def _telling(self, body: dict[str, Any]) -> SecurityEvents:
        vendor: object = self._vendor(body)
        if not isinstance(vendor, SecurityEvents):
            raise BadInput("This vendor tells of nothing by itself.")
        return vendor

    def _books(self, body: dict[str, Any]) -> Bookkeeping:
        vendor: object = self._vendor(body)
        if not isinstance(vendor, Bookkeeping):
            raise BadInput("This vendor keeps no books.")
        return vendor

    def _vendor(self, body: dict[str, Any]) -> Vendor:
        name = _string(body, "vendor")
        self._vendor_name(name)
        return self.sandbox.vendors[name]

    def _vendor_name(self, name: Any) -> str | None:
        if name is not None and name not in list(self.sandbox.vendors):
            raise BadInput(f"vendor must be one of {', '.join(self.sandbox.vendors)}.")
        return name


def _body(request: Request, *known: str) -> dict[str, Any]:
    body = request.json_object()
    for name in body:
        if name not in known:
            raise BadInput(f"Unknown field {name!r}.")
    return body


def _string(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"{name} is missing or not a string.")
    return value


def _number(body: dict[str, Any], name: str, low: float, high: float) -> float:
    value = body.get(name, 0)
    if type(value) not in (int, float) or not low <= value <= high:
        raise BadInput(f"{name} must be a number from {low} to {high}.")
    return value
