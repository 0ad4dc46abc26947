"""The simulated vendors inside this process, as pytest fixtures: no socket, no waiting."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.mount import URL, SandboxAdapter
from fieldcamp.sandbox.push.wire import Answer, Post
from integrations.providers import PROVIDERS
from integrations.providers.discovery import Endpoint
from integrations.providers.oauth import OAuth
from integrations.transport.session import mounted

DOMAINS = {"google": "google.test", "microsoft": "outlook.test"}
COMPANY = "9130001"  # Dana's Plumbing at Intuit
BOOKS_WRITES = "/(batch|customer|item|invoice|payment)$"  # the writes of books, whether in a batch or one by one


class Vendors:
    """The sandbox's control calls about one of its vendors."""

    def __init__(self, adapter: SandboxAdapter, vendor: str = "google"):
        self.adapter, self.vendor = adapter, vendor
        self.main = f"dana@{DOMAINS[vendor]}" if vendor in DOMAINS else COMPANY
        self.browser = requests.Session()
        self.browser.mount(URL, adapter)

    def at(self, vendor: str) -> "Vendors":
        """The same sandbox, about another vendor."""
        return Vendors(self.adapter, vendor)

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        response = self.browser.request(method, f"{URL}/_control/{path}", **kwargs)
        assert response.ok, response.text
        return response.json()

    def fault(self, kind: str, **spec: Any) -> None:
        self.call("POST", "faults", json={"vendor": self.vendor, "kind": kind, **spec})

    def heal(self) -> None:
        """Whatever trouble is still on order does not come."""
        self.call("DELETE", "faults")

    def reset(self) -> None:
        """As it was in the beginning: the sample accounts with empty calendars."""
        self.call("POST", "reset", json={"seed": "empty"})

    def around(self, wrapper: Callable[[str, Callable[[], Any]], Any]) -> Callable[[], None]:
        """From now on each call goes through `wrapper(path, send)`, until what is returned is called."""
        real = self.adapter.send

        def send(request: requests.PreparedRequest, **kwargs: Any) -> Any:
            return wrapper(urlsplit(request.url).path, lambda: real(request, **kwargs))

        self.adapter.send = send
        return lambda: setattr(self.adapter, "send", real)

    def token(self, account: str = "", scopes: list[str] | None = None) -> dict[str, Any]:
        body = {"vendor": self.vendor, "account": account or self.main, "client_id": "sandbox-client"}
        return self.call("POST", "token", json={**body, **({"scopes": scopes} if scopes else {})})

    def revoke(self, account: str = "") -> None:
        self.call("POST", "revoke", json={"vendor": self.vendor, "account": account or self.main})

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        return [row for row in self.call("GET", f"requests?vendor={self.vendor}") if path in row["path"]]

    def forget_requests(self) -> None:
        self.call("DELETE", "requests")

    def throttle(self, enabled: bool) -> None:
        self.call("POST", "throttle", json={"vendor": self.vendor, "enabled": enabled})

    def advance(self, seconds: float) -> None:
        self.call("POST", "clock", json={"advance_seconds": seconds})

    def deliver_to(self, client: Any, before: Callable[[Post], None] | None = None) -> None:
        """From now on what the vendors send by themselves goes to the product: handshakes at once, the rest on
        `drain()`, whatever host their addresses name. `client` is Django's; `before` hears of each post first."""

        def deliver(post: Post) -> Answer:
            if before:
                before(post)
            parts = urlsplit(post.url)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            headers = {name: value for name, value in post.headers.items() if name.lower() != "content-type"}
            kind = next((value for name, value in post.headers.items() if name.lower() == "content-type"), "")
            try:
                answer = client.generic("POST", path, post.body, content_type=kind, headers=headers, secure=True)
            except Exception as error:
                self.adapter.failed.append(error)  # no vendor would say so: `drain()` does
                raise
            return Answer(answer.status_code, dict(answer.headers), answer.content)

        self.adapter.failed = []
        self.adapter.app.push.wire.deliver = deliver
        self.adapter.app.push.wire.plain_http = True

    def drain(self) -> int:
        """The vendors send what is due by their clock; how many posts. Raises what the product has raised."""
        posts, failed = self.adapter.app.push.drain(), getattr(self.adapter, "failed", [])
        if failed:
            raise failed.pop(0)
        return posts

    def trouble(self, kind: str, account: str = "", **spec: Any) -> dict[str, Any]:
        """Orders trouble with pushes (`/_control/push`), of one account or of any."""
        body = {"vendor": self.vendor, "kind": kind, **spec} | ({"account": account} if account else {})
        return self.call("POST", "push", json=body)

    def deliveries(self, since: int = 0) -> list[dict[str, Any]]:
        """What the vendor has sent by itself, and what became of it."""
        return self.call("GET", f"deliveries?vendor={self.vendor}&since={since}")

    def channels(self) -> list[dict[str, Any]]:
        """The vendor's channels, those that are over too."""
        return self.call("GET", f"channels?vendor={self.vendor}")

    def portal(self, url: str, **spec: Any) -> dict[str, Any]:
        """Enters the app's webhooks at the vendor's developer portal: the endpoint with its `verifier`."""
        return self.call("POST", "webhooks", json={"vendor": self.vendor, "url": url, **spec})["endpoint"]

    def state(self, account: str = "") -> dict[str, Any]:
        return self.call("GET", f"state?vendor={self.vendor}&account={account or self.main}")


def _point_at_sandbox(settings) -> None:
    for name, path in settings.VENDOR_URLS.items():
        setattr(settings, name, URL + path)
    for provider in PROVIDERS.values():
        if isinstance(provider.authentication, OAuth):
            client = {"client_id": "sandbox-client", "secret": "sandbox-secret"}
            setattr(settings, f"{provider.authentication.app}_CLIENT", client)


def _read_documents(vendors: Vendors) -> None:
    """A process reads a vendor's discovery document once a day: in the first test, and no test is to notice."""
    for provider in PROVIDERS.values():
        if isinstance(provider.authentication, OAuth):
            provider.authentication.endpoint(Endpoint.TOKEN)
    vendors.forget_requests()


@pytest.fixture
def sandbox(settings) -> Iterator[Vendors]:
    """A sandbox with its sample accounts and empty calendars."""
    _point_at_sandbox(settings)
    app = create_app(None, "empty")
    adapter = SandboxAdapter(app)
    with mounted(URL, adapter):
        vendors = Vendors(adapter)
        _read_documents(vendors)
        yield vendors
    app.close()


@pytest.fixture
def vendors(sandbox) -> Vendors:
    return sandbox
