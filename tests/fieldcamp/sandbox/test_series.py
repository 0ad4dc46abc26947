"""Recurring events: instances, exceptions, expansion."""

from .conftest import reason, weekly

FIRST = "20261201T150000Z"
SECOND = "20261208T150000Z"


def test_instances_have_ids_made_of_the_original_start(google):
    master = google.insert(weekly())
    page = google.event("GET", f"{master['id']}/instances").json()
    assert [i["id"] for i in page["items"]][:2] == [f"{master['id']}_{FIRST}", f"{master['id']}_{SECOND}"]
    assert len(page["items"]) == 4 and "nextSyncToken" in page
    one = page["items"][1]
    assert one["recurringEventId"] == master["id"] and "recurrence" not in one
    assert one["originalStartTime"] == one["start"] == {"dateTime": "2026-12-08T10:00:00-05:00"} | one["start"]
    assert one["etag"] == master["etag"] and one["iCalUID"] == master["iCalUID"]
    assert google.event("GET", one["id"]).json() == one
    chosen = google.event("GET", f"{master['id']}/instances", originalStart="2026-12-08T15:00:00Z").json()
    assert [i["id"] for i in chosen["items"]] == [one["id"]]


def test_instances_of_all_day_series_are_named_by_the_day(google):
    days = {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    master = google.insert(days | {"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]})
    page = google.event("GET", f"{master['id']}/instances").json()
    assert [i["id"].split("_")[1] for i in page["items"]] == ["20261201", "20261202", "20261203"]
    assert page["items"][2]["end"] == {"date": "2026-12-04"}


def test_summer_time_keeps_the_wall_clock(google):
    zone = {"timeZone": "America/New_York"}
    start, end = {"dateTime": "2027-03-09T10:00:00"} | zone, {"dateTime": "2027-03-09T11:00:00"} | zone
    master = google.insert(weekly(start=start, end=end))
    starts = [i["start"]["dateTime"] for i in google.event("GET", f"{master['id']}/instances").json()["items"]]
    assert starts[:2] == ["2027-03-09T10:00:00-05:00", "2027-03-16T10:00:00-04:00"]


def test_changing_one_instance_makes_an_exception(google):
    master = google.insert(weekly())
    token = google.events()["nextSyncToken"]
    one = f"{master['id']}_{SECOND}"
    ends = {"start": {"dateTime": "2026-12-09T12:00:00-05:00"}, "end": {"dateTime": "2026-12-09T13:00:00-05:00"}}
    changed = google.event("PATCH", one, ends).json()
    assert changed["id"] == one and changed["sequence"] == 1
    assert changed["originalStartTime"]["dateTime"] == "2026-12-08T10:00:00-05:00"
    (listed,) = google.events(syncToken=token)["items"]
    assert listed == changed
    assert len(google.events()["items"]) == 2
    single = google.events(singleEvents="true", orderBy="startTime")["items"]
    starts = [i["start"]["dateTime"][:16] for i in single]
    assert starts == ["2026-12-01T10:00", "2026-12-09T12:00", "2026-12-15T10:00", "2026-12-22T10:00"]


def test_deleting_one_instance_leaves_a_cancelled_exception(google):
    master = google.insert(weekly())
    token = google.events()["nextSyncToken"]
    one = f"{master['id']}_{FIRST}"
    assert google.event("DELETE", one).status_code == 204
    assert reason(google.event("DELETE", one)) == (410, "deleted")
    (stub,) = google.events(syncToken=token)["items"]
    assert set(stub) == {"kind", "etag", "id", "status", "recurringEventId", "originalStartTime"}
    # It is part of every full list of masters, deleted shown or not, and of no list of single events.
    assert [e["status"] for e in google.events()["items"]] == ["confirmed", "cancelled"]
    assert len(google.events(singleEvents="true")["items"]) == 3
    shown = google.events(singleEvents="true", showDeleted="true")["items"]
    assert sorted(i["status"] for i in shown) == ["cancelled", "confirmed", "confirmed", "confirmed"]


def test_deleting_the_series_is_told_by_its_master_alone(google):
    master = google.insert(weekly())
    google.event("PATCH", f"{master['id']}_{SECOND}", {"summary": "Moved"})
    token = google.events()["nextSyncToken"]
    google.event("DELETE", master["id"])
    assert [e["id"] for e in google.events(syncToken=token)["items"]] == [master["id"]]
    assert google.events()["items"] == []
    assert google.event("GET", f"{master['id']}_{SECOND}").json()["status"] == "cancelled"


def test_splitting_a_series_in_two(google):
    master = google.insert(weekly(recurrence=["RRULE:FREQ=WEEKLY"]))
    ended = google.event("PATCH", master["id"], {"recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20261209T045959Z"]}).json()
    assert ended["sequence"] == 1
    assert len(google.event("GET", f"{master['id']}/instances").json()["items"]) == 2


def test_exdate_and_rdate(google):
    lines = ["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=America/New_York:20261208T100000", "RDATE:20261210T150000Z"]
    master = google.insert(weekly(recurrence=lines))
    starts = [i["start"]["dateTime"][:10] for i in google.event("GET", f"{master['id']}/instances").json()["items"]]
    assert starts == ["2026-12-01", "2026-12-10", "2026-12-15"]


def test_what_is_no_instance_is_not_found(google):
    master = google.insert(weekly())
    for suffix in ("20261202T150000Z", "20261201", "99991399T999999Z", "20261201T999999Z"):
        assert reason(google.event("GET", f"{master['id']}_{suffix}")) == (404, "notFound")
    single = google.insert()
    assert google.event("GET", f"{single['id']}/instances").status_code == 400


def test_a_master_is_in_a_window_when_any_occurrence_is(google):
    master = google.insert(weekly())

    def ids(low, high):
        return [
            e["id"]
            for e in google.events(timeMin=f"2026-12-{low}T00:00:00Z", timeMax=f"2026-12-{high}T00:00:00Z")["items"]
        ]

    assert ids("08", "09") == [master["id"]]
    assert ids("09", "10") == []
    assert google.events(timeMin="2026-12-22T16:00:00Z")["items"] == []  # the last one ends at that very moment


def test_endless_series_end_two_years_ahead_in_lists(google):
    google.insert(weekly(recurrence=["RRULE:FREQ=WEEKLY"]))
    items = google.events(singleEvents="true", maxResults=2500)["items"]
    assert 100 <= len(items) <= 106


def test_pages_of_instances(google):
    master = google.insert(weekly())
    first = google.event("GET", f"{master['id']}/instances", maxResults=3).json()
    assert len(first["items"]) == 3 and "nextSyncToken" not in first
    rest = google.event("GET", f"{master['id']}/instances", maxResults=3, pageToken=first["nextPageToken"]).json()
    assert len(rest["items"]) == 1 and "nextPageToken" not in rest
