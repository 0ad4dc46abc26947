"""A record that nobody can read as it stands at the vendor: it is left alone with a problem of its own, whoever meets
it first, and comes in by itself once it can be read."""

import datetime as dt
from unittest import mock

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import Visit
from integrations.models import JobStatus, Link, Problem
from integrations.services.connections import set_up
from integrations.services.observe import observe_pending
from tests.integrations.identifiers import known_as

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.mark.slow
def test_a_private_event_is_alone(dana, person, sync):
    soon = timezone.now() + dt.timedelta(days=1)
    bad, good = person.add("Dentist", soon), person.add("Gym", soon + dt.timedelta(hours=3))
    with person.unreadable(bad.id):
        job = sync()
        assert (job.status, job.failed, job.pulled) == (JobStatus.PARTIAL, 1, 1)
        assert [link.remote_id for link in Link.objects.all()] == [known_as(good.id)]
        [problem] = Problem.objects.open()
        assert (problem.record_kind, problem.record_id, problem.code) == (
            "block",
            known_as(bad.id),
            "RECORD_UNREADABLE",
        )
        assert job.errors[0]["record"] == {"kind": "block", "id": known_as(bad.id)}
        again = sync(mode="full")
        assert (again.status, again.failed) == (JobStatus.PARTIAL, 1)
        assert Problem.objects.open().get() == problem
    healed = sync(mode="full")
    assert (healed.status, healed.pulled) == (JobStatus.SUCCEEDED, 1)
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_a_visits_event_stays_as_it_is_known(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 3)
    sync()
    bad = Link.objects.get(record_id=visits[0].pk)
    later = visits[0].scheduled_start + dt.timedelta(days=3)
    for event in person.ours().values():
        person.move(event.id, later)
    with person.unreadable(bad.remote_id):
        for job in (sync(), sync(mode="full")):
            assert (job.status, job.failed) == (JobStatus.PARTIAL, 1)
            [problem] = Problem.objects.open()
            assert (problem.record_kind, problem.record_id) == ("visit", visits[0].pk)
        assert not Link.objects.get(pk=bad.pk).seen_gone
        assert Visit.objects.filter(scheduled_start=later).count() == 2
    job = sync(mode="full")
    assert (job.status, job.pulled) == (JobStatus.SUCCEEDED, 1)
    assert Visit.objects.filter(scheduled_start=later).count() == 3
    assert not Problem.objects.open().exists()
    assert len(person.ours()) == 3


@pytest.mark.slow
def test_the_problem_ends_though_nothing_of_the_record_has_changed(dana, person, sync, make_visits):
    """As when the fault was ours, and has been mended."""
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk]
    with person.unreadable(event.id):
        assert sync(mode="full").failed == 1
    assert sync(mode="full").status == JobStatus.SUCCEEDED
    assert not Problem.objects.open().exists()


@pytest.mark.slow
def test_an_edit_here_does_not_overwrite_what_cannot_be_read(dana, person, sync, make_visits):
    """It waits; once the event can be read again, both sides agree."""
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk]
    with person.unreadable(event.id):
        person.rename(event.id, "Typed there")
        sync()
        Visit.objects.filter(pk=visit.pk).update(title="Typed here")
        visit.refresh_from_db()
        visit.save()
        sync()
    sync(mode="full")
    assert not Problem.objects.open().exists()
    assert "Typed here" in person.ours()[visit.pk].title
    quiet = sync(mode="full")
    assert (quiet.pulled, quiet.pushed, quiet.failed) == (0, 0, 0)


def test_a_reader_of_the_feed_is_answered(dana, workspace, person, sync, people):
    sync()
    soon = timezone.now() + dt.timedelta(days=1)
    bad, good = person.add("Dentist", soon), person.add("Gym", soon + dt.timedelta(hours=3))
    with person.unreadable(bad.id):
        observe_pending(workspace, people.integration)
    assert [link.remote_id for link in Link.objects.all()] == [known_as(good.id)]
    assert Problem.objects.open().get().record_id == known_as(bad.id)
    sync(mode="full")
    assert not Problem.objects.open().exists()


def test_a_fault_of_ours_does_not_fail_a_reader_of_the_feed(dana, workspace, person, sync, people):
    sync()
    person.add("Gym", timezone.now() + dt.timedelta(days=1))
    with mock.patch("integrations.ledger.observations.Observations._see", side_effect=ValueError):
        at = observe_pending(workspace, people.integration)
    assert at <= timezone.now()
    assert sync().pulled == 1


def test_what_is_read_no_more_is_no_problem_any_more(dana, person, sync):
    bad = person.add("Dentist", timezone.now() + dt.timedelta(days=1))
    with person.unreadable(bad.id):
        sync()
    assert Problem.objects.open().count() == 1
    set_up(connection=dana, member=dana.member, target_container_id=person.main, busy_container_ids=[])
    assert not Problem.objects.open().exists()
