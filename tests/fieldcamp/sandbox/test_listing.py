"""events.list: filters, order, pages, sync tokens. https://developers.google.com/workspace/calendar/api/guides/sync"""

import pytest

from .conftest import reason, timed, weekly


def ids(page):
    return [event["id"] for event in page["items"]]


def at(hour, **more):
    return timed(f"2026-12-01T{hour:02d}:00:00Z", f"2026-12-01T{hour + 1:02d}:00:00Z", **more)


def test_bounds_are_exclusive_on_the_other_end(google):
    event = google.insert(at(10))
    assert ids(google.events(timeMin="2026-12-01T10:59:59Z")) == [event["id"]]
    assert ids(google.events(timeMin="2026-12-01T11:00:00Z")) == []
    assert ids(google.events(timeMax="2026-12-01T10:00:01Z")) == [event["id"]]
    assert ids(google.events(timeMax="2026-12-01T10:00:00Z")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"timeMin": "2026-12-01T00:00:00"}, (400, "badRequest")),
        ({"timeMin": "soon"}, (400, "badRequest")),
        ({"timeMin": "2026-12-02T00:00:00Z", "timeMax": "2026-12-01T00:00:00Z"}, (400, "timeRangeEmpty")),
        ({"maxResults": "0"}, (400, "invalidParameter")),
        ({"maxResults": "many"}, (400, "invalidParameter")),
        ({"maxResults": "²"}, (400, "invalidParameter")),
        ({"singleEvents": "yes"}, (400, "invalidParameter")),
        ({"orderBy": "startTime"}, (400, "badRequest")),
        ({"orderBy": "name"}, (400, "invalidParameter")),
        ({"eventTypes": "party"}, (400, "invalidParameter")),
        ({"timeZone": "Mars/Base"}, (400, "invalidParameter")),
        ({"privateExtendedProperty": "nothing"}, (400, "invalidParameter")),
        ({"pageToken": "garbage"}, (400, "invalid")),
        ({"updatedMin": "2026-01-01T00:00:00Z"}, (410, "updatedMinTooLongAgo")),
        ({"fields": "items("}, (400, "invalidParameter")),
        ({"fields": "items)id"}, (400, "invalidParameter")),
        ({"alt": "media"}, (400, "invalidParameter")),
    ],
)
def test_parameters_that_do_not_parse(google, query, expected):
    assert reason(google.call("GET", "calendars/primary/events", **query)) == expected


def test_filters(google):
    props = {"private": {"job": "7", "day": "1"}, "shared": {"team": "a"}}
    tagged = google.insert(at(9, summary="Boiler at Mrs Ortiz", extendedProperties=props))
    away = google.insert(at(10, summary="Dentist", eventType="outOfOffice"))
    assert ids(google.events(q="ORTIZ boiler")) == [tagged["id"]]
    assert ids(google.events(privateExtendedProperty="job=7")) == [tagged["id"]]
    assert ids(google.events(privateExtendedProperty=["job=7", "day=2"])) == []
    assert ids(google.events(sharedExtendedProperty="job=7")) == []
    assert ids(google.events(sharedExtendedProperty="team=a")) == [tagged["id"]]
    assert ids(google.events(iCalUID=tagged["iCalUID"])) == [tagged["id"]]
    assert ids(google.events(eventTypes=["outOfOffice", "focusTime"])) == [away["id"]]


def test_order(google):
    late, early = google.insert(at(12)), google.insert(at(8))
    google.event("PATCH", late["id"], {"summary": "B"})
    assert ids(google.events(orderBy="startTime", singleEvents="true")) == [early["id"], late["id"]]
    assert ids(google.events(orderBy="updated")) == [early["id"], late["id"]]
    assert "nextSyncToken" not in google.events(orderBy="updated")


def test_updated_min_also_shows_deletions(google, clock):
    old, gone = google.insert(), google.insert()
    clock.now += 60
    google.event("DELETE", gone["id"])
    found = google.events(updatedMin="2026-11-22T12:01:00Z")
    assert ids(found) == [gone["id"]] and found["items"][0]["status"] == "cancelled"
    assert ids(google.events(updatedMin="2026-11-22T12:00:00Z")) == [old["id"], gone["id"]]


def test_deleted_events_are_shown_in_full_on_request(google):
    event = google.insert()
    google.event("DELETE", event["id"])
    assert google.events()["items"] == []
    (shown,) = google.events(showDeleted="true")["items"]
    assert shown["status"] == "cancelled" and shown["summary"] == "Visit"


def test_an_incremental_list_has_what_changed_and_bare_tombstones(google):
    kept, changed, gone = google.insert(), google.insert(), google.insert()
    token = google.events()["nextSyncToken"]
    assert google.events(syncToken=token)["items"] == []
    google.event("PATCH", changed["id"], {"summary": "B"})
    google.event("DELETE", gone["id"])
    new = google.insert()
    page = google.events(syncToken=token)
    assert ids(page) == [changed["id"], gone["id"], new["id"]]
    assert set(page["items"][1]) == {"kind", "etag", "id", "status"}
    assert google.events(syncToken=page["nextSyncToken"])["items"] == []
    assert ids(google.events(syncToken=token)) == ids(page)  # a token can be used again
    assert kept["id"] not in ids(page)


def test_an_event_that_comes_and_goes_between_two_calls_is_a_tombstone(google):
    token = google.events()["nextSyncToken"]
    event = google.insert()
    google.event("DELETE", event["id"])
    assert [e["status"] for e in google.events(syncToken=token)["items"]] == ["cancelled"]


