"""Whatever is sent to open a channel, the answer is the vendor's and never the sandbox's own failure."""

import pytest

from fieldcamp.sandbox.push.wire import Answer

from .conftest import portal, subscribe, watch

JUNK = [
    None, True, 0, -1, 10**30, 1.5e308, "", " ", "\x00", "ä" * 3000, "a" * 100_000, "../..", "'; DROP TABLE p_channels",
    "https://[::1", "https://\u202e.test", "http://169.254.169.254/", "https://x.test/\r\nX: y", "9999-12-31T00:00:00Z",
    "0001-01-01T00:00:00+23:59", [], [[]], {}, {"a": {"b": []}}, ["created"], "created," * 1000,
]  # fmt: skip
REFUSED = (400, 401, 403, 404)


@pytest.mark.parametrize("name", ["id", "type", "address", "token", "params", "expiration", "payload", "kind"])
def test_watch(google, receiver, name):
    for n, value in enumerate(JUNK):
        response = watch(google, **{"channel_id": f"c{n}"} | {name: value})
        assert response.status_code in (200, *REFUSED), (value, response.text)
    for value in JUNK:
        response = watch(google, f"p{JUNK.index(value)}", params={"ttl": value})
        assert response.status_code in (200, *REFUSED), (value, response.text)
    receiver.drain()


@pytest.mark.parametrize("name", ["id", "resourceId"])
def test_stop(google, receiver, name):
    answer = watch(google).json()
    for value in JUNK:
        assert google.call("POST", "channels/stop", answer | {name: value}).status_code in REFUSED
    assert google.call("POST", "channels/stop", answer).status_code == 204


@pytest.mark.parametrize(
    "name",
    ["changeType", "notificationUrl", "lifecycleNotificationUrl", "resource", "expirationDateTime", "clientState",
     "latestSupportedTlsVersion", "includeResourceData", "notificationQueryOptions"],
)  # fmt: skip
def test_subscriptions(outlook, receiver, name):
    for value in JUNK:
        response = subscribe(outlook, **{name: value})
        assert response.status_code in (201, *REFUSED), (value, response.text)
    made = subscribe(outlook).json()
    for value in JUNK:
        response = outlook.call("PATCH", f"subscriptions/{made['id']}", {name: value})
        assert response.status_code in (200, *REFUSED), (value, response.text)
    outlook.create()
    receiver.drain()


@pytest.mark.parametrize("path", ["subscriptions/x/y/z", "subscriptions/%00", "subscriptionsx", "subscriptions/'"])
def test_addresses_beside_the_subscriptions(outlook, receiver, path):
    for verb in ("GET", "POST", "PATCH", "DELETE", "PUT"):
        assert outlook.call(verb, path).status_code in (*REFUSED, 405)


def test_bodies_that_are_no_objects(google, outlook, receiver):
    for body in ([], "text", 5):
        assert google.call("POST", "calendars/primary/events/watch", body).status_code == 400
        assert google.call("POST", "channels/stop", body).status_code == 400
        assert outlook.call("POST", "subscriptions", body).status_code == 400
        for call in ("push", "webhooks"):
            assert google.control(call, body).status_code == 400


@pytest.mark.parametrize("name", ["url", "format", "entities", "aggregate_seconds", "verifier"])
def test_the_portal(books, receiver, name):
    portal(books)
    for value in JUNK:
        body = {"vendor": "intuit", name: value}
        assert books.control("webhooks", body).status_code in (200, 400), value
    books.create("customer", DisplayName="Still here")
    receiver.drain()


def test_a_receiver_whose_answers_are_strange(google, receiver, app):
    watch(google)
    for answer in (Answer(999), Answer(-1), Answer(200, {"\n": "x"}, b"\xff" * 100_000), None, "text"):
        app.push.wire.deliver = lambda post, answer=answer: answer
        google.insert()
        app.push.drain()
    rows = google.control("deliveries", method="GET").json()
    assert {row["outcome"] for row in rows} <= {"delivered", "lost"}
