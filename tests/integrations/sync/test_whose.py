"""Whose an event of ours is: in shared calendars, in one that was the target before, and out of the trash."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.accounts.clients import open_remote
from integrations.calendar.window import window_at
from integrations.models import Direction, Hold, Link, Problem
from integrations.services.connections import set_up

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
QUIET = (0, 0, 0)


def counts(job) -> tuple[int, int, int]:
    return job.pulled, job.pushed, job.failed


def quiet(sync) -> bool:
    return [counts(sync(mode=mode)) for mode in ("incremental", "full", "incremental")] == [QUIET] * 3


def edit(visit: Visit, **fields) -> None:
    """As the API does, so that the change is tracked."""
    Visit.objects.filter(pk=visit.pk).update(**fields)


@pytest.fixture
def team(connect, people, vendors):
    """A calendar of Nina's, which is Hannah's target as well."""
    vendors.throttle(False)
    nina = connect("nina")
    hannah = connect("hannah")
    hers = people(vendors, "nina")
    lent = hers.lend("hannah")
    for connection, target in ((nina, hers.main), (hannah, lent)):
        set_up(connection=connection, member=connection.member, target_container_id=target, busy_container_ids=[target])
    return nina, hannah, hers


def test_a_team_calendar_has_each_visit_once_and_is_nobodys_busy_time(team, sync, make_visits):
    nina, hannah, calendar = team
    visits = {visit.pk for visit in [*make_visits(nina.member, 24), *make_visits(hannah.member, 36)]}
    first = sync()
    assert (first.status, first.pushed) == ("succeeded", 60)
    assert set(calendar.ours()) == visits and len(calendar.events()) == 60
    assert quiet(sync)
    assert not Hold.objects.exists() and not BlockedTime.objects.exists()
    assert set(calendar.ours()) == visits and len(calendar.events()) == 60


@pytest.mark.slow
def test_in_a_team_calendar_each_moves_and_removes_the_own(memory, team, sync, make_visits):
    nina, hannah, calendar = team
    [mine], [other] = make_visits(nina.member, 1), make_visits(hannah.member, 1)
    sync()
    later = timezone.now().replace(microsecond=0) + dt.timedelta(days=9)
    calendar.move(calendar.ours()[other.pk].id, later)
    sync()
    assert Visit.objects.get(pk=other.pk).scheduled_start == later
    edit(other, technician=nina.member)  # the event is hers from now on
    sync()
    assert set(calendar.ours()) == {mine.pk, other.pk} and len(calendar.events()) == 2
    edit(mine, visit_status="cancelled")
    sync()
    assert set(calendar.ours()) == {other.pk}
    assert quiet(sync)


@pytest.mark.slow
def test_a_calendar_that_is_shared_no_more(team, sync, make_visits):
    nina, hannah, calendar = team
    visits = [*make_visits(nina.member, 3), *make_visits(hannah.member, 3)]
    sync()
    calendar.take_back("hannah")
    edit(visits[0], title="Retitled")
    sync()
    sync()
    assert {pk for pk, event in calendar.ours().items()} >= {visit.pk for visit in visits[:3]}
    assert "Retitled" in calendar.ours()[visits[0].pk].title
    assert len(calendar.events()) == 6


@pytest.mark.slow
def test_busy_time_of_a_colleague_in_a_shared_calendar_is_not_that_of_the_visits(memory, team, sync, make_visits):
    nina, hannah, calendar = team
    make_visits(nina.member, 2)
    calendar.add("Dentist", timezone.now() + dt.timedelta(days=1))
    sync()
    assert BlockedTime.objects.filter(member=nina.member).count() == 1
    assert BlockedTime.objects.filter(member=hannah.member).count() == 1  # whose calendar it is as well


def ours_in(connection, container_id: str) -> list[str]:
    """The visits of which the calendar has events, as its vendor shows them."""
    remote = open_remote(connection)
    pages = remote.changes(container_id, "", window_at(timezone.now()))
    ids = [record.id for page in pages for record in page.records if not record.gone]
    found = remote.get(container_id, ids)
    return sorted(record.marker.record_id for record in found.values() if record.marker and not record.gone)


@pytest.mark.slow
@pytest.mark.parametrize("busy", [True, False])
def test_another_target_takes_every_event_along(dana, person, sync, make_visits, busy):
    visits = make_visits(dana.member, 6)
    family = next(one.id for one in open_remote(dana).containers() if one.writable and not one.primary)
    sync()
    for target, other in ((family, person.main), (person.main, family), (family, person.main)):
        read = [person.main] if busy else []
        set_up(connection=dana, member=dana.member, target_container_id=target, busy_container_ids=read)
        edit(visits[0], title=f"In {target}")  # while it is under way
        sync()
        sync()
        assert ours_in(dana, target) == sorted(visit.pk for visit in visits)
        assert ours_in(dana, other) == []
        assert quiet(sync)
    assert not BlockedTime.objects.exists() and not Problem.objects.open().exists()


@pytest.mark.slow
def test_what_comes_back_out_of_the_trash_is_removed_and_never_busy_time(dana, memory, person, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    event = person.ours()[visit.pk]
    person.delete(event.id)
    sync()
    edit(visit, title="Retitled")
    sync()
    person.restore(event)
    sync()
    assert not BlockedTime.objects.exists()
    sync(mode="full")
    assert len(person.events()) == 1 and "Retitled" in person.ours()[visit.pk].title
    assert quiet(sync)
    assert not Link.objects.filter(record_id__startswith="old_", cut_at=None, seen_gone=False).exists()


@pytest.mark.slow
def test_where_fieldcamp_only_reads_nothing_is_taken_away_either(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 2)
    family = next(one.id for one in open_remote(dana).containers() if one.writable and not one.primary)
    sync()
    set_up(connection=dana, member=dana.member, target_container_id=family, busy_container_ids=[person.main],
           direction=Direction.PULL)  # fmt: skip
    assert sync().status == "succeeded"
    assert ours_in(dana, person.main) == sorted(visit.pk for visit in visits)
    assert ours_in(dana, family) == []
