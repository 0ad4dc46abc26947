"""Google's channels: what opens and stops one, what it tells, and for how long."""

import pytest

from ..conftest import Google, reason, timed
from .conftest import URL, advance, channels, order, outcomes, watch

DAY = 86_400


@pytest.fixture
def quiet(google):
    """No change makes two messages."""
    assert google.control("switches", {"vendor": "google", "push_twice": 0}).status_code == 200
    return google


def test_a_channel_says_that_it_is_open_and_then_that_something_has_changed(quiet, receiver):
    answer = watch(quiet).json()
    (sync,) = receiver.drain()
    assert sync.url == f"{URL}/google" and sync.body == b""
    head = sync.headers
    assert (head["X-Goog-Channel-ID"], head["X-Goog-Channel-Token"]) == ("one", "secret")
    assert (head["X-Goog-Resource-State"], head["X-Goog-Message-Number"]) == ("sync", "1")
    assert head["X-Goog-Resource-ID"] == answer["resourceId"] and head["X-Goog-Resource-URI"] == answer["resourceUri"]
    assert head["X-Goog-Channel-Expiration"] == "Sun, 29 Nov 2026 12:00:00 GMT"
    made = quiet.insert()
    (exists,) = receiver.drain()
    assert exists.headers["X-Goog-Resource-State"] == "exists"
    assert int(exists.headers["X-Goog-Message-Number"]) > 1
    quiet.event("PATCH", made["id"], {"summary": "Other"})
    quiet.event("DELETE", made["id"])
    assert receiver.states() == ["exists", "exists"]


def test_what_changes_nothing_and_what_only_reads_tells_nothing(quiet, receiver):
    made = quiet.insert()
    watch(quiet)
    receiver.drain()
    quiet.events()
    quiet.event("GET", made["id"])
    assert quiet.event("PATCH", made["id"], {"summary": made["summary"]}).status_code == 200
    assert quiet.event("PUT", made["id"], timed()).status_code == 200
    assert quiet.call("POST", "calendars/primary/events", {"summary": "no times"}).status_code == 400
    assert receiver.drain() == []


def test_changes_at_the_pages_tell_as_well(quiet, receiver):
    made = quiet.insert()
    watch(quiet)
    receiver.drain()
    page = "http://sandbox.test/google/ui/dana@google.test"
    form = {"action": "rename", "event": made["id"], "title": "Renamed"}
    assert quiet.session.post(page, form).status_code == 200
    assert receiver.states() == ["exists"]
    assert quiet.session.post(page, form).status_code == 200
    assert receiver.drain() == []


def test_every_fifth_change_or_so_makes_two_messages(google, receiver):
    watch(google)
    receiver.drain()
    for n in range(40):
        google.insert(summary=str(n))
    posts = receiver.drain()
    assert 44 <= len(posts) <= 56
    numbers = [int(post.headers["X-Goog-Message-Number"]) for post in posts]
    assert numbers == sorted(set(numbers)) and numbers != list(range(2, 2 + len(numbers)))


def test_a_resource_has_the_same_id_in_all_channels_of_a_user(google, receiver):
    first, second = watch(google, "one").json(), watch(google, "two").json()
    family = google.call("GET", "users/me/calendarList").json()["items"][1]["id"]
    other = watch(google, "three", family).json()
    assert first["resourceId"] == second["resourceId"] != other["resourceId"]
    receiver.drain()
    google.insert()
    told = {post.headers["X-Goog-Channel-ID"] for post in receiver.drain()}
    assert told == {"one", "two"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": ""}, (400, "required")),
        ({"id": "x" * 65}, (400, "channelIdInvalid")),
        ({"id": "a b"}, (400, "channelIdInvalid")),
        ({"id": 5}, (400, "required")),
        ({"type": "mail"}, (400, "channelUnknown")),
        ({"token": "x" * 257}, (400, "invalid")),
        ({"token": "a\r\nX-Evil: 1"}, (400, "invalid")),
        ({"address": "http://fieldcamp.test/push"}, (400, "push.webhookUrlNotHttps")),
        ({"address": "http://127.0.0.1:8000/push"}, (400, "push.webhookUrlNotHttps")),
        ({"address": "ftp://fieldcamp.test"}, (400, "push.webhookUrlNotHttps")),
        ({"address": "https://a@b/x"}, (400, "invalid")),
        ({"address": None}, (400, "required")),
        ({"params": {"ttl": "soon"}}, (400, "invalid")),
        ({"params": {"ttl": "0"}}, (400, "invalid")),
        ({"params": [1]}, (400, "invalid")),
        ({"token": 5}, (400, "invalid")),
        ({"expiration": "1"}, (400, "invalid")),
    ],
)
def test_what_a_watch_refuses(google, receiver, fields, expected):
    assert reason(watch(google, **fields)) == expected
    assert channels(google) == [] and receiver.drain() == []


