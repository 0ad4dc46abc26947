"""Graph's subscriptions: the handshake, what is told of an edit, and what becomes of a subscription by itself."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from fieldcamp.sandbox.push.wire import Answer

from ..conftest import NOON, Outlook, code, tuesdays
from .conftest import URL, advance, channels, order, outcomes, subscribe

HOUR = 3600
MAIN = f"{URL}/microsoft"


@pytest.fixture
def subscription(outlook, receiver):
    response = subscribe(outlook)
    assert response.status_code == 201, response.text
    receiver.handshakes.clear()
    return response.json()


def kinds(items):
    return [item["changeType"] for item in items]


def renew(outlook, subscription, until="2026-11-25T12:00:00Z"):
    return outlook.call("PATCH", f"subscriptions/{subscription['id']}", {"expirationDateTime": until})


def test_both_receivers_are_asked_before_there_is_a_subscription(outlook, receiver):
    response = subscribe(outlook, lifecycleNotificationUrl=f"{URL}/lifecycle?x=1")
    assert response.status_code == 201
    first, second = receiver.handshakes
    assert first.startswith(f"{MAIN}?validationToken=") and second.startswith(f"{URL}/lifecycle?x=1&validationToken=")
    token = parse_qs(urlsplit(first).query)["validationToken"][0]
    assert token.startswith("Validation: Testing client application reachability") and "+" in token
    body = response.json()
    assert body["resource"] == "me/events" and body["clientState"] == "secret"
    assert body["expirationDateTime"] == "2026-11-24T12:00:00.000000Z"
    assert body["creatorId"] and body["applicationId"] and body["encryptionCertificate"] is None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(403), "HTTP status code is 'Forbidden'."),
        (Answer(404), "HTTP status code is 'NotFound'."),
        (Answer(302, {"Location": "/login"}), "HTTP status code is 'Found'."),
        (Answer(0, why="refused"), "HTTP status code is 'NoResponse'."),
        (Answer(200, {"Content-Type": "text/plain"}, b"else"), "must exactly match"),
        (Answer(200, {"Content-Type": "text/plain"}, b"x", seconds=11), "timed out"),
    ],
)
def test_a_receiver_that_fails_the_handshake_gets_nothing(outlook, receiver, app, answer, text):
    app.push.wire.deliver = lambda post: answer
    response = subscribe(outlook)
    assert code(response) == (400, "ValidationError") and text in response.json()["error"]["message"]
    assert channels(outlook) == [] and outlook.get("subscriptions")["value"] == []


def test_html_is_no_answer_to_a_handshake(outlook, app, receiver):
    def html(post):
        token = parse_qs(urlsplit(post.url).query)["validationToken"][0]
        return Answer(200, {"content-type": "text/html; charset=utf-8"}, token.encode())

    app.push.wire.deliver = html
    assert code(subscribe(outlook)) == (400, "ValidationError")


def test_a_receiver_that_raises_fails_the_handshake(outlook, app, receiver):
    app.push.wire.deliver = lambda post: 1 // 0
    assert code(subscribe(outlook)) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"changeType": "moved"}, (400, "InvalidRequest")),
        ({"changeType": None}, (400, "InvalidRequest")),
        ({"notificationUrl": "http://fieldcamp.test/x"}, (400, "InvalidRequest")),
        ({"notificationUrl": 5}, (400, "InvalidRequest")),
        ({"lifecycleNotificationUrl": "nowhere"}, (400, "InvalidRequest")),
        ({"clientState": "x" * 129}, (400, "InvalidRequest")),
        ({"NotificationURL": "https://fieldcamp.test"}, (400, "InvalidRequest")),
        ({"includeResourceData": True}, (400, "InvalidRequest")),
        ({"latestSupportedTlsVersion": "v9"}, (400, "InvalidRequest")),
        ({"expirationDateTime": "2026-11-24T12:00:00"}, (400, "InvalidRequest")),
        ({"expirationDateTime": "2026-13-24T12:00:00Z"}, (400, "InvalidRequest")),
        ({"expirationDateTime": None}, (400, "InvalidRequest")),
        ({"expirationDateTime": "2026-11-21T12:00:00Z"}, (400, "ExtensionError")),
        ({"resource": "me/events/abc"}, (400, "ExtensionError")),
        ({"resource": "me/messages"}, (400, "ExtensionError")),
        ({"resource": 5}, (400, "ExtensionError")),
        ({"resource": "me/calendars/abc/events"}, (404, "ExtensionError")),
        ({"resource": "users/lee@outlook.test/events"}, (403, "ErrorAccessDenied")),
    ],
)
def test_what_a_subscription_refuses(outlook, receiver, fields, expected):
    assert code(subscribe(outlook, **fields)) == expected
    assert receiver.handshakes == [] and channels(outlook) == []


def test_the_longest_life_is_ten_minutes_less_than_the_page_says(outlook, receiver):
    too_long = subscribe(outlook, expirationDateTime="2026-11-29T11:50:01Z")
    assert code(too_long) == (400, "ExtensionError")
    text = "Subscription expiration can only be 10070 minutes in the future."
    assert too_long.json()["error"]["message"] == text
    assert subscribe(outlook, expirationDateTime="2026-11-29T11:50:00Z").status_code == 201
    outlook.control("switches", {"vendor": "microsoft", "push_longest_minutes": 4230})
    assert "4230" in subscribe(outlook, expirationDateTime="2026-11-29T11:50:00Z").json()["error"]["message"]
    soon = subscribe(outlook, expirationDateTime="2026-11-22T12:05:00Z").json()
    assert soon["expirationDateTime"] == "2026-11-22T12:45:00.000000Z"


def test_an_edit_is_told_of_up_to_three_times(outlook, receiver, subscription):
    made = outlook.create()
    assert kinds(receiver.items()) == ["created"]
    counts = []
    for n in range(30):
        outlook.patch(made, subject=f"Visit {n}")
        items = receiver.items()
        assert set(kinds(items)) == {"updated"}
        counts.append(len(items))
    assert set(counts) == {1, 2, 3}
    outlook.delete(made)
    (item,) = receiver.items()
    assert item["changeType"] == "deleted" and item["subscriptionId"] == subscription["id"]
    assert item["clientState"] == "secret" and item["resource"] == item["resourceData"]["@odata.id"]
    assert item["resource"].startswith("Users/") and item["resource"].endswith(f"/Events/{item['resourceData']['id']}")


def test_ids_are_of_the_kind_that_was_asked_for(outlook, receiver):
    outlook.call("POST", "subscriptions", subscribe_body(), headers={"Prefer": "outlook.timezone"})
    subscribe(outlook)
    made = outlook.create()
    ids = {item["subscriptionId"]: item["resourceData"]["id"] for item in receiver.items()}
    immutable = outlook.get("subscriptions")["value"][1]["id"]
    assert ids.pop(immutable) == made["id"] and ids.popitem()[1] != made["id"]


def subscribe_body():
    names = {"changeType": "created", "notificationUrl": MAIN, "resource": "me/events"}
    return names | {"expirationDateTime": "2026-11-24T12:00:00Z", "clientState": "other"}


def test_what_changes_nothing_tells_nothing(outlook, receiver, subscription):
    made = outlook.create()
    receiver.drain()
    assert outlook.patch(made, subject=made["subject"]).status_code == 200
    outlook.get("me/events")
    outlook.round()
    assert receiver.drain() == []


def test_series_and_their_instances(outlook, receiver, subscription):
    series = outlook.create(recurrence=tuesdays())
    assert kinds(receiver.items()) == ["created"]
    window = {"startDateTime": "2026-12-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}
    days = outlook.get(f"me/events/{series['id']}/instances", **window)["value"]
    assert outlook.patch(days[1], subject="Other").status_code == 200
    items = receiver.items()
    assert {item["resourceData"]["id"] for item in items} == {series["id"]} and set(kinds(items)) == {"updated"}
    outlook.delete(days[2])
    assert set(kinds(receiver.items())) == {"updated"}


def test_only_the_calendar_that_was_named(outlook, receiver):
    family = next(each for each in outlook.get("me/calendars")["value"] if each["name"] == "Family")
    main = subscribe(outlook).json()
    other = subscribe(outlook, f"me/calendars/{family['id']}/events").json()
    outlook.create()
    assert {item["subscriptionId"] for item in receiver.items()} == {main["id"]}
    outlook.create(f"me/calendars/{family['id']}/events")
    assert {item["subscriptionId"] for item in receiver.items()} == {other["id"]}
    assert subscribe(outlook, f"me/calendars('{family['id']}')/events").status_code == 201
    assert subscribe(outlook, "users/dana@outlook.test/events").status_code == 201


def test_a_shared_calendar_tells_by_the_recipients_ids_while_it_is_shared(outlook, receiver):
    share = {"vendor": "microsoft", "account": "dana@outlook.test", "with": "lee@outlook.test", "role": "write"}
    calendar = outlook.control("share", share).json()["calendar"]
    lee = Outlook(outlook.session, outlook.adapter)
    lee.sign_in("lee@outlook.test", scopes="Calendars.ReadWrite.Shared Calendars.ReadWrite offline_access")
    assert subscribe(lee, f"me/calendars/{calendar}/events").status_code == 201
    made = outlook.create()
    (item,) = receiver.items()
    assert item["resourceData"]["id"] != made["id"]
    immutable = lee.get(f"me/calendars/{calendar}/events")["value"][0]["id"]
    assert item["resourceData"]["id"] == immutable
    outlook.control("share", share | {"role": None})
    outlook.create()
    assert receiver.items() == []


def test_changes_at_the_pages_tell_as_well(outlook, receiver, subscription):
    page = "http://sandbox.test/microsoft/ui/dana@outlook.test"
    form = {"action": "add", "title": "Party", "start": "2026-12-01T10:00", "end": "2026-12-01T11:00"}
    assert outlook.session.post(page, form).status_code == 200
    assert kinds(receiver.items()) == ["created"]


def test_a_post_has_up_to_twenty_items_of_all_users_of_the_app(outlook, receiver, subscription):
    lee = Outlook(outlook.session, outlook.adapter)
    lee.sign_in("lee@outlook.test")
    other = subscribe(lee).json()
    for n in range(15):
        outlook.create(subject=str(n))
        lee.create(subject=str(n))
    posts = [json.loads(post.body)["value"] for post in receiver.drain()]
    assert [len(items) for items in posts] == [20, 10]
    assert {item["subscriptionId"] for item in posts[0]} == {subscription["id"], other["id"]}
    spelled = {item["subscriptionExpirationDateTime"][-6:] for items in posts for item in items}
    assert len(spelled) == 3


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_counts(outlook, receiver, subscription, status):
    receiver.status = status
    outlook.create()
    receiver.drain()
    assert outcomes(outlook) == ["delivered"]


@pytest.mark.parametrize(("status", "seconds"), [(500, 0), (400, 0), (301, 0), (200, 3.5)])
def test_whatever_else_is_tried_again_for_four_hours(outlook, receiver, subscription, status, seconds):
    receiver.status, receiver.seconds = status, seconds
    outlook.create()
    receiver.drain()
    advance(outlook, 24 * HOUR)
    receiver.drain()
    found = outcomes(outlook)
    assert found[-1] == "lost" and found[:-1] == ["retry"] * (len(found) - 1) and 8 < len(found) < 16


def test_a_batch_is_tried_again_as_it_was(outlook, receiver, subscription):
    receiver.status = 503
    outlook.create()
    outlook.create()
    (first,) = receiver.drain()
    outlook.create()
    receiver.status = 202
    (later,) = receiver.drain()
    advance(outlook, 10)
    (again,) = receiver.drain()
    assert again.body == first.body and len(json.loads(later.body)["value"]) == 1


def test_own_subscriptions_are_listed_read_and_deleted(outlook, receiver, subscription):
    assert [each["id"] for each in outlook.get("subscriptions")["value"]] == [subscription["id"]]
    assert outlook.get(f"subscriptions/{subscription['id']}")["id"] == subscription["id"]
    lee, other_app = (Outlook(outlook.session, outlook.adapter) for _ in range(2))
    lee.sign_in("lee@outlook.test")
    other_app.sign_in(client_id="another")
    for stranger in (lee, other_app):
        assert stranger.get("subscriptions")["value"] == []
        for verb in ("GET", "DELETE"):
            assert code(stranger.call(verb, f"subscriptions/{subscription['id']}")) == (404, "ResourceNotFound")
        assert code(renew(stranger, subscription)) == (404, "ResourceNotFound")
    assert outlook.call("DELETE", f"subscriptions/{subscription['id']}").status_code == 204
    assert code(outlook.call("DELETE", f"subscriptions/{subscription['id']}")) == (404, "ResourceNotFound")
    outlook.create()
    assert receiver.drain() == []


def test_no_token_and_too_little_of_one(outlook, receiver, stranger):
    outlook.sign_in(scopes="User.Read offline_access")
    assert code(subscribe(outlook)) == (403, "ErrorAccessDenied")
    outlook.token = {}
    assert code(subscribe(outlook)) == (401, "InvalidAuthenticationToken")
    assert receiver.handshakes == []


def test_renewing(outlook, receiver, subscription):
    assert renew(outlook, subscription).json()["expirationDateTime"] == "2026-11-25T12:00:00.000000Z"
    assert receiver.handshakes == []
    for body in ({}, {"resource": "me/events"}, {"expirationDateTime": "2026-11-25T12:00:00"}):
        response = outlook.call("PATCH", f"subscriptions/{subscription['id']}", body)
        assert code(response) == (400, "InvalidRequest")
    moved = outlook.call("PATCH", f"subscriptions/{subscription['id']}", {"notificationUrl": f"{URL}/new"})
    assert moved.status_code == 200 and len(receiver.handshakes) == 1
    outlook.create()
    assert [post.url for post in receiver.drain()] == [f"{URL}/new"]


def test_an_expired_subscription_is_gone(outlook, receiver, subscription):
    advance(outlook, 48 * HOUR)
    outlook.sign_in()
    assert code(renew(outlook, subscription)) == (404, "ResourceNotFound")
    assert channels(outlook)[0]["state"] == "expired"
    outlook.create()
    assert [item for item in receiver.items() if "changeType" in item] == []


def test_a_mailbox_has_a_thousand_subscriptions_at_most(outlook, receiver, subscription, app):
    row = app.state.the("SELECT * FROM p_channels")
    for n in range(999):
        app.state.execute(
            f"INSERT INTO p_channels VALUES ({', '.join('?' * 13)})", "microsoft", f"other-{n}", *tuple(row)[2:]
        )
    assert code(subscribe(outlook)) == (403, "ExtensionError")


# What happens by itself.


def lifecycle(items):
    return [item["lifecycleEvent"] for item in items if "lifecycleEvent" in item]


def test_before_its_token_ends_a_subscription_wants_to_be_authorized_again(outlook, receiver, subscription):
    advance(outlook, 3599 - 15 * 60 - 1)
    assert receiver.drain() == []
    advance(outlook, 1)
    (item,) = receiver.items()
    assert item["lifecycleEvent"] == "reauthorizationRequired" and item["clientState"] == "secret"
    assert item["subscriptionId"] == subscription["id"] and "changeType" not in item
    advance(outlook, 15 * 60)
    assert lifecycle(receiver.items()) == ["reauthorizationRequired"]
    outlook.sign_in()
    assert outlook.call("POST", f"subscriptions/{subscription['id']}/reauthorize").status_code == 204
    advance(outlook, 30 * 60)
    assert receiver.drain() == []
    assert outlook.get("subscriptions")["value"][0]["expirationDateTime"] == subscription["expirationDateTime"]


def test_without_an_authorized_token_notices_wait_for_four_hours(outlook, receiver, subscription):
    advance(outlook, HOUR)
    outlook.sign_in()
    outlook.create()
    assert [item for item in receiver.items() if "changeType" in item] == []
    advance(outlook, 4 * HOUR - 60)
    outlook.sign_in()
    outlook.create()
    receiver.drain()
    advance(outlook, 120)
    receiver.drain()
    assert outcomes(outlook)[-1] == "lost"
    assert renew(outlook, subscription).status_code == 200
    assert kinds(item for item in receiver.items() if "changeType" in item) == ["created"]


def test_with_its_grant_a_subscription_ends(outlook, receiver, subscription):
    outlook.control("revoke", {"vendor": "microsoft", "account": "dana@outlook.test"})
    assert lifecycle(receiver.items()) == ["subscriptionRemoved"]
    assert channels(outlook)[0]["state"] == "removed"
    outlook.sign_in()
    assert outlook.get("subscriptions")["value"] == []


def test_or_it_ends_in_silence(outlook, receiver, subscription):
    outlook.control("switches", {"vendor": "microsoft", "push_removed": False})
    outlook.control("revoke", {"vendor": "microsoft", "account": "dana@outlook.test"})
    assert receiver.drain() == [] and channels(outlook)[0]["state"] == "removed"


@pytest.mark.parametrize("event", ["reauthorizationRequired", "missed", "subscriptionRemoved"])
def test_lifecycle_notices_on_order(outlook, receiver, subscription, event):
    assert order(outlook, event)["sent"] == 1
    assert lifecycle(receiver.items()) == [event]
    assert len(outlook.get("subscriptions")["value"]) == (event != "subscriptionRemoved")


def test_a_slow_host_is_late_then_dropped_then_told_what_it_missed(outlook, receiver, subscription):
    for n in range(17):
        receiver.seconds = 3.5 if n in (8, 16) else 0.1
        outlook.create(subject=str(n))
        receiver.drain()
    receiver.seconds = 0.1
    outlook.create()
    assert receiver.drain() == []
    advance(outlook, 10)
    assert kinds(receiver.items())[-1] == "created"
    receiver.seconds = 3.5
    for _ in range(3):
        outlook.create()
        advance(outlook, 10)
        receiver.drain()
    receiver.seconds = 0.1
    outlook.create()
    assert outcomes(outlook)[-1] == "dropped"
    advance(outlook, 601)
    assert lifecycle(receiver.items()) == ["missed"]
    outlook.create()
    assert "created" in kinds(item for item in receiver.items() if "changeType" in item)


def test_moments_are_those_of_the_sandbox(outlook, receiver, subscription):
    (shown,) = channels(outlook, account="dana@outlook.test")
    assert shown["expires_at"] == NOON + 48 * HOUR and shown["authorized_until"] == NOON + 3599
    assert channels(outlook, account="lee@outlook.test") == []
