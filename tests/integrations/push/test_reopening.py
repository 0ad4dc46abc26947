"""When channels end, and when they are opened anew: accounts that are left, breaks, other addresses."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection as database
from django.utils import timezone

from integrations.errors import Unavailable
from integrations.models import Connection, Heartbeat, PushChannel, Stream
from integrations.push import channels, keeper
from integrations.selectors.push_switch import why_off
from integrations.services.connections import disconnect, pause
from tests.integrations import build
from tests.integrations.push.rounds import DAY, current, due, ends, round, states


def test_a_disconnected_account_has_its_channels_stopped_and_what_still_comes_does_nothing(stream, switchboard):
    round()
    (live,) = switchboard.live
    disconnect(connection=stream.connection, user=None)
    assert (switchboard.stopped, states(stream)) == ([live], ["stopped"])
    assert round() == 0


def test_the_vendor_is_down_while_an_account_is_disconnected(stream, switchboard):
    Stream.objects.create(connection=stream.connection, container_id="busy", reads_busy=True)
    round()
    switchboard.errors["stop"] = [Unavailable("down") for _ in range(9)]
    disconnect(connection=stream.connection, user=None)
    assert set(PushChannel.objects.values_list("state", flat=True)) == {"stopped"}
    assert switchboard.calls.count("stop") == 1, "nobody waits for it twice"
    assert Connection.objects.get().state == "disconnected"


def test_disconnected_while_the_channel_is_opened(stream, switchboard):
    switchboard.during = lambda _wanted: disconnect(connection=stream.connection, user=None)
    round()
    assert states(stream) == ["stopped"]
    assert not switchboard.live


def test_a_calendar_that_is_not_synced_any_more_loses_its_channel_and_gets_another_with_its_return(stream, switchboard):
    round()
    Stream.objects.update(is_active=False)
    round()
    assert (states(stream), switchboard.live) == (["stopped"], {})
    Stream.objects.update(is_active=True)
    round()
    assert (states(stream), len(switchboard.live)) == (["stopped", "live"], 1)


def test_a_paused_account_keeps_its_channels(stream, switchboard, clock):
    round()
    pause(connection=stream.connection, user=None)
    ends(current(stream).renew_at, clock)
    round()
    assert states(stream) == ["stopped", "live"]


def test_a_broken_account_keeps_what_it_has_and_asks_for_nothing(stream, switchboard, clock):
    round()
    Connection.objects.update(state="needs_reconnect")
    ends(current(stream).renew_at, clock)
    assert round() == 0
    assert states(stream) == ["live"]


def test_without_a_public_address_nothing_is_opened(stream, switchboard, settings):
    for url in ("http://127.0.0.1:8000", "http://sync.example.com", "https://localhost", "https://127.0.0.1"):
        settings.PUBLIC_URL = url
        assert round() == 0
        assert "https" in why_off(build.GOOGLE)
    settings.PUBLIC_URL = "https://sync.example.com"
    assert why_off(build.GOOGLE) == ""
    assert round() == 1


def _break(clock, settings):
    clock.move(keeper.SILENCE.total_seconds() + 60)


def _old_copy(clock, settings):
    Heartbeat.objects.filter(name__startswith="push-round").update(at=timezone.now() - 2 * DAY)


def _other_address(clock, settings):
    settings.PUBLIC_URL = "https://another.example.com"


@pytest.mark.parametrize("change", [_break, _old_copy, _other_address])
def test_after_a_break_or_under_another_address_all_channels_are_opened_anew(
    stream,
    switchboard,
    clock,
    settings,
    change: Callable,
):
    round()
    before = current(stream).channel_id
    due(stream)
    change(clock, settings)
    round()
    clock.move(keeper.SPREAD.total_seconds() + 1)
    round()
    assert states(stream) == ["stopped", "live"]
    assert current(stream).channel_id != before
    assert due(stream)
    assert {each.url for each in switchboard.live.values()} == {f"{settings.PUBLIC_URL}/push/google"}


def test_a_channel_that_pushes_were_missed_of_is_opened_anew(stream, switchboard):
    round()
    PushChannel.objects.update(state="lost", renew_at=timezone.now())
    round()
    assert states(stream) == ["stopped", "live"]


@pytest.mark.slow
def test_channels_that_were_opened_together_are_renewed_apart(workspace, switchboard):
    connection = build.connection(workspace)
    Stream.objects.bulk_create(
        Stream(connection=connection, container_id=f"calendar {number}") for number in range(500)
    )
    round()
    renewals = sorted(PushChannel.objects.filter(state="live").values_list("renew_at", flat=True))
    assert len(renewals) == 500
    assert renewals[-1] - renewals[0] > dt.timedelta(days=7) * 0.1


def test_old_rows_go(stream, switchboard, clock):
    round()
    disconnect(connection=stream.connection, user=None)
    channels.prune(timezone.now())
    assert states(stream) == ["stopped"]
    clock.move(15 * DAY.total_seconds())
    assert channels.prune(timezone.now()) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_several_workers_open_each_channel_once(switchboard, in_parallel):
    """Each with threads of its own; the vendor is asked without a transaction being open."""
    company = build.workspace()
    connection = build.connection(company)
    Stream.objects.bulk_create(Stream(connection=connection, container_id=f"calendar {n}") for n in range(12))
    in_transaction = []
    switchboard.during = lambda _wanted: in_transaction.append(database.in_atomic_block)
    keepers = [keeper.ChannelKeeper(threads=3) for _ in range(3)]

    def work(number: int) -> None:
        keepers[number].round(timezone.now())
        keepers[number].wait()

    in_parallel(len(keepers), work)
    for number in range(len(keepers)):  # what a busy database has put off
        work(number)
    assert switchboard.calls == ["open"] * 12
    assert PushChannel.objects.filter(state="live").count() == 12
    assert not any(in_transaction)


@pytest.mark.django_db(transaction=True)
def test_a_slow_vendor_holds_no_round(switchboard):
    connection = build.connection(build.workspace())
    Stream.objects.create(connection=connection, container_id="main")
    asked, go_on = threading.Event(), threading.Event()

    def hang(_wanted) -> None:
        asked.set()
        go_on.wait(20)

    switchboard.during = hang
    mine = keeper.ChannelKeeper(threads=1)
    mine.round(timezone.now())
    assert asked.wait(20)
    mine.round(timezone.now())  # comes back while the vendor still thinks
    assert not go_on.is_set()
    go_on.set()
    mine.wait()
    assert switchboard.calls == ["open"]
