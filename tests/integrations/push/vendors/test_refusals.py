"""What the vendors refuse when a channel is to be opened, and what they say of one that is open."""

import datetime as dt

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from fieldcamp.sandbox.push.wire import Answer
from integrations.models import PushChannel, PushMark
from integrations.selectors.push_switch import why_off
from integrations.services.connections import set_up
from tests.integrations.push.rounds import current, due, ends, passes, round, states


@pytest.fixture
def site(settings):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://sync.example.com", ["*"]
    return Client(enforce_csrf_checks=True)


def live(vendors) -> list[dict]:
    return [each for each in vendors.channels() if each["state"] == "live"]


def posts(vendors, path: str, method: str = "POST") -> int:
    return sum(each["method"] == method for each in vendors.requests(path))


def switch(vendors, **values) -> None:
    vendors.call("POST", "switches", json={"vendor": vendors.vendor, **values})


def test_a_domain_that_nobody_has_verified_is_told_to_the_operators_alone(google, dana, vendors, site, settings, clock):
    settings.OPERATOR_EMAIL = "operator@example.com"
    vendors.deliver_to(site)
    switch(vendors, push_unverified=True)
    for _ in range(4):
        round()
        passes(clock, dt.timedelta(hours=2))
    assert posts(vendors, "/watch") <= 3, "one call, with its renewed token and its second try"
    (message,) = mail.outbox
    assert (message.to, "verified" in message.body) == (["operator@example.com"], True)
    assert why_off("google_calendar")
    assert dana.__class__.objects.get().state == "active"
    switch(vendors, push_unverified=False)
    passes(clock, dt.timedelta(days=1))
    round()
    assert len(live(vendors)) == 1
    assert why_off("google_calendar") == ""


@pytest.mark.slow
def test_calendars_that_google_tells_nothing_of(google, dana, vendors, site, clock):
    vendors.deliver_to(site)
    dana.streams.update(container_id="en.usa#holiday@group.v.calendar.google.com")
    round()
    stream = dana.streams.get()
    assert (current(stream).state, current(stream).renew_at) == ("unsupported", None)
    asked = posts(vendors, "/watch")
    passes(clock, dt.timedelta(days=30))
    round()
    assert posts(vendors, "/watch") == asked


@pytest.mark.parametrize(("longest", "minutes"), [(10_070, 10_000), (4_230, 4_200)])
def test_microsoft_grants_less_than_its_page_says(outlook, dana, vendors, site, longest, minutes):
    vendors.deliver_to(site)
    switch(vendors, push_longest_minutes=longest)
    round()
    life = current(dana.streams.get()).expires_at - timezone.now()
    assert abs(life - dt.timedelta(minutes=minutes)) < dt.timedelta(minutes=1)


def test_a_calendar_that_is_not_the_main_one_is_watched_by_its_own_name(outlook, dana, vendors, site, make_visits):
    vendors.deliver_to(site)
    other = outlook.call("POST", "calendars", json={"name": "Work"})["id"]
    set_up(connection=dana, member=dana.member, target_container_id=other, busy_container_ids=[outlook.main])
    round()
    streams = {stream.container_id: stream for stream in dana.streams.filter(is_active=True)}
    assert set(PushChannel.objects.filter(state="live").values_list("stream_id", flat=True)) == {
        stream.pk for stream in streams.values()
    }
    for stream in streams.values():
        due(stream)
    when = (timezone.now() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:00:00")
    times = {name: {"dateTime": when, "timeZone": "UTC"} for name in ("start", "end")}
    outlook.call("POST", f"calendars/{other}/events", json={"subject": "Inspection", **times})
    vendors.drain()
    marked = set(PushMark.objects.exclude(due_at=None).values_list("stream_id", flat=True))
    assert marked == {streams[other].pk}


def test_where_only_the_documented_resource_is_taken_the_main_calendar_is_watched(outlook, dana, vendors, site):
    vendors.deliver_to(site)
    real = vendors.adapter.send

    def send(request, **kwargs):
        if request.url.endswith("/subscriptions") and b"me/calendars/" in (request.body or b""):
            request.body = request.body.replace(b"me/calendars/", b"me/unheard/")
            request.headers["Content-Length"] = str(len(request.body))
        return real(request, **kwargs)

    vendors.adapter.send = send
    round()
    (channel,) = live(vendors)
    assert "me/events" in str(channel)
    assert states(dana.streams.get()) == ["live"]


@pytest.mark.slow
def test_a_calendar_that_cannot_be_watched_at_all_is_asked_about_again_in_a_week(outlook, dana, vendors, site, clock):
    vendors.deliver_to(site)
    refused = {"error": {"code": "ExtensionError", "message": "The value of parameter 'Resource' is not supported."}}
    vendors.fault("status", path="/subscriptions$", method="POST", times=6, status=400, body=refused)
    round()
    stream = dana.streams.get()
    assert current(stream).state == "unsupported"
    ends(current(stream).renew_at, clock)
    round()
    assert states(stream) == ["live"]


def test_a_handshake_that_fails_is_a_failure_that_is_tried_again(outlook, dana, vendors, site, clock):
    vendors.deliver_to(site)
    vendors.adapter.app.push.wire.deliver, good = (
        lambda _post: Answer(403, {}, b"login"),
        vendors.adapter.app.push.wire.deliver,
    )
    round()
    stream = dana.streams.get()
    assert (current(stream).state, current(stream).failures) == ("opening", 1)
    assert "ValidationError" in current(stream).reason
    assert live(vendors) == []
    vendors.adapter.app.push.wire.deliver = good
    ends(current(stream).renew_at, clock)
    round()
    assert states(stream) == ["live"]


@pytest.mark.slow
def test_a_subscription_outlives_the_token_that_it_was_made_with(outlook, listening, vendors, clock):
    """Microsoft wants it renewed before the token ends, every hour or so, and keeps what it has to tell until then."""
    stream = listening.streams.get()
    until = timezone.now() + dt.timedelta(hours=5)
    while timezone.now() < until:
        passes(clock, dt.timedelta(minutes=5))
        vendors.drain()
        round()
    assert states(stream) == ["live"]
    due(stream)
    type(outlook)(vendors).add("Dentist", timezone.now() + dt.timedelta(days=1))
    vendors.drain()
    assert PushMark.objects.get(stream=stream).due_at is not None
    assert posts(vendors, "/subscriptions/", "PATCH") <= 8


def test_a_grant_that_was_withdrawn_ends_the_subscription(outlook, listening, vendors):
    stream = listening.streams.get()
    due(stream)
    vendors.revoke()
    vendors.drain()
    assert current(stream).state == "lost"
    assert PushMark.objects.get(stream=stream).due_at is not None


def test_the_first_message_of_google_may_come_before_the_answer(google, dana, vendors, site):
    vendors.deliver_to(site)
    switch(vendors, push_sync_first=True)
    round()
    vendors.drain()
    assert states(dana.streams.get()) == ["live"]


@pytest.mark.slow
def test_what_still_comes_after_a_channel_was_stopped(google, listening, vendors, clock):
    switch(vendors, push_stragglers=3)
    stream = listening.streams.get()
    ends(current(stream).renew_at, clock)
    round()
    due(stream)
    vendors.drain()
    assert states(stream) == ["stopped", "live"]
