"""Events of the simulated Graph: create, read, change, delete, and what Exchange makes of what it is given."""

import pytest

from .conftest import WINDOW, at, code, meeting, prefer

MARK = "String {11111111-2222-3333-4444-555555555555} Name SyncLinkId"
EXPAND = {"$expand": f"singleValueExtendedProperties($filter=id eq '{MARK}')"}


def midnights(start, end, zone="UTC"):
    return meeting(f"{start}T00:00:00", f"{end}T00:00:00", zone, isAllDay=True)


def test_the_three_addresses_of_an_event(outlook):
    main, _, family = outlook.get("me/calendars")["value"]
    event = outlook.create(f"me/calendars/{family['id']}/events")
    for path in ("me/events", f"me/calendars/{family['id']}/events", "users/dana@outlook.test/events"):
        assert outlook.get(f"{path}/{event['id']}")["subject"] == "Visit"
    assert code(outlook.call("GET", f"me/calendars/{main['id']}/events/{event['id']}")) == (404, "ErrorItemNotFound")
    assert outlook.get(f"me/events/{event['id']}/calendar")["id"] == family["id"]
    assert outlook.get(f"me/calendars('{family['id']}')/events")["value"][0]["id"] == event["id"]
    assert code(outlook.call("GET", "users/lee@outlook.test/events")) == (403, "ErrorAccessDenied")


def test_a_time_is_answered_in_the_zone_the_client_prefers(outlook):
    event = outlook.create(zone="W. Europe Standard Time")
    assert event["start"] == at("2026-12-01T09:00:00.0000000")
    assert event["originalStartTimeZone"] == "W. Europe Standard Time"
    for zone, hour in (("Eastern Standard Time", "04"), ("Asia/Kolkata", "14")):
        headers = prefer(f'outlook.timezone="{zone}"')
        start = outlook.call("GET", f"me/events/{event['id']}", headers=headers).json()["start"]
        assert start["timeZone"] == zone and start["dateTime"].startswith(f"2026-12-01T{hour}")
    refused = outlook.call("GET", "me/events", headers=prefer('outlook.timezone="Middle Earth"'))
    assert code(refused) == (400, "TimeZoneNotSupportedException")


def test_an_offset_behind_a_wall_clock_is_not_looked_at(outlook):
    event = outlook.create("me/events", start=at("2026-12-01T10:00:00Z", "Eastern Standard Time"),
                           end=at("2026-12-01T11:00:00+09:00", "America/New_York"))  # fmt: skip
    assert (event["start"], event["end"]) == (at("2026-12-01T15:00:00.0000000"), at("2026-12-01T16:00:00.0000000"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start": at("2026-12-01T10:00:00", "")}, "TimeZoneNotSupportedException"),
        ({"start": at("2026-12-01T10:00:00", "Mars/Base")}, "TimeZoneNotSupportedException"),
        ({"start": {"dateTime": "2026-12-01T10:00:00"}}, "TimeZoneNotSupportedException"),
        ({"start": at("tomorrow")}, "RequestBodyRead"),
        ({"start": None}, "ErrorInvalidRequest"),
        ({"end": at("2026-12-01T09:00:00")}, "ErrorCalendarEndDateIsEarlierThanStartDate"),
        ({"colour": "red"}, "RequestBodyRead"),
        ({"showAs": "invisible"}, "RequestBodyRead"),
        ({"isAllDay": True}, "ErrorInvalidRequest"),
        ({"attendees": [{"emailAddress": {}}]}, "RequestBodyRead"),
        ({"singleValueExtendedProperties": [{"id": "nonsense", "value": "1"}]}, "ErrorInvalidProperty"),
    ],
)
def test_what_exchange_does_not_take(outlook, fields, expected):
    assert code(outlook.call("POST", "me/events", meeting(**fields))) == (400, expected)
    assert outlook.get("me/events")["value"] == []


def test_what_exchange_takes_although_it_is_odd(outlook):
    odd = {"isOnlineMeeting": "false", "hideAttendees": None, "showAs": None, "isAllDay": None, "body": None}
    event = outlook.create(**odd, location=None, attendees=None, recurrence=None, id="mine", webLink="x")
    assert (event["showAs"], event["isAllDay"], event["hideAttendees"]) == ("busy", False, False)
    assert event["id"] != "mine" and event["isOnlineMeeting"] is False


