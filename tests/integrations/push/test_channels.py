"""The life of channels, whatever the vendor does to them."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from integrations.errors import NeedsReconnect, RateLimited, Rejected, Unavailable
from integrations.models import Connection, PushChannel, Stream
from integrations.providers.push import PushMisconfigured, PushUnsupported
from integrations.push import channels
from integrations.selectors.push_switch import why_off
from tests.integrations import build
from tests.integrations.push.rounds import DAY, current, due, ends, passes, round, states
from tests.killing import Killed


def test_each_calendar_gets_one_channel_and_is_read_once_more(stream, switchboard, workspace):
    busy = Stream.objects.create(connection=stream.connection, container_id="busy", reads_busy=True)
    Stream.objects.create(connection=stream.connection, container_id="old", is_active=False)
    assert round() == 2
    assert (states(stream), states(busy)) == (["live"], ["live"])
    wanted = {each.container_id: each for each in switchboard.live.values()}
    assert set(wanted) == {"main", "busy"}
    assert wanted["main"].url == "https://sync.example.com/push/google"
    assert wanted["main"].secret != wanted["busy"].secret
    assert len(wanted["main"].secret) <= 128
    assert due(stream)
    assert round() == 0


@pytest.mark.parametrize(
    ("state", "fields"),
    [("setup", {}), ("needs_reconnect", {}), ("disconnected", {}), ("active", {"leaving": {"by": "x"}})],
)
def test_who_cannot_sync_has_none(workspace, switchboard, state, fields):
    connection = build.connection(workspace, state=state, **fields)
    Stream.objects.create(connection=connection, container_id="main")
    assert round() == 0
    assert not switchboard.calls


def test_the_books_have_none(stream, switchboard):
    Stream.objects.update(kind="invoice")
    assert round() == 0


def test_a_channel_is_replaced_before_it_ends_and_the_new_one_works_first(stream, switchboard, clock):
    round()
    first = current(stream)
    share = (first.renew_at - timezone.now()) / (first.expires_at - timezone.now())
    assert 0.69 < share < 0.86
    live_meanwhile = []
    switchboard.during = lambda _wanted: live_meanwhile.append(states(stream))
    ends(first.renew_at, clock)
    round()
    assert live_meanwhile == [["live", "opening"]]
    assert states(stream) == ["stopped", "live"]
    assert switchboard.stopped == [first.channel_id]
    assert list(switchboard.live) == [current(stream).channel_id]
    assert due(stream)


def test_a_subscription_is_extended_and_stays_the_same(stream, switchboard, clock):
    switchboard.extends = True
    round()
    first = current(stream)
    due(stream)
    ends(first.renew_at, clock)
    assert round() == 1
    assert current(stream).channel_id == first.channel_id
    assert current(stream).expires_at > first.expires_at
    assert switchboard.calls == ["open", "extend"]
    assert not due(stream)


def test_a_subscription_that_the_vendor_does_not_know_is_made_anew(stream, switchboard, clock):
    """It was removed in silence, or the database is an older copy."""
    switchboard.extends = True
    round()
    due(stream)
    switchboard.live.clear()
    ends(current(stream).renew_at, clock)
    round()
    assert states(stream) == ["stopped", "live"]
    assert due(stream)


@pytest.mark.slow
def test_failures_are_tried_again_less_and_less_often_and_told_once(stream, switchboard, clock, tasks):
    Stream.objects.create(connection=stream.connection, container_id="busy", reads_busy=True)
    switchboard.errors["open"] = [Unavailable("down") for _ in range(40)]
    waits = []
    for _ in range(7):
        round()
        waits.append((current(stream).renew_at - timezone.now()).total_seconds() / 60)
        ends(max(PushChannel.objects.filter(state="opening").values_list("renew_at", flat=True)), clock)
    for wait, expected in zip(waits, [15, 60, 240, 720, 720, 720, 720], strict=True):
        assert 0.84 * expected < wait < 1.16 * expected
    assert len(tasks) == 1
    ((name, connection_id, why),) = tasks
    assert (name, connection_id) == ("integrations.jobs.tasks.tell_of_failing_push", stream.connection_id)
    switchboard.errors.clear()
    round()
    assert (current(stream).state, current(stream).failures, current(stream).reason) == ("live", 0, "")


def test_the_mail_says_what_is_the_matter_and_that_nothing_is_lost(stream):
    from integrations.jobs.tasks import tell_of_failing_push

    tell_of_failing_push(stream.connection_id, "Google Calendar did not answer.")
    (message,) = mail.outbox
    assert message.to == ["owner@fieldcamp.test"]
    assert "Google Calendar did not answer." in message.body and "Nothing is lost" in message.body
    assert stream.connection_id in message.body


@pytest.mark.slow
def test_in_its_last_day_a_channel_is_tried_every_hour_and_then_its_calendar_is_read(stream, switchboard, clock, tasks):
    round()
    due(stream)
    switchboard.errors["open"] = [Rejected("no") for _ in range(100)]
    old = current(stream)
    ends(old.renew_at, clock)
    round()
    ends(max(old.expires_at - 1.3 * DAY, timezone.now()), clock)
    longest = dt.timedelta(0)
    while timezone.now() < old.expires_at:
        round()
        opening = PushChannel.objects.filter(state="opening").first()
        before = timezone.now()
        ends(opening.renew_at if opening else old.renew_at, clock)
        if before > old.expires_at - DAY:
            longest = max(longest, timezone.now() - before)
    assert PushChannel.objects.get(pk=old.pk).state == "live"
    assert longest < dt.timedelta(minutes=75)
    assert not due(stream)
    round()
    assert PushChannel.objects.get(pk=old.pk).state == "lost"
    assert due(stream)
    switchboard.errors.clear()
    ends(PushChannel.objects.get(state="opening").renew_at, clock)
    round()
    assert states(stream) == ["stopped", "live"]


def test_when_the_vendor_says_when_to_come_back_that_is_no_failure(stream, switchboard):
    later = timezone.now() + dt.timedelta(hours=2)
    switchboard.errors["open"] = [RateLimited("slow down", retry_at=later)]
    round()
    assert (current(stream).renew_at, current(stream).failures) == (later, 0)


@pytest.mark.slow
@pytest.mark.parametrize("extends", [False, True])
def test_an_opening_whose_answer_is_lost_leaves_no_channel_that_nobody_knows(stream, switchboard, clock, extends):
    switchboard.extends = extends
    switchboard.lost = [Unavailable("lost")]
    round()
    (lost,) = switchboard.live
    assert (current(stream).state, current(stream).channel_id) == ("opening", lost)
    ends(current(stream).renew_at, clock)
    round()
    assert sorted(states(stream)) == ["live", "retiring"]
    ends(max(PushChannel.objects.filter(state="retiring").values_list("renew_at", flat=True)), clock)
    round()
    assert sorted(states(stream)) == ["live", "stopped"]
    assert list(switchboard.live) == [current(stream).channel_id]


def test_a_worker_that_was_killed_while_it_opened_is_followed_by_another(stream, switchboard, clock):
    def kill(_wanted):
        raise Killed

    switchboard.during = kill
    with pytest.raises(Killed):
        round()
    switchboard.during = lambda _wanted: None
    assert round() == 0, "it is claimed"
    clock.move(channels.CLAIM.total_seconds() + 1)
    round()
    clock.move(channels.CLAIM.total_seconds() + 1)
    round()
    assert sorted(states(stream)) == ["live", "stopped"]
    assert list(switchboard.live) == [current(stream).channel_id]


def test_the_message_that_comes_before_the_answer_makes_one_channel(stream, switchboard):
    def tell(wanted):
        PushChannel.objects.filter(channel_id=wanted.channel_id, state="opening").update(
            state="live", resource_id="the calendar"
        )

    switchboard.during = tell
    round()
    assert (states(stream), current(stream).expires_at is not None) == (["live"], True)


def test_a_calendar_that_the_vendor_tells_nothing_of_is_never_asked_about_again(stream, switchboard, clock):
    switchboard.errors["open"] = [PushUnsupported("holidays", certain=True)]
    round()
    assert current(stream).state == "unsupported"
    passes(clock, 30 * DAY)
    assert round() == 0


def test_a_refusal_that_may_be_wrong_is_asked_about_again_in_a_week(stream, switchboard, clock):
    switchboard.errors["open"] = [PushUnsupported("perhaps", certain=False)]
    round()
    assert current(stream).state == "unsupported"
    passes(clock, 6 * DAY)
    assert round() == 0
    passes(clock, DAY * 1.01)
    round()
    assert states(stream) == ["live"]


@pytest.mark.slow
def test_the_operators_fault_is_told_once_and_asked_about_once_a_day(workspace, stream, switchboard, clock, settings):
    settings.OPERATOR_EMAIL = "operator@example.com"
    for number in range(5):
        Stream.objects.create(connection=build.connection(workspace), container_id=f"main {number}")
    refusal = [PushMisconfigured("not verified", fault="push.webhookUrlUnauthorized") for _ in range(50)]
    switchboard.errors["open"] = refusal
    for _ in range(3 * 4):
        round()
        passes(clock, dt.timedelta(hours=6))
    assert 3 <= len(switchboard.calls) <= 4
    (message,) = mail.outbox
    assert message.to == ["operator@example.com"]
    assert "push.webhookUrlUnauthorized" in message.body
    assert "https://sync.example.com/push/google" in message.body
    round()
    assert "refuses" in why_off(build.GOOGLE)
    refusal.clear()
    for _ in range(5):
        round()
        passes(clock, dt.timedelta(hours=6))
    assert len(switchboard.live) == 6
    assert why_off(build.GOOGLE) == ""
    assert not any(PushChannel.objects.values_list("failures", flat=True))


def test_what_says_that_a_person_has_to_act_is_left_to_the_sync(stream, switchboard):
    switchboard.errors["open"] = [NeedsReconnect("no")]
    round()
    assert Connection.objects.get().state == "active"
    assert current(stream).failures == 1


def test_a_vendor_that_refuses_only_this_time(stream, switchboard, clock):
    switchboard.errors["open"] = [Rejected("lifetime")]
    round()
    assert (current(stream).state, current(stream).opened_at) == ("opening", None)
    ends(current(stream).renew_at, clock)
    round()
    assert states(stream) == ["live"]
