"""Busy time: series, exceptions, days, other calendars, and what must not be stored."""

import datetime as dt
import zoneinfo

import pytest
import time_machine
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime
from integrations import blocks
from integrations.models import ChangeRow, Link
from integrations.services.connections import set_up

pytestmark = pytest.mark.django_db
HOME = zoneinfo.ZoneInfo("America/New_York")


def at(days: int, hour: int) -> dt.datetime:
    day = timezone.now().astimezone(HOME).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour), HOME)


def starts() -> list[dt.datetime]:
    return sorted(BlockedTime.objects.values_list("starts_at", flat=True))


def test_a_weekly_series_blocks_each_week_at_the_same_wall_clock_time(dana, google, sync):
    first = at(1, 9)
    google.add("Standup", first, recurrence=["RRULE:FREQ=WEEKLY;COUNT=40"])
    assert sync().pulled == 1
    found = starts()
    assert 24 <= len(found) <= 27  # what lies in the window of 180 days
    assert {start.astimezone(HOME).hour for start in found} == {9}
    assert Link.objects.count() == 1


def test_exceptions_move_and_remove_single_occurrences(dana, google, sync):
    master = google.add("Standup", at(1, 9), recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    sync()
    before = starts()
    assert len(before) == 5
    instances = google.call("GET", f"/{master['id']}/instances")["items"]
    google.move(instances[1]["id"], at(2, 15))
    google.delete(instances[3]["id"])
    sync()
    assert starts() == [before[0], at(2, 15), before[2], before[4]]
    google.move(master["id"], at(1, 10))
    sync()
    after = starts()
    assert at(1, 10) in after and at(1, 9) not in after
    google.delete(master["id"])
    sync()
    assert starts() == []
    for _ in range(2):
        job = sync()
        assert (job.pulled, job.pushed, job.failed) == (0, 0, 0)


def test_days_never_pass_through_a_time_zone(dana, google, sync):
    day = at(3, 0).date()
    google.add("Holiday", at(3, 0), start={"date": day.isoformat()}, end={"date": (day + dt.timedelta(2)).isoformat()})
    sync()
    [block] = BlockedTime.objects.all()
    assert (block.all_day, block.start_date, block.end_date) == (True, day, day + dt.timedelta(2))
    assert block.starts_at == at(3, 0)


def test_what_does_not_take_time_does_not_block(dana, google, sync):
    google.add("Maybe", at(1, 9), transparency="transparent")
    google.add("No", at(1, 11), attendees=[{"email": "dana@google.test", "self": True, "responseStatus": "declined"}])
    busy = google.add("Yes", at(1, 13))
    assert sync().pulled == 1
    assert starts() == [at(1, 13)]
    google.edit(busy["id"], transparency="transparent")
    sync()
    assert starts() == []


def test_one_meeting_in_two_calendars_is_one_block(workspace, dana, google, vendors, sync):
    family = next(
        c["id"]
        for c in vendors.browser.get(
            "http://sandbox.test/google/api/calendar/v3/users/me/calendarList",
            headers={"Authorization": f"Bearer {google._token}"},
        ).json()["items"]
        if not c.get("primary")
    )
    set_up(
        connection=dana,
        member=dana.member,
        target_container_id="dana@google.test",
        busy_container_ids=["dana@google.test", family],
    )
    event = google.add("Meeting", at(1, 9))
    vendors.browser.post(
        f"http://sandbox.test/google/api/calendar/v3/calendars/{family}/events/import",
        headers={"Authorization": f"Bearer {google._token}"},
        json={"iCalUID": event["iCalUID"], "start": event["start"], "end": event["end"], "summary": "Meeting"},
    ).raise_for_status()
    sync()
    assert Link.objects.count() == 2
    assert starts() == [at(1, 9)]
    google.delete(event["id"])
    sync()
    assert starts() == [at(1, 9)]


def test_the_window_moves_on_without_asking_the_provider(dana, google, vendors, sync):
    google.add("Standup", at(1, 9), recurrence=["RRULE:FREQ=WEEKLY"])
    sync()
    before = set(starts())
    vendors.forget_requests()
    with time_machine.travel(timezone.now() + dt.timedelta(days=21), tick=False):
        assert blocks.expand_all(timezone.now()) == 1
        after = set(starts())
        assert blocks.expand_all(timezone.now()) == 0  # once a day
    assert len(after - before) == 3
    assert vendors.requests() == []


def test_a_copy_that_a_person_makes_of_a_visit_is_busy_time(dana, google, sync, make_visits):
    [visit] = make_visits(dana.member, 1)
    sync()
    ours = google.ours()[visit.pk]
    google.add("Copy", at(5, 9), extendedProperties=ours["extendedProperties"])
    job = sync()
    assert (job.pulled, job.pushed, job.failed) == (1, 0, 0)
    assert starts() == [at(5, 9)]
    assert sync(mode="full").pushed == 0


def test_an_event_of_ours_without_a_link_is_adopted(dana, google, sync, make_visits):
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
    assert set(google.ours()) == {visit.pk for visit in visits[1:]}
