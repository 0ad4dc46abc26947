"""Meetings of the simulated Graph in the mailboxes of those who are invited."""

import pytest

from .conftest import WINDOW, at, code, tuesdays


def people(*names):
    return [{"emailAddress": {"address": f"{name}@outlook.test"}} for name in names]


@pytest.fixture
def look(outlook):
    """What another account has in its calendar; the organizer is signed in again afterwards."""

    def events(account="lee"):
        outlook.sign_in(f"{account}@outlook.test")
        found = outlook.get("me/events")["value"]
        outlook.sign_in()
        return found

    return events


def test_a_guest_has_a_copy_under_another_id_and_the_same_uid(outlook, look):
    mark = [{"id": "String {11111111-2222-3333-4444-555555555555} Name L", "value": "1"}]
    meeting = outlook.create(attendees=people("lee", "nobody", "nomailbox"), singleValueExtendedProperties=mark)
    (copy,) = look()
    assert copy["iCalUId"] == meeting["iCalUId"] and copy["id"] != meeting["id"]
    assert (copy["isOrganizer"], copy["showAs"]) == (False, "tentative")
    assert copy["organizer"]["emailAddress"]["address"] == "dana@outlook.test"
    assert copy["responseStatus"]["response"] == "notResponded"
    assert outlook.create(attendees=people("lee"))["iCalUId"] != copy["iCalUId"] and len(look()) == 2


def test_the_organizers_change_overwrites_the_guests(outlook, look):
    meeting = outlook.create(attendees=people("lee"))
    (copy,) = look()
    outlook.sign_in("lee@outlook.test")
    assert outlook.call("POST", f"me/events/{copy['id']}/accept", {}).status_code == 202
    assert outlook.patch(copy, subject="My own words").status_code == 200
    outlook.sign_in()
    outlook.patch(meeting, subject="Renamed")
    (copy,) = look()
    assert (copy["subject"], copy["showAs"], copy["responseStatus"]["response"]) == ("Renamed", "busy", "accepted")
    outlook.patch(meeting, start=at("2026-12-03T10:00:00"), end=at("2026-12-03T11:00:00"))
    (copy,) = look()
    assert (copy["start"]["dateTime"][:10], copy["responseStatus"]["response"]) == ("2026-12-03", "notResponded")


def test_calling_off_leaves_a_cancelled_copy(outlook, look):
    first, second = (outlook.create(subject=text, attendees=people("lee", "ravi")) for text in "AB")
    outlook.delete(first)
    outlook.patch(second, attendees=people("ravi"))
    assert [(each["subject"], each["isCancelled"]) for each in look()] == [("Canceled: A", True), ("Canceled: B", True)]
    assert [each["isCancelled"] for each in look("ravi")] == [True, False]


def test_a_guest_who_declined_is_not_invited_again(outlook, look):
    meeting = outlook.create(attendees=people("lee"))
    (copy,) = look()
    outlook.sign_in("lee@outlook.test")
    outlook.call("POST", f"me/events/{copy['id']}/decline", {})
    outlook.sign_in()
    outlook.patch(meeting, subject="Please come")
    assert look() == []


def test_a_series_is_shared_and_loses_a_day_for_all(outlook):
    outlook.create(recurrence=tuesdays(3), attendees=people("lee"))
    outlook.delete(outlook.get("me/calendarView", **WINDOW)["value"][1])
    outlook.sign_in("lee@outlook.test")
    rows, link = outlook.round()
    assert [row["type"] for row in rows] == ["seriesMaster", "occurrence", "occurrence"]
    assert code(outlook.call("POST", f"me/events/{rows[0]['id']}/cancel", {})) == (400, "ErrorInvalidRequest")
