"""Whose calendar, which calendars, and what the first sync would do."""

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import VisitStatus
from integrations.models import ConflictPolicy, Connection, ConnectionState, Direction, SyncJob
from integrations.providers.google_calendar.api import GoogleCalendarClient
from integrations.records import Lack
from integrations.services import connections
from integrations.services.preview import preview_first_sync
from tests.integrations.connecting import MAIN, only_connection


def family(connection: Connection) -> str:
    return next(calendar.id for calendar in connections.list_containers(connection) if calendar.name == "Family")


def test_nothing_syncs_before_it_is_set_up(new):
    connection = new()
    assert connection.state == ConnectionState.SETUP
    assert not connection.usable
    assert not connection.streams.exists()


def test_setting_up_makes_a_stream_for_each_calendar(new, dana):
    connection = new()
    other = family(connection)
    connections.set_up(
        connection=connection,
        member=dana,
        target_container_id=MAIN,
        busy_container_ids=[MAIN, other],
        direction=Direction.PUSH,
        policy=ConflictPolicy.ASK,
    )
    connection.refresh_from_db()
    assert (connection.state, connection.member) == (ConnectionState.ACTIVE, dana)
    streams = {stream.container_id: stream for stream in connection.streams.all()}
    assert set(streams) == {MAIN, other}
    main, side = streams[MAIN], streams[other]
    assert (main.is_target, main.reads_busy, main.direction, main.policy) == (True, True, "push", "ask")
    assert (side.is_target, side.reads_busy, side.direction) == (False, True, "pull")
    assert side.container_name == "Family"


def test_other_choices_later(active, dana):
    other = family(active)
    first = active.streams.get()
    first.cursor = "read up to here"
    first.save()
    connections.set_up(connection=active, member=dana, target_container_id=other, busy_container_ids=[MAIN])
    streams = {stream.container_id: stream for stream in active.streams.all()}
    assert [stream.container_id for stream in active.streams.filter(is_target=True)] == [other]
    assert streams[MAIN].cursor == "read up to here"
    connections.set_up(connection=active, member=dana, target_container_id=MAIN, busy_container_ids=[])
    streams = {stream.container_id: stream for stream in active.streams.all()}
    assert (streams[other].is_active, streams[MAIN].is_active, streams[MAIN].reads_busy) == (False, True, False)
    connections.set_up(connection=active, member=dana, target_container_id=MAIN, busy_container_ids=[MAIN])
    assert active.streams.get(container_id=MAIN).cursor == ""  # busy times were passed over meanwhile


def test_another_persons_calendar_is_read_anew(active, lee):
    active.streams.update(cursor="x", window_end=timezone.now())
    connections.set_up(connection=active, member=lee, target_container_id=MAIN, busy_container_ids=[MAIN])
    stream = active.streams.get()
    assert (stream.cursor, stream.window_end, stream.is_active) == ("", None, True)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"target_container_id": "nothing"}, "target"),
        ({"target_container_id": ""}, "target"),
        ({"busy_container_ids": ["nothing"]}, "busy"),
        ({"direction": "sideways"}, "direction"),
        ({"policy": "newest"}, "policy"),
    ],
)
def test_choices_that_cannot_be_taken(new, dana, choices, field):
    connection = new()
    values = {"member": dana, "target_container_id": MAIN, "busy_container_ids": []}
    with pytest.raises(connections.SetupError) as caught:
        connections.set_up(connection=connection, **values | choices)
    assert caught.value.field == field
    assert not connection.streams.exists()


def test_a_calendar_that_may_only_be_read_is_no_target(new, dana, monkeypatch):
    connection = new()
    calendars = [replace(calendar, lacks=Lack.CHANGE) for calendar in connections.list_containers(connection)]
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: calendars)
    values = {"connection": connection, "member": dana, "target_container_id": MAIN, "busy_container_ids": [MAIN]}
    with pytest.raises(connections.SetupError, match="only read"):
        connections.set_up(**values)
    assert connections.set_up(**values, direction=Direction.PULL).usable


def test_a_calendar_whose_events_may_not_be_seen_is_not_read_but_where_it_is_already(new, dana, monkeypatch):
    connection = new()
    main, *_others = listed = connections.list_containers(connection)
    hidden = [main, *(replace(calendar, lacks=Lack.READ) for calendar in listed[1:])]
    values = {"connection": connection, "member": dana, "busy_container_ids": [MAIN, family(connection)]}
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: hidden)
    with pytest.raises(connections.SetupError, match="may not see the events in Family") as caught:
        connections.set_up(**values, target_container_id=MAIN)
    assert caught.value.field == "busy"
    with pytest.raises(connections.SetupError, match="may not see the events of that calendar") as caught:
        connections.set_up(**values | {"busy_container_ids": []}, target_container_id=family(connection))
    assert caught.value.field == "target"
    with monkeypatch.context() as before:
        before.setattr(GoogleCalendarClient, "containers", lambda self: listed)
        connections.set_up(**values, target_container_id=MAIN)
    assert connections.set_up(
        **values, target_container_id=MAIN
    ).usable  # it is lost meanwhile, and told of by the sync