def test_the_first_list_may_have_a_window_and_the_next_may_not(google):
    token = google.events(timeMin="2026-12-01T00:00:00Z")["nextSyncToken"]
    early = google.insert(start="2026-11-01T10:00:00Z", end="2026-11-01T11:00:00Z")
    assert ids(google.events(syncToken=token)) == [early["id"]]


@pytest.mark.parametrize(
    "query",
    [
        {"iCalUID": "x"},
        {"orderBy": "updated"},
        {"privateExtendedProperty": "a=b"},
        {"q": "x"},
        {"sharedExtendedProperty": "a=b"},
        {"timeMin": "2026-12-01T00:00:00Z"},
        {"timeMax": "2026-12-01T00:00:00Z"},
        {"updatedMin": "2026-11-21T00:00:00Z"},
        {"showDeleted": "false"},
        {"singleEvents": "true"},
        {"eventTypes": "default"},
    ],
)
def test_what_does_not_go_with_a_sync_token(google, query):
    token = google.events()["nextSyncToken"]
    assert reason(google.call("GET", "calendars/primary/events", syncToken=token, **query)) == (400, "invalid")


def test_parameters_that_only_shape_the_answer_may_differ(google):
    token = google.events()["nextSyncToken"]
    google.insert()
    page = google.events(syncToken=token, maxResults=10, timeZone="UTC", showDeleted="true", fields="items(id)")
    assert len(page["items"]) == 1


def test_dead_tokens_ask_for_a_full_sync(google):
    token = google.events()["nextSyncToken"]
    family = google.call("GET", "users/me/calendarList").json()["items"][1]["id"]
    foreign = google.call("GET", f"calendars/{family}/events").json()["nextSyncToken"]
    page = google.call("GET", "users/me/calendarList").json()["nextSyncToken"]
    for bad in ("garbage", "ä", token[:-4], token[4:], foreign, page, "A" * 5000):
        response = google.call("GET", "calendars/primary/events", syncToken=bad)
        assert reason(response) == (410, "fullSyncRequired")
        assert response.json()["error"]["errors"][0]["domain"] == "calendar"
    google.control("clock", {"advance_seconds": 31 * 86400})
    google.sign_in()
    assert reason(google.call("GET", "calendars/primary/events", syncToken=token)) == (410, "fullSyncRequired")


def test_tokens_of_the_state_before_a_reset_are_dead(google):
    token = google.events()["nextSyncToken"]
    google.control("reset", {"seed": "empty"})
    google.sign_in()
    assert reason(google.call("GET", "calendars/primary/events", syncToken=token)) == (410, "fullSyncRequired")


@pytest.mark.parametrize("incremental", [False, True])
def test_pages_show_one_moment_and_the_last_alone_has_a_sync_token(google, incremental):
    before = google.events()["nextSyncToken"]
    events = [google.insert(summary=f"E{n}") for n in range(5)]
    base = {"syncToken": before} if incremental else {}
    first = google.events(maxResults=2, **base)
    assert "nextSyncToken" not in first and len(first["items"]) == 2
    google.event("PATCH", events[3]["id"], {"summary": "changed meanwhile"})
    google.event("DELETE", events[4]["id"])
    new = google.insert(summary="new")
    pages = [first]
    while "nextPageToken" in pages[-1]:
        assert "nextSyncToken" not in pages[-1]
        pages.append(google.events(maxResults=2, pageToken=pages[-1]["nextPageToken"], **base))
    shown = [event["summary"] for page in pages for event in page["items"]]
    assert shown == ["E0", "E1", "E2", "E3", "E4"]
    later = google.events(syncToken=pages[-1]["nextSyncToken"])
    assert ids(later) == [events[3]["id"], events[4]["id"], new["id"]]


def test_a_page_token_belongs_to_its_query_and_calendar(google):
    for n in range(3):
        google.insert(summary=f"E{n}")
    token = google.events(maxResults=1)["nextPageToken"]
    assert reason(google.call("GET", "calendars/primary/events", pageToken=token, showDeleted="true"))[0] == 400
    family = google.call("GET", "users/me/calendarList").json()["items"][1]["id"]
    assert reason(google.call("GET", f"calendars/{family}/events", pageToken=token))[0] == 400
    assert len(google.events(pageToken=token, maxResults=50)["items"]) == 2


def test_pages_of_expanded_series(google):
    google.insert(weekly())
    seen, page = [], {"nextPageToken": None}
    while "nextPageToken" in page:
        page = google.events(singleEvents="true", maxResults=3, pageToken=page["nextPageToken"])
        seen += ids(page)
    assert len(seen) == len(set(seen)) == 4
    google.event("PATCH", seen[0].split("_")[0], {"summary": "B"})
    changed = google.events(singleEvents="true", syncToken=page["nextSyncToken"])
    assert len(changed["items"]) == 4


def test_partial_responses(google):
    google.insert(attendees=[{"email": "a@x.test"}])
    page = google.events(fields="items(id,start/dateTime,attendees(email)),nextSyncToken,kind")
    assert set(page) == {"kind", "nextSyncToken", "items"}
    (event,) = page["items"]
    assert set(event) == {"id", "start", "attendees"} and set(event["start"]) == {"dateTime"}
    assert set(google.events(fields="items/id")) == {"items"}
    assert google.events(fields="*").keys() == google.events().keys()
    assert google.events(fields="items(*)")["items"] == google.events()["items"]


def test_pretty_print(google):
    plain = google.call("GET", "calendars/primary/events", prettyPrint="false")
    pretty = google.call("GET", "calendars/primary/events", prettyPrint="true")
    assert "\n" not in plain.text and "\n" in pretty.text
    assert plain.headers["Content-Type"] == "application/json; charset=UTF-8"
