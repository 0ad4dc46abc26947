"""The simulated vendors inside this process, as pytest fixtures: no socket, no waiting."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.mount import URL, SandboxAdapter
from integrations.transport.session import mounted

DOMAINS = {"google": "google.test", "microsoft": "outlook.test"}
COMPANY = "9130001"  # Dana's Plumbing at Intuit


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

    def state(self, account: str = "") -> dict[str, Any]:
        return self.call("GET", f"state?vendor={self.vendor}&account={account or self.main}")


def _point_at_sandbox(settings) -> None:
    settings.GOOGLE_ACCOUNTS_URL = f"{URL}/google/accounts"
    settings.GOOGLE_OAUTH2_URL = f"{URL}/google/oauth2"
    settings.GOOGLE_OPENID_URL = f"{URL}/google/openid"
    settings.GOOGLE_API_URL = f"{URL}/google/api"
    settings.MICROSOFT_LOGIN_URL = f"{URL}/microsoft/login"
    settings.MICROSOFT_GRAPH_URL = f"{URL}/microsoft/graph"
    settings.INTUIT_APPCENTER_URL = f"{URL}/intuit/appcenter"
    settings.INTUIT_OAUTH_URL = f"{URL}/intuit/oauth"
    settings.INTUIT_DEVELOPER_API_URL = f"{URL}/intuit/developer"
    settings.INTUIT_ACCOUNTS_URL = f"{URL}/intuit/accounts"
    settings.QUICKBOOKS_API_URL = f"{URL}/intuit/api"
    client = {"client_id": "sandbox-client", "secret": "sandbox-secret"}
    settings.GOOGLE_CLIENT = settings.MICROSOFT_CLIENT = settings.INTUIT_CLIENT = client
    settings.SOCIALACCOUNT_PROVIDERS = {
        slug: {**given, "APPS": [{**client, "key": ""}]} for slug, given in settings.SOCIALACCOUNT_PROVIDERS.items()
    }


@pytest.fixture
def vendors(settings) -> Iterator[Vendors]:
    """A sandbox with its sample accounts and empty calendars."""
    _point_at_sandbox(settings)
    app = create_app(None, "empty")
    adapter = SandboxAdapter(app)
    with mounted(URL, adapter):
        yield Vendors(adapter)
    app.close()