def test_calendars_that_nobody_can_watch(google, receiver):
    for name in ("en.usa%23holiday@group.v.calendar.google.com", "room-5@resource.calendar.google.com"):
        assert reason(watch(google, calendar=name)) == (400, "pushNotSupportedForRequestedResource")
    assert reason(watch(google, calendar="nobody@google.test")) == (404, "notFound")


def test_http_on_this_machine_is_taken_when_the_sandbox_says_so(google, receiver, app):
    app.push.wire.plain_http = True
    assert watch(google, address="http://127.0.0.1:8000/push").status_code == 200
    assert watch(google, "two", address="http://fieldcamp.test/push").status_code == 400


def test_a_domain_that_nobody_has_verified(google, receiver):
    google.control("switches", {"vendor": "google", "push_unverified": True})
    assert reason(watch(google)) == (401, "push.webhookUrlUnauthorized")


def test_an_id_is_used_once_even_when_its_channel_is_over(google, receiver):
    answer = watch(google).json()
    assert reason(watch(google)) == (400, "channelIdNotUnique")
    assert google.call("POST", "channels/stop", answer).status_code == 204
    assert reason(watch(google)) == (400, "channelIdNotUnique")


def test_a_life_is_a_week_at_most(google, receiver, clock):
    def life(**more):
        return int(watch(google, **more).json()["expiration"]) / 1000 - clock.now

    assert life(channel_id="a") == 7 * DAY
    assert life(channel_id="b", params={"ttl": "999999999"}) == 7 * DAY
    assert life(channel_id="c", params={"ttl": "3600"}) == 3600
    assert life(channel_id="e", expiration=(clock.now + 60) * 1000, token=None, params=None) == 60
    assert life(channel_id="d", expiration=str(int((clock.now + 60) * 1000))) == 60


def test_an_expired_channel_is_silent(quiet, receiver):
    watch(quiet)
    receiver.drain()
    advance(quiet, 7 * DAY - 1)
    quiet.sign_in()
    quiet.insert()
    assert receiver.states() == ["exists"]
    advance(quiet, 1)
    quiet.insert()
    assert receiver.drain() == []
    (shown,) = channels(quiet)
    assert shown["state"] == "expired" and shown["ended_at"] == shown["expires_at"]


def test_stopping(quiet, receiver):
    answer = watch(quiet).json()
    receiver.drain()
    for body in ({"id": "one"}, {"resourceId": answer["resourceId"]}, {}):
        assert reason(quiet.call("POST", "channels/stop", body)) == (400, "required")
    assert reason(quiet.call("POST", "channels/stop", {"id": "one", "resourceId": "other"})) == (404, "notFound")
    lee = Google(quiet.session, quiet.adapter)
    lee.sign_in("lee@google.test")
    assert reason(lee.call("POST", "channels/stop", answer)) == (404, "notFound")
    other_app = Google(quiet.session, quiet.adapter)
    other_app.sign_in(client_id="another")
    assert reason(other_app.call("POST", "channels/stop", answer)) == (404, "notFound")
    quiet.insert()
    assert receiver.states() == ["exists"]
    assert quiet.call("POST", "channels/stop", answer).status_code == 204
    quiet.insert()
    assert receiver.drain() == []
    assert quiet.call("POST", "channels/stop", answer).status_code == 204


def test_messages_may_come_after_a_stop(quiet, receiver):
    quiet.control("switches", {"vendor": "google", "push_stragglers": 2})
    answer = watch(quiet).json()
    receiver.drain()
    quiet.call("POST", "channels/stop", answer)
    assert receiver.states() == ["exists", "exists"]
    order(quiet, "late_after_stop", times=3)
    assert receiver.states() == ["exists"] * 3


def test_sync_may_come_before_the_answer(google, receiver):
    google.control("switches", {"vendor": "google", "push_sync_first": True})
    posts_when_answered = []

    class Spy(Google):
        def call(self, *args, **kwargs):
            response = super().call(*args, **kwargs)
            posts_when_answered.append(len(receiver.posts))
            return response

    spy = Spy(google.session, google.adapter)
    spy.token = google.token
    assert watch(spy).status_code == 200
    assert posts_when_answered == [1] and receiver.drain() == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_counts_as_taken(quiet, receiver, status):
    watch(quiet)
    receiver.drain()
    receiver.status = status
    quiet.insert()
    receiver.drain()
    assert outcomes(quiet) == ["delivered"]


