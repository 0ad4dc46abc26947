"""Reads of the change feed that go on from a place ask the vendor too, and so seldom that polling costs little."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations.models import Connection, DailyCalls, PushChannel
from integrations.selectors.metering import utc_day
from integrations.services.observe import BILLED, READ_ON, TOLD_BY_PUSH, observe_pending
from tests.integrations import build

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def asked(monkeypatch, settings):
    """Which accounts are asked; asking succeeds. Vendors can push here."""
    from integrations.services import observe

    settings.PUBLIC_URL = "https://sync.example.com"

    found = []

    def note(connection, ends, rests):
        found.append(connection.pk)
        Connection.objects.filter(pk=connection.pk).update(observing_until=None, observed_at=timezone.now())

    monkeypatch.setattr(observe, "_observe", note)
    return found


def account(workspace, age: dt.timedelta, integration=build.GOOGLE, **fields) -> Connection:
    now = timezone.now()
    made = build.connection(
        workspace, integration=integration, observed_at=now - age, last_synced_at=now - age - SECOND, **fields
    )
    made.streams.create(container_id="primary", is_target=True, cursor="x")
    return made


def channel(one: Connection, lasts: dt.timedelta) -> None:
    PushChannel.objects.create(
        stream=one.streams.get(),
        integration=one.integration,
        channel_id="c",
        secret_digest="x",
        state="live",
        expires_at=timezone.now() + lasts,
    )


@pytest.mark.parametrize(
    ("integration", "age", "push", "used", "asks"),
    [
        ("google_calendar", READ_ON - 2 * SECOND, False, 0, False),
        ("google_calendar", READ_ON + SECOND, False, 0, True),
        ("outlook_calendar", READ_ON + SECOND, False, 0, True),
        ("google_calendar", TOLD_BY_PUSH - 5 * SECOND, True, 0, False),
        ("google_calendar", TOLD_BY_PUSH + SECOND, True, 0, True),
        ("quickbooks", BILLED - 5 * SECOND, False, 0, False),
        ("quickbooks", BILLED + SECOND, False, 49, True),
        ("quickbooks", BILLED + SECOND, False, 50, False),  # the other half is for syncs
    ],
)
def test_how_often(workspace, asked, integration, age, push, used, asks):
    books = integration == "quickbooks"
    one = account(workspace, age, integration, metered_reads_per_day=100, **({"member": None} if books else {}))
    if push:
        channel(one, dt.timedelta(days=1))
    DailyCalls.objects.create(connection=one, day=utc_day(timezone.now()), metered=used)
    observe_pending(workspace, integration, reading_on=True)
    assert asked == [one.pk] * asks
    observe_pending(workspace, integration, reading_on=True)
    assert asked == [one.pk] * asks


def test_a_calendar_without_a_channel_is_told_of_by_nobody(workspace, asked):
    one = account(workspace, READ_ON + SECOND)
    channel(one, dt.timedelta(days=1))
    one.streams.create(container_id="family", reads_busy=True, cursor="x")
    observe_pending(workspace, one.integration, reading_on=True)
    assert asked == [one.pk]


def test_the_account_looked_at_longest_ago_comes_first(workspace, asked):
    accounts = [account(workspace, READ_ON * number) for number in (2, 4, 3)]
    observe_pending(workspace, build.GOOGLE, reading_on=True)
    assert asked == [accounts[1].pk, accounts[2].pk, accounts[0].pk]


def test_fresh_ones_cost_one_query_more_and_no_write(workspace, asked, django_assert_num_queries):
    for _ in range(5):
        account(workspace, SECOND)
    with django_assert_num_queries(2):
        observe_pending(workspace, build.GOOGLE, reading_on=True)
    assert asked == []


@pytest.mark.slow
def test_an_account_that_cannot_be_asked_rests(dana, sync, vendors, clock):
    sync()
    clock.move(60)
    vendors.fault("status", status=503, times=9)
    vendors.forget_requests()
    for _ in range(5):
        observe_pending(dana.workspace, dana.integration, reading_on=True)
    assert len(vendors.requests()) == 1
    clock.move(31)
    observe_pending(dana.workspace, dana.integration, reading_on=True)
    assert len(vendors.requests()) == 2


@pytest.mark.parametrize("off", [False, True])
def test_a_channel_that_tells_nothing_any_more_counts_for_nothing(workspace, asked, settings, off):
    one = account(workspace, READ_ON + SECOND)
    channel(one, dt.timedelta(days=1) if off else -SECOND)
    if off:
        settings.PUBLIC_URL = "http://localhost:8000"
        settings.SANDBOX_URL = ""
    observe_pending(workspace, one.integration, reading_on=True)
    assert asked == [one.pk]