def test_an_all_day_event_is_on_its_own_dates_in_every_zone(outlook):
    body = midnights("2026-12-02", "2026-12-03", "Tokyo Standard Time")
    event = outlook.call("POST", "me/events", body).json()
    for zone in ("UTC", "Pacific Standard Time"):
        headers = prefer(f'outlook.timezone="{zone}"')
        got = outlook.call("GET", f"me/events/{event['id']}", headers=headers).json()
        assert got["isAllDay"] and got["start"] == at("2026-12-02T00:00:00.0000000", zone)
        assert got["end"] == at("2026-12-03T00:00:00.0000000", zone)
    for body, word in (
        (midnights("2026-12-02", "2026-12-02"), "24 hours"),
        (midnights("2026-12-02", "2026-12-03") | {"end": at("2026-12-03T00:00:00", "Asia/Tokyo")}, "same time zone"),
        (midnights("2026-12-02", "2026-12-03") | {"end": at("2026-12-03T01:00:00")}, "Event.End property"),
    ):
        refused = outlook.call("POST", "me/events", body)
        assert code(refused) == (400, "ErrorInvalidRequest") and word in refused.json()["error"]["message"]


def test_a_timed_event_becomes_an_all_day_one(outlook):
    event = outlook.create()
    body = midnights("2026-12-02", "2026-12-04")
    assert outlook.patch(event, **body).json()["isAllDay"] is True
    assert code(outlook.patch(event, start=at("2026-12-02T09:00:00"))) == (400, "ErrorInvalidRequest")


def test_the_same_transaction_id_is_the_same_event(outlook):
    first = outlook.create(transactionId="t-1")
    again = outlook.create(transactionId="t-1", subject="Other words")
    assert again["id"] == first["id"] and again["subject"] == "Visit"
    assert outlook.create(transactionId="t-2")["id"] != first["id"]
    assert len(outlook.get("me/events")["value"]) == 2
    outlook.sign_in("lee@outlook.test")
    assert outlook.create(transactionId="t-1")["id"] != first["id"]


def test_if_match_guards_against_overwriting(outlook):
    event = outlook.create()
    seen = {"If-Match": event["@odata.etag"]}
    path = f"me/events/{event['id']}"
    changed = outlook.call("PATCH", path, {"subject": "Mine"}, seen).json()
    assert changed["@odata.etag"] != event["@odata.etag"]
    for method in ("PATCH", "DELETE"):
        assert code(outlook.call(method, path, {"subject": "Stale"}, seen)) == (412, "ErrorIrresolvableConflict")
    assert outlook.get(path)["subject"] == "Mine"
    assert outlook.call("DELETE", path, headers={"If-Match": changed["@odata.etag"]}).status_code == 204


def test_a_deleted_event_is_gone(outlook):
    event = outlook.create()
    assert outlook.delete(event).status_code == 204
    assert code(outlook.delete(event)) == (404, "ErrorItemNotFound")
    assert code(outlook.call("GET", f"me/events/{event['id']}")) == (404, "ErrorItemNotFound")
    assert outlook.get("me/events")["value"] == []


def test_a_patch_changes_only_what_it_names(outlook):
    event = outlook.create(body={"contentType": "text", "content": "Bring a ladder"}, showAs="oof", categories=["Blue"],
                           location={"displayName": "1 Maple Ave"}, sensitivity="private")  # fmt: skip
    changed = outlook.patch(event, subject="Later").json()
    kept = ("body", "showAs", "categories", "location", "locations", "sensitivity", "start", "end", "iCalUId")
    assert all(changed[name] == event[name] for name in kept) and changed["subject"] == "Later"
    assert event["location"]["uniqueId"] == "1 Maple Ave" and len(event["locations"]) == 1
    empty = outlook.patch(event, location={}).json()
    assert empty["locations"] == [] and empty["location"]["displayName"] == ""


def test_a_text_comes_back_as_html_unless_text_is_preferred(outlook):
    event = outlook.create(body={"contentType": "text", "content": "a < b\nsecond"})
    assert event["body"]["contentType"] == "html" and "a &lt; b<br>\r\nsecond" in event["body"]["content"]
    headers = prefer('outlook.body-content-type="text"')
    got = outlook.call("GET", f"me/events/{event['id']}", headers=headers).json()
    assert got["body"] == {"contentType": "text", "content": "a < b\nsecond"} and got["bodyPreview"] == "a < b\nsecond"
    rich = outlook.create(body={"contentType": "HTML", "content": "<p>One</p><p>T&amp;wo</p>"})
    assert rich["bodyPreview"] == "One\r\nT&wo" and "<p>One</p>" in rich["body"]["content"]


