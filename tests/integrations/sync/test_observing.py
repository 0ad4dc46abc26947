"""A read of the change feed takes in what is pending: for a bounded time, one reader at a time, never beside a job."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Member
from integrations.accounts.clients import open_remote
from integrations.models import ChangeRow, Connection, ConnectionState, Link, OAuthGrant, Stream, SyncJob
from integrations.services.connections import set_up, take_grant
from integrations.services.jobs import trigger_sync
from integrations.services.observe import observe_pending
from tests.integrations.identifiers import known_as
from tests.integrations.sync.outlook import Outlook

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
GOOGLE = "google_calendar"


@pytest.fixture
def pending(dana, google, sync, vendors, clock):
    """An event that was made since the last sync; nothing has been asked since."""
    sync()
    clock.move(60)
    event = google.add("Dentist", timezone.now() + dt.timedelta(days=1))
    vendors.forget_requests()
    return event


def read(connection: Connection, seconds: float = 2.0) -> dt.datetime:
    return observe_pending(connection.workspace, GOOGLE, seconds)


def taken_in() -> list[str]:
    return list(ChangeRow.objects.order_by("seq").values_list("remote_id", flat=True))


def test_what_is_pending_is_taken_in_and_no_record_is_touched(dana, pending, vendors):
    read(dana)
    assert taken_in() == [known_as(pending.id)]
    assert not BlockedTime.objects.exists() and Link.objects.get().unsettled  # for the next sync to deal with
    assert len(vendors.requests()) == 1


def test_what_was_just_taken_in_is_not_asked_for_again(dana, pending, vendors, clock):
    read(dana)
    read(dana)
    assert len(vendors.requests()) == 1
    clock.move(2.1)
    read(dana)
    assert len(vendors.requests()) == 2
    assert taken_in() == [known_as(pending.id)]


def test_two_readers_do_not_ask_at_once_and_one_that_died_is_not_waited_for(dana, pending, vendors, clock):
    Connection.objects.update(observing_until=clock.now + dt.timedelta(seconds=30))  # by somebody who is still at it
    read(dana)
    assert vendors.requests() == []
    clock.move(31)
    read(dana)
    assert taken_in() == [known_as(pending.id)]


def test_a_second_reader_that_comes_meanwhile_asks_nothing(dana, pending, vendors, monkeypatch):
    send, asked = vendors.adapter.send, []

    def while_reading(request, **kwargs):
        if not asked:
            asked.append(request.url)
            read(dana)
        return send(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", while_reading)
    read(dana)
    assert len(vendors.requests()) == 1
    assert taken_in() == [known_as(pending.id)]


def test_nothing_is_taken_in_beside_a_job(dana, pending, vendors, workspace):
    trigger_sync(workspace=workspace, integration=GOOGLE, triggered_by="api", actor="test")
    read(dana)
    assert vendors.requests() == [] and taken_in() == []


def test_a_job_of_another_integration_or_company_is_not_in_the_way(dana, pending, second_workspace):
    for workspace, integration in ((dana.workspace, "outlook_calendar"), (second_workspace, GOOGLE)):
        SyncJob.objects.create(
            workspace=workspace, integration=integration, triggered_by="api", created_at=timezone.now()
        )
    read(dana)
    assert taken_in() == [known_as(pending.id)]


def test_a_job_that_starts_meanwhile_takes_over(dana, pending, vendors, workspace, monkeypatch):
    """What the reader holds in its hands is dropped; its cursor has not moved, so that the job sees it too."""
    send = vendors.adapter.send
    cursor = Stream.objects.get().cursor

    def started_meanwhile(request, **kwargs):
        answer = send(request, **kwargs)
        trigger_sync(workspace=workspace, integration=GOOGLE, triggered_by="api", actor="test")
        return answer

    monkeypatch.setattr(vendors.adapter, "send", started_meanwhile)
    read(dana)
    assert taken_in() == [] and Stream.objects.get().cursor == cursor
    assert Connection.objects.get().observing_until is None


def test_who_has_to_wait_is_not_asked(dana, pending, vendors, clock):
    Connection.objects.update(retry_at=clock.now + dt.timedelta(minutes=5))
    read(dana)
    assert vendors.requests() == []
    clock.move(301)
    read(dana)
    assert taken_in() == [known_as(pending.id)]


def test_the_reader_waits_no_longer_than_its_seconds(dana, pending, vendors, clock):
    vendors.fault("delay", seconds=60, times=9)
    before = clock.now
    as_of = read(dana, 2)
    assert 1.9 < (clock.now - before).total_seconds() < 3
    assert len(vendors.requests()) == 1
    assert as_of == Connection.objects.get().last_synced_at  # not fresher than it was: never wrong
    connection = Connection.objects.get()
    assert (connection.observed_at, connection.observing_until) == (None, None)


def token_ends(connection: Connection) -> None:
    """The next call would have to renew it first."""
    OAuthGrant.objects.filter(connection=connection).update(expires_at=timezone.now())


@pytest.mark.slow
def test_no_account_is_begun_with_when_the_time_is_up(dana, pending, connect, sync, vendors, clock):
    """Not even its token is renewed."""
    lee = connect("lee")
    sync()
    clock.move(60)
    vendors.forget_requests()
    token_ends(lee)
    vendors.fault("delay", seconds=60, times=9)
    read(dana, 2)
    assert ["token" in row["path"] for row in vendors.requests()] == [False]
    assert Connection.objects.get(pk=lee.pk).observing_until is None


def test_beside_a_job_not_even_the_token_is_renewed(dana, pending, vendors, workspace):
    trigger_sync(workspace=workspace, integration=GOOGLE, triggered_by="api", actor="test")
    token_ends(dana)
    read(dana)
    assert vendors.requests() == []


@pytest.mark.slow
def test_no_calendar_is_begun_with_when_the_time_is_up(dana, pending, google, sync, vendors, clock):
    family = next(c.id for c in open_remote(dana).containers() if c.writable and not c.primary)
    set_up(
        connection=dana,
        member=dana.member,
        target_container_id=google.main,
        busy_container_ids=[google.main, family],
    )
    sync()
    clock.move(60)
    vendors.forget_requests()
    vendors.fault("delay", seconds=1.9, times=9)
    before = clock.now
    read(dana, 1.9)
    assert len(vendors.requests()) == 1
    assert (clock.now - before).total_seconds() < 3
    assert Connection.objects.get().observed_at is None


@pytest.mark.slow
def test_another_integration_of_the_company_is_left_alone(dana, pending, connect, sync, vendors, clock):
    theirs = connect(kind=Outlook, member=dana.member)
    sync(integration="outlook_calendar")
    clock.move(60)
    vendors.forget_requests()
    read(dana)
    assert vendors.at("microsoft").requests() == []
    assert Connection.objects.get(pk=theirs.pk).observed_at is None
    assert taken_in() == [known_as(pending.id)]


def test_an_ill_provider_makes_the_answer_older_and_never_wrong(dana, pending, vendors, clock):
    synced = Connection.objects.get().last_synced_at
    vendors.fault("status", status=503, times=9)
    assert read(dana) == synced
    assert len(vendors.requests()) == 1  # it is not asked again while somebody waits
    vendors.call("DELETE", "faults")
    before = clock.now
    assert before <= read(dana) <= clock.now
    assert taken_in() == [known_as(pending.id)]


@pytest.mark.slow
def test_the_answer_is_as_old_as_its_oldest_account(dana, pending, connect, sync, clock):
    lee = connect("lee")
    sync()
    clock.move(60)
    waits_since = Connection.objects.get(pk=lee.pk).last_synced_at
    Connection.objects.filter(pk=lee.pk).update(retry_at=clock.now + dt.timedelta(minutes=5))
    assert read(dana) == waits_since


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (ConnectionState.ACTIVE, 1),
        (ConnectionState.PAUSED, 1),
        (ConnectionState.SETUP, 0),
        (ConnectionState.NEEDS_RECONNECT, 0),
        (ConnectionState.NEEDS_PERMISSION, 0),
        (ConnectionState.DISCONNECTED, 0),
    ],
)
def test_which_accounts_are_asked(dana, pending, vendors, state, asked):
    Connection.objects.update(state=state)
    read(dana)
    assert len(vendors.requests()) == asked


def test_a_calendar_that_was_never_synced_is_left_to_its_first_sync(dana, google, vendors):
    google.add("Dentist", timezone.now() + dt.timedelta(days=1))
    vendors.forget_requests()
    read(dana)
    assert vendors.requests() == [] and taken_in() == []


def test_a_calendar_that_is_not_read_any_more_is_not_asked(dana, pending, vendors):
    Stream.objects.update(is_active=False)
    read(dana)
    assert vendors.requests() == []


def test_what_another_reader_or_job_has_taken_in_is_not_taken_in_twice(dana, pending, google, vendors, monkeypatch):
    """The cursor has moved on since it was read: this reader's page is dropped."""
    send = vendors.adapter.send

    def moved_meanwhile(request, **kwargs):
        answer = send(request, **kwargs)
        Stream.objects.update(cursor="further on")
        return answer

    monkeypatch.setattr(vendors.adapter, "send", moved_meanwhile)
    read(dana)
    assert taken_in() == [] and Stream.objects.get().cursor == "further on"


def test_one_account_in_two_companies_is_taken_in_by_who_reads(dana, pending, google, vendors, second_workspace):
    account, tokens = google.granted(vendors, "dana")
    twin = take_grant(workspace=second_workspace, integration=GOOGLE, account=account, tokens=tokens, user=None)
    member = Member.objects.create(workspace=second_workspace, first_name="Dana", is_technician=True)
    set_up(connection=twin, member=member, target_container_id=google.main, busy_container_ids=[google.main])
    Stream.objects.filter(connection=twin).update(cursor=Stream.objects.get(connection=dana).cursor)
    read(dana)
    assert set(ChangeRow.objects.values_list("workspace", "connection")) == {(dana.workspace_id, dana.pk)}
    assert Connection.objects.get(pk=twin.pk).observed_at is None
    observe_pending(second_workspace, GOOGLE)
    rows = ChangeRow.objects.order_by("pk").values_list("workspace", "connection", "seq")
    assert list(rows) == [(dana.workspace_id, dana.pk, 1), (second_workspace.pk, twin.pk, 1)]