@pytest.mark.parametrize(("status", "seconds"), [(400, 0), (401, 0), (404, 0), (410, 0), (302, 0), (501, 0), (200, 11)])
def test_what_loses_a_message(quiet, receiver, status, seconds):
    watch(quiet)
    receiver.drain()
    receiver.status, receiver.seconds = status, seconds
    quiet.insert()
    assert len(receiver.drain()) == 1
    advance(quiet, 3 * DAY)
    assert receiver.drain() == [] and outcomes(quiet) == ["lost"]


def test_only_four_answers_are_followed_by_another_try(quiet, receiver):
    watch(quiet)
    receiver.drain()
    receiver.status = 503
    quiet.insert()
    assert len(receiver.drain()) == 1
    advance(quiet, 9)
    assert receiver.drain() == []
    advance(quiet, 1)
    receiver.status = 200
    (again,) = receiver.drain()
    assert again.headers == receiver.posts[-2].headers
    assert outcomes(quiet) == ["retry", "delivered"]
    assert [row["attempt"] for row in quiet.control("deliveries", method="GET").json()][-2:] == [1, 2]


def test_a_leap_of_the_clock_takes_all_steps_of_the_ladder(quiet, receiver):
    watch(quiet)
    receiver.drain()
    receiver.status = 500
    quiet.insert()
    receiver.drain()
    advance(quiet, DAY)
    assert len(receiver.drain()) == 7
    assert outcomes(quiet) == ["retry"] * 7 + ["lost"]


def test_lists_and_rules_can_be_watched_too(quiet, receiver):
    body = {"type": "web_hook", "address": f"{URL}/google"}
    for n, path in enumerate(("users/me/calendarList/watch", "calendars/primary/acl/watch", "users/me/settings/watch")):
        assert quiet.call("POST", path, body | {"id": f"c{n}"}).status_code == 200
    receiver.drain()
    made = quiet.call("POST", "calendars", {"summary": "New"}).json()
    assert {post.headers["X-Goog-Channel-ID"] for post in receiver.drain()} == {"c0"}
    rule = {"role": "reader", "scope": {"type": "user", "value": "lee@google.test"}}
    quiet.call("POST", "calendars/primary/acl", rule)
    assert {post.headers["X-Goog-Channel-ID"] for post in receiver.drain()} == {"c1"}
    assert watch(quiet, "c3", made["id"]).status_code == 200
    receiver.drain()
    quiet.call("DELETE", f"calendars/{made['id']}")
    assert "not_exists" in receiver.states()


def test_who_shares_a_calendar_is_told_by_a_channel_of_their_own(quiet, receiver):
    share = {"vendor": "google", "account": "dana@google.test", "with": "lee@google.test", "role": "writer"}
    calendar = quiet.control("share", share).json()["calendar"]
    lee = Google(quiet.session, quiet.adapter)
    lee.sign_in("lee@google.test")
    assert watch(lee, "lees", calendar).status_code == 200
    receiver.drain()
    quiet.insert()
    assert [post.headers["X-Goog-Channel-ID"] for post in receiver.drain()] == ["lees"]


def test_many_at_once_are_told_of_by_the_hundred(quiet, receiver):
    watch(quiet)
    receiver.drain()
    body = {"vendor": "google", "account": "dana@google.test", "events": 250}
    assert quiet.control("bulk", body).status_code == 200
    assert len(receiver.drain()) == 3
    assert quiet.control("bulk", body | {"rows_per_push": 50}).status_code == 200
    assert len(receiver.drain()) == 5
    assert quiet.control("bulk", body | {"rows_per_push": 0}).status_code == 200
    assert receiver.drain() == []


def test_in_a_batch_each_part_tells_of_its_own(quiet, receiver):
    watch(quiet)
    receiver.drain()
    part = "--b\r\nContent-Type: application/http\r\n\r\nPOST /calendar/v3/calendars/primary/events\r\n" \
           "Content-Type: application/json\r\n\r\n" \
           '{"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}\r\n'  # fmt: skip
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Authorization": f"Bearer {quiet.token['access_token']}"}
    url = "http://sandbox.test/google/api/batch/calendar/v3"
    assert quiet.session.post(url, data=part * 2 + "--b--", headers=headers).status_code == 200
    assert receiver.states() == ["exists", "exists"]
