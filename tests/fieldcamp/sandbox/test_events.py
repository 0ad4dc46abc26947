"""Insert, patch, update, delete, import, move: section 4 and 5 of Google's rules for events."""

import re

import pytest

from .conftest import reason, timed, weekly


def test_insert_fills_in_what_google_fills_in(google):
    event = google.insert(location="1 Maple Ave")
    assert re.fullmatch(r"[a-v0-9]{26}", event["id"])
    assert event["iCalUID"] == f"{event['id']}@google.com"
    assert event["start"] == {"dateTime": "2026-12-01T10:00:00-05:00", "timeZone": "America/New_York"}
    assert event["status"] == "confirmed" and event["sequence"] == 0 and event["eventType"] == "default"
    assert event["reminders"] == {"useDefault": True}
    assert event["creator"] == event["organizer"] == {"email": "dana@google.test", "self": True}
    assert "transparency" not in event and "visibility" not in event
    assert google.event("GET", event["id"]).json() == event


def test_etag_is_twice_updated_and_grows_with_every_write(google):
    event = google.insert()
    etags = [event["etag"]]
    for change in ({"summary": "B"}, {"reminders": {"useDefault": False}}, {"summary": "B"}):
        etags.append(google.event("PATCH", event["id"], change).json()["etag"])
    numbers = [int(etag.strip('"')) for etag in etags]
    assert sorted(set(numbers)) == numbers
    assert event["updated"] == "2026-11-22T12:00:00.000Z" and numbers[0] // 2 // 1_000_000 == 1_795_348_800


@pytest.mark.parametrize("event_id", ["abcd", "ABCDE", "abcdw", "x" * 6, "a" * 1025, "ab cde", "", 5, "äbcde"])
def test_ids_must_be_base32hex(google, event_id):
    response = google.call("POST", "calendars/primary/events", timed(id=event_id))
    assert reason(response) == (400, "invalid")


def test_an_id_can_never_be_used_twice(google):
    google.insert(id="a" * 1024)
    event = google.insert(id="abcde0123")
    assert reason(google.call("POST", "calendars/primary/events", timed(id=event["id"]))) == (409, "duplicate")
    google.event("DELETE", event["id"])
    assert reason(google.call("POST", "calendars/primary/events", timed(id=event["id"]))) == (409, "duplicate")


def test_an_ical_uid_is_unique_too_and_excludes_an_id(google):
    google.insert(iCalUID="uid-1@elsewhere")
    assert reason(google.call("POST", "calendars/primary/events", timed(iCalUID="uid-1@elsewhere")))[0] == 409
    assert reason(google.call("POST", "calendars/primary/events", timed(iCalUID="u", id="abcde")))[0] == 400


def test_patch_merges_objects_deletes_nulls_and_replaces_lists(google):
    private = {"a": "1", "b": "2"}
    event = google.insert(
        description="old",
        extendedProperties={"private": private, "shared": {"s": "1"}},
        attendees=[{"email": "a@x.test"}, {"email": "b@x.test"}],
    )
    change = {
        "description": None,
        "extendedProperties": {"private": {"a": None, "c": "3"}},
        "attendees": [{"email": "c@x.test", "responseStatus": "accepted"}],
    }
    changed = google.event("PATCH", event["id"], change).json()
    assert changed["extendedProperties"] == {"private": {"b": "2", "c": "3"}, "shared": {"s": "1"}}
    assert "description" not in changed and changed["summary"] == "Visit"
    assert changed["attendees"] == [{"email": "c@x.test", "responseStatus": "accepted"}]


def test_put_replaces_everything_but_identity(google):
    event = google.insert(description="old", colorId="3", transparency="transparent")
    body = timed(summary="New")
    changed = google.event("PUT", event["id"], body).json()
    for gone in ("description", "colorId", "transparency"):
        assert gone not in changed
    for kept in ("id", "iCalUID", "created", "organizer"):
        assert changed[kept] == event[kept]
    assert reason(google.event("PUT", event["id"], {"summary": "No times"})) == (400, "required")


