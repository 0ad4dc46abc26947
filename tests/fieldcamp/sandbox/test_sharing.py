"""Calendars that several people use: who may do what, under which ids, and what is left when somebody goes."""

import pytest

from .conftest import Google, Outlook, code, meeting, reason, timed, tuesdays, weekly

LEE = {"type": "user", "value": "lee@google.test"}


@pytest.fixture
def lee(app, google) -> Google:
    """Another user of Google's."""
    other = Google(google.session, google.adapter)
    other.sign_in("lee@google.test")
    return other


@pytest.fixture
def megan(app, outlook) -> Outlook:
    """Another mailbox: Lee's."""
    other = Outlook(outlook.session, outlook.adapter)
    other.sign_in("lee@outlook.test")
    return other


def listed(google: Google) -> dict[str, str]:
    return {e["id"]: e["accessRole"] for e in google.call("GET", "users/me/calendarList").json()["items"]}


def test_a_rule_lets_a_colleague_in_who_lists_the_calendar_then(google, lee):
    dana = "calendars/dana@google.test"
    assert lee.call("GET", f"{dana}/events").status_code == 404
    rule = google.call("POST", "calendars/primary/acl", {"scope": LEE, "role": "reader"}).json()
    assert rule["id"] == "user:lee@google.test" and rule["kind"] == "calendar#aclRule"
    assert lee.call("GET", f"{dana}/events").json()["accessRole"] == "reader"
    assert "dana@google.test" not in listed(lee)  # nothing comes into a list by itself
    entry = lee.call("POST", "users/me/calendarList", {"id": "dana@google.test"}).json()
    assert entry["accessRole"] == "reader" and "primary" not in entry and "notificationSettings" not in entry
    token = lee.call("GET", f"{dana}/events").json()["nextSyncToken"]
    assert reason(lee.call("POST", f"{dana}/events", timed())) == (403, "requiredAccessLevel")
    google.call("PATCH", "calendars/primary/acl/user:lee@google.test", {"role": "writer"})
    assert listed(lee)["dana@google.test"] == "writer"
    made = lee.call("POST", f"{dana}/events", timed()).json()
    assert made["creator"] == {"email": "lee@google.test"} and made["organizer"]["self"] is True
    assert made["id"] in {event["id"] for event in google.events()["items"]}
    # A token does not outlive a change of what may be seen.
    assert reason(lee.call("GET", f"{dana}/events", syncToken=token)) == (410, "fullSyncRequired")
    assert reason(lee.call("GET", f"{dana}/acl")) == (403, "requiredAccessLevel")
    google.call("DELETE", "calendars/primary/acl/user:lee@google.test")
    assert lee.call("GET", f"{dana}/events").status_code == 404 and "dana@google.test" not in listed(lee)
    assert lee.call("PATCH", f"{dana}/events/{made['id']}", {"summary": "Mine"}).status_code == 404


def test_the_list_of_rules(google):
    first = google.call("GET", "calendars/primary/acl").json()
    assert [item["id"] for item in first["items"]] == ["user:dana@google.test"]
    google.call("POST", "calendars/primary/acl", {"scope": LEE, "role": "writer"})
    google.call("POST", "calendars/primary/acl", {"scope": {"type": "default"}, "role": "freeBusyReader"})
    page = google.call("GET", "calendars/primary/acl", maxResults=2).json()
    rest = google.call("GET", "calendars/primary/acl", maxResults=2, pageToken=page["nextPageToken"]).json()
    assert [len(part["items"]) for part in (page, rest)] == [2, 1] and "value" not in rest["items"][0]["scope"]
    google.call("DELETE", "calendars/primary/acl/user:lee@google.test")
    changed = google.call("GET", "calendars/primary/acl", syncToken=first["nextSyncToken"]).json()["items"]
    assert [(item["id"], item["role"]) for item in changed] == [
        ("default", "freeBusyReader"), ("user:lee@google.test", "none")]  # fmt: skip
    for bad in ({"role": "king", "scope": LEE}, {"role": "reader"}, {"role": "reader", "scope": {"type": "user"}}):
        assert google.call("POST", "calendars/primary/acl", bad).status_code == 400
    assert google.call("GET", "calendars/primary/acl/user:nobody@google.test").status_code == 404
    assert google.call("DELETE", "calendars/primary/acl/user:dana@google.test").status_code == 403