def test_the_two_kinds_of_ids_do_not_mix(outlook):
    event = outlook.create()
    plain = outlook.call("GET", "me/events", headers={"Prefer": ""}).json()["value"][0]
    assert plain["id"] != event["id"] and plain["iCalUId"] == event["iCalUId"]
    assert code(outlook.call("GET", f"me/events/{plain['id']}")) == (404, "ErrorItemNotFound")
    assert outlook.call("GET", f"me/events/{plain['id']}", headers={"Prefer": ""}).status_code == 200
    body = {"inputIds": [plain["id"], "junk"], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
    good, bad = outlook.call("POST", "me/translateExchangeIds", body).json()["value"]
    assert good["targetId"] == event["id"] and bad["errorDetails"]["code"] == "ErrorInvalidIdMalformed"
    assert code(outlook.call("GET", "me/events/junk")) == (400, "ErrorInvalidIdMalformed")
    assert code(outlook.call("GET", f"me/events/{event['id'].swapcase()}")) == (400, "ErrorInvalidIdMalformed")


def test_an_event_of_another_mailbox_is_not_found(outlook):
    event = outlook.create()
    outlook.sign_in("lee@outlook.test")
    assert code(outlook.call("GET", f"me/events/{event['id']}")) == (404, "ErrorItemNotFound")
    assert outlook.delete(event).status_code == 404


def test_own_events_are_found_by_their_mark(outlook):
    marked = outlook.create(singleValueExtendedProperties=[{"id": MARK, "value": "L-1"}])
    outlook.create(subject="Somebody's")
    test = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'l-1')"
    (found,) = outlook.get("me/events", **{"$filter": test} | EXPAND)["value"]
    assert found["id"] == marked["id"]
    assert found["singleValueExtendedProperties"] == [{"id": MARK, "value": "L-1"}]
    assert "singleValueExtendedProperties" not in outlook.get("me/events", **{"$filter": test})["value"][0]
    bare = outlook.get(f"me/events/{marked['id']}", **{"$expand": "singleValueExtendedProperties"})
    assert "singleValueExtendedProperties" not in bare
    upper = EXPAND["$expand"].replace("11111111", "11111111".upper()).replace("SyncLinkId", "synclinkid")
    assert "singleValueExtendedProperties" not in outlook.get(f"me/events/{marked['id']}", **{"$expand": upper})
    outlook.patch(marked, subject="Still marked")
    assert outlook.get("me/events", **{"$filter": test})["value"][0]["subject"] == "Still marked"


@pytest.mark.parametrize(
    ("test", "subjects"),
    [
        ("subject eq 'B''s'", ["B's"]),
        ("startswith(subject,'a') or contains(subject, 's')", ["A", "B's"]),
        ("start/dateTime ge '2026-12-02T00:00:00Z'", ["B's"]),
        ("start/dateTime lt '2026-12-02' and not (subject eq 'C')", ["A"]),
        ("showAs ne 'busy'", ["C"]),
        ("isAllDay eq false and showAs eq 'busy'", ["A", "B's"]),
        ("categories/any(c:c eq 'Blue')", ["A"]),
        ("iCalUId eq 'nothing'", []),
    ],
)
def test_filters(outlook, test, subjects):
    outlook.create(subject="A", categories=["Blue"])
    outlook.create("me/events", start=at("2026-12-03T10:00:00"), end=at("2026-12-03T11:00:00"), subject="B's")
    outlook.create(subject="C", showAs="free")
    found = outlook.get("me/events", **{"$filter": test, "$orderby": "subject"})["value"]
    assert [each["subject"] for each in found] == subjects


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"$filter": "id eq 'x'"}, "ErrorInvalidProperty"),
        ({"$filter": "subject eq"}, "BadRequest"),
        ({"$filter": "((((subject eq 'x'"}, "BadRequest"),
        ({"$filter": "nothing eq 'x'"}, "BadRequest"),
        ({"$filter": "not " * 80 + "subject eq 'x'"}, "BadRequest"),
        ({"$orderby": "nothing"}, "BadRequest"),
        ({"$top": "0"}, "BadRequest"),
        ({"$top": "many"}, "BadRequest"),
        ({"$select": "nothing"}, "RequestBroker--ParseUri"),
    ],
)
def test_queries_that_cannot_be_answered(outlook, query, expected):
    outlook.create()
    assert code(outlook.call("GET", "me/events", **query)) == (400, expected)


def test_pages_of_a_list(outlook):
    for n in range(23):
        outlook.create(subject=f"{n:02}")
    found, link, sizes = [], "me/events?$select=subject&$top=10", []
    while link:
        page = outlook.get(link)
        sizes.append(len(page["value"]))
        found += [each["subject"] for each in page["value"]]
        link = page.get("@odata.nextLink")
    assert sizes == [10, 10, 3] and found == [f"{n:02}" for n in range(23)]
    assert set(page["value"][0]) == {"@odata.etag", "id", "subject"}
    assert outlook.get("me/events", **{"$count": "true", "$top": "1"})["@odata.count"] == 23


