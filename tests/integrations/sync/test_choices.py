"""What a person chooses on the set-up page takes effect with the next sync."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime
from integrations.accounts.clients import open_remote
from integrations.models import JobStatus, Link
from integrations.services.connections import set_up
from tests.integrations.engine import counts

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def family(dana) -> str:
    return next(c.id for c in open_remote(dana).containers() if c.writable and not c.primary)


def choose(connection, target, busy, **choices):
    return set_up(
        connection=connection,
        member=choices.pop("member", connection.member),
        target_container_id=target,
        busy_container_ids=busy,
        **choices,
    )


@pytest.mark.slow
def test_another_target_calendar_takes_the_visits_along(dana, family, person, sync, make_visits):
    visits = make_visits(dana.member, 12)
    sync()
    choose(dana, family, [])
    job = sync()
    assert job.status == JobStatus.SUCCEEDED
    assert person.ours() == {}
    assert Link.objects.filter(cut_at=None, stream__container_id=family).count() == len(visits)
    assert list(dana.streams.filter(is_active=True).values_list("container_id", flat=True)) == [family]
    assert counts(sync()) == {"pulled": 0, "pushed": 0, "skipped": 0, "failed": 0}


@pytest.mark.slow
def test_a_calendar_that_is_not_read_any_more_blocks_nothing(dana, person, sync):
    person.add("Dentist", timezone.now() + dt.timedelta(days=1))
    sync()
    assert BlockedTime.objects.count() == 1
    choose(dana, person.main, [])
    assert BlockedTime.objects.count() == 0
    choose(dana, person.main, [person.main])
    sync()
    assert BlockedTime.objects.count() == 1


@pytest.mark.slow
def test_another_persons_calendar_shows_another_persons_visits(dana, person, sync, make_visits, make_technician):
    make_visits(dana.member, 2)
    person.add("Dentist", timezone.now() + dt.timedelta(days=1))
    sync()
    ravi = make_technician(first_name="Ravi")
    theirs = make_visits(ravi, 3)
    choose(dana, person.main, [person.main], member=ravi)
    sync()
    assert set(person.ours()) == {visit.pk for visit in theirs}
    assert [block.member for block in BlockedTime.objects.all()] == [ravi]


def test_a_calendar_that_is_only_read_is_never_written(dana, person, sync, make_visits):
    choose(dana, person.main, [person.main], direction="pull")
    visits = make_visits(dana.member, 3)
    job = sync()
    assert (job.pushed, job.skipped) == (0, 3)
    assert person.events() == []
    choose(dana, person.main, [person.main], direction="two_way")
    assert sync().pushed == 3
    assert set(person.ours()) == {visit.pk for visit in visits}


@pytest.mark.slow
def test_a_calendar_that_is_only_written_changes_no_visit(dana, person, sync, make_visits):
    choose(dana, person.main, [person.main], direction="push")
    [visit] = make_visits(dana.member, 1)
    sync()
    person.move(person.ours()[visit.pk].id, visit.scheduled_start + dt.timedelta(hours=5))
    person.add("Dentist", timezone.now() + dt.timedelta(days=1))
    job = sync()
    assert (job.pulled, job.pushed, job.skipped) == (0, 0, 2)
    before = visit.scheduled_start
    visit.refresh_from_db()
    assert visit.scheduled_start == before and not BlockedTime.objects.exists()
    assert sync(mode="full").pushed == 1
    assert person.ours()[visit.pk].start == before
