"""A change at a vendor that pushes is here within seconds, whatever happens to the push; nothing else changes by it."""

import datetime as dt
import os
import random

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.jobs import runner
from integrations.models import JobStatus, PushChannel, PushMark, ReceivedPush, SyncJob
from integrations.push.dispatching import dispatch_prompt
from integrations.push.marks import mark
from integrations.selectors.push import push_states
from tests.integrations.engine import abandoned, finish
from tests.integrations.sync.pushing import PushedSite, pushed  # noqa: F401  (a fixture)
from tests.integrations.sync.test_faults import Killed

pytestmark = pytest.mark.django_db

HISTORIES = int(os.environ.get("PUSH_HISTORIES", "2"))
TROUBLE = ("drop", "delay", "duplicate", "reorder", "burst", "forge", "unknown_channel")


@pytest.fixture
def site(pushed, dana, person, make_visits, sync) -> PushedSite:  # noqa: F811
    """Dana's calendar with two visits in it, in step, and told of changes."""
    make_visits(dana.member, 2)
    sync()
    pushed.open()
    ReceivedPush.objects.all().delete()
    return pushed


def tomorrow(hour: int = 15) -> dt.datetime:
    return (timezone.now() + dt.timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def move_first(person) -> tuple[Visit, dt.datetime]:
    visit_id, event = sorted(person.ours().items())[0]
    person.move(event.id, tomorrow())
    return Visit.objects.get(pk=visit_id), tomorrow()


def one_edit_is_one_job(site, person):
    visit, start = move_first(person)
    began = site.clock.now
    while Visit.objects.get(pk=visit.pk).scheduled_start != start:
        site.passes(1, step=1)
        assert site.clock.now - began < dt.timedelta(seconds=10)
    site.passes(120, step=15)
    (job,) = site.jobs
    assert (job.triggered_by, job.status, job.pulled) == ("push", "succeeded", 1)
    assert {line.job for line in ReceivedPush.objects.all()} == {job}
    assert not PushMark.objects.exclude(due_at=None).exists()


@pytest.mark.slow
def test_one_edit_at_google_is_here_within_ten_seconds_by_one_job(site, person, google):
    one_edit_is_one_job(site, person)


@pytest.mark.slow
def test_one_edit_at_outlook_is_here_within_ten_seconds_by_one_job(site, person, outlook):
    one_edit_is_one_job(site, person)


@pytest.mark.slow
def test_a_burst_makes_two_jobs_at_most(site, person, outlook):
    site.vendors.trouble("burst", times=100)
    move_first(person)
    site.passes(180, step=10)
    assert 1 <= len(site.jobs) <= 2


def during_the_next_listing(site, person, work) -> None:
    """Does something in the middle of the run, once: after the vendor has answered what has changed."""
    done = []

    def around(path, send):
        answer = send()
        if person.listing in path and not done:
            done.append(True)
            work()
        return answer

    site.vendors.around(around)


@pytest.mark.slow
def test_a_push_during_a_run_makes_exactly_one_more(site, person, google):
    event = person.add("Dentist", tomorrow(9))

    def meanwhile():
        person.add("School", tomorrow(18))
        site.clock.move(1)
        site.vendors.drain()

    during_the_next_listing(site, person, meanwhile)
    site.passes(240, step=15)
    assert [job.triggered_by for job in site.jobs] == ["push", "push"]
    assert BlockedTime.objects.count() == 2 and event


@pytest.mark.slow
def test_so_it_does_where_the_worker_was_killed_in_between(site, person, google):
    person.add("Dentist", tomorrow(9))

    def meanwhile():
        person.add("School", tomorrow(18))
        site.clock.move(1)
        site.vendors.drain()
        raise Killed

    during_the_next_listing(site, person, meanwhile)
    site.vendors.drain()
    site.clock.move(3)
    dispatch_prompt(timezone.now())
    job = SyncJob.objects.get(status=JobStatus.QUEUED)
    with pytest.raises(Killed):
        runner.run(job.pk)
    abandoned(job)
    finish(job)
    site.passes(240, step=15)
    assert [each.triggered_by for each in site.jobs] == ["push"]  # and no third
    assert BlockedTime.objects.count() == 2
    assert not PushMark.objects.exclude(due_at=None).exists()


@pytest.mark.slow
def test_a_sync_by_hand_takes_in_what_was_pushed_before_it_and_no_more_whatever_the_clocks_say(
    site, person, sync, google
):
    move_first(person)
    stream, now = PushMark.objects.get().stream_id, timezone.now()
    mark([stream], now + dt.timedelta(minutes=1), kind="exists")  # by another machine's clock, which is fast
    assert sync().pulled == 1 and not PushMark.objects.exclude(due_at=None).exists()
    mark([stream], now + dt.timedelta(minutes=2), kind="exists")
    site.clock.move(300)
    during_the_next_listing(site, person, lambda: mark([stream], now - dt.timedelta(minutes=1), kind="exists"))
    sync()
    assert PushMark.objects.exclude(due_at=None).count() == 1


@pytest.mark.slow
def test_our_own_write_comes_back_as_one_quiet_run(site, person, dana, google):
    visit = Visit.objects.first()
    Visit.objects.filter(pk=visit.pk).update(title="Burst pipe")
    site.passes(240, step=15)
    saved, echo = site.jobs
    assert (saved.triggered_by, saved.narrowed, saved.pushed) == ("schedule", True, 1)
    assert (echo.triggered_by, echo.pushed, echo.pulled) == ("push", 0, 0)
    assert {event.title for event in person.ours().values()} >= {
        title for title in [event.title for event in person.ours().values()] if "Burst pipe" in title
    }


@pytest.mark.slow
def test_dropped_pushes_are_made_up_for_by_the_schedule_and_the_channel_is_reopened(site, person, dana, google):
    site.vendors.trouble("drop", times=50)
    for number in range(3):
        person.token = site.vendors.token(person.account)["access_token"]
        person.add(f"Dentist {number}", tomorrow(9 + number))
        site.passes(30)
        assert not site.jobs
        site.scheduled()
        assert BlockedTime.objects.count() == number + 1
        site.jobs.clear()
    assert PushChannel.objects.filter(state="lost").count() == 1
    assert push_states([dana], timezone.now())[dana.pk].label == "late"
    assert not dana.problems.filter(resolved_at=None).exists()
    site.vendors.call("DELETE", "push")
    site.open()
    person.token = site.vendors.token(person.account)["access_token"]
    assert PushChannel.objects.filter(state="live").count() == 1
    person.add("Dentist again", tomorrow(20))
    site.passes(60)
    assert BlockedTime.objects.count() == 4
    assert push_states([dana], timezone.now())[dana.pk].label == "working"


def test_a_forged_push_starts_nothing(site, person, google):
    site.vendors.trouble("drop")
    site.vendors.trouble("forge")
    site.vendors.trouble("unknown_channel")
    move_first(person)
    site.passes(120, step=15)
    assert {job.triggered_by for job in site.jobs} <= {"push"}
    assert all(row.stream for row in ReceivedPush.objects.all())


def mixed(site, person, dana, seed: int) -> None:
    """Edits on both sides while pushes are lost, late, doubled, shuffled, forged: it changes when, never what."""
    chance = random.Random(seed)  # noqa: S311
    private: list[str] = []
    for number in range(8):
        person.token = site.vendors.token(person.account)["access_token"]
        if chance.random() < 0.6:
            site.vendors.trouble(chance.choice(TROUBLE), times=chance.randint(1, 3), seconds=chance.choice((20, 300)))
        match chance.randrange(5):
            case 0:
                private.append(person.add(f"Dentist {number}", tomorrow(chance.randrange(24))).id)
            case 1 if private:
                person.delete(private.pop())
            case 2:
                start = tomorrow(chance.randrange(24)) + dt.timedelta(days=number)
                end = start + dt.timedelta(hours=1)
                rows = Visit.objects.filter(technician=dana.member).order_by("pk")
                Visit.objects.filter(pk=chance.choice(rows).pk).update(scheduled_start=start, scheduled_end=end)
            case 3:
                event = chance.choice(sorted(person.ours().values(), key=lambda event: event.id))
                person.move(event.id, tomorrow(chance.randrange(24)) + dt.timedelta(days=number))
            case _:
                pass
        site.passes(chance.choice((2, 8, 40, 130)))
        if chance.random() < 0.2:
            site.scheduled()
    site.vendors.call("DELETE", "push")
    site.scheduled()
    site.scheduled()
    person.token = site.vendors.token(person.account)["access_token"]
    ours = person.ours()
    assert {pk: event.start for pk, event in ours.items()} == dict(
        Visit.objects.filter(technician=dana.member).values_list("pk", "scheduled_start")
    )
    assert BlockedTime.objects.count() == len(private)
    assert len(person.events()) == len(private) + len(ours)
    assert {job.status for job in site.jobs} == {JobStatus.SUCCEEDED}


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_any_mix_of_trouble_changes_only_when(site, person, dana, google, seed):
    mixed(site, person, dana, seed)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("seed", range(1000, 1000 + HISTORIES))
def test_so_it_does_at_outlook(site, person, dana, outlook, seed):
    mixed(site, person, dana, seed)
