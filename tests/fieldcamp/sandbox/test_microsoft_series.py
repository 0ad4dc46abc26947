"""Series of the simulated Graph: patterns, instances, exceptions, cancelled days."""

import pytest

from .conftest import WINDOW, at, code, meeting, tuesdays

ZONE = "Eastern Standard Time"
SPRING = {"startDateTime": "2027-03-01T00:00:00Z", "endDateTime": "2027-04-01T00:00:00Z"}


@pytest.fixture
def series(outlook):
    """Four Tuesdays at 10:00 in New York, beginning on 1 December 2026."""
    return outlook.create(zone=ZONE, recurrence=tuesdays())


def instances(outlook, series, **window):
    return outlook.get(f"me/events/{series['id']}/instances", **({"$top": "50"} | WINDOW | window))["value"]


def days(events):
    return [event["start"]["dateTime"][:10] for event in events]


def test_a_series_and_its_instances(outlook, series):
    assert series["type"] == "seriesMaster" and series["recurrence"]["range"]["recurrenceTimeZone"] == ZONE
    found = instances(outlook, series)
    assert days(found) == ["2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22"]
    first = found[0]
    assert (first["type"], first["seriesMasterId"]) == ("occurrence", series["id"])
    assert first["originalStart"] == "2026-12-01T15:00:00Z" and first["recurrence"] is None
    assert first["uid"] == series["uid"] and first["iCalUId"] != series["iCalUId"]
    assert [each["id"] for each in outlook.get("me/events")["value"]] == [series["id"]]
    assert [each["id"] for each in outlook.get("me/calendarView", **WINDOW)["value"]] == [each["id"] for each in found]
    assert outlook.get(f"me/events/{first['id']}")["subject"] == "Visit"


def recurrence(kind, start, ending=None, **pattern):
    ending = ending or {"type": "noEnd"}
    return {"pattern": {"type": kind, "interval": 1} | pattern, "range": ending | {"startDate": start}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (recurrence("daily", "2026-12-29", interval=3), ["29", "01", "04", "07"]),
        (recurrence("weekly", "2026-12-29", daysOfWeek=["tuesday", "Friday"]), ["29", "01", "05", "08"]),
        (recurrence("weekly", "2026-12-29", interval=2, daysOfWeek=["tuesday", "sunday"]), ["29", "10", "12", "24"]),
        (recurrence("absoluteMonthly", "2026-12-31", dayOfMonth=31), ["31", "31", "28", "31"]),
        (
            recurrence("relativeMonthly", "2026-12-29", daysOfWeek=["tuesday"], index="last"),
            ["29", "26", "23", "30"],
        ),
        (recurrence("absoluteYearly", "2026-12-29", dayOfMonth=29, month=12), ["29", "29", "29", "29"]),
        (
            recurrence("relativeYearly", "2026-12-29", daysOfWeek=["tuesday"], index="last", month=12),
            ["29", "28", "26", "25"],
        ),
        (
            recurrence("daily", "2026-12-29", ending={"type": "endDate", "endDate": "2026-12-30"}),
            ["29", "30"],
        ),
    ],
)
def test_patterns(outlook, rule, expected):
    day = rule["range"]["startDate"]
    made = outlook.create(start=f"{day}T10:00:00", end=f"{day}T11:00:00", recurrence=rule)
    found = instances(outlook, made, endDateTime="2031-01-01")
    assert [day[8:] for day in days(found)][:4] == expected


@pytest.mark.parametrize(
    "rule",
    [
        recurrence("hourly", "2026-12-01"),
        recurrence("weekly", "2026-12-01"),
        recurrence("weekly", "2026-12-02", daysOfWeek=["tuesday"]),
        recurrence("absoluteMonthly", "2026-12-01"),
        recurrence("absoluteYearly", "2026-12-01", dayOfMonth=30, month=2),
        recurrence("relativeYearly", "2026-12-01", daysOfWeek=["monday"]),
        recurrence("daily", "2026-12-01", interval=0),
        recurrence("daily", "2026-12-01", ending={"type": "endDate", "endDate": "2026-11-30"}),
        recurrence("daily", "2026-12-01", ending={"type": "numbered"}),
        recurrence("weekly", "2026-12-01", daysOfWeek=["someday"]),
        {"pattern": {"type": "daily"}},
    ],
)
def test_patterns_that_cannot_be(outlook, rule):
    refused = outlook.call("POST", "me/events", meeting(recurrence=rule))
    assert code(refused) == (400, "ErrorInvalidRequest")


def test_a_series_keeps_its_hour_over_a_change_of_the_clocks(outlook):
    rule = recurrence("weekly", "2027-03-09", daysOfWeek=["tuesday"])
    zone = {"start": at("2027-03-09T10:00:00", ZONE), "end": at("2027-03-09T11:00:00", ZONE)}
    made = outlook.create(**zone, recurrence=rule)
    hours = [event["start"]["dateTime"][11:13] for event in instances(outlook, made, **SPRING)]
    assert hours == ["15", "14", "14", "14"]


