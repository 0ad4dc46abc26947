"""Delta rounds of the simulated Graph: pages, links, what is sent for what, and when everything begins anew."""

import pytest

from fieldcamp.sandbox.mount import URL

from .conftest import NOON, WINDOW, at, code, prefer, tuesdays

GONE = {"reason": "deleted"}


def removed(rows):
    return [row["id"] for row in rows if "@removed" in row]


def test_a_round_ends_with_a_link_to_the_next(outlook):
    made = [outlook.create(subject=f"{n}") for n in range(7)]
    rows, link = outlook.round(page=3)
    assert [row["id"] for row in rows] == [event["id"] for event in made]
    assert rows[0]["subject"] == "0" and rows[0]["@odata.type"] == "#microsoft.graph.event"
    again, link = outlook.round(link)
    assert again == []
    outlook.patch(made[2], subject="changed")
    outlook.delete(made[4])
    (changed, gone), link = outlook.round(link)
    assert changed["subject"] == "changed"
    assert gone == {"@odata.type": "#microsoft.graph.event", "id": made[4]["id"], "@removed": GONE}
    assert outlook.round(link)[0] == []


def test_links_are_absolute_and_keep_the_address(outlook):
    family = outlook.get("me/calendars")["value"][2]
    for _ in range(3):
        outlook.create(f"me/calendars/{family['id']}/events")
    for spelling in ("delta", "delta()"):
        path = f"me/calendars/{family['id']}/calendarView/{spelling}"
        page = outlook.call("GET", path, headers=prefer("odata.maxpagesize=2"), **WINDOW).json()
        assert page["@odata.nextLink"].startswith(f"{URL}/microsoft/graph/v1.0/me/calendars/{family['id']}/calendarV")
        assert len(page["value"]) == 2 and "@odata.deltaLink" not in page
        last = outlook.call("GET", page["@odata.nextLink"]).json()
        assert len(last["value"]) == 1 and "@odata.nextLink" not in last and "$deltatoken=" in last["@odata.deltaLink"]
    assert outlook.round()[0] == []


def test_the_window_is_asked_for_once_and_in_any_case(outlook):
    outlook.create()
    small = {name.lower(): value for name, value in WINDOW.items()}
    assert len(outlook.get("me/calendarView/delta", **small)["value"]) == 1
    assert code(outlook.call("GET", "me/calendarView/delta")) == (400, "ErrorInvalidParameter")
    refused = outlook.call("GET", "me/calendarView/delta", **WINDOW, **{"$select": "subject"})
    assert code(refused) == (400, "ErrorInvalidParameter")


def test_what_happens_outside_the_window_is_a_removal(outlook):
    inside, later = outlook.create(), {"start": at("2027-06-01T10:00:00"), "end": at("2027-06-01T11:00:00")}
    outlook.create(**later)
    rows, link = outlook.round()
    assert [row["id"] for row in rows] == [inside["id"]]
    outlook.patch(inside, **later)
    stranger = outlook.create(**later)
    rows, link = outlook.round(link)
    assert removed(rows) == [inside["id"], stranger["id"]] and len(rows) == 2
    assert outlook.get(f"me/events/{inside['id']}")["subject"] == "Visit"
    outlook.patch(inside, start=at("2026-12-05T10:00:00"), end=at("2026-12-05T11:00:00"))
    assert [row["id"] for row in outlook.round(link)[0]] == [inside["id"]]


