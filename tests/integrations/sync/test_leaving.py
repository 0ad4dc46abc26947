"""People leave, and accounts are left: nothing is read or written any more, somebody is asked, and what they choose is
carried out."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from fieldcamp.workspace.team import update_member
from integrations import errors
from integrations.accounts.leaving import busy_times_of, what_is_left
from integrations.jobs import runner, schedule
from integrations.models import Connection, Link, Problem, SyncJob
from integrations.services.connections import set_up
from integrations.services.jobs import NotConnected, cancel_job, trigger_sync
from integrations.services.leaving import LeaveChoices, leave
from tests.integrations.engine import finish
from tests.integrations.sync.memory import BATCH_SIZE, MemoryClient

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def olga(db):
    return User.objects.create_user("olga")


def set_active(member, active: bool) -> None:
    update_member(workspace=member.workspace, member_id=member.pk, by=None, changes={"is_active": active})


def calls(vendors) -> int:
    return len(vendors.requests())


@pytest.mark.slow
def test_a_person_who_has_left_is_left_alone_until_they_are_back(dana, person, sync, make_visits, vendors, memory):
    visits = make_visits(dana.member, 3)
    person.add("Dentist", timezone.now() + dt.timedelta(days=3))
    sync()
    set_active(dana.member, False)
    dana.refresh_from_db()
    assert (dana.state, dana.usable) == ("member_inactive", False)
    [problem] = Problem.objects.open()
    assert problem.code == "MEMBER_INACTIVE" and "3 coming visits, 3 events" in problem.message
    assert "1 busy times" in problem.message
    vendors.forget_requests()
    Visit.objects.filter(pk=visits[0].pk).update(title="gate code 4711")
    person.add("Private", timezone.now() + dt.timedelta(days=4))
    vendors.forget_requests()
    with pytest.raises(NotConnected) as refused:
        sync()
    assert refused.value.reason == "member_inactive"
    schedule.dispatch_due(timezone.now() + dt.timedelta(days=1))
    assert calls(vendors) == 0 and not SyncJob.objects.in_flight().exists()
    assert Problem.objects.open().count() == 1
    set_active(dana.member, True)
    assert not Problem.objects.open().exists()
    assert sync().status == "succeeded"
    assert BlockedTime.objects.count() == 2
    assert any("gate code 4711" in event.title for event in person.ours().values())


@pytest.mark.parametrize("paused", [True, False])
def test_a_pause_outlasts_an_absence(dana, memory, paused):
    Connection.objects.update(state="paused" if paused else "active", paused_by_person=paused)
    set_active(dana.member, False)
    set_active(dana.member, True)
    dana.refresh_from_db()
    assert dana.state == ("paused" if paused else "active")


@pytest.mark.slow
def test_a_job_that_waits_meets_a_person_who_has_left(dana, memory, make_visits, workspace):
    """Also where the database was changed behind the desk's back."""
    make_visits(dana.member, 2)
    job = trigger_sync(workspace=workspace, integration=dana.integration, triggered_by="api", actor="test")
    type(dana.member).objects.filter(pk=dana.member_id).update(is_active=False)
    memory.forget_requests()
    assert finish(job).status == "failed"
    assert not memory.requests()
    with pytest.raises(NotConnected):
        trigger_sync(workspace=workspace, integration=dana.integration, triggered_by="api", actor="test")
    schedule.dispatch_due(timezone.now())
    assert Problem.objects.open().get().code == "MEMBER_INACTIVE"


@pytest.mark.slow
@pytest.mark.parametrize("end", ["inactive", "disconnected", "needs_permission"])
def test_a_condition_that_ends_in_the_middle_of_a_run_ends_it_before_the_next_call(
    dana, person, sync, make_visits, memory, monkeypatch, end
):
    make_visits(dana.member, 2 * BATCH_SIZE)
    real = MemoryClient.write

    def write(self, container_id, operations):
        result = real(self, container_id, operations)
        if end == "inactive":
            type(dana.member).objects.filter(pk=dana.member_id).update(is_active=False)
        else:
            Connection.objects.update(state=end)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(MemoryClient, "write", write)
        job = sync()
    assert job.status == "failed"
    assert len(person.ours()) == BATCH_SIZE  # the call that was under way
    if end == "inactive":
        assert job.errors[0]["code"] == "MEMBER_INACTIVE"
        assert Problem.objects.open().get().code == "MEMBER_INACTIVE"
        set_active(dana.member, True)
    else:
        Connection.objects.update(state="active")
    assert sync().status == "succeeded"
    assert len(person.ours()) == 2 * BATCH_SIZE


@pytest.mark.slow
def test_what_a_person_leaves_behind_is_done_away_with_as_chosen(
    dana, person, sync, make_visits, olga, people, connect, memory
):
    lee = connect("lee", busy=False)
    make_visits(dana.member, 3)
    person.add("Dentist", timezone.now() + dt.timedelta(days=3))
    sync()
    set_active(dana.member, False)
    assert (what_is_left(dana).events, what_is_left(dana).busy, what_is_left(dana).visits) == (3, 1, 3)
    choices = LeaveChoices(remove_events=True, remove_busy=True, visits_to=lee.member)
    _, job = leave(connection=dana, choices=choices, user=olga, disconnecting=False)
    job = finish(job)
    assert (job.status, job.pushed) == ("succeeded", 3)
    assert person.ours() == {} and len(person.events()) == 1
    assert not BlockedTime.objects.exists() and not Problem.objects.open().exists()
    assert set(Visit.objects.values_list("technician", flat=True)) == {lee.member_id}
    sync()
    assert len(people(person.vendors, "lee").ours()) == 3
    dana.refresh_from_db()
    assert (dana.state, dana.leaving) == ("member_inactive", None)
    assert dana.state_reason == "Dana is not active any more: nothing is read or written."
    make_visits(dana.member, 1)
    set_active(dana.member, True)
    sync()
    assert len(person.ours()) == 1 and BlockedTime.objects.count() == 1


