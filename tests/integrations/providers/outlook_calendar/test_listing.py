"""Listings: sparse rows, series, doubts, cursors, windows that move on, and where they break off."""

import datetime as dt
import json

import pytest

from integrations import errors
from integrations.kinds import OWN_REMOVED
from integrations.providers.outlook_calendar import listing
from integrations.records import Window, parse_instant
from integrations.transport.client import HttpClient, OneToken
from tests.faketime import FakeTime
from tests.integrations.providers.outlook_calendar.conftest import (
    NOW,
    OUTLOOK,
    WINDOW,
    create,
    delete,
    listed,
    moment,
    update,
)

DELTA = "calendarView/delta"


def later(days: int) -> Window:
    return Window(WINDOW.start + dt.timedelta(days=days), WINDOW.end + dt.timedelta(days=days))


def test_what_people_do_is_listed_once(outlook, calendar, person, microsoft):
    _, cursor = listed(outlook, calendar)
    event = person()
    [record], after = listed(outlook, calendar, cursor)
    assert (record.id, record.ours, record.doubtful, record.created) == (event["id"], False, False, True)
    assert (record.fields["title"], record.fields["busy"]) == ("Dentist", True)
    microsoft.forget_requests()
    assert listed(outlook, calendar, after)[0] == []
    assert len(microsoft.requests()) == 1


def test_our_own_event_is_in_doubt_until_it_is_looked_at(outlook, calendar):
    [made] = outlook.write(calendar, [create()])
    [record], _ = listed(outlook, calendar)
    assert (record.id, record.doubtful, record.made_with) == (made.record.id, True, create().remote_id)
    assert (record.tag, record.fields) == (made.record.tag, made.record.fields)


def test_gone_is_in_doubt_until_it_is_looked_at(outlook, calendar, person):
    [made] = outlook.write(calendar, [create()])
    far = person()
    _, cursor = listed(outlook, calendar)
    outlook.write(calendar, [delete(made.record.id), update_time(outlook, calendar, far["id"], 400)])
    records = {record.id: record for record in listed(outlook, calendar, cursor)[0]}
    assert all(record.gone and record.doubtful for record in records.values())
    now = outlook.get(calendar, list(records))
    assert (now[made.record.id].gone, now[far["id"]].gone) == (True, False)
    assert now[far["id"]].fields["start"] == moment(400)


def update_time(outlook, calendar, event_id, days):
    record = outlook.get(calendar, [event_id])[event_id]
    return update(record, start=moment(days), end=moment(days + 0.1))


def test_occurrences_are_filled_from_their_series(outlook, calendar, weekly, microsoft):
    series = weekly(5, location={"displayName": "Hall"})
    records, _ = listed(outlook, calendar)
    [master] = [record for record in records if record.gone]
    assert (master.id, master.doubtful) == (series["id"], False)
    occurrences = sorted((record for record in records if not record.gone), key=lambda record: record.fields["start"])
    assert [record.fields["start"] for record in occurrences] == [moment(2 + n) for n in range(5)]
    for record in occurrences:
        assert (record.fields["series_id"], record.fields["original_start"]) == (series["id"], record.fields["start"])
        assert (record.fields["title"], record.fields["place"], record.fields["busy"]) == ("Dentist", "Hall", True)
        assert record.fields["uid"] == series["uid"]
    assert outlook.get(calendar, [occurrences[1].id])[occurrences[1].id].fields == occurrences[1].fields


def test_an_exception_moves_one_and_a_deleted_one_is_news_of_its_series(outlook, calendar, graph, weekly):
    series = weekly(5)
    records, cursor = listed(outlook, calendar)
    ids = {record.fields["start"]: record.id for record in records if not record.gone}
    day, hour = moment(3)[:10], 12 if NOW.hour != 12 else 15  # an occurrence may not be moved out of its day
    moved = {"start": {"dateTime": f"{day}T{hour}:00:00", "timeZone": "UTC"},
             "end": {"dateTime": f"{day}T{hour + 1}:00:00", "timeZone": "UTC"}}  # fmt: skip
    graph("PATCH", f"events/{ids[moment(3)]}", **moved)
    graph("DELETE", f"events/{ids[moment(4)]}")
    [page] = list(outlook.changes(calendar, cursor, WINDOW))
    assert series["id"] in page.series
    now = {record.fields["original_start"]: record for record in page.records if not record.gone}
    assert now.keys() == {moment(2), moment(3), moment(5), moment(6)}
    assert now[moment(3)].fields["start"] == f"{day}T{hour}:00:00Z"
    assert outlook.get(calendar, [ids[moment(4)]])[ids[moment(4)]].gone
    unchanged = [record for record in records if record.id == ids[moment(2)]]
    assert [now[moment(2)]] == unchanged