def test_a_calendar_of_exchanges_own_cannot_be_written(outlook):
    birthdays = outlook.get("me/calendars")["value"][1]
    refused = outlook.call("POST", f"me/calendars/{birthdays['id']}/events", meeting())
    assert birthdays["canEdit"] is False and code(refused) == (403, "ErrorAccessDenied")


def test_calendars_come_and_go(outlook):
    made = outlook.call("POST", "me/calendars", {"name": "Visits"})
    assert made.status_code == 201 and made.json()["canEdit"] is True
    path = f"me/calendars/{made.json()['id']}"
    event = outlook.create(f"{path}/events")
    assert outlook.call("PATCH", path, {"name": "Jobs"}).json()["name"] == "Jobs"
    assert code(outlook.call("POST", "me/calendars", {"name": "jobs"})) == (409, "ErrorFolderExists")
    assert outlook.call("DELETE", path).status_code == 204
    assert code(outlook.call("GET", path)) == (404, "ErrorItemNotFound")
    assert code(outlook.call("GET", f"me/events/{event['id']}")) == (404, "ErrorItemNotFound")
    assert code(outlook.call("DELETE", "me/calendar")) == (400, "ErrorInvalidRequest")
    assert code(outlook.call("POST", "me/calendars", {})) == (400, "ErrorInvalidRequest")


def test_the_view_is_bounded(outlook):
    outlook.create()
    assert len(outlook.get("me/calendarView", **WINDOW)["value"]) == 1
    assert (
        len(outlook.get("me/calendarView", startdatetime="2026-12-01", enddatetime="2026-12-01T10:00:01")["value"]) == 1
    )
    east = {"startDateTime": "2026-12-01T13:00:00+03:00", "endDateTime": "2026-12-01T13:00:01+03:00"}
    assert len(outlook.get("me/calendarView", **east)["value"]) == 1
    assert code(outlook.call("GET", "me/calendarView")) == (400, "ErrorInvalidParameter")
    for query, expected in (
        (WINDOW | {"endDateTime": "2032-01-01"}, "ErrorInvalidRequest"),
        (WINDOW | {"endDateTime": "2020-01-01"}, "ErrorInvalidParameter"),
        (WINDOW | {"endDateTime": "soon"}, "ErrorInvalidParameter"),
    ):
        assert code(outlook.call("GET", "me/calendarView", **query)) == (400, expected)


def test_answers_of_an_organizer_and_of_a_guest(outlook):
    own = outlook.create()
    assert code(outlook.call("POST", f"me/events/{own['id']}/accept", {})) == (400, "ErrorInvalidRequest")
    assert outlook.call("POST", f"me/events/{own['id']}/cancel", {}).status_code == 202
    assert code(outlook.call("GET", f"me/events/{own['id']}")) == (404, "ErrorItemNotFound")
    outlook.control("reset", {"seed": "demo"})
    outlook.sign_in("maria@outlook.test")
    club = outlook.get("me/events", **{"$filter": "subject eq 'Club evening'"})["value"][0]
    assert club["isOrganizer"] is False and club["responseStatus"]["response"] == "notResponded"
    assert code(outlook.call("POST", f"me/events/{club['id']}/cancel", {})) == (400, "ErrorInvalidRequest")
    assert outlook.call("POST", f"me/events/{club['id']}/accept", {"sendResponse": False}).status_code == 202
    assert outlook.get(f"me/events/{club['id']}")["responseStatus"]["response"] == "accepted"
    assert outlook.call("POST", f"me/events/{club['id']}/decline", {}).status_code == 202
    assert outlook.call("GET", f"me/events/{club['id']}").status_code == 404


def test_what_was_deleted_comes_back_out_of_deleted_items(outlook):
    event = outlook.create()
    about = {"vendor": "microsoft", "account": outlook.account, "event": event["id"]}
    assert outlook.control("restore", about).status_code == 400
    _, link = outlook.round()
    outlook.delete(event)
    [gone], link = outlook.round(link)
    assert "@removed" in gone
    assert outlook.control("restore", about).json()["id"] == event["id"]
    [back], _ = outlook.round(link)
    assert back["id"] == event["id"] and back["subject"] == event["subject"]


def test_subject_and_place_are_kept_in_one_line_of_255_characters(outlook):
    event = outlook.create(subject="a" * 254 + "👍", location={"displayName": "1 Main St\r\nTown" + "b" * 300})
    assert event["subject"] == "a" * 254
    assert event["location"]["displayName"] == ("1 Main StTown" + "b" * 300)[:255]
