"""Channels at the simulated vendors, from the consent to the end of the connection."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import PushChannel, PushMark, ReceivedPush, Stream
from integrations.services.connections import disconnect
from tests.integrations.push.rounds import DAY, current, due, ends, passes, round, states

TOMORROW = dt.timedelta(days=1)


def live(vendors) -> list[dict]:
    return [each for each in vendors.channels() if each["state"] == "live"]


def stream_of(connection) -> Stream:
    return connection.streams.get(is_active=True)


@pytest.mark.slow
def test_an_edit_at_the_vendor_makes_its_calendar_due(listening, person, vendors):
    stream = stream_of(listening)
    assert states(stream) == ["live"]
    due(stream)
    person.add("Dentist", timezone.now() + TOMORROW)
    vendors.drain()
    assert PushMark.objects.get(stream=stream).due_at is not None
    assert ReceivedPush.objects.filter(stream=stream, connection=listening).exists()
    assert current(stream).last_push_at is not None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["forge", "unknown_channel"])
def test_what_is_forged_makes_nothing_due(listening, person, vendors, kind):
    stream = stream_of(listening)
    due(stream)
    vendors.trouble(kind, times=3)
    vendors.drain()
    assert PushMark.objects.get(stream=stream).due_at is None
    assert not ReceivedPush.objects.exists()


@pytest.mark.slow
def test_there_is_no_moment_without_a_channel(listening, vendors, clock):
    stream = stream_of(listening)
    before = timezone.now()
    overlaps = 0
    while timezone.now() < before + 8 * DAY:
        assert len(live(vendors)) == 1
        round()
        vendors.drain()
        passes(clock, dt.timedelta(hours=4))
        overlaps += states(stream).count("stopped")
    assert current(stream).state == "live"
    assert current(stream).expires_at > timezone.now()


@pytest.mark.slow
def test_eight_days_in_one_hop(listening, person, vendors, clock):
    """The channel is over by then: another is opened, and the calendar is read."""
    stream = stream_of(listening)
    due(stream)
    passes(clock, 8 * DAY)
    assert live(vendors) == []
    round()
    assert len(live(vendors)) == 1
    assert due(stream)
    type(person)(vendors).add("Dentist", timezone.now() + TOMORROW)
    vendors.drain()
    assert PushMark.objects.get(stream=stream).due_at is not None


@pytest.mark.slow
def test_a_channel_that_ended_in_silence_is_opened_anew(listening, vendors, clock):
    stream = stream_of(listening)
    vendors.trouble("silent_expire")
    assert live(vendors) == []
    ends(current(stream).renew_at, clock)
    round()
    assert len(live(vendors)) == 1


def test_a_disconnected_account_has_no_channel_at_the_vendor_either(listening, person, vendors):
    stream = stream_of(listening)
    due(stream)
    disconnect(connection=listening, user=None)
    assert (live(vendors), states(stream)) == ([], ["stopped"])
    type(person)(vendors).add("Dentist", timezone.now() + TOMORROW)
    vendors.drain()
    assert PushMark.objects.get(stream=stream).due_at is None


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["status", "drop_after_commit"])
def test_the_vendor_is_down_when_a_channel_is_opened(dana, vendors, settings, clock, fault):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://sync.example.com", ["*"]
    vendors.deliver_to(Client())
    stream = stream_of(dana)
    vendors.fault(fault, path="/(watch|subscriptions)$", times=1)
    round()
    assert current(stream).state == "opening"
    ends(current(stream).renew_at, clock)
    round()
    passes(clock, dt.timedelta(minutes=11))
    round()
    assert len(live(vendors)) == 1
    assert current(stream).state == "live"
    assert set(states(stream)) <= {"live", "stopped"}


def test_a_token_that_is_refused_is_renewed_and_the_channel_opened(dana, vendors, settings):
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://sync.example.com", ["*"]
    vendors.deliver_to(Client())
    vendors.fault("expire_token", path="/(watch|subscriptions)$", times=1)
    round()
    assert len(live(vendors)) == 1


def test_secrets_are_in_no_log_and_nowhere_in_the_database(listening, person, vendors, capsys, caplog):
    said = "".join(str(each) for each in vendors.requests("watch") + vendors.requests("subscriptions"))
    person.add("Dentist", timezone.now() + TOMORROW)
    vendors.drain()
    heard = caplog.text + "".join(capsys.readouterr())
    row = PushChannel.objects.get()
    assert f"{row.channel_id}." not in heard, said
    for table in (PushChannel, PushMark, ReceivedPush):
        assert f"{row.channel_id}." not in str(list(table.objects.values()))