def test_what_is_disconnected_while_its_calendars_are_listed_stays_so(desk, active, dana, monkeypatch):
    real, listings = GoogleCalendarClient.containers, []

    def listed(self):
        found = real(self)
        listings.append(found)
        if len(listings) < 2:  # for the form; before it is saved they are asked for again
            return found
        Connection.objects.filter(pk=active.pk).update(state=ConnectionState.DISCONNECTED)
        return found

    monkeypatch.setattr(GoogleCalendarClient, "containers", listed)
    choices = {"target": MAIN, "busy": MAIN, "direction": "push", "policy": "local"}
    answer = desk.post(f"/admin/integrations/connections/{active.pk}/settings/", choices)
    assert answer.status_code == 409 and "Connect this account again first." in answer.content.decode()
    active.refresh_from_db()
    assert active.state == ConnectionState.DISCONNECTED
    assert active.streams.get().direction == Direction.TWO_WAY


def test_one_connection_for_each_member(new, active, dana, lee, person, second_workspace):
    other = new("lee@google.test")
    values = {"target_container_id": "lee@google.test", "busy_container_ids": []}
    with pytest.raises(connections.SetupError, match="another Google Calendar account"):
        connections.set_up(connection=other, member=dana, **values)
    unmatched = person("Sam", workspace=second_workspace)
    with pytest.raises(connections.SetupError):
        connections.set_up(connection=other, member=unmatched, **values)
    lee.is_active = False
    lee.save()
    with pytest.raises(connections.SetupError):
        connections.set_up(connection=other, member=lee, **values)


def test_whose_calendar_it_probably_is(new, dana):
    assert connections.suggest_member(new()) == dana
    assert connections.suggest_member(new("lee@google.test")) is None


@pytest.mark.slow
def test_the_first_sync_is_told_beforehand(active, dana, make_visit, make_technician, vendors):
    now = timezone.now()
    hour = dt.timedelta(hours=1)

    def visit(start, **fields):
        timed = {"scheduled_start": start, "scheduled_end": start + hour, "visit_status": VisitStatus.SCHEDULED}
        make_visit(technician=dana, **timed | fields)

    visit(now + hour)
    visit(now - dt.timedelta(days=3), visit_status=VisitStatus.COMPLETED)
    visit(now + hour, visit_status=VisitStatus.CANCELLED)
    visit(now + hour, deleted_at=now)
    visit(now + dt.timedelta(days=400))
    visit(now - dt.timedelta(days=400))
    make_visit(technician=dana)
    make_visit(technician=make_technician(), scheduled_start=now, scheduled_end=now + hour)
    vendors.call("POST", "bulk", json={"vendor": "google", "account": MAIN, "events": 5})
    before = vendors.state(MAIN)
    preview = preview_first_sync(active)
    assert (preview.to_create, preview.to_remove, preview.complete) == (2, 0, True)
    assert 0 < preview.busy <= 5
    assert vendors.state(MAIN) == before
    active.streams.get().links.create(kind="visit", record_id=dana.visits.first().pk, remote_id="e1")
    assert preview_first_sync(active).to_create == 1


def test_from_consent_to_the_first_sync(desk, dana):
    setup = desk.consent()["Location"]
    page = desk.get(setup).content.decode()
    assert f'value="{dana.pk}" selected' in page  # the same e-mail address
    assert f'value="{MAIN}" checked' in page
    response = desk.post(setup, {"member": dana.pk, "target": MAIN, "busy": MAIN})
    connection = only_connection()
    assert response["Location"] == f"/admin/integrations/connections/{connection.pk}/preview/"
    page = desk.get(response["Location"]).content.decode()
    assert "First sync: 0 events to create, " in page
    assert "nothing to remove." in page
    response = desk.post(f"/admin/integrations/connections/{connection.pk}/sync/", {"mode": "incremental"})
    assert response.status_code == 302
    job = SyncJob.objects.get()
    assert (job.connection, job.triggered_by, job.mode) == (connection, "admin", "incremental")
    assert desk.post(f"/admin/integrations/connections/{connection.pk}/sync/").status_code == 302
    assert SyncJob.objects.count() == 1


def test_setup_shows_what_is_wrong_and_keeps_the_choices(desk, dana):
    setup = desk.consent()["Location"]
    response = desk.post(setup, {"member": "", "target": MAIN, "policy": "ask"})
    assert response.status_code == 400
    page = response.content.decode()
    assert "Choose whose calendar it is." in page
    assert 'value="ask" selected' in page


def test_setup_when_google_does_not_answer(desk, vendors):
    setup = desk.consent()["Location"]
    vendors.fault("status", status=503, times=9)
    response = desk.get(setup)
    assert response.status_code == 503
    assert "Try again" in response.content.decode()


def test_the_preview_of_what_is_not_set_up_leads_to_the_setup(desk):
    setup = desk.consent()["Location"]
    assert desk.get(setup.replace("setup", "preview"))["Location"] == setup
