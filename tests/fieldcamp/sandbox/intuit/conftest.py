"""A simulated company's books as an app sees them."""

from typing import Any

import pytest
import requests

from fieldcamp.sandbox.app import Sandbox
from fieldcamp.sandbox.mount import mount

from ..conftest import Client

PLUMBING, NORTHERN = "9130001", "9130002"


class QuickBooks(Client):
    """The accounting API of one company."""

    vendor, account = "intuit", PLUMBING

    @property
    def path(self) -> str:
        return f"intuit/api/v3/company/{self.account}"

    def call(self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any) -> requests.Response:
        headers = {"Accept": "application/json"} | (headers or {})
        return super().call(method, path, body, headers, **query)

    def post(self, segment: str, body: Any, **query: Any) -> requests.Response:
        return self.call("POST", segment, body, **query)

    def create(self, segment: str, body: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """The object as it is answered."""
        return self._object(self.post(segment, (body or {}) | fields))

    def get(self, segment: str, object_id: str) -> dict[str, Any]:
        return self._object(self.call("GET", f"{segment}/{object_id}"))

    def single(self, segment: str) -> dict[str, Any]:
        return self._object(self.call("GET", segment))

    def change(self, segment: str, known: dict[str, Any], **fields: Any) -> requests.Response:
        """A sparse update."""
        return self.post(segment, {"Id": known["Id"], "SyncToken": known["SyncToken"], "sparse": True} | fields)

    def changed(self, segment: str, known: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self._object(self.change(segment, known, **fields))

    def void(self, segment: str, known: dict[str, Any]) -> requests.Response:
        body = {"Id": known["Id"], "SyncToken": known["SyncToken"]}
        if segment == "payment":
            return self.post(segment, body | {"sparse": True}, operation="update", include="void")
        return self.post(segment, body, operation="void")

    def delete(self, segment: str, known: dict[str, Any]) -> requests.Response:
        return self.post(segment, {"Id": known["Id"], "SyncToken": known["SyncToken"]}, operation="delete")

    def query(self, statement: str) -> dict[str, Any]:
        response = self.call("GET", "query", query=statement)
        assert response.status_code == 200, response.text
        return response.json()["QueryResponse"]

    def switch(self, **values: Any) -> None:
        response = self.control("switches", {"vendor": "intuit", "account": self.account} | values)
        assert response.status_code == 200, response.text

    def _object(self, response: requests.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        (found,) = (value for name, value in response.json().items() if name != "time")
        return found


class Northern(QuickBooks):
    """The same of the Canadian company."""

    account = NORTHERN


def code(response: requests.Response) -> tuple[int, str]:
    """What a client branches on."""
    return response.status_code, response.json()["Fault"]["Error"][0]["code"]


@pytest.fixture
def books(app: Sandbox) -> QuickBooks:
    """An app with access to the plumbing company, whose books are still empty."""
    session = requests.Session()
    client = QuickBooks(session, mount(session, app))
    client.control("throttle", {"vendor": "intuit", "enabled": False})
    client.sign_in()
    return client


@pytest.fixture
def northern(books: QuickBooks) -> Northern:
    """The same app at the Canadian company."""
    client = Northern(books.session, books.adapter)
    client.sign_in()
    return client
