"""Busy time: series, exceptions, days, other calendars, and what must not be stored."""

import datetime as dt
import zoneinfo

import pytest
import time_machine
from django.utils import timezone

from fieldcamp.sandbox.mount import URL
from fieldcamp.workspace.models import BlockedTime
from integrations.accounts.clients import open_remote
from integrations.calendar import busy
from integrations.models import ChangeRow, JobStatus, Link, Problem
from integrations.services.connections import set_up
from tests.integrations.identifiers import known_as
from tests.integrations.mangling import mangled

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
HOME = zoneinfo.ZoneInfo("America/New_York")


def at(days: int, hour: int) -> dt.datetime:
    day = timezone.now().astimezone(HOME).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour), HOME)


def starts() -> list[dt.datetime]:
    return sorted(BlockedTime.objects.values_list("starts_at", flat=True))


def test_a_weekly_series_blocks_each_week_at_the_same_wall_clock_time(dana, person, sync):
    first = at(1, 9)
    person.add("Standup", first, repeat=("weekly", 40))
    pulled = sync().pulled
    found = starts()
    assert 24 <= len(found) <= 27  # what lies in the window of 180 days
    assert {start.astimezone(HOME).hour for start in found} == {9}
    assert Link.objects.count() == pulled == (1 if person.keeps_series else len(found))


@pytest.mark.slow
def test_exceptions_move_and_remove_single_occurrences(dana, person, sync):
    master = person.add("Standup", at(1, 9), repeat=("daily", 5))
    sync()
    before = starts()
    assert len(before) == 5
    instances = person.instances(master)
    person.move(instances[1].id, at(2, 15))
    person.delete(instances[3].id)
    sync()
    assert starts() == [before[0], at(2, 15), before[2], before[4]]
    person.move(master.id, at(1, 10))
    sync()
    after = starts()
    assert at(1, 10) in after and at(1, 9) not in after
    person.delete(master.id)
    sync()
    assert starts() == []
    for _ in range(2):
        job = sync()
        assert (job.pulled, job.pushed, job.failed) == (0, 0, 0)


def test_days_never_pass_through_a_time_zone(dana, person, sync):
    day = at(3, 0).date()
    person.add("Holiday", at(3, 0), days=2)
    sync()
    [block] = BlockedTime.objects.all()
    assert (block.all_day, block.start_date, block.end_date) == (True, day, day + dt.timedelta(2))
    assert block.starts_at == at(3, 0)


def test_what_does_not_take_time_does_not_block(dana, person, sync):
    person.add("Maybe", at(1, 9), busy=False)
    person.stand_by(at(1, 11))
    busy = person.add("Yes", at(1, 13))
    assert sync().pulled == 1
    assert starts() == [at(1, 13)]
    person.set_busy(busy.id, False)
    sync()
    assert starts() == []


@pytest.mark.slow
def test_one_meeting_in_two_calendars_is_one_block(workspace, dana, google, person, vendors, sync):
    family = next(entry.id for entry in open_remote(dana).containers() if entry.writable and not entry.primary)
    set_up(
        connection=dana,
        member=dana.member,
        target_container_id=person.main,
        busy_container_ids=[person.main, family],
    )
    event = person.add("Meeting", at(1, 9))
    vendors.browser.post(
        f"{URL}/google/api/calendar/v3/calendars/{family}/events/import",
        headers={"Authorization": f"Bearer {person.token}"},
        json={name: event.raw[name] for name in ("iCalUID", "start", "end", "summary")},
    ).raise_for_status()
    sync()
    assert Link.objects.count() == 2
    assert starts() == [at(1, 9)]
    person.delete(event.id)
    sync()
    assert starts() == [at(1, 9)]


@pytest.mark.slow
def test_a_stale_copy_in_another_calendar_blocks_its_own_time(dana, google, person, vendors, sync):
    family = next(entry.id for entry in open_remote(dana).containers() if entry.writable and not entry.primary)
    both = {"member": dana.member, "target_container_id": person.main, "busy_container_ids": [person.main, family]}
    set_up(connection=dana, **both)
    event = person.add("Meeting", at(1, 14))
    stale = {"dateTime": at(1, 19).isoformat()}, {"dateTime": at(1, 20).isoformat()}
    copy = vendors.browser.post(
        f"{URL}/google/api/calendar/v3/calendars/{family}/events/import",
        headers={"Authorization": f"Bearer {person.token}"},
        json={"iCalUID": event.raw["iCalUID"], "summary": "Meeting", "start": stale[0], "end": stale[1]},
    )
    copy.raise_for_status()
    sync()
    assert starts() == [at(1, 14), at(1, 19)]
    person.move(event.id, at(1, 19))  # now they agree
    sync()
    assert starts() == [at(1, 19)]
    person.delete(event.id)
    sync()
    assert starts() == [at(1, 19)]
    set_up(connection=dana, **both | {"busy_container_ids": [person.main]})
    sync()
    assert starts() == []


def times() -> list[tuple]:
    return sorted(BlockedTime.objects.values_list("starts_at", "ends_at", "start_date", "end_date"))


@pytest.mark.slow
def test_busy_time_follows_the_companys_zone_as_a_fresh_import_would(workspace, dana, person, sync, vendors):
    person.add("Holiday", at(3, 0), days=2)
    person.add("Standup", at(1, 9), repeat=("daily", 5))
    moved = person.add("Rounds", at(1, 11), repeat=("daily", 3))
    person.move(person.instances(moved)[1].id, at(2, 16))
    sync()
    workspace.timezone = "Pacific/Auckland"
    workspace.save()
    sync()
    followed = times()
    BlockedTime.objects.all().delete()
    Link.objects.all().delete()
    dana.streams.update(cursor="", window_end=None, first_synced_at=None)
    sync(mode="full")
    assert times() == followed


