"""The control calls about what vendors send by themselves: channels, deliveries, trouble, Intuit's portal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.http import BadInput, Request
from fieldcamp.sandbox.vendor import WebhookPortal

if TYPE_CHECKING:
    from fieldcamp.sandbox.app import Sandbox

LONGEST_DELAY = 366 * 86400
MOST_AT_ONCE = 10_000


class PushControl:
    """One method per call."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.sandbox = sandbox
        self.calls: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "deliveries"): self.deliveries,
            ("GET", "channels"): self.channels,
            ("POST", "push"): self.push,
            ("DELETE", "push"): self.clear,
            ("POST", "drain"): self.drain,
            ("GET", "webhooks"): self.webhooks,
            ("POST", "webhooks"): self.set_webhooks,
            ("DELETE", "webhooks"): self.remove_webhooks,
        }

    def deliveries(self, request: Request) -> list[dict[str, Any]]:
        since = request.query.get("since", "0")
        if not (since.isascii() and since.isdecimal()) or len(since) > 12:
            raise BadInput("since must be the number (n) of a delivery.")
        vendor, account = self._vendor(request.query.get("vendor")), request.query.get("account")
        return self.sandbox.push.deliveries(vendor, int(since), account)

    def channels(self, request: Request) -> list[dict[str, Any]]:
        vendor = self._vendor(request.query.get("vendor"))
        return self.sandbox.push.channels(vendor, request.query.get("account"))

    def push(self, request: Request) -> dict[str, Any]:
        body = _known(request.json_object(), "vendor", "account", "kind", "times", "seconds")
        vendor = self._vendor(body.get("vendor"))
        if vendor is None:
            raise BadInput("vendor is missing.")
        kind, account = body.get("kind"), body.get("account")
        if not isinstance(kind, str) or not kind:
            raise BadInput("kind is missing or not a string.")
        if account is not None and (not isinstance(account, str) or not account):
            raise BadInput("account must be a string.")
        times, seconds = body.get("times", 1), body.get("seconds", 0)
        if type(times) is not int or not 1 <= times <= MOST_AT_ONCE:
            raise BadInput(f"times must be a whole number from 1 to {MOST_AT_ONCE}.")
        if type(seconds) not in (int, float) or not 0 <= seconds <= LONGEST_DELAY:
            raise BadInput(f"seconds must be a number from 0 to {LONGEST_DELAY}.")
        if kind == "delay" and not seconds:
            raise BadInput("Say by how many seconds.")
        return self.sandbox.push.order(vendor, account, kind, times, float(seconds))

    def clear(self, request: Request) -> dict[str, Any]:
        """No trouble with pushes is on order any more."""
        self.sandbox.push.clear_orders()
        return {}

    def drain(self, request: Request) -> dict[str, Any]:
        """Sends what is due, now and here; for a sandbox that is served it happens by itself."""
        if self.sandbox.push.courier.running:
            raise BadInput("This sandbox sends by itself.")
        return {"posts": self.sandbox.push.drain()}

    def webhooks(self, request: Request) -> dict[str, Any]:
        return {"endpoint": self._portal(request.query.get("vendor")).webhook()}

    def set_webhooks(self, request: Request) -> dict[str, Any]:
        body = _known(request.json_object(), "vendor", "url", "format", "entities", "aggregate_seconds", "verifier")
        return {"endpoint": self._portal(body.pop("vendor", None)).set_webhook(body)}

    def remove_webhooks(self, request: Request) -> dict[str, Any]:
        self._portal(request.query.get("vendor")).set_webhook(None)
        return {"endpoint": None}

    def _portal(self, name: Any) -> WebhookPortal:
        vendor: object = self.sandbox.vendors[self._vendor(name) or "intuit"]
        if not isinstance(vendor, WebhookPortal):
            raise BadInput("This vendor has no portal for webhooks.")
        return vendor

    def _vendor(self, name: Any) -> str | None:
        if name is not None and name not in list(self.sandbox.vendors):
            raise BadInput(f"vendor must be one of {', '.join(self.sandbox.vendors)}.")
        return name


def _known(body: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in body:
        if name not in names:
            raise BadInput(f"Unknown field {name!r}.")
    return body
