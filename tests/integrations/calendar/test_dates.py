"""Series with lists of further dates and of days left out: every form that the standard knows, and too many."""

import datetime as dt
import time

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from integrations.calendar.series import occurrences
from integrations.providers.recurrence import MOST_DATES, rules_only
from tests.integrations.calendar.test_series import COMPANY, YEAR, event, times

START, END = "2027-03-01T14:00:00Z", "2027-03-01T15:00:00Z"  # nine o'clock in New York
FIRST = (START, END)


def dates(count: int, minutes: int = 10) -> str:
    first = dt.datetime(2027, 1, 1)
    return ",".join(f"{first + number * dt.timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}" for number in range(count))


@pytest.mark.parametrize(
    ("rule", "when"),
    [
        ("RDATE:20270401T130000Z", ("2027-04-01T13:00:00Z", "2027-04-01T14:00:00Z")),
        ("RDATE:20270401T130000", ("2027-04-01T17:00:00Z", "2027-04-01T18:00:00Z")),  # floating: in the series' zone
        ("RDATE;TZID=Europe/Berlin:20270401T130000", ("2027-04-01T11:00:00Z", "2027-04-01T12:00:00Z")),
        ("RDATE;VALUE=PERIOD:20270401T130000Z/20270401T160000Z", ("2027-04-01T13:00:00Z", "2027-04-01T16:00:00Z")),
        ("RDATE;VALUE=PERIOD:20270401T130000Z/PT30M", ("2027-04-01T13:00:00Z", "2027-04-01T13:30:00Z")),
        ("RDATE;VALUE=PERIOD:20270401T130000/PT2H", ("2027-04-01T17:00:00Z", "2027-04-01T19:00:00Z")),
        ("RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20270401T130000/PT2H",
         ("2027-04-01T11:00:00Z", "2027-04-01T13:00:00Z")),
    ],
)  # fmt: skip
def test_a_further_date_is_when_and_as_long_as_it_says(rule, when):
    found = occurrences(event(START, END, rule), (), YEAR, COMPANY)
    assert (found.times, found.understood) == ([FIRST, when], True)


def test_a_period_that_began_before_the_window_blocks_what_it_reaches_into_it():
    given = event(START, END, "RDATE;VALUE=PERIOD:20261230T130000Z/P4D,20261220T130000Z/P4D")
    assert times(given) == [("2026-12-30T13:00:00Z", "2027-01-03T13:00:00Z"), FIRST]


@pytest.mark.parametrize("rule", ["RDATE;VALUE=DATE:20270401", "RDATE:20270401T130000Z"])
def test_of_whole_days_the_day_counts(rule):
    found = occurrences(event("2027-03-01", "2027-03-02", rule), (), YEAR, COMPANY)
    assert (found.times, found.understood) == ([("2027-03-01", "2027-03-02"), ("2027-04-01", "2027-04-02")], True)


def test_a_day_alone_in_a_series_with_times_takes_that_day_and_is_told_of():
    found = occurrences(event(START, END, "RDATE;VALUE=DATE:20270401"), (), YEAR, COMPANY)
    assert (found.times[1:], found.understood) == ([("2027-04-01T04:00:00Z", "2027-04-02T04:00:00Z")], False)


@pytest.mark.parametrize(
    "rule",
    ["EXDATE:20270302T140000Z", "EXDATE:20270302T090000", "EXDATE;TZID=Europe/Berlin:20270302T150000",
     "EXDATE;TZID=America/New_York:20270302T090000", "EXDATE;VALUE=DATE:20270302"],
)  # fmt: skip
def test_a_day_that_is_left_out_is_found_in_whatever_zone_it_is_said(rule):
    found = occurrences(event(START, END, "RRULE:FREQ=DAILY;COUNT=3", rule), (), YEAR, COMPANY)
    assert ([start[:10] for start, _ in found.times], found.understood) == (["2027-03-01", "2027-03-03"], True)


@pytest.mark.parametrize(
    "rule",
    ["EXRULE:FREQ=DAILY;INTERVAL=2", "EXDATE:UNREAD", "EXDATE:soon", "EXDATE;VALUE=PERIOD:20270302T140000Z/soon"],
)
def test_what_may_leave_a_day_out_and_cannot_be_read_leaves_none_out_and_is_told_of(rule):
    found = occurrences(event(START, END, "RRULE:FREQ=DAILY;COUNT=3", rule), (), YEAR, COMPANY)
    assert (len(found.times), found.understood) == (3, False)


