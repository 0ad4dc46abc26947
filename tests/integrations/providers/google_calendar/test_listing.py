"""Listings: pages, cursors, tombstones, and where they break off."""

import datetime as dt
import json

import pytest

from integrations import errors
from integrations.kinds import OWN_REMOVED
from integrations.records import Window
from tests.integrations.providers.google_calendar.conftest import (
    CALENDAR,
    GOOGLE,
    NOW,
    WINDOW,
    create,
    delete,
    listed,
    moment,
    reason,
)


def test_what_people_do_is_listed_once(google, person):
    _, cursor = listed(google)
    event = person()
    [record], after = listed(google, cursor)
    assert (record.id, record.ours, record.created) == (event["id"], False, True)
    assert (record.fields["title"], record.fields["busy"]) == ("Dentist", True)
    assert listed(google, after)[0] == []


def test_a_deleted_event_is_a_tombstone_in_the_next_listing(google, person):
    event = person()
    _, cursor = listed(google)
    google.write(CALENDAR, [delete(event["id"])])
    [record], _ = listed(google, cursor)
    assert (record.id, record.gone) == (event["id"], True)


def test_a_cancelled_occurrence_knows_its_series(google, http, person):
    start = NOW.replace(hour=15, minute=0, second=0) + dt.timedelta(days=1)
    series = person(
        start={"dateTime": start.isoformat(), "timeZone": "UTC"},
        end={"dateTime": (start + dt.timedelta(hours=1)).isoformat(), "timeZone": "UTC"},
        recurrence=["RRULE:FREQ=DAILY;COUNT=5"],
    )
    _, cursor = listed(google)
    second = start + dt.timedelta(days=1)
    google.write(CALENDAR, [delete(f"{series['id']}_{second:%Y%m%dT%H%M%SZ}")])
    [tombstone] = [record for record in listed(google, cursor)[0] if record.gone]
    assert tombstone.fields == {"series_id": series["id"], "original_start": f"{second:%Y-%m-%dT%H:%M:%SZ}"}
    [master] = [record for record in listed(google)[0] if not record.gone]
    assert master.fields["recurrence"] == ["RRULE:FREQ=DAILY;COUNT=5"]


def test_what_has_ended_before_the_window_is_not_listed_at_first(google, person):
    person(start={"dateTime": moment(-40)}, end={"dateTime": moment(-39)})
    recent = person(start={"dateTime": moment(-20)}, end={"dateTime": moment(-19)})
    assert [record.id for record in listed(google)[0]] == [recent["id"]]


@pytest.fixture
def small_pages(monkeypatch, vendors):
    """Two events a page, so that few events make many pages."""
    real = vendors.adapter.send

    def send(request, **kwargs):
        request.url = request.url.replace("maxResults=2500", "maxResults=2")
        return real(request, **kwargs)

    monkeypatch.setattr(vendors.adapter, "send", send)


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_listing_that_was_broken_off_goes_on_behind_any_page(google, person, small_pages, kind):
    _, cursor = listed(google)
    expected = {person(summary=str(number))["id"] for number in range(7)}
    start = cursor if kind == "incremental" else ""
    pages = list(google.changes(CALENDAR, start, WINDOW))
    assert len(pages) == 4
    later_window = Window(WINDOW.start + dt.timedelta(days=1), WINDOW.end + dt.timedelta(days=1))
    for done in range(1, 4):
        seen = {record.id for page in pages[:done] for record in page.records}
        rest = list(google.changes(CALENDAR, pages[done - 1].cursor, later_window))
        assert rest[-1].last
        assert seen | {record.id for page in rest for record in page.records} == expected
        assert len(rest) == 4 - done


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_dead_page_token_begins_that_listing_again(google, person, small_pages, kind):
    _, cursor = listed(google)
    expected = {person(summary=str(number))["id"] for number in range(5)}
    start = cursor if kind == "incremental" else ""
    first = next(iter(google.changes(CALENDAR, start, WINDOW)))
    dead = json.dumps({**json.loads(first.cursor), "page": "nonsense"})
    records, _ = listed(google, dead)
    assert {record.id for record in records} == expected


def test_a_listing_is_begun_again_only_once(google, vendors):
    vendors.fault("status", path="/events", times=99, **reason(400, "invalid"))
    vendors.forget_requests()
    with pytest.raises(errors.Rejected):
        listed(google, json.dumps({"sync": "x", "page": "y"}))
    assert len(vendors.requests()) == 2


def test_an_expired_cursor_says_so(google, vendors):
    _, cursor = listed(google)
    vendors.fault("expire_cursor")
    with pytest.raises(errors.CursorExpired):
        listed(google, cursor)


@pytest.mark.parametrize(
    "cursor", ["nonsense", "[]", "{}", '{"page": "x"}', '{"sync": "x", "evil": "y"}', '{"sync": 1}']
)
def test_an_unreadable_cursor_is_an_expired_one(google, vendors, cursor):
    vendors.forget_requests()
    with pytest.raises(errors.CursorExpired):
        listed(google, cursor)
    assert vendors.requests() == []


def test_a_calendar_that_is_not_there_any_more_is_no_list_of_deletions(google):
    with pytest.raises(errors.ContainerGone, match="calendar"):
        listed(google, calendar="nobody@group.calendar.google.com")


def test_a_listing_without_an_end_is_not_taken_for_a_whole_one(google, vendors):
    vendors.fault("status", path="/events", status=200, times=3, body={"kind": "calendar#events", "items": []})
    with pytest.raises(errors.Unavailable):
        listed(google)


def test_a_visits_event_that_repeats_is_when_its_own_occurrence_is(google, http):
    def at(id: str) -> str:
        return f"{GOOGLE.hosts('')[0]}/calendar/v3/calendars/{CALENDAR}/events/{id}"

    [made] = google.write(CALENDAR, [create()])
    _, cursor = listed(google)
    zoned = {name: {"dateTime": made.record.fields[name], "timeZone": "America/New_York"} for name in ("start", "end")}
    http.request("PATCH", at(made.record.id), json={"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"], **zoned})
    [record], cursor = listed(google, cursor)
    assert (record.fields["repeats"], record.fields["start"]) == (True, made.record.fields["start"])
    own = f"{record.id}_{record.fields['start'].replace('-', '').replace(':', '')}"
    moved = {"start": {"dateTime": moment(1.5)}, "end": {"dateTime": moment(1.6)}}
    http.request("PATCH", at(own), json=moved)
    both, cursor = listed(google, cursor)  # Google tells of the occurrence alone
    [record] = [each for each in both if each.id == made.record.id]
    assert (record.fields["start"], record.fields["end"]) == (moment(1.5), moment(1.6))
    assert google.get(CALENDAR, [record.id])[record.id] == record
    http.request("DELETE", at(own))
    assert {each.id: each.fields.get("repeats") for each in listed(google, cursor)[0]}[record.id] == OWN_REMOVED
