"""A receiver in this process: what it was sent, and how it answers."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fieldcamp.sandbox.app import Sandbox
from fieldcamp.sandbox.push.wire import Answer, Post

from ..conftest import Client, Google, Outlook
from ..intuit.conftest import QuickBooks, books, northern  # noqa: F401  fixtures

URL = "https://fieldcamp.test/push"


class Receiver:
    """Takes posts. `status` is what it answers, `seconds` how long it takes."""

    def __init__(self, app: Sandbox) -> None:
        self.app, self.posts, self.status, self.seconds = app, [], 200, 0.0
        self.handshakes: list[str] = []
        app.push.wire.deliver = self.deliver

    def deliver(self, post: Post) -> Answer:
        query = parse_qs(urlsplit(post.url).query)
        if "validationToken" in query:
            self.handshakes.append(post.url)
            token = query["validationToken"][0]
            return Answer(self.status, {"Content-Type": "text/plain"}, token.encode(), self.seconds)
        self.posts.append(post)
        return Answer(self.status, {}, b"", self.seconds)

    def drain(self) -> list[Post]:
        """What is sent until nothing more is due."""
        before = len(self.posts)
        self.app.push.drain()
        return self.posts[before:]

    def states(self) -> list[str]:
        """Google's: what the messages say."""
        return [post.headers["X-Goog-Resource-State"] for post in self.drain()]

    def items(self) -> list[dict[str, Any]]:
        """Microsoft's: the items of all posts."""
        return [item for post in self.drain() for item in json.loads(post.body)["value"]]

    def events(self) -> list[tuple[str, str, str]]:
        """Intuit's, as CloudEvents: type, company and record."""
        found = [event for post in self.drain() for event in json.loads(post.body)]
        return [(event["type"], event["intuitaccountid"], event["intuitentityid"]) for event in found]


@pytest.fixture
def receiver(app: Sandbox) -> Receiver:
    return Receiver(app)


def advance(client: Client, seconds: float) -> None:
    """Moves the sandbox's clock."""
    assert client.control("clock", {"advance_seconds": seconds}).status_code == 200


def order(client: Client, kind: str, **more: Any) -> dict[str, Any]:
    """Trouble with pushes."""
    response = client.control("push", {"vendor": client.vendor, "kind": kind, **more})
    assert response.status_code == 200, response.text
    return response.json()


def outcomes(client: Client, **query: Any) -> list[str]:
    """What became of everything that was sent about changes."""
    rows = client.control("deliveries", method="GET", vendor=client.vendor, **query).json()
    return [row["outcome"] for row in rows if row["kind"] == "change"]


def channels(client: Client, **query: Any) -> list[dict[str, Any]]:
    """The channels of the vendor."""
    return client.control("channels", method="GET", vendor=client.vendor, **query).json()


def watch(google: Google, channel_id: str = "one", calendar: str = "primary", **more: Any) -> Any:
    """The answer to a watch."""
    body = {"id": channel_id, "type": "web_hook", "address": f"{URL}/google", "token": "secret"}
    return google.call("POST", f"calendars/{calendar}/events/watch", body | more)


def subscribe(outlook: Outlook, resource: str = "me/events", **more: Any) -> Any:
    """The answer to a subscription, for two days from noon of the tests' clock."""
    return outlook.call(
        "POST",
        "subscriptions",
        {
            "changeType": "created,updated,deleted",
            "notificationUrl": f"{URL}/microsoft",
            "lifecycleNotificationUrl": f"{URL}/microsoft",
            "resource": resource,
            "expirationDateTime": "2026-11-24T12:00:00.0000000Z",
            "clientState": "secret",
        }
        | more,
    )


def portal(client: QuickBooks, **spec: Any) -> dict[str, Any]:
    """Intuit's portal with an endpoint."""
    body = {"vendor": "intuit", "url": f"{URL}/intuit", "verifier": "verifier-token"}
    response = client.control("webhooks", body | spec)
    assert response.status_code == 200, response.text
    return response.json()["endpoint"]