@pytest.mark.slow
def test_disconnecting_can_take_the_events_along(dana, person, sync, make_visits, olga, connect, people):
    visits = make_visits(dana.member, 3)
    person.add("Dentist", timezone.now() + dt.timedelta(days=3))
    sync()
    _, job = leave(connection=dana, choices=LeaveChoices(remove_events=True), user=olga, disconnecting=True)
    dana.refresh_from_db()
    assert dana.state == "active" and dana.leaving["disconnect"]
    assert finish(job).pushed == 3
    dana.refresh_from_db()
    assert (dana.state, dana.state_reason) == ("disconnected", "Disconnected by olga.")
    assert BlockedTime.objects.count() == 1  # they were to be kept
    again = connect(member=dana.member)
    back = people(person.vendors, "dana")  # the access of before has been withdrawn
    assert again.pk == dana.pk and back.ours() == {}
    sync()
    assert set(back.ours()) == {visit.pk for visit in visits}


@pytest.mark.slow
def test_plain_disconnecting_leaves_everything_where_it_is(dana, person, sync, make_visits, olga, memory):
    make_visits(dana.member, 2)
    sync()
    connection, job = leave(connection=dana, choices=LeaveChoices(), user=olga, disconnecting=True)
    assert (job, connection.state) == (None, "disconnected")
    assert len(person.ours()) == 2


@pytest.mark.slow
def test_leaving_in_the_middle_of_a_run_ends_it_and_a_crash_does_not_end_leaving(
    dana, person, sync, make_visits, olga, memory, monkeypatch, workspace
):
    make_visits(dana.member, 2 * BATCH_SIZE)
    real, chosen = MemoryClient.write, []

    def write(self, container_id, operations):
        result = real(self, container_id, operations)
        if not chosen:
            chosen.append(leave(connection=dana, choices=LeaveChoices(remove_events=True), user=olga,
                                disconnecting=True))  # fmt: skip
        elif len(chosen) == 1:
            chosen.append("killed")
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(MemoryClient, "write", write)
    job = trigger_sync(workspace=workspace, integration=dana.integration, triggered_by="api", actor="test")
    runner.run(job.pk)
    with pytest.raises(KeyboardInterrupt):
        runner.run(job.pk)
    SyncJob.objects.filter(pk=job.pk).update(lease_owner="", lease_until=None)
    finish(job)
    dana.refresh_from_db()
    assert (dana.state, dana.leaving) == ("disconnected", None)
    assert person.ours() == {} and not Link.objects.live().filter(kind="visit").exists()


@pytest.mark.slow
@pytest.mark.parametrize("error", [errors.ContainerUnavailable("Read only."),
                                   errors.Unavailable("Down.")], ids=lambda error: type(error).__name__)  # fmt: skip
def test_what_cannot_be_removed_does_not_hold_up_leaving_for_ever(
    dana, person, sync, make_visits, olga, memory, monkeypatch, error
):
    make_visits(dana.member, 2)
    sync()

    def write(self, container_id, operations):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(MemoryClient, "write", write)
        _, job = leave(connection=dana, choices=LeaveChoices(remove_events=True), user=olga, disconnecting=True)
        finish(job)
    dana.refresh_from_db()
    if not isinstance(error, errors.Unavailable):
        assert (dana.state, dana.leaving) == ("disconnected", None)
        assert "2 events could not be removed" in dana.state_reason
        return
    assert dana.state == "active"  # it is tried again by itself
    assert schedule.dispatch_due(timezone.now()) == 0
    assert schedule.dispatch_due(dana.retry_at) == 1
    Connection.objects.update(retry_at=None)
    finish(SyncJob.objects.in_flight().get())
    dana.refresh_from_db()
    assert dana.state == "disconnected" and person.ours() == {}


@pytest.mark.slow
def test_a_calendar_that_is_read_no_more_can_leave_its_busy_times(dana, person, sync, memory):
    person.add("Dentist", timezone.now() + dt.timedelta(days=3))
    sync()
    choices = {"connection": dana, "member": dana.member, "target_container_id": person.main}
    set_up(**choices, busy_container_ids=[], keep_busy=True)
    assert busy_times_of(dana) == [(person.main, 1)]
    sync()
    assert BlockedTime.objects.count() == 1
    set_up(**choices, busy_container_ids=[person.main])
    sync()
    assert BlockedTime.objects.count() == 1
    set_up(**choices, busy_container_ids=[])
    assert not BlockedTime.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("started", [True, False])
def test_who_cancels_the_removal_of_events_keeps_the_account(
    dana, person, sync, make_visits, olga, memory, monkeypatch, started
):
    make_visits(dana.member, 2 * BATCH_SIZE)
    sync()
    _, job = leave(connection=dana, choices=LeaveChoices(remove_events=True), user=olga, disconnecting=True)
    real = MemoryClient.write

    def write(self, container_id, operations):
        cancel_job(job=job, actor="olga")
        return real(self, container_id, operations)

    if started:
        with monkeypatch.context() as patch:
            patch.setattr(MemoryClient, "write", write)
            finish(job)
        assert len(person.ours()) == BATCH_SIZE
    else:
        cancel_job(job=job, actor="olga")
    job.refresh_from_db()
    dana.refresh_from_db()
    assert (job.status, dana.state, dana.leaving, dana.state_reason) == ("cancelled", "active", None, "")
    assert schedule.dispatch_due(timezone.now()) == 0
    sync()
    assert len(person.ours()) == 2 * BATCH_SIZE