@pytest.mark.parametrize(
    ("role", "open_seen", "private_seen"),
    [("freeBusyReader", False, False), ("reader", True, False), ("writerWithoutPrivateAccess", True, False),
     ("writer", True, True)],
)  # fmt: skip
def test_what_a_role_shows(google, lee, role, open_seen, private_seen):
    google.insert(timed(summary="Open"))
    google.insert(timed(summary="Secret", visibility="private", extendedProperties={"private": {"a": "b"}}))
    google.control(
        "share", {"vendor": "google", "account": "dana@google.test", "with": "lee@google.test", "role": role}
    )
    first, second = lee.call("GET", "calendars/dana@google.test/events").json()["items"]
    assert ("summary" in first, "summary" in second) == (open_seen, private_seen)
    assert ("extendedProperties" in second) is private_seen and second["start"]["dateTime"]


def test_calendars_of_who_has_left_end_unless_they_are_transferred(google, lee, clock):
    made = [google.call("POST", "calendars", {"summary": name}).json()["id"] for name in ("Crew", "Old")]
    for calendar in made:
        body = {"vendor": "google", "account": "dana@google.test", "calendar": calendar, "with": "lee@google.test"}
        google.control("share", body | {"role": "writer"})
    assert lee.call("DELETE", f"calendars/{made[0]}").status_code == 403  # the data owner's alone
    google.control("leave", {"vendor": "google", "account": "dana@google.test", "calendars_end_after_seconds": 1800})
    assert google.call("GET", "calendars/primary").status_code == 401
    assert lee.call("GET", f"calendars/{made[1]}/events").status_code == 200
    boss = Google(google.session, google.adapter)
    boss.sign_in("owner@google.test")
    path, to = f"calendars/{made[0]}/transferOwnership", {"newDataOwner": "lee@google.test"}
    assert boss.call("POST", path, **to).status_code == 403
    assert boss.call("POST", path, useAdminAccess="true", **to).json()["dataOwner"] == "lee@google.test"
    clock.now += 1801
    assert reason(lee.call("GET", f"calendars/{made[1]}/events")) == (404, "notFound")
    assert listed(lee)[made[0]] == "owner" and made[1] not in listed(lee)


def test_a_recipient_has_a_copy_with_ids_of_the_own_mailbox(outlook, megan):
    family = next(cal for cal in outlook.get("me/calendars")["value"] if cal["name"] == "Family")
    made = outlook.create(f"me/calendars/{family['id']}/events", subject="Party")
    secret = outlook.create(f"me/calendars/{family['id']}/events", subject="Gift", sensitivity="private")
    path = f"me/calendars/{family['id']}/calendarPermissions"
    person = {"emailAddress": {"name": "Lee", "address": "lee@outlook.test"}}
    permission = outlook.call("POST", path, person | {"role": "read"})
    assert permission.status_code == 201 and permission.json()["isRemovable"] is True
    assert len(megan.get("me/calendars")["value"]) == 3  # not accepted yet
    shared = {"vendor": "microsoft", "account": "dana@outlook.test", "calendar": family["id"], "role": "read"}
    copy = outlook.control("share", shared | {"with": "lee@outlook.test"}).json()["calendar"]
    theirs = megan.get("me/calendars")["value"][-1]
    assert theirs["id"] == copy != family["id"] and theirs["owner"]["address"] == "dana@outlook.test"
    assert [theirs[name] for name in ("canEdit", "canShare", "canViewPrivateItems")] == [False] * 3
    assert code(megan.call("GET", f"me/calendars/{family['id']}/events")) == (404, "ErrorItemNotFound")
    first, second = megan.get(f"me/calendars/{copy}/events")["value"]
    assert first["subject"] == "Party" and first["id"] != made["id"] and second["subject"] != "Gift"
    assert first["iCalUId"] == made["iCalUId"] and second["start"] == secret["start"]
    assert code(megan.call("GET", f"me/events/{made['id']}")) == (404, "ErrorItemNotFound")
    assert code(megan.call("PATCH", f"me/events/{first['id']}", {"subject": "No"})) == (403, "ErrorAccessDenied")
    rows, link = megan.round(f"me/calendars/{copy}/calendarView/delta?{WINDOW}")
    assert [row["id"] for row in rows] == [first["id"], second["id"]]
    outlook.call("PATCH", f"{path}/{permission.json()['id']}", {"role": "write"})
    assert megan.patch(first, subject="Yes").json()["subject"] == "Yes"
    assert outlook.get(f"me/events/{made['id']}")["subject"] == "Yes"
    assert [row["id"] for row in megan.round(link)[0]] == [first["id"]]
    added = megan.call("POST", f"me/calendars/{copy}/events", meeting(subject="Mine")).json()
    assert added["organizer"]["emailAddress"]["address"] == "dana@outlook.test"
    assert megan.get(f"me/events/{added['id']}")["subject"] == "Mine"
    assert megan.get(f"me/calendars/{copy}/calendarPermissions")["value"] == []
    megan.call("PATCH", f"me/calendars/{copy}", {"name": "Dana's"})
    assert family["name"] in {cal["name"] for cal in outlook.get("me/calendars")["value"]}
    outlook.call("DELETE", f"{path}/{permission.json()['id']}")
    for gone in (f"me/calendars/{copy}", f"me/calendars/{copy}/events", f"me/events/{first['id']}"):
        assert code(megan.call("GET", gone)) == (404, "ErrorItemNotFound")