def test_sequence_counts_changes_of_time_only(google):
    event = google.insert()
    assert google.event("PATCH", event["id"], {"summary": "B"}).json()["sequence"] == 0
    moved = {"end": {"dateTime": "2026-12-01T12:00:00-05:00"}}
    assert google.event("PATCH", event["id"], moved).json()["sequence"] == 1
    same_instant = {"end": {"dateTime": "2026-12-01T17:00:00Z"}}
    assert google.event("PATCH", event["id"], same_instant).json()["sequence"] == 1
    assert reason(google.event("PATCH", event["id"], {"sequence": 0})) == (400, "invalid")
    assert google.event("PATCH", event["id"], {"sequence": 7}).json()["sequence"] == 7


def test_conditional_writes(google):
    event = google.insert()
    stale = {"If-Match": event["etag"]}
    fresh = google.event("PATCH", event["id"], {"summary": "B"}, headers=stale).json()
    for method, body in (("PATCH", {"summary": "C"}), ("PUT", timed()), ("DELETE", None)):
        refused = google.event(method, event["id"], body, headers=stale)
        assert reason(refused) == (412, "conditionNotMet")
        assert refused.json()["error"]["errors"][0]["location"] == "If-Match"
    assert google.event("PATCH", event["id"], {"summary": "C"}, headers={"If-Match": "*"}).status_code == 200
    assert google.event("GET", event["id"]).json()["etag"] != fresh["etag"]