def test_series_without_their_master_and_repeated_rows(microsoft):
    """As some mailboxes answer: an empty first page, rows twice, and occurrences whose series is not listed."""
    token = microsoft.token("quirky@outlook.test")["access_token"]
    client = OUTLOOK.open(HttpClient(OUTLOOK, OneToken(token), **FakeTime(NOW).kwargs()))
    calendar = client.containers()[0].id
    first = NOW + dt.timedelta(days=2)
    body = {
        "subject": "Standup",
        "start": {"dateTime": f"{first:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        "end": {"dateTime": f"{first + dt.timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        "recurrence": {
            "pattern": {"type": "daily", "interval": 1},
            "range": {"type": "numbered", "startDate": f"{first:%Y-%m-%d}", "numberOfOccurrences": 3},
        },
    }
    client.http.request("POST", f"{OUTLOOK.hosts('')[0]}/v1.0/me/events", json=body)
    records, _ = listed(client, calendar)
    assert [record.fields["title"] for record in records] == ["Standup"] * 3
    assert len({record.id for record in records}) == 3


def test_all_day_events_keep_their_dates(outlook, calendar, person):
    days = {name: {"dateTime": f"2026-12-0{n}T00:00:00", "timeZone": "Pacific/Auckland"}
            for n, name in ((1, "start"), (2, "end"))}  # fmt: skip
    person(isAllDay=True, **days)
    [record], _ = listed(outlook, calendar)
    assert (record.fields["start"], record.fields["end"]) == ("2026-12-01", "2026-12-02")


def test_what_lies_outside_the_window_is_not_listed_at_first(outlook, calendar, person):
    person(-40)
    recent, far = person(-20), person(185)  # the view reaches a week further than the sync
    assert {record.id for record in listed(outlook, calendar)[0]} == {recent["id"], far["id"]}


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(listing, "PAGE", "odata.maxpagesize=2")


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_listing_that_was_broken_off_goes_on_behind_any_page(outlook, calendar, person, small_pages, kind):
    _, cursor = listed(outlook, calendar)
    expected = {person(2 + number)["id"] for number in range(7)}
    start = cursor if kind == "incremental" else ""
    pages = list(outlook.changes(calendar, start, WINDOW))
    assert len(pages) == 4
    for done in range(1, 4):
        seen = {record.id for page in pages[:done] for record in page.records}
        rest = list(outlook.changes(calendar, pages[done - 1].cursor, later(1)))
        assert rest[-1].last
        assert seen | {record.id for page in rest for record in page.records} == expected
        assert len(rest) == 4 - done


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_dead_page_link_begins_that_round_again(outlook, calendar, person, small_pages, microsoft, kind):
    _, cursor = listed(outlook, calendar)
    expected = {person(2 + number)["id"] for number in range(5)}
    start = cursor if kind == "incremental" else ""
    first = next(iter(outlook.changes(calendar, start, WINDOW)))
    microsoft.fault("expire_cursor")
    records, after = listed(outlook, calendar, first.cursor)
    assert {record.id for record in records} == expected
    assert listed(outlook, calendar, after)[0] == []


def test_links_that_die_in_the_middle_of_a_first_sync(outlook, calendar, person, small_pages, microsoft):
    expected = {person(2 + number)["id"] for number in range(9)}
    microsoft.fault("expire_cursor", after=1)  # of the calls that have a cursor: the third page
    assert {record.id for record in listed(outlook, calendar)[0]} >= expected


def test_a_listing_that_is_forgotten_again_and_again_ends(outlook, calendar, person, small_pages, microsoft):
    for number in range(5):
        person(2 + number)
    microsoft.fault("status", path=r"delta", after=1, times=99, status=410)
    with pytest.raises(errors.Unavailable):
        listed(outlook, calendar)
    assert len(microsoft.requests(DELTA)) < 10


@pytest.mark.parametrize("code", ["SyncStateNotFound", "syncStateNotFound", "resyncRequired", "fullSyncRequired"])
def test_an_expired_link_says_so_whatever_it_is_called(outlook, calendar, microsoft, code):
    _, cursor = listed(outlook, calendar)
    microsoft.fault("status", path=DELTA, status=410, body={"error": {"code": code}})
    with pytest.raises(errors.CursorExpired):
        listed(outlook, calendar, cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "[]",
        "{}",
        '{"until": "x"}',
        '{"until": "x", "delta": "https://evil.example/v1.0/me"}',
        '{"until": "x", "delta": 1}',
        '{"until": "x", "delta": "http://sandbox.test/microsoft/graph/x", "evil": "y"}',
    ],
)
def test_an_unreadable_cursor_is_an_expired_one(outlook, calendar, microsoft, cursor):
    with pytest.raises(errors.CursorExpired):
        listed(outlook, calendar, cursor)
    assert microsoft.requests() == []


def test_a_link_to_another_host_is_not_followed(outlook, calendar, microsoft):
    evil = {"value": [], "@odata.nextLink": "https://evil.example/v1.0/me/calendarView/delta?$skiptoken=x"}
    microsoft.fault("status", path=DELTA, status=200, body=evil)
    with pytest.raises(errors.Misconfigured):
        listed(outlook, calendar)


def test_a_calendar_that_is_not_there_any_more_is_no_list_of_deletions(outlook, calendar):
    with pytest.raises(errors.ContainerGone, match="calendar"):
        listed(outlook, "AQMkAGone=")


def test_a_listing_without_an_end_is_not_taken_for_a_whole_one(outlook, calendar, microsoft):
    microsoft.fault("status", path=DELTA, status=200, times=3, body={"value": []})
    with pytest.raises(errors.Unavailable):
        listed(outlook, calendar)


def test_rows_without_times_are_in_doubt(outlook, calendar, microsoft):
    link = f"{OUTLOOK.hosts('')[0]}/v1.0/me/calendarView/delta?$deltatoken=x"
    rows = [{"id": "odd", "type": "singleInstance"}, {"no": "id"}]
    microsoft.fault("status", path=DELTA, status=200, body={"value": rows, "@odata.deltaLink": link})
    [record], _ = listed(outlook, calendar)
    assert (record.id, record.gone, record.doubtful) == ("odd", True, True)


# --- the window moves on ---------------------------------------------------------------------------------------------


def test_a_view_lasts_for_a_week_of_days(outlook, calendar, microsoft):
    _, cursor = listed(outlook, calendar)
    microsoft.forget_requests()
    _, cursor = listed(outlook, calendar, cursor, later(6))
    assert len(microsoft.requests()) == 1
    _, cursor = listed(outlook, calendar, cursor, later(8))
    assert len(microsoft.requests()) == 3  # the new view, and what was still to come of the old
    assert parse_instant(json.loads(cursor)["until"]) > later(8).end


def test_a_new_view_shows_what_has_come_near_and_loses_no_deletion(outlook, calendar, person, graph):
    gone, far = person(3), person(195)
    _, cursor = listed(outlook, calendar)
    graph("DELETE", f"events/{gone['id']}")
    pages = list(outlook.changes(calendar, cursor, later(20)))
    records = {record.id: record for page in pages for record in page.records}
    assert records[far["id"]].fields["start"] == moment(195)
    assert records[gone["id"]].gone
    assert [page.last for page in pages] == [False, True]
    assert listed(outlook, calendar, pages[-1].cursor, later(20))[0] == []


def test_a_change_of_views_goes_on_where_it_was_broken_off(outlook, calendar, person, graph, small_pages):
    events = [person(3 + number) for number in range(5)]
    _, cursor = listed(outlook, calendar)
    for event in events[:3]:
        graph("DELETE", f"events/{event['id']}")
    whole = list(outlook.changes(calendar, cursor, later(20)))
    for done in range(len(whole)):
        if whole[done].last:
            continue
        rest = list(outlook.changes(calendar, whole[done].cursor, later(21)))
        seen = {record.id: record for page in [*whole[: done + 1], *rest] for record in page.records}
        assert {id for id, record in seen.items() if record.gone} == {event["id"] for event in events[:3]}


def test_an_old_view_that_has_expired_means_reading_everything(outlook, calendar, microsoft):
    _, cursor = listed(outlook, calendar)
    microsoft.fault("status", path=DELTA, after=1, status=410)
    with pytest.raises(errors.CursorExpired):
        listed(outlook, calendar, cursor, later(20))


def test_a_visits_event_that_repeats_is_when_its_own_occurrence_is(outlook, calendar, graph):
    [made] = outlook.write(calendar, [create()])
    _, cursor = listed(outlook, calendar)
    begins = parse_instant(made.record.fields["start"])
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [begins.strftime("%A").lower()]}
    span = {"type": "numbered", "startDate": f"{begins:%Y-%m-%d}", "numberOfOccurrences": 3}
    event = f"events/{made.record.id}"
    graph("PATCH", event, recurrence={"pattern": pattern, "range": span})
    [record], cursor = listed(outlook, calendar, cursor)
    assert (record.fields["repeats"], record.fields["start"]) == (True, made.record.fields["start"])
    first = graph("GET", f"{event}/instances?startDateTime={moment(-1)}&endDateTime={moment(30)}")["value"][0]["id"]
    ends = {"start": moment(1.5), "end": moment(1.6)}
    moved = {name: {"dateTime": text.removesuffix("Z"), "timeZone": "UTC"} for name, text in ends.items()}
    graph("PATCH", f"events/{first}", **moved)
    [record], cursor = listed(outlook, calendar, cursor)
    single = outlook.get(calendar, [made.record.id])[made.record.id]
    for found in (record, single):
        assert {name: found.fields[name] for name in ends} == ends and found.fields["repeats"] is True
    graph("DELETE", f"events/{first}")
    [record], _ = listed(outlook, calendar, cursor)
    assert record.fields["repeats"] == OWN_REMOVED
