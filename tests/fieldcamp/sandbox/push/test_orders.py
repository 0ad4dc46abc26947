"""Trouble with pushes on demand, and the list of deliveries."""

import json

import pytest

from .conftest import advance, channels, order, outcomes, portal, subscribe, watch


class AtGoogle:
    """A channel; what a message is known by is its number."""

    def __init__(self, client, receiver):
        self.client, self.receiver = client, receiver
        client.control("switches", {"vendor": "google", "push_twice": 0})
        watch(client)
        receiver.drain()

    def change(self, n):
        self.client.insert(summary=str(n))

    def told(self):
        return [post.headers["X-Goog-Message-Number"] for post in self.receiver.drain()]


class AtMicrosoft:
    """A subscription; a message is known by its event."""

    def __init__(self, client, receiver):
        self.client, self.receiver = client, receiver
        subscribe(client)

    def change(self, n):
        self.client.create(subject=str(n))

    def told(self):
        return [item["resourceData"]["id"] for item in self.receiver.items()]


class AtIntuit:
    """The portal's endpoint; a message is known by its record."""

    def __init__(self, client, receiver):
        self.client, self.receiver = client, receiver
        portal(client)

    def change(self, n):
        self.client.create("customer", DisplayName=f"Customer {n}")

    def told(self):
        return [event["intuitentityid"] for post in self.receiver.drain() for event in json.loads(post.body)]


@pytest.fixture(params=["google", "outlook", "books"])
def vendor(request, receiver):
    kinds = {"google": AtGoogle, "outlook": AtMicrosoft, "books": AtIntuit}
    return kinds[request.param](request.getfixturevalue(request.param), receiver)


def change(vendor, count, first=0):
    for n in range(first, first + count):
        vendor.change(n)


def test_dropped_ones_are_never_sent_and_nothing_says_so(vendor):
    order(vendor.client, "drop", times=2)
    change(vendor, 3)
    assert len(vendor.told()) == 1
    assert outcomes(vendor.client).count("dropped") == 2
    advance(vendor.client, 60)
    assert vendor.told() == []


def test_delayed_ones_come_later(vendor):
    order(vendor.client, "delay", seconds=300)
    change(vendor, 1)
    assert vendor.told() == []
    advance(vendor.client, 299)
    assert vendor.told() == []
    advance(vendor.client, 1)
    assert len(vendor.told()) == 1


def test_doubled_ones_are_the_same_message_twice(vendor):
    order(vendor.client, "duplicate")
    change(vendor, 2)
    first, again, other = vendor.told()
    assert first == again != other


def test_shuffled_ones_come_in_another_order(vendor, app):
    order(vendor.client, "reorder", times=4)
    change(vendor, 3)
    assert vendor.told() == []
    vendor.change(3)
    made = [row["n"] for row in app.state.all("SELECT n FROM p_messages ORDER BY n")]
    sent = [row["n"] for row in app.state.all("SELECT n FROM p_messages ORDER BY due, n")]
    assert sent != made
    told = vendor.told()
    assert len(set(told)) == 4
    change(vendor, 2, first=4)
    assert len(vendor.told()) == 2


def test_too_few_to_shuffle_come_after_a_minute(vendor):
    order(vendor.client, "reorder", times=9)
    change(vendor, 2)
    assert vendor.told() == []
    advance(vendor.client, 60)
    assert len(vendor.told()) == 2


def test_one_change_may_make_many(vendor):
    order(vendor.client, "burst", times=50)
    change(vendor, 1)
    assert len(vendor.told()) == 50
    vendor.change(1)
    assert len(vendor.told()) == 1


def test_a_pause_holds_everything_back_without_a_word(vendor):
    order(vendor.client, "pause")
    change(vendor, 2)
    advance(vendor.client, 3600 - 20 * 60)
    assert vendor.told() == []
    order(vendor.client, "resume")
    assert len(vendor.told()) == 2


def test_taking_all_orders_back(vendor):
    order(vendor.client, "drop", times=5)
    order(vendor.client, "pause")
    assert vendor.client.control("push", method="DELETE").status_code == 200
    change(vendor, 1)
    assert len(vendor.told()) == 1


