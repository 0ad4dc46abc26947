"""The walk through the product, step by step, at the engine."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit, VisitStatus
from integrations.models import ChangeRow, Hold, JobStatus, Link, Problem
from integrations.services.decisions import AlreadyDecided, decide_hold, resolve_conflict
from tests.integrations.engine import counts, finish

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.mark.slow
@pytest.mark.engine(daily="sandbox")
def test_it_pushes_visits_in_full_batches(dana, person, vendors, sync, make_visits):
    assert sync().status == JobStatus.SUCCEEDED
    visits = make_visits(dana.member, 120)
    vendors.forget_requests()

    job = sync()

    assert counts(job) == {"pulled": 0, "pushed": 120, "skipped": 0, "failed": 0}
    assert job.status == JobStatus.SUCCEEDED
    full, rest = divmod(120, person.batch_size)
    batches = [person.batch_size] * full + [rest] * bool(rest)
    assert [row["items"] for row in vendors.requests(person.batch)] == batches
    assert len(vendors.requests(person.listing)) == 1
    events = person.ours()
    assert set(events) == {visit.pk for visit in visits}
    event = events[visits[0].pk]
    assert event.title == "Leak 0 · Kim Reed"
    assert event.start == visits[0].scheduled_start
    assert not event.raw.get("attendees")


@pytest.mark.slow
@pytest.mark.engine(daily="sandbox")
def test_quiet_runs_write_nothing_and_ask_once_per_calendar(dana, person, vendors, sync, make_visits):
    make_visits(dana.member, 5)
    sync()
    tags = {event.id: event.tag for event in person.events()}
    for _ in range(2):
        vendors.forget_requests()
        job = sync()
        assert job.status == JobStatus.SUCCEEDED
        assert job.pulled == job.pushed == job.failed == 0
        assert len(vendors.requests()) == 1
    assert {event.id: event.tag for event in person.events()} == tags


def test_a_move_in_fieldcamp_moves_the_event(dana, person, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    before = person.ours()[visit.pk]
    visit.scheduled_start += dt.timedelta(hours=3)
    visit.scheduled_end += dt.timedelta(hours=3)
    visit.save()

    assert counts(sync()) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}
    after = person.ours()[visit.pk]
    assert after.id == before.id and after.tag != before.tag
    assert after.start == visit.scheduled_start


@pytest.mark.slow
def test_reassigning_removes_here_and_creates_there(dana, connect, person, vendors, sync, make_visits):
    lee = connect("lee")
    [visit] = make_visits(dana.member, 1)
    sync()
    visit.technician = lee.member
    visit.save()
    job = sync()
    assert counts(job) == {"pulled": 0, "pushed": 2, "skipped": 0, "failed": 0}
    assert person.ours() == {}
    assert set(type(person)(vendors, "lee").ours()) == {visit.pk}
    # and back again: the id that was removed is never used twice
    visit.technician = dana.member
    visit.save()
    assert counts(sync())["pushed"] == 2
    assert set(person.ours()) == {visit.pk}


@pytest.mark.slow
@pytest.mark.engine(daily="sandbox")
def test_a_move_in_the_calendar_moves_the_visit(dana, person, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    start = visit.scheduled_start + dt.timedelta(hours=6)
    person.move(person.ours()[visit.pk].id, start)

    assert counts(sync()) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}
    visit.refresh_from_db()
    assert visit.scheduled_start == start
    assert sync().pushed == 0
    [row] = ChangeRow.objects.all()
    assert (row.action, row.record_id) == ("updated", visit.pk)


@pytest.mark.slow
def test_a_rename_in_the_calendar_is_put_back(dana, person, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    person.rename(person.ours()[visit.pk].id, "Something else")
    assert counts(sync()) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}
    assert person.ours()[visit.pk].title == "Leak 0 · Kim Reed"
    assert ChangeRow.objects.count() == 1


@pytest.mark.slow
def test_a_private_event_blocks_time_without_its_words(dana, person, sync, make_visits):
    sync()
    start = (timezone.now() + dt.timedelta(days=1)).replace(microsecond=0)
    event = person.add("Dentist", start, text="Root canal")
    assert counts(sync()) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}
    [block] = BlockedTime.objects.all()
    assert (block.member, block.starts_at) == (dana.member, start)
    stored = str(list(Link.objects.values())) + str(list(ChangeRow.objects.values()))
    assert "Dentist" not in stored and "Root canal" not in stored
    row = ChangeRow.objects.get()
    assert (row.action, row.record_id, row.shown["summary"]) == ("created", "", None)

    person.delete(event.id)
    assert counts(sync()) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}
    assert not BlockedTime.objects.exists() and not Link.objects.exists()
    assert ChangeRow.objects.latest("seq").action == "deleted"


def test_fieldcamp_wins_a_conflict(dana, person, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    person.move(person.ours()[visit.pk].id, visit.scheduled_start + dt.timedelta(hours=6))
    visit.scheduled_start += dt.timedelta(hours=1)
    visit.scheduled_end += dt.timedelta(hours=1)
    visit.save()
    assert counts(sync()) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}
    event = person.ours()[visit.pk]
    assert event.start == visit.scheduled_start


@pytest.mark.slow
def test_a_conflict_can_ask(connect, person, sync, make_visits):
    dana = connect(policy="ask")
    [visit] = make_visits(dana.member, 1)
    sync()
    theirs = visit.scheduled_start + dt.timedelta(hours=6)
    person.move(person.ours()[visit.pk].id, theirs)
    visit.scheduled_start += dt.timedelta(hours=1)
    visit.scheduled_end += dt.timedelta(hours=1)
    visit.save()
    job = sync()
    assert counts(job) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 1}
    assert job.status == JobStatus.PARTIAL
    assert job.errors[0]["code"] == "CONFLICT"
    assert sync().failed == 0  # nobody is asked twice
    assert Problem.objects.filter(code="CONFLICT", resolved_at=None).count() == 1


@pytest.mark.slow
def test_ten_removals_of_twenty_four_wait_for_a_person(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 24)
    sync()
    for event in list(person.ours().values())[:10]:
        person.delete(event.id)
    job = sync()
    assert job.status == JobStatus.NEEDS_CONFIRMATION
    assert counts(job) == {"pulled": 0, "pushed": 0, "skipped": 10, "failed": 0}
    hold = Hold.objects.get()
    assert (hold.removals, hold.of) == (10, 24)
    assert job.errors[0]["code"] == "CONFIRMATION_NEEDED"
    assert "10 of 24 visits would lose their calendar event (42 %)" in job.errors[0]["message"]
    for mode in ("incremental", "full"):
        again = sync(mode=mode)
        assert again.status == JobStatus.SUCCEEDED
        assert again.pushed == again.pulled == again.failed == 0
        assert again.skipped == (10 if mode == "incremental" else 24)
    assert Visit.objects.filter(visit_status=VisitStatus.SCHEDULED).count() == len(visits)


def test_a_few_removals_cut_the_link_and_flag_the_visit(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 12)
    sync()
    person.delete(person.ours()[visits[0].pk].id)
    assert counts(sync()) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}
    assert Problem.objects.listed().filter(code="EVENT_REMOVED", record_id=visits[0].pk).exists()
    assert visits[0].pk not in person.ours()
    assert sync().pushed == 0
    job = sync(mode="full")
    assert counts(job) == {"pulled": 0, "pushed": 1, "skipped": 11, "failed": 0}
    assert visits[0].pk in person.ours()


@pytest.mark.slow
def test_cancelled_and_unscheduled_visits_leave_the_calendar(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 3)
    sync()
    Visit.objects.filter(pk=visits[0].pk).update(visit_status=VisitStatus.CANCELLED)
    Visit.objects.filter(pk=visits[1].pk).update(scheduled_start=None, scheduled_end=None, visit_status="unscheduled")
    assert counts(sync()) == {"pulled": 0, "pushed": 2, "skipped": 0, "failed": 0}
    assert set(person.ours()) == {visits[2].pk}


@pytest.mark.slow
@pytest.mark.parametrize(("decision", "events"), [("confirm", 14), ("reject", 24)])
def test_a_person_decides_about_held_removals(dana, person, sync, make_visits, admin_user, decision, events):
    make_visits(dana.member, 24)
    sync()
    for event in list(person.ours().values())[:10]:
        person.delete(event.id)
    sync()
    job = finish(decide_hold(hold=Hold.objects.get(), decision=decision, user=admin_user))
    assert job.status == JobStatus.SUCCEEDED
    moved = {"pulled": 10, "pushed": 0} if decision == "confirm" else {"pulled": 0, "pushed": 10}
    assert counts(job) == moved | {"skipped": 0, "failed": 0}
    assert len(person.ours()) == events
    assert not Problem.objects.filter(resolved_at=None, notice=False).exists()
    with pytest.raises(AlreadyDecided):
        decide_hold(hold=Hold.objects.get(), decision=decision, user=admin_user)
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["local", "remote", {"start": "remote", "end": "remote"}])
def test_a_person_decides_a_conflict(connect, person, sync, make_visits, admin_user, choice):
    dana = connect(policy="ask")
    [visit] = make_visits(dana.member, 1)
    sync()
    theirs = visit.scheduled_start + dt.timedelta(hours=6)
    person.move(person.ours()[visit.pk].id, theirs)
    visit.scheduled_start += dt.timedelta(hours=1)
    visit.scheduled_end += dt.timedelta(hours=1)
    visit.save()
    sync()
    job = finish(resolve_conflict(link=Link.objects.get(), choice=choice, user=admin_user))
    assert job.status == JobStatus.SUCCEEDED
    visit.refresh_from_db()
    event = person.ours()[visit.pk]
    assert event.start == visit.scheduled_start
    assert (visit.scheduled_start == theirs) == (choice != "local")
    assert not Problem.objects.filter(resolved_at=None).exists()