def test_conditional_reads(google):
    event = google.insert()
    same = google.event("GET", event["id"], headers={"If-None-Match": event["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert google.event("GET", event["id"], headers={"If-None-Match": '"1"'}).status_code == 200


def test_deleting_leaves_a_tombstone(google):
    event = google.insert()
    gone = google.event("DELETE", event["id"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert reason(google.event("DELETE", event["id"])) == (410, "deleted")
    assert google.event("GET", event["id"]).json()["status"] == "cancelled"
    assert reason(google.event("DELETE", "neverwas0")) == (404, "notFound")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_deleted_event_comes_back_only_when_its_status_is_given(google, method):
    event = google.insert()
    google.event("DELETE", event["id"])
    body = timed() if method == "PUT" else {"summary": "Back"}
    assert reason(google.event(method, event["id"], body)) == (403, "forbidden")
    back = google.event(method, event["id"], body | {"status": "confirmed"}).json()
    assert back["status"] == "confirmed" and back["id"] == event["id"]


def test_patching_the_status_to_cancelled_deletes(google):
    event = google.insert()
    assert google.event("PATCH", event["id"], {"status": "cancelled"}).json()["status"] == "cancelled"
    assert reason(google.event("DELETE", event["id"])) == (410, "deleted")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "required")),
        ({"start": {"dateTime": "2026-12-01T10:00:00Z"}}, (400, "required")),
        (timed(end="2026-12-01T09:00:00-05:00"), (400, "timeRangeEmpty")),
        (timed(start="2026-12-01 10:00"), (400, "invalid")),
        (timed(start="2026-12-01T10:00:00"), (400, "required")),
        (timed(start="2026-13-01T10:00:00Z"), (400, "invalid")),
        (timed(start="0001-01-01T00:00:00Z"), (400, "invalid")),
        (timed(end="9999-12-31T23:59:59Z"), (400, "invalid")),
        ({"start": {"date": "2026-12-01"}, "end": {"dateTime": "2026-12-02T10:00:00Z"}}, (400, "badRequest")),
        ({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-01"}}, (400, "timeRangeEmpty")),
        ({"start": {"date": "2026-12-01", "dateTime": "2026-12-01T10:00:00Z"}, "end": {}}, (400, "invalid")),
        ({"start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "Mars/Base"}}, (400, "invalid")),
        (weekly(start={"dateTime": "2026-12-01T10:00:00Z"}), (400, "required")),
        (weekly(recurrence=["RRULE:FREQ=HOURLY"]), (400, "invalid")),
        (weekly(recurrence=["RRULE:nonsense"]), (400, "invalid")),
        (weekly(recurrence=["RRULE:FREQ=DAILY;COUNT=x"]), (400, "invalid")),
        (weekly(recurrence=["RRULE:FREQ=DAILY;INTERVAL=0"]), (400, "invalid")),
        (weekly(recurrence=["RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"]), (400, "invalid")),
        (weekly(recurrence=["DTSTART:20261201"]), (400, "invalid")),
        (weekly(recurrence="RRULE:FREQ=DAILY"), (400, "invalid")),
        (timed(status="done"), (400, "invalid")),
        (timed(status="cancelled"), (400, "invalid")),
        (timed(summary=5), (400, "invalid")),
        (timed(colorId="12"), (400, "invalid")),
        (timed(attendees=[{}]), (400, "required")),
        (timed(attendees=[{"email": "nobody"}]), (400, "invalid")),
        (timed(attendees=["a@x.test"]), (400, "required")),
        (timed(reminders={"useDefault": False, "overrides": [{"method": "sms", "minutes": 1}]}), (400, "invalid")),
        (
            timed(reminders={"useDefault": False, "overrides": [{"method": "popup", "minutes": 99999}]}),
            (400, "invalid"),
        ),
        (timed(reminders={"overrides": [{"method": "popup", "minutes": 1}] * 6}), (400, "invalid")),
        (timed(extendedProperties={"private": {"a": 1}}), (400, "invalid")),
        (timed(extendedProperties={"private": {f"k{n}": "" for n in range(301)}}), (400, "badRequest")),
        (timed(extendedProperties={"private": {f"k{n}": "v" * 1000 for n in range(40)}}), (400, "badRequest")),
        (timed(source={"url": "ftp://x"}), (400, "invalid")),
        (timed(eventType="fromGmail"), (400, "invalid")),
        (timed(sequence="1"), (400, "invalid")),
    ],
)
def test_what_google_refuses(google, body, expected):
    assert reason(google.call("POST", "calendars/primary/events", body)) == expected


def test_extended_properties_are_cut_without_a_word(google):
    given = {"k" * 44: "kept", "k" * 45: "dropped", "long": "v" * 2000}
    event = google.insert(extendedProperties={"private": given})
    assert event["extendedProperties"] == {"private": {"k" * 44: "kept", "long": "v" * 1024}}


def test_all_day_events_have_dates_and_an_exclusive_end(google):
    event = google.insert({"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}})
    assert event["start"] == {"date": "2026-12-01"} and event["end"] == {"date": "2026-12-02"}
    # A PATCH merges: to give a day a time of day, the date must be taken away.
    timed_patch = {"start": {"dateTime": "2026-12-01T10:00:00Z"}, "end": {"dateTime": "2026-12-01T11:00:00Z"}}
    assert reason(google.event("PATCH", event["id"], timed_patch)) == (400, "invalid")
    for end in timed_patch.values():
        end["date"] = None
    assert google.event("PATCH", event["id"], timed_patch).json()["start"]["dateTime"] == "2026-12-01T05:00:00-05:00"


def test_times_are_shown_in_the_zone_asked_for(google):
    zone = {"timeZone": "America/Los_Angeles"}
    start, end = {"dateTime": "2026-12-01T10:00:00"} | zone, {"dateTime": "2026-12-01T11:00:00"} | zone
    event = google.insert({"start": start, "end": end})
    assert event["start"] == {"dateTime": "2026-12-01T13:00:00-05:00", "timeZone": "America/Los_Angeles"}
    shown = google.event("GET", event["id"], timeZone="UTC").json()
    assert shown["start"]["dateTime"] == "2026-12-01T18:00:00Z"
    assert reason(google.event("GET", event["id"], timeZone="../etc/passwd"))[0] == 400


def test_attendees_know_themselves(google):
    guests = [{"email": "Dana@google.test", "responseStatus": "accepted"}, {"email": "x@x.test"}]
    event = google.insert(attendees=guests)
    me, other = event["attendees"]
    assert me == {"email": "dana@google.test", "organizer": True, "self": True, "responseStatus": "accepted"}
    assert other == {"email": "x@x.test", "responseStatus": "needsAction"}
    few = google.event("GET", event["id"], maxAttendees=1).json()
    assert few["attendees"] == [me] and few["attendeesOmitted"] is True


def test_event_types(google):
    away = google.insert(eventType="outOfOffice")
    assert away["outOfOfficeProperties"] == {"autoDeclineMode": "declineNone"}
    google.insert(eventType="focusTime", focusTimeProperties={"chatStatus": "doNotDisturb"})
    home = google.insert(eventType="workingLocation", workingLocationProperties={"type": "homeOffice"})
    assert home["transparency"] == "transparent" and home["visibility"] == "public"
    days = {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    birthday = days | {"eventType": "birthday", "recurrence": ["RRULE:FREQ=YEARLY"]}
    assert google.insert(birthday)["birthdayProperties"] == {"type": "birthday"}
    for wrong in (
        days | {"eventType": "outOfOffice"},
        days | {"eventType": "birthday"},
        timed(eventType="workingLocation"),
        timed(eventType="default", outOfOfficeProperties={"autoDeclineMode": "declineNone"}),
        timed(eventType="outOfOffice", transparency="transparent"),
    ):
        assert google.call("POST", "calendars/primary/events", wrong).status_code == 400
    assert reason(google.event("PATCH", away["id"], {"eventType": "default"})) == (400, "invalid")
    family = google.call("GET", "users/me/calendarList").json()["items"][1]["id"]
    assert google.call("POST", f"calendars/{family}/events", timed(eventType="focusTime")).status_code == 400


def test_import_needs_a_uid_and_can_be_repeated(google):
    assert reason(google.call("POST", "calendars/primary/events/import", timed())) == (400, "required")
    body = timed(iCalUID="u@x", organizer={"email": "boss@x.test"})
    first = google.call("POST", "calendars/primary/events/import", body).json()
    second = google.call("POST", "calendars/primary/events/import", body | {"summary": "B"}).json()
    assert first["id"] == second["id"] == "_el07g" and second["summary"] == "B"
    assert first["organizer"] == {"email": "boss@x.test"}
    moved = {"start": {"dateTime": "2026-12-01T08:00:00Z"}}
    assert reason(google.event("PATCH", first["id"], moved)) == (403, "forbiddenForNonOrganizer")
    assert google.event("PATCH", first["id"], {"colorId": "2"}).status_code == 200


def test_moving_leaves_a_bare_tombstone(google):
    event = google.insert()
    family = google.call("GET", "users/me/calendarList").json()["items"][1]["id"]
    token = google.events()["nextSyncToken"]
    moved = google.call("POST", f"calendars/primary/events/{event['id']}/move", destination=family).json()
    assert moved["id"] == event["id"] and moved["organizer"]["email"] == family
    (stub,) = google.events(syncToken=token)["items"]
    assert set(stub) == {"kind", "etag", "id", "status"}
    assert google.call("GET", f"calendars/{family}/events/{event['id']}").json()["status"] == "confirmed"
    assert reason(google.call("POST", f"calendars/primary/events/{event['id']}/move")) == (400, "required")


def test_quick_add(google):
    event = google.call("POST", "calendars/primary/events/quickAdd", text="Call back").json()
    assert event["summary"] == "Call back" and event["start"]["dateTime"] == "2026-11-22T08:00:00-05:00"


def test_method_override_and_encoded_ids(google):
    event = google.insert()
    headers = {"X-HTTP-Method-Override": "PATCH"}
    changed = google.event("POST", event["id"], {"summary": "B"}, headers=headers)
    assert changed.json()["summary"] == "B"
    assert google.call("GET", f"calendars/dana%40google.test/events/{event['id']}").status_code == 200


def test_send_updates_and_conference_data(google):
    body = timed(conferenceData={"createRequest": {"requestId": "1"}})
    plain = google.call("POST", "calendars/primary/events", body, sendUpdates="none").json()
    assert "conferenceData" not in plain
    rich = google.call("POST", "calendars/primary/events", body, conferenceDataVersion=1).json()
    assert "conferenceData" in rich


def test_what_was_deleted_comes_back_out_of_the_trash(google):
    event = google.insert()
    about = {"vendor": "google", "account": google.account, "event": event["id"]}
    assert google.control("restore", about).status_code == 400
    google.event("DELETE", event["id"])
    token = google.events()["nextSyncToken"]
    assert google.control("restore", about).json()["status"] == "confirmed"
    assert [each["id"] for each in google.events(syncToken=token)["items"]] == [event["id"]]


def test_of_a_long_description_8192_characters_are_kept(google):
    assert google.insert(description="a" * 8191 + "👍 and more")["description"] == "a" * 8191
    assert google.insert(description="👍" * 4096)["description"] == "👍" * 4096