def test_orders_may_be_about_one_account(vendor):
    order(vendor.client, "drop", times=5, account="somebody else")
    change(vendor, 1)
    assert len(vendor.told()) == 1


@pytest.mark.parametrize("fixture", ["google", "outlook"])
def test_forged_ones_and_ones_of_no_channel(request, receiver, fixture):
    vendor = {"google": AtGoogle, "outlook": AtMicrosoft}[fixture](request.getfixturevalue(fixture), receiver)
    true = channels(vendor.client)[0]["channel"]

    def said():
        (post,) = receiver.drain()
        if fixture == "google":
            return post.headers["X-Goog-Channel-ID"], post.headers["X-Goog-Channel-Token"]
        (item,) = json.loads(post.body)["value"]
        return item["subscriptionId"], item["clientState"]

    order(vendor.client, "forge")
    channel, secret = said()
    assert channel == true and secret != "secret"
    order(vendor.client, "unknown_channel")
    channel, secret = said()
    assert channel != true and secret == "secret"


@pytest.mark.parametrize("fixture", ["google", "outlook"])
def test_a_channel_may_end_in_silence(request, receiver, fixture):
    vendor = {"google": AtGoogle, "outlook": AtMicrosoft}[fixture](request.getfixturevalue(fixture), receiver)
    assert order(vendor.client, "silent_expire")["sent"] == 1
    change(vendor, 1)
    assert vendor.told() == [] and channels(vendor.client)[0]["state"] == "lost"


def test_a_forged_item_goes_out_beside_a_true_one(outlook, receiver):
    subscribe(outlook)
    outlook.create()
    order(outlook, "forge")
    (post,) = receiver.drain()
    assert [item["clientState"] == "secret" for item in json.loads(post.body)["value"]] == [True, False]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vendor": "google"},
        {"vendor": "nobody", "kind": "drop"},
        {"vendor": "google", "kind": "explode"},
        {"vendor": "google", "kind": 5},
        {"vendor": "google", "kind": "drop", "times": 0},
        {"vendor": "google", "kind": "drop", "times": True},
        {"vendor": "google", "kind": "drop", "times": 10**9},
        {"vendor": "google", "kind": "delay"},
        {"vendor": "google", "kind": "delay", "seconds": -1},
        {"vendor": "google", "kind": "drop", "account": 5},
        {"vendor": "google", "kind": "drop", "more": 1},
        {"vendor": "google", "kind": "forge"},
        {"vendor": "microsoft", "kind": "missed", "account": ""},
        {"vendor": "microsoft", "kind": "late_after_stop"},
        {"vendor": "intuit", "kind": "missed"},
    ],
)
def test_orders_that_cannot_be(google, body):
    response = google.control("push", body)
    assert response.status_code == 400 and response.json()["error"]


def test_deliveries_are_listed_from_a_number_on(google, outlook, receiver):
    vendor = AtGoogle(google, receiver)
    change(vendor, 2)
    vendor.told()
    subscribe(outlook)
    rows = google.control("deliveries", method="GET").json()
    assert [row["n"] for row in rows] == sorted({row["n"] for row in rows})
    last = rows[2]
    assert {
        "n",
        "at",
        "vendor",
        "channel",
        "url",
        "headers",
        "body",
        "attempt",
        "status",
        "ms",
        "outcome",
        "next_at",
    } <= (set(last))
    assert last["status"] == 200 and last["headers"]["X-Goog-Resource-State"] == "exists" and last["attempt"] == 1
    mine = google.control("deliveries", method="GET", vendor="google", since=last["n"]).json()
    assert mine == []
    assert {row["kind"] for row in google.control("deliveries", method="GET", vendor="microsoft").json()} == {
        "handshake"
    }
    for wrong in ({"since": "x"}, {"since": "-1"}, {"vendor": "nobody"}):
        assert google.control("deliveries", method="GET", **wrong).status_code == 400


def test_a_reset_forgets_channels_and_what_waits(google, receiver):
    vendor = AtGoogle(google, receiver)
    change(vendor, 1)
    assert google.control("reset", {"seed": "empty"}).status_code == 200
    assert vendor.told() == [] and channels(google) == []