def test_a_day_off_is_a_day_of_its_calendar(dana, google, person, vendors, sync):
    here = f"{URL}/google/api/calendar/v3/calendars/{person.account}"
    headers = {"Authorization": f"Bearer {person.token}"}
    answer = vendors.browser.patch(here, headers=headers, json={"timeZone": "America/Los_Angeles"})
    assert answer.ok, answer.text
    person.add("Holiday", at(3, 0), days=1)
    sync()
    [block] = BlockedTime.objects.all()
    assert block.starts_at == dt.datetime.combine(at(3, 0).date(), dt.time(), zoneinfo.ZoneInfo("America/Los_Angeles"))


@pytest.mark.slow
def test_a_series_that_cannot_be_read_blocks_and_is_told_of_once(dana, google, person, vendors, sync):
    event = person.add("Secret therapy", at(1, 9), repeat=("daily", 2))
    strange = ["RRULE:FREQ=DAILY;COUNT=4;X-EVERY=THIRD"]
    with mangled(vendors, event.id, lambda row: row.update(recurrence=strange)):
        sync()
    assert len(starts()) == 4
    [problem] = Problem.objects.open()
    assert (problem.code, problem.record_kind) == ("RECORD_UNREADABLE", "stream")
    assert "therapy" not in problem.message and "dana" in problem.message
    assert [error["code"] for error in sync().errors] == ["RECORD_UNREADABLE"]
    person.edit(event.id, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    assert sync().errors == []
    assert len(starts()) == 3
    assert not Problem.objects.open().exists()


def test_a_series_of_a_calendar_that_is_read_no_more_is_no_problem(dana, google, person, vendors, sync):
    event = person.add("Therapy", at(1, 9), repeat=("daily", 2))
    with mangled(vendors, event.id, lambda row: row.update(recurrence=["RRULE:FREQ=DAILY;X-EVERY=THIRD"])):
        sync()
    assert Problem.objects.open().count() == 1
    set_up(connection=dana, member=dana.member, target_container_id=person.main, busy_container_ids=[])
    assert not Problem.objects.open().exists() and starts() == []


def test_an_imported_event_that_cannot_be_read_is_not_called_by_its_id(dana, google, person, vendors, sync):
    event = person.accept("oncologist-2026@clinic.test", "Oncologist", at(1, 9))
    with mangled(vendors, event.id, lambda row: row.update(end={"dateTime": "oncologist"})):
        job = sync()
    [problem] = Problem.objects.open()
    told = [problem.record_id, problem.data, job.errors, *job.items.values_list("key", "remote_id")]
    assert job.failed == 1 and event.id not in repr(told) and "oncologist" not in repr(told)
    assert sync(mode="full").errors == []


def test_an_id_that_is_made_of_a_strangers_is_not_shown(dana, google, person, sync):
    imported, own = person.accept("oncologist-2026@clinic.test", "Oncologist", at(1, 9)), person.add("Gym", at(1, 12))
    assert imported.id.startswith("_")
    sync()
    shown = set(ChangeRow.objects.values_list("remote_id", flat=True))
    assert shown == {known_as(imported.id), known_as(own.id)}
    person.delete(imported.id)
    sync()
    assert set(ChangeRow.objects.values_list("remote_id", flat=True)) == shown  # the same one


def test_the_window_moves_on_without_asking_the_provider(dana, google, person, vendors, sync):
    person.add("Standup", at(1, 9), repeat=("weekly", 60))
    sync()
    before = set(starts())
    vendors.forget_requests()
    with time_machine.travel(timezone.now() + dt.timedelta(days=21), tick=False):
        assert busy.expand_all(timezone.now()) == 1
        after = set(starts())
        assert busy.expand_all(timezone.now()) == 0  # once a day
    assert len(after - before) == 3
    assert vendors.requests() == []


@pytest.mark.slow
def test_the_window_moves_on_with_the_syncs_where_series_are_listed_one_by_one(dana, outlook, person, vendors, sync):
    person.add("Standup", at(1, 9), repeat=("weekly", 60))
    sync()
    before = set(starts())
    gone = person.add("Dentist", at(2, 9))
    sync()
    person.delete(gone.id)
    with time_machine.travel(timezone.now() + dt.timedelta(days=21), tick=False):
        job = sync()
        assert (job.status, job.errors) == (JobStatus.SUCCEEDED, [])
        vendors.forget_requests()
        assert sync().pulled == 0
        assert len(vendors.requests()) == 1
    assert len(set(starts()) - before) == 3
    assert before <= set(starts())


@pytest.mark.slow
def test_a_copy_that_a_person_makes_of_a_visit_is_busy_time(dana, person, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    person.copy(person.ours()[visit.pk], at(5, 9))
    job = sync()
    assert (job.pulled, job.pushed, job.failed) == (1, 0, 0)
    assert starts() == [at(5, 9)]
    assert sync(mode="full").pushed == 0


@pytest.mark.slow
def test_an_event_of_ours_without_a_link_is_adopted(dana, person, sync, make_visits):
    visits = make_visits(dana.member, 3)
    sync()
    Link.objects.all().delete()
    job = sync(mode="full")
    assert (job.pulled, job.pushed, job.skipped, job.failed) == (0, 0, 3, 0)
    assert Link.objects.filter(kind="visit").count() == 3
    assert ChangeRow.objects.count() == 0
    visits[0].delete()
    Link.objects.filter(record_id=visits[0].pk).delete()
    assert sync(mode="full").pushed == 1
    assert set(person.ours()) == {visit.pk for visit in visits[1:]}