WINDOW = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-02-01T00:00:00Z"


def test_a_main_calendar_of_somebody_else_wants_the_permission_for_shared_ones(outlook, megan):
    shared = {"vendor": "microsoft", "account": "dana@outlook.test", "with": "lee@outlook.test", "role": "write"}
    copy = outlook.control("share", shared).json()["calendar"]
    theirs = megan.get("me/calendars")["value"][-1]
    assert theirs["id"] == copy and theirs["name"] == theirs["owner"]["name"] and not theirs["isDefaultCalendar"]
    assert code(megan.call("GET", f"me/calendars/{copy}/events")) == (403, "ErrorAccessDenied")
    megan.sign_in("lee@outlook.test", scopes="Calendars.ReadWrite Calendars.Read.Shared")
    assert megan.get(f"me/calendars/{copy}/events")["value"] == []
    assert code(megan.call("POST", f"me/calendars/{copy}/events", meeting())) == (403, "ErrorAccessDenied")


def test_a_mailbox_that_is_deleted_takes_its_calendars_along(outlook, megan):
    shared = {"vendor": "microsoft", "account": "dana@outlook.test", "with": "lee@outlook.test", "role": "write"}
    outlook.control("share", shared)
    outlook.control("leave", {"vendor": "microsoft", "account": "dana@outlook.test"})
    assert len(megan.get("me/calendars")["value"]) == 3
    assert outlook.call("GET", "me/calendars").status_code == 401


def test_a_guest_of_one_instance_at_outlook_has_a_single_event_of_it(outlook, megan):
    series = outlook.create(zone="Eastern Standard Time", recurrence=tuesdays())
    second = outlook.get(f"me/events/{series['id']}/instances?{WINDOW}")["value"][1]
    asked = {"vendor": "microsoft", "account": "dana@outlook.test", "with": "lee@outlook.test"}
    copy = outlook.control("invite", asked | {"event": second["id"]}).json()
    [alone] = megan.get("me/events")["value"]
    assert (alone["id"], alone["type"], alone["start"]) == (copy["id"], "singleInstance", second["start"])
    assert (alone["seriesMasterId"], alone["isOrganizer"], alone["iCalUId"]) == (None, False, second["iCalUId"])
    assert outlook.control("invite", asked | {"event": series["id"]}).status_code == 400


def test_a_guest_of_one_occurrence_has_it_without_its_series(google, lee):
    series = google.insert(weekly())
    second = google.event("GET", f"{series['id']}/instances").json()["items"][1]
    google.control("invite", {"vendor": "google", "account": "dana@google.test", "event": second["id"],
                              "with": "lee@google.test"})  # fmt: skip
    (alone,) = lee.events()["items"]
    assert (alone["id"], alone["recurringEventId"]) == (second["id"], series["id"])
    assert "self" not in alone["organizer"] and [guest.get("self") for guest in alone["attendees"]] == [None, True]
    assert lee.event("GET", series["id"]).status_code == 404
    expanded = lee.events(singleEvents="true")["items"]
    assert [event["id"] for event in expanded] == [second["id"]]
    token = lee.events()["nextSyncToken"]
    assert lee.event("DELETE", alone["id"]).status_code == 204
    assert [event["status"] for event in lee.events(syncToken=token)["items"]] == ["cancelled"]
    wrong = google.control("invite", {"vendor": "google", "account": "dana@google.test", "event": series["id"],
                                      "with": "lee@google.test"})  # fmt: skip
    assert wrong.status_code == 400