def test_an_exception_has_its_own_time_and_words(outlook, series):
    second = instances(outlook, series)[1]
    times = {"start": at("2026-12-09T10:00:00"), "end": at("2026-12-09T10:30:00")}
    changed = outlook.patch(second, subject="Moved", **times).json()
    assert (changed["id"], changed["type"]) == (second["id"], "exception")
    assert changed["originalStart"] == second["originalStart"]
    found = instances(outlook, series)
    assert days(found) == ["2026-12-01", "2026-12-09", "2026-12-15", "2026-12-22"]
    assert [each["subject"] for each in found] == ["Visit", "Moved", "Visit", "Visit"]
    expanded = outlook.get(f"me/events/{series['id']}", **{"$expand": "exceptionOccurrences"})
    assert [each["subject"] for each in expanded["exceptionOccurrences"]] == ["Moved"]
    refused = outlook.patch(second, recurrence=tuesdays())
    assert code(refused) == (400, "ErrorInvalidRequest")


@pytest.mark.parametrize("day", ["2026-12-01", "2026-12-15", "2026-12-20", "2026-11-30"])
def test_an_exception_stays_between_its_neighbours(outlook, series, day):
    second = instances(outlook, series)[1]
    refused = outlook.patch(second, start=at(f"{day}T17:00:00"), end=at(f"{day}T18:00:00"))
    assert code(refused) == (400, "ErrorOccurrenceCrossingBoundary")
    assert instances(outlook, series)[1]["type"] == "occurrence"


def test_one_day_is_cancelled(outlook, series):
    second = instances(outlook, series)[1]
    outlook.patch(second, subject="First changed")
    assert outlook.delete(second).status_code == 204
    assert days(instances(outlook, series)) == ["2026-12-01", "2026-12-15", "2026-12-22"]
    assert code(outlook.delete(second)) == (404, "ErrorItemNotFound")
    assert code(outlook.patch(second, subject="Too late")) == (404, "ErrorItemNotFound")
    shown = outlook.get(f"me/events/{series['id']}", **{"$select": "subject,cancelledOccurrences"})
    assert shown["cancelledOccurrences"] == [f"OID.{series['id']}.2026-12-08"]


def test_another_rule_drops_exceptions_and_renames_all_instances(outlook, series):
    before = instances(outlook, series)
    outlook.patch(before[1], subject="Exception")
    assert outlook.delete(before[2]).status_code == 204
    times = {"start": at("2026-12-01T12:00:00", ZONE), "end": at("2026-12-01T13:00:00", ZONE)}
    assert outlook.patch(series, **times).status_code == 200
    after = instances(outlook, series)
    assert len(after) == 4 and {each["subject"] for each in after} == {"Visit"}
    assert not {each["id"] for each in before} & {each["id"] for each in after}
    assert code(outlook.call("GET", f"me/events/{before[0]['id']}")) == (404, "ErrorItemNotFound")


def test_other_words_keep_exceptions(outlook, series):
    before = instances(outlook, series)
    outlook.patch(before[1], subject="Exception")
    outlook.patch(series, subject="Renamed")
    after = instances(outlook, series)
    assert [each["subject"] for each in after] == ["Renamed", "Exception", "Renamed", "Renamed"]
    assert [each["id"] for each in before] == [each["id"] for each in after]


def test_a_series_ends_as_a_whole(outlook, series):
    one = instances(outlook, series)[0]
    assert outlook.delete(series).status_code == 204
    assert outlook.get("me/calendarView", **WINDOW)["value"] == []
    assert code(outlook.call("GET", f"me/events/{one['id']}")) == (404, "ErrorItemNotFound")


def test_a_series_becomes_a_single_event(outlook, series):
    changed = outlook.patch(series, recurrence=None).json()
    assert (changed["type"], changed["recurrence"]) == ("singleInstance", None)
    assert days(outlook.get("me/calendarView", **WINDOW)["value"]) == ["2026-12-01"]
    refused = outlook.call("GET", f"me/events/{series['id']}/instances", **WINDOW)
    assert code(refused) == (400, "ErrorInvalidRequest")


def test_an_all_day_series(outlook):
    body = {"start": at("2026-12-01T00:00:00", ZONE), "end": at("2026-12-02T00:00:00", ZONE), "isAllDay": True}
    made = outlook.create(**body, recurrence=tuesdays(2))
    found = instances(outlook, made)
    assert days(found) == ["2026-12-01", "2026-12-08"]
    assert found[1]["end"]["dateTime"] == "2026-12-09T00:00:00.0000000" and found[1]["isAllDay"]