@pytest.mark.parametrize(
    ("rules", "last"),
    [
        (["RDATE:" + dates(50_000)], "2027-12-15"),
        (["RDATE:" + dates(1_900, 1_440)], "2027-12-31"),
        (["RRULE:FREQ=DAILY;UNTIL=20270310T000000Z", "RDATE:" + dates(50_000)], "2027-12-15"),
        (["RRULE:FREQ=DAILY", "EXDATE:" + dates(50_000)], "2027-12-31"),
        (["RDATE;VALUE=PERIOD:20270401T130000Z/P99999999D"], "2027-12-31"),
        (["RDATE:UNREAD", "RRULE:FREQ=DAILY;UNTIL=20270310T000000Z"], "2027-12-31"),
    ],
)
def test_more_dates_than_anybody_waits_for_block_each_day_between_them_and_are_told_of(rules, last):
    started = time.thread_time()
    for lines in (rules, rules_only(rules)):  # as they are kept, or from before there was a limit
        found = occurrences(event(START, END, *lines), (), YEAR, COMPANY)
        assert not found.understood
        assert (found.times[-1][0][:10], len(found.times) <= 366) == (last, True)
    assert time.thread_time() - started < 2  # a fifth of that on an idle machine; in full it would take seconds


def test_of_too_many_periods_nobody_knows_until_when():
    periods = ["RDATE;VALUE=PERIOD:" + dates(MOST_DATES + 1).replace("Z", "Z/PT1H")]
    assert times(event(START, END, *periods))[-1][0][:10] == "2027-01-23"  # each lasts for days at most
    assert times(event(START, END, *rules_only(periods)))[-1][0][:10] == "2027-12-31"


@pytest.mark.parametrize("name", ["RDATE", "EXDATE"])
def test_only_so_many_dates_are_kept(name):
    kept = rules_only([f"{name}:{dates(MOST_DATES - 1)}", f"{name}:20280101T130000Z", "RRULE:FREQ=DAILY"])
    assert len(kept) == 3
    [rule, rest] = rules_only([f"{name}:{dates(MOST_DATES)}", f"{name}:20280101T130000Z", "RRULE:FREQ=DAILY"])
    assert (rule, len(rest) < 60, "UNREAD" in rest) == ("RRULE:FREQ=DAILY", True, True)


@pytest.mark.parametrize(
    ("far", "possible"),
    [
        ("RDATE:99991231T100000Z", True),
        ("RDATE:00010101T000000Z", True),
        ("RDATE;TZID=Asia/Tokyo:00010101T000000,99991231T235959", True),
        ("RDATE;VALUE=PERIOD:99991231T100000Z/P9D", True),
        ("EXDATE:00010101T000000Z,99991231T100000Z", True),
        ("RDATE:20270231T100000Z", False),
        ("RDATE;VALUE=DATE:20270231,00000000", False),
        ("RDATE:20270401T250000Z,99991231T100000Z", False),
        ("EXDATE:20270231T140000Z", False),
    ],
)
def test_a_date_that_is_none_or_far_away_takes_no_other_along(far, possible):
    """One that there is not is told of; in the year 9999 nobody is booked."""
    rule = "RRULE:FREQ=WEEKLY;COUNT=3"
    days = ["2027-03-01", "2027-03-08", "2027-03-15"]
    for start, end in ((START, END), ("2027-03-01", "2027-03-02")):
        for rules, expected in (([rule, far], days), ([far], days[:1])):
            found = occurrences(event(start, end, *rules), (), YEAR, COMPANY)
            assert ([time[:10] for time, _ in found.times], found.understood) == (expected, possible)
        # Of a list, the others count.
        mixed = occurrences(event(start, end, rule, f"{far.replace('EX', 'R')},20270401"), (), YEAR, COMPANY)
        assert max(end[:10] for _, end in mixed.times) >= "2027-03-31"  # said in Tokyo
    left_out = f"{far.replace('RDATE', 'EXDATE')},20270308T140000Z"
    assert len(times(event(START, END, rule, left_out))) in (2, 3)


PIECES = (
    "20270401", "99991231T100000Z", "00010101", "20270231", "-", ",", "/", "P9D", "PT-5H", "/P999999999D", "T", "Z",
    ":", ";VALUE=DATE", ";VALUE=PERIOD", ";TZID=Asia/Tokyo", "UNREAD",
)  # fmt: skip
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)


@pytest.mark.slow
@pytest.mark.once
@given(
    name=st.sampled_from(["RDATE", "RDATE:", "RDATE;VALUE=PERIOD:", "EXDATE", "EXDATE:", "EXDATE;VALUE=DATE:"]),
    text=st.text(PRINTABLE, max_size=20) | st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    rule=st.sampled_from([[], ["RRULE:FREQ=WEEKLY"], ["RRULE:FREQ=DAILY;COUNT=9"]]),
    day=st.booleans(),
)
@example(name="RDATE;VALUE=PERIOD:", text="00010101T000000Z/99991231T000000Z", rule=[], day=False)
@example(name="RDATE;VALUE=PERIOD:", text="20270401T000000Z/99991231T000000Z", rule=[], day=True)
@hypothesis_settings(max_examples=40, deadline=None)
def test_whatever_a_list_says_the_series_blocks_its_time(name, text, rule, day):
    start, end = ("2027-03-01", "2027-03-02") if day else (START, END)
    started = time.thread_time()
    found = occurrences(event(start, end, *rule, name + text), (), YEAR, COMPANY)
    assert time.thread_time() - started < 1
    if not name.startswith("EX"):
        assert any(begins <= start and ends >= end for begins, ends in found.times)
    assert len(found.times) <= 800
