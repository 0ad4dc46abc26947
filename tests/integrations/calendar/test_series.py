"""When series take place: exactly as long as the first, in their own zone, and rather too much than too little."""

import datetime as dt
import time
import zoneinfo

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations.calendar import series
from integrations.calendar.series import home_of, occurrences
from integrations.records import Window, instant, parse_instant

COMPANY = zoneinfo.ZoneInfo("America/New_York")
YEAR = Window(dt.datetime(2027, 1, 1, tzinfo=dt.UTC), dt.datetime(2028, 1, 1, tzinfo=dt.UTC))
ZONES = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith(("Etc", "posix")))


def event(start: str, end: str, *rules: str, zone: str = "America/New_York") -> dict:
    return {"start": start, "end": end, "zone": zone, "recurrence": list(rules), "busy": True}


def times(given: dict, window: Window = YEAR) -> list[tuple[str, str]]:
    return occurrences(given, (), window, COMPANY).times


def test_an_occurrence_over_the_change_of_the_clocks_lasts_as_long_as_the_others():
    night = event("2027-03-07T07:30:00Z", "2027-03-07T08:15:00Z", "RRULE:FREQ=WEEKLY;COUNT=3")
    assert times(night) == [
        ("2027-03-07T07:30:00Z", "2027-03-07T08:15:00Z"),
        ("2027-03-14T07:30:00Z", "2027-03-14T08:15:00Z"),  # half past two is no time there on that day
        ("2027-03-21T06:30:00Z", "2027-03-21T07:15:00Z"),
    ]


@pytest.mark.slow
@given(
    zone=st.sampled_from(ZONES),
    day=st.integers(0, 364),
    quarter=st.integers(0, 95),
    length=st.integers(1, 120),
)
@example(zone="America/New_York", day=72, quarter=10, length=3)
@example(zone="Australia/Lord_Howe", day=93, quarter=7, length=100)
def test_in_every_zone_and_at_every_hour(zone, day, quarter, length):
    home = zoneinfo.ZoneInfo(zone)
    wall = dt.datetime(2027, 1, 1) + dt.timedelta(days=day, minutes=15 * quarter)
    first = instant(wall.replace(tzinfo=home))
    if parse_instant(first).astimezone(home).replace(tzinfo=None) != wall:
        return  # the series would begin at a time that is none
    last = instant(parse_instant(first) + dt.timedelta(minutes=15 * length))
    window = Window(parse_instant(first) - dt.timedelta(days=1), parse_instant(first) + dt.timedelta(days=9))
    found = times(event(first, last, "RRULE:FREQ=DAILY;COUNT=8", zone=zone), window)
    assert len(found) == 8
    for number, (start, end) in enumerate(found):
        expected = (wall + dt.timedelta(days=number)).replace(tzinfo=home)
        assert start == instant(expected)
        assert parse_instant(end) - parse_instant(start) == dt.timedelta(minutes=15 * length)


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        (["RRULE:FREQ=DAILY;COUNT=4;X-EVERY=THIRD"], 4),
        (["RRULE:FREQ=DAILY;X-A=1;COUNT=2;X-B=2", "EXDATE:20270302T140000Z"], 1),
        (["RRULE:FREQ=MINUTELY;UNTIL=20270310T000000Z"], 9),
        (["RRULE:FREQ=LUNAR;UNTIL=20270305T000000Z"], 4),
        (["RRULE:FREQ=DAILY;COUNT=many"], 306),
        (["RRULE:nonsense"], 306),
        (["nonsense"], 306),
    ],
)
def test_what_cannot_be_understood_blocks_rather_too_much_and_says_so(rules, count):
    found = occurrences(event("2027-03-01T14:00:00Z", "2027-03-01T15:00:00Z", *rules), (), YEAR, COMPANY)
    assert (len(found.times), found.understood) == (count, False)
    # What may take place more than once a day blocks the day.
    end = "2027-03-02T14:00:00Z" if "MINUTELY" in rules[0] else "2027-03-01T15:00:00Z"
    assert found.times[0] == ("2027-03-01T14:00:00Z", end)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYWEEKNO=54",
        "FREQ=DAILY;COUNT=99999999;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;BYHOUR=9", "FREQ=DAILY;COUNT=99999999",
        "FREQ=HOURLY;COUNT=99999999",
    ],
)  # fmt: skip
def test_a_rule_is_followed_for_a_part_of_a_second(rule):
    """The first never takes place: dateutil would look for it up to the year 9999, in seconds."""
    given = event("1971-01-01T14:00:00Z", "1971-01-01T15:00:00Z", f"RRULE:{rule}")
    started = time.thread_time()
    found = occurrences(given, (), YEAR, COMPANY)
    assert time.thread_time() - started < 1  # 0.1 on an idle machine
    # More steps are not taken: then each whole day is blocked (from the last of the year before), and it is said.
    too_many = rule == "FREQ=HOURLY;COUNT=99999999"
    never = "BYMONTHDAY=30" in rule or "BYWEEKNO=54" in rule
    assert (len(found.times), found.understood) == (0 if never else 366 if too_many else 365, not too_many)