def test_occurrences_are_sparse_and_a_series_is_never_split(outlook):
    series = outlook.create(zone="Eastern Standard Time", recurrence=tuesdays(5))
    outlook.create(subject="After")
    page = outlook.call("GET", "me/calendarView/delta", headers=prefer("odata.maxpagesize=1"), **WINDOW).json()
    master, *occurrences = page["value"]
    assert (master["id"], master["type"], len(occurrences)) == (series["id"], "seriesMaster", 5)
    sparse = {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    assert all(set(row) == sparse and row["seriesMasterId"] == series["id"] for row in occurrences)
    assert occurrences[0]["start"] == at("2026-12-01T15:00:00.0000000")


def test_one_changed_day_sends_the_whole_series_again(outlook):
    series = outlook.create(recurrence=tuesdays(3))
    rows, link = outlook.round()
    outlook.patch(rows[2], subject="Changed")
    rows, link = outlook.round(link)
    assert sorted(row["type"] for row in rows) == ["exception", "occurrence", "occurrence", "seriesMaster"]
    changed = next(row for row in rows if row["type"] == "exception")
    assert changed["subject"] == "Changed" and changed["iCalUId"]
    outlook.delete(changed)
    rows, link = outlook.round(link)
    assert [row["type"] for row in rows] == ["seriesMaster", "occurrence", "occurrence"] and removed(rows) == []
    outlook.delete(series)
    assert removed(outlook.round(link)[0]) == [series["id"]]


def test_a_series_that_leaves_the_window(outlook):
    series = outlook.create(recurrence=tuesdays(2))
    _, link = outlook.round()
    rule = tuesdays(2)
    rule["range"]["startDate"] = "2027-06-01"
    outlook.patch(series, start=at("2027-06-01T10:00:00"), end=at("2027-06-01T11:00:00"), recurrence=rule)
    assert removed(outlook.round(link)[0]) == [series["id"]]


def test_own_writes_come_back_with_the_version_they_were_given(outlook):
    _, link = outlook.round()
    event = outlook.create()
    (row,), _ = outlook.round(link)
    assert row["@odata.etag"] == event["@odata.etag"] and row["changeKey"] == event["changeKey"]


def test_what_changes_while_pages_are_read_comes_in_the_next_round(outlook):
    made = [outlook.create(subject=f"{n}") for n in range(4)]
    path, headers = "me/calendarView/delta", prefer("odata.maxpagesize=2")
    page = outlook.call("GET", path, headers=headers, **WINDOW).json()
    outlook.patch(made[0], subject="first again")
    outlook.patch(made[3], subject="last again")
    rest = outlook.call("GET", page["@odata.nextLink"], headers=headers).json()
    assert [row["id"] for row in rest["value"]] == [made[2]["id"]]
    rows, _ = outlook.round(rest["@odata.deltaLink"])
    assert [row["subject"] for row in rows] == ["first again", "last again"]


@pytest.mark.parametrize("spoil", ["expired", "reset", "garbage", "another calendar", "another function"])
def test_a_token_that_is_no_good(outlook, spoil):
    outlook.create()
    _, link = outlook.round()
    expected = "resyncRequired"
    if spoil == "expired":
        outlook.fault(kind="expire_cursor", path="calendarView/delta")
        expected = "SyncStateNotFound"
    elif spoil == "reset":
        outlook.control("reset", {"seed": "empty"})
        outlook.sign_in()
    elif spoil == "garbage":
        link = link[:-8] + "AAAAAAAA"
    elif spoil == "another calendar":
        family = outlook.get("me/calendars")["value"][2]["id"]
        link = link.replace("/me/", f"/me/calendars/{family}/")
    else:
        link = link.replace("calendarView", "events")
    refused = outlook.call("GET", link)
    assert code(refused) == (410, expected)
    assert outlook.call("GET", link).status_code == 410
    assert len(outlook.round()[0]) == (0 if spoil == "reset" else 1)


def test_a_page_link_dies_within_the_hour_and_a_delta_link_lives(outlook, clock):
    for _ in range(3):
        outlook.create()
    page = outlook.call("GET", "me/calendarView/delta", headers=prefer("odata.maxpagesize=2"), **WINDOW).json()
    _, link = outlook.round()
    clock.now = NOON + 3000
    assert outlook.call("GET", page["@odata.nextLink"]).status_code == 200
    clock.now = NOON + 3700
    outlook.sign_in()
    assert code(outlook.call("GET", page["@odata.nextLink"])) == (410, "SyncStateNotFound")
    assert outlook.round(link)[0] == []


def test_the_page_link_can_expire_too(outlook):
    for _ in range(3):
        outlook.create()
    page = outlook.call("GET", "me/calendarView/delta", headers=prefer("odata.maxpagesize=2"), **WINDOW).json()
    outlook.fault(kind="expire_cursor")
    assert code(outlook.call("GET", page["@odata.nextLink"])) == (410, "SyncStateNotFound")


def test_events_delta_has_series_without_their_occurrences(outlook):
    outlook.create(subject="Single")
    series = outlook.create(recurrence=tuesdays(3))
    second = outlook.get(f"me/events/{series['id']}/instances", **WINDOW)["value"][1]
    outlook.patch(second, subject="Exception")
    page = outlook.get("me/events/delta", startDateTime=WINDOW["startDateTime"])
    assert [row["type"] for row in page["value"]] == ["singleInstance", "seriesMaster", "exception"]
    outlook.delete(series)
    assert removed(outlook.get(page["@odata.deltaLink"])["value"]) == [series["id"]]
    assert code(outlook.call("GET", "me/events/delta")) == (400, "ErrorInvalidParameter")


def test_the_quirky_mailbox(outlook):
    """An empty first page, rows sent twice, series without their master."""
    outlook.sign_in("quirky@outlook.test")
    outlook.create(recurrence=tuesdays(2))
    page = outlook.get("me/calendarView/delta", **WINDOW)
    assert page["value"] == [] and "@odata.nextLink" in page
    rows = outlook.get(page["@odata.nextLink"])["value"]
    assert [row["type"] for row in rows] == ["occurrence"] * 3 and rows[0] == rows[2]


@pytest.mark.slow
def test_thousands_of_events(outlook):
    assert outlook.control("bulk", {"vendor": "microsoft", "account": "dana@outlook.test", "events": 2500}).ok
    year = {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2028-01-01T00:00:00Z"}
    rows, link = outlook.round(page=500, **year)
    assert len({row["id"] for row in rows}) == 2500 == len(rows)
    assert outlook.round(link)[0] == []
    assert outlook.get(f"me/events/{rows[0]['id']}")["subject"] == rows[0]["subject"]
