"""A technician with calendars at two vendors: each visit in both, busy time from either, and no echo between them."""

import datetime as dt

import pytest

from fieldcamp.workspace.models import BlockedTime
from integrations.models import JobStatus, Link
from tests.integrations.engine import counts
from tests.integrations.sync.google import Google
from tests.integrations.sync.outlook import Outlook
from tests.integrations.sync.people import Person

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


@pytest.fixture
def other(vendors_of, people) -> Person:
    """The same person's calendar at another vendor."""
    kind = Google if people is Outlook else Outlook
    made = kind(vendors_of(kind))
    made.vendors.throttle(False)
    return made


@pytest.fixture
def both(dana, connect, other):
    """The two connections of one technician."""
    return dana, connect(kind=type(other), member=dana.member)


@pytest.fixture
def sync_both(sync, person, other):
    def run(mode: str = "incremental"):
        jobs = [sync(mode, integration=kind.integration) for kind in (person, other)]
        assert [job.status for job in jobs] == [JobStatus.SUCCEEDED] * 2
        return jobs

    return run


def quiet(jobs) -> bool:
    return all((job.pulled, job.pushed, job.failed) == (0, 0, 0) for job in jobs)


def shown(*persons: Person) -> list[dict[str, dt.datetime]]:
    return [{pk: event.start for pk, event in person.ours().items()} for person in persons]


@pytest.mark.slow
def test_a_visit_is_in_both_and_blocks_nothing(both, person, other, sync_both, make_visits):
    visits = make_visits(both[0].member, 5)
    assert [job.pushed for job in sync_both()] == [5, 5]
    assert shown(person, other) == [{visit.pk: visit.scheduled_start for visit in visits}] * 2
    for mode in ("incremental", "full", "incremental"):
        assert quiet(sync_both(mode))
    assert not BlockedTime.objects.exists()


@pytest.mark.slow
def test_a_move_in_one_calendar_arrives_in_the_other_and_comes_to_rest(both, person, other, sync_both, make_visits):
    [visit] = make_visits(both[0].member, 1)
    sync_both()
    start = visit.scheduled_start + dt.timedelta(hours=5)
    person.move(person.ours()[visit.pk].id, start)
    here, there = sync_both()
    assert counts(here) == {"pulled": 1, "pushed": 0, "skipped": 0, "failed": 0}
    assert counts(there) == {"pulled": 0, "pushed": 1, "skipped": 0, "failed": 0}
    visit.refresh_from_db()
    assert visit.scheduled_start == start
    assert shown(person, other) == [{visit.pk: start}] * 2
    assert quiet(sync_both()) and quiet(sync_both())


@pytest.mark.slow
def test_busy_time_from_either_blocks_and_is_copied_nowhere(both, person, other, sync_both, make_visits):
    [visit] = make_visits(both[0].member, 1)
    sync_both()
    mine, theirs = visit.scheduled_start + dt.timedelta(days=1), visit.scheduled_start + dt.timedelta(days=2)
    dentist, gym = person.add("Dentist", mine), other.add("Gym", theirs)
    assert [job.pulled for job in sync_both()] == [1, 1]
    assert set(BlockedTime.objects.values_list("member", "starts_at")) == {
        (both[0].member_id, mine),
        (both[0].member_id, theirs),
    }
    assert quiet(sync_both())
    assert [len(each.events()) for each in (person, other)] == [2, 2]
    person.delete(dentist.id)
    other.delete(gym.id)
    sync_both()
    assert not BlockedTime.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("repeat", [None, ("daily", 4)])
def test_one_meeting_in_both_calendars_is_one_block(both, person, other, sync_both, repeat):
    begin = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).replace(hour=15, minute=0, second=0, microsecond=0)
    guest, host = (person, other) if isinstance(other, Outlook) else (other, person)
    meeting = host.add("Meeting", begin, repeat=repeat)
    guest.accept(meeting["iCalUId"], "Meeting", begin, repeat)
    sync_both()
    count = repeat[1] if repeat else 1
    assert BlockedTime.objects.count() == count
    assert Link.objects.count() == (2 if not repeat else 1 + count)
    host.delete(meeting.id)
    sync_both()
    assert BlockedTime.objects.count() == count
    [copy] = guest.events()
    guest.delete(copy.id)
    sync_both()
    assert not BlockedTime.objects.exists()


@pytest.mark.slow
def test_reassigning_leaves_both_calendars(both, person, other, sync_both, make_visits, make_technician):
    [visit] = make_visits(both[0].member, 1)
    sync_both()
    visit.technician = make_technician(first_name="Ravi")
    visit.save()
    assert [job.pushed for job in sync_both()] == [1, 1]
    assert shown(person, other) == [{}, {}]