def test_hours_since_1971_take_no_longer_than_those_of_this_year():
    day = Window(YEAR.start, YEAR.start + dt.timedelta(days=2))
    took = []
    for first in (YEAR.start, dt.datetime(1971, 1, 1)):
        given = event(f"{first:%Y-%m-%d}T14:00:00Z", f"{first:%Y-%m-%d}T14:30:00Z", "RRULE:FREQ=HOURLY")
        started = time.thread_time()  # the first also warms up what is imported late
        found = occurrences(given, (), day, COMPANY)
        took.append(time.thread_time() - started)
    assert took[1] < took[0] + 0.2
    assert (len(found.times), found.understood) == (48, True)


@pytest.mark.slow
@given(
    first=st.integers(0, 800),
    minute=st.integers(0, 1439),
    rule=st.sampled_from(
        [
            "FREQ=DAILY;INTERVAL={n}", "FREQ=WEEKLY;INTERVAL={n};BYDAY=MO,SU", "FREQ=WEEKLY;INTERVAL={n}",
            "FREQ=WEEKLY;INTERVAL={n};WKST=SU;BYDAY=SU,TU",
            "FREQ=HOURLY;INTERVAL={n}", "FREQ=DAILY;INTERVAL={n};BYHOUR=2,9",
            "FREQ=HOURLY;INTERVAL={n};BYDAY=WE", "FREQ=DAILY;INTERVAL={n};UNTIL=20270120T000000Z",
        ]
    ),
    n=st.integers(1, 29),
    length=st.integers(1, 4000),
)  # fmt: skip
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_series_of_years_is_the_same_as_if_it_was_followed_from_its_first_day(first, minute, rule, n, length):
    wall = dt.datetime(2024, 1, 1) + dt.timedelta(days=first, minutes=minute)
    start = wall.replace(tzinfo=COMPANY)
    if start.astimezone(dt.UTC).astimezone(COMPANY).replace(tzinfo=None) != wall:
        return
    last = instant(start.astimezone(dt.UTC) + dt.timedelta(minutes=length))
    given = event(instant(start), last, f"RRULE:{rule.format(n=n)}")
    window = Window(YEAR.start, YEAR.start + dt.timedelta(days=100))
    found = times(given, window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "_ahead", lambda *_: dt.timedelta(0))
        assert times(given, window) == found


def test_an_exception_stands_for_its_occurrence_also_where_the_rules_are_not_understood():
    given = event("2027-03-01T14:00:00Z", "2027-03-01T15:00:00Z", "RRULE:FREQ=DAILY;COUNT=3;X-EVERY=THIRD")
    found = occurrences(given, ["2027-03-01T14:00:00Z"], YEAR, COMPANY)
    assert [start[:10] for start, _ in found.times] == ["2027-03-02", "2027-03-03"]


@pytest.mark.parametrize(
    ("start", "zone", "home"),
    [
        ("2027-03-01", "America/Los_Angeles", "America/Los_Angeles"),
        ("2027-03-01", "", "America/New_York"),
        ("2027-03-01", "UTC", "America/New_York"),
        ("2027-03-01T14:00:00Z", "UTC", "UTC"),
        ("2027-03-01T14:00:00Z", "Nowhere/At_All", "America/New_York"),
        ("2027-03-01T14:00:00Z", "../etc/passwd", "America/New_York"),
    ],
)
def test_which_zone_an_event_is_meant_in(start, zone, home):
    assert home_of({"start": start, "zone": zone}, COMPANY).key == home
