"""Calendars, the list of them, free and busy, colours, settings."""

import pytest

from .conftest import reason


def entries(google, **query):
    return google.call("GET", "users/me/calendarList", **query).json()


def test_the_list(google):
    primary, family = entries(google)["items"]
    assert primary["id"] == "dana@google.test" and primary["primary"] is True and primary["accessRole"] == "owner"
    assert "primary" not in family and family["dataOwner"] == "dana@google.test"
    assert google.call("GET", "users/me/calendarList/primary").json() == primary


def test_pages_and_changes_of_the_list(google):
    first = entries(google, maxResults=1)
    assert len(first["items"]) == 1 and "nextSyncToken" not in first
    second = entries(google, maxResults=1, pageToken=first["nextPageToken"])
    assert second["items"][0]["summary"] == "Family"
    token = second["nextSyncToken"]
    assert entries(google, syncToken=token)["items"] == []
    made = google.call("POST", "calendars", {"summary": "Visits", "timeZone": "Europe/Berlin"}).json()
    assert [e["id"] for e in entries(google, syncToken=token)["items"]] == [made["id"]]
    google.call("DELETE", f"calendars/{made['id']}")
    (gone,) = entries(google, syncToken=token)["items"]
    assert set(gone) == {"kind", "etag", "id", "deleted"}
    for bad in ({"minAccessRole": "owner"}, {"showDeleted": "false"}):
        assert google.call("GET", "users/me/calendarList", syncToken=token, **bad).status_code == 400
    assert reason(google.call("GET", "users/me/calendarList", syncToken="x")) == (410, "fullSyncRequired")


def test_entries_can_be_changed_hidden_and_removed(google):
    family = entries(google)["items"][1]["id"]
    path = f"users/me/calendarList/{family}"
    assert google.call("PATCH", path, {"summaryOverride": "Home", "hidden": True}).json()["summaryOverride"] == "Home"
    assert len(entries(google)["items"]) == 1 and len(entries(google, showHidden="true")["items"]) == 2
    assert "summaryOverride" not in google.call("PUT", path, {"selected": True}).json()
    assert google.call("DELETE", path).status_code == 204
    assert google.call("GET", path).status_code == 404
    assert google.call("POST", "users/me/calendarList", {"id": family}).status_code == 200
    assert google.call("POST", "users/me/calendarList", {"id": "lee@google.test"}).status_code == 404
    assert google.call("DELETE", "users/me/calendarList/primary").status_code == 400


def test_calendars_come_and_go(google):
    made = google.call("POST", "calendars", {"summary": "Visits"}).json()
    assert made["timeZone"] == "UTC" and made["id"].endswith("@group.calendar.google.com")
    path = f"calendars/{made['id']}"
    assert google.call("PATCH", path, {"description": "D"}).json()["description"] == "D"
    assert "description" not in google.call("PUT", path, {"summary": "V"}).json()
    event = google.insert(calendar=made["id"])
    assert event["start"]["dateTime"].endswith("Z")
    assert google.call("DELETE", path).status_code == 204
    assert reason(google.call("GET", f"{path}/events")) == (404, "notFound")
    assert google.call("DELETE", "calendars/primary").status_code == 400
    for bad in ({}, {"summary": 5}, {"summary": "A", "timeZone": "Mars/Base"}):
        assert google.call("POST", "calendars", bad).status_code == 400


def test_clearing_the_primary_calendar(google):
    google.insert()
    token = google.events()["nextSyncToken"]
    assert google.call("POST", "calendars/primary/clear").status_code == 204
    assert [e["status"] for e in google.events(syncToken=token)["items"]] == ["cancelled"]


def test_free_and_busy(google):
    google.insert()
    google.insert(start="2026-12-01T10:30:00-05:00", end="2026-12-01T12:00:00-05:00")
    google.insert(transparency="transparent", start="2026-12-01T18:00:00Z", end="2026-12-01T19:00:00Z")
    declined = [{"email": "dana@google.test", "responseStatus": "declined"}]
    google.insert(attendees=declined, start="2026-12-01T20:00:00Z", end="2026-12-01T21:00:00Z")
    asked = {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-01T16:00:00Z"}
    items = [{"id": "dana@google.test"}, {"id": "lee@google.test"}]
    found = google.call("POST", "freeBusy", asked | {"items": items}).json()["calendars"]
    assert found["dana@google.test"] == {"busy": [{"start": "2026-12-01T15:00:00Z", "end": "2026-12-01T16:00:00Z"}]}
    assert found["lee@google.test"]["errors"][0]["reason"] == "notFound"
    later = asked | {"timeMax": "2026-12-02T00:00:00Z", "items": items[:1]}
    assert google.call("POST", "freeBusy", later).json()["calendars"]["dana@google.test"] == {
        "busy": [{"start": "2026-12-01T15:00:00Z", "end": "2026-12-01T17:00:00Z"}]
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-01T00:00:00Z"},
        {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2027-12-01T00:00:00Z"},
        {"timeMin": 5, "timeMax": []},
        {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-02T00:00:00Z", "items": "x"},
        {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-02T00:00:00Z", "items": [5]},
        {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-02T00:00:00Z", "timeZone": 5},
    ],
)
def test_wrong_questions_about_free_and_busy(google, body):
    assert google.call("POST", "freeBusy", body).status_code == 400


def test_colours_and_settings(google):
    assert set(google.call("GET", "colors").json()["event"]) == {str(n) for n in range(1, 12)}
    assert google.call("GET", "users/me/settings/timezone").json()["value"] == "America/New_York"
    assert google.call("GET", "users/me/settings/nothing").status_code == 404
    assert len(google.call("GET", "users/me/settings").json()["items"]) > 5
    transfer = google.call("POST", "calendars/primary/transferOwnership", newDataOwner="lee@google.test")
    assert transfer.status_code == 403
